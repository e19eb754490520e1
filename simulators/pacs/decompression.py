"""An instance as an archive sends it to whom only takes uncompressed pixels."""

from __future__ import annotations

import jpeg_ls

from protocols.dicom import encode_element, walk
from protocols.dicom.pixels import PIXEL_DATA, frames_of, pixel_layout
from simulators.pacs.archive import Instance

__all__ = ["DECOMPRESSED", "decompressed"]

DECOMPRESSED = frozenset({"1.2.840.10008.1.2.4.80", "1.2.840.10008.1.2.4.81"})
"""The transfer syntaxes that this PACS undoes: JPEG-LS, the one in which it is loaded."""


def decompressed(instance: Instance) -> bytes:
    """Its data set in Explicit VR Little Endian, grey pixels of JPEG-LS undone.

    Raises:
        DicomSyntaxError: pixels that are not as described.
    """
    data = instance.dataset()
    syntax = instance.transfer_syntax
    layout = pixel_layout(data, transfer_syntax=syntax)
    if layout is None:
        return data
    frames = frames_of(data, transfer_syntax=syntax, layout=layout)
    raw = b"".join(bytes(jpeg_ls.decode_buffer(bytes(frame))[0]) for frame in frames)
    element = encode_element(
        PIXEL_DATA, "OW" if layout.allocated > 8 else "OB", raw, implicit=False
    )
    (pixels,) = (one for one in walk(data, implicit=False) if one.tag == PIXEL_DATA)
    return data[: pixels.start] + element + data[pixels.end :]
