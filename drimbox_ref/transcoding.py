"""A whole data set in another transfer syntax: its pixels, and what its header says of them.

Frame by frame: one frame at a time is decompressed, whatever the length of the loop.
"""

from __future__ import annotations

from drimbox_ref.codecs import DECODED, JPEG_BASELINE, decoded, encoded
from protocols.dicom import encode_element, read_texts, replace_elements, walk
from protocols.dicom.pixels import (
    NATIVE,
    PIXEL_DATA,
    PixelLayout,
    encapsulated,
    frames_of,
    pixel_layout,
)
from spec.dicom import EXPLICIT_VR_LITTLE_ENDIAN

__all__ = ["UNDONE", "converted", "pixel_span", "uncompressed"]

UNDONE = DECODED - {EXPLICIT_VR_LITTLE_ENDIAN}
"""The compressed transfer syntaxes that can be undone, but for some images of theirs."""

_PHOTOMETRIC, _PLANAR = 0x00280004, 0x00280006
_LOSSY, _RATIO, _METHOD = 0x00282110, 0x00282112, 0x00282114
_OFFSETS, _OFFSET_LENGTHS = 0x7FE00001, 0x7FE00002
_JPEG_METHOD = "ISO_10918_1"


def uncompressed(data: bytes, transfer_syntax: str) -> bytes:
    """A data set of one of `UNDONE`, in Explicit VR Little Endian.

    That its pixels were once compressed with loss is still said.

    Raises:
        CodecError: no library reads these pixels, or damaged ones.
        RemoteProtocolError: a data set that cannot be read.
    """
    layout = pixel_layout(data, transfer_syntax=transfer_syntax)
    span = pixel_span(data)
    if layout is None or span is None:
        return data
    return converted(data, transfer_syntax, EXPLICIT_VR_LITTLE_ENDIAN, layout, span)


def pixel_span(data: bytes) -> tuple[int, int] | None:
    """Where the Pixel Data element of an explicit VR data set begins and ends."""
    for element in walk(data, implicit=False):
        if element.tag == PIXEL_DATA:
            return element.start, element.end
    return None


def converted(
    data: bytes, transfer_syntax: str, target: str, layout: PixelLayout, span: tuple[int, int]
) -> bytes:
    """The data set with its pixels, which are at `span`, in the syntax of that name.

    Raises:
        CodecError: no library reads or writes these pixels, or damaged ones.
    """
    frames, photometric = [], layout.photometric
    for frame in frames_of(data, transfer_syntax=transfer_syntax, layout=layout):
        pixels = decoded(bytes(frame), layout, transfer_syntax)
        made, photometric = encoded(pixels, layout, target)
        frames.append(made)
    if target in NATIVE:
        vr = "OW" if layout.allocated > 8 else "OB"
        element = encode_element(PIXEL_DATA, vr, b"".join(frames), implicit=False)
    else:
        element = encapsulated(frames)
    changed: dict[int, bytes | None] = {_OFFSETS: None, _OFFSET_LENGTHS: None}
    if photometric != layout.photometric:
        changed[_PHOTOMETRIC] = _text(_PHOTOMETRIC, "CS", photometric)
    if layout.samples > 1:
        changed[_PLANAR] = encode_element(_PLANAR, "US", bytes(2), implicit=False)
    if target == JPEG_BASELINE:
        changed |= _said_lossy(data, transfer_syntax, layout, sum(map(len, frames)))
    header = replace_elements(
        data[: span[0]], transfer_syntax=EXPLICIT_VR_LITTLE_ENDIAN, elements=changed
    )
    return header + element + data[span[1] :]


def _said_lossy(
    data: bytes, transfer_syntax: str, layout: PixelLayout, size: int
) -> dict[int, bytes]:
    """What PS3.3 C.7.6.1.1.5 wants said; earlier ratios and methods stay before ours."""
    texts = read_texts(data, transfer_syntax=transfer_syntax, tags=(_RATIO, _METHOD))
    ratio = layout.frame_size * layout.frames / max(size, 1)
    ratios = [*filter(None, [texts.get(_RATIO, "")]), f"{ratio:.2f}"]
    methods = [*filter(None, [texts.get(_METHOD, "")]), _JPEG_METHOD]
    return {
        _LOSSY: _text(_LOSSY, "CS", "01"),
        _RATIO: _text(_RATIO, "DS", "\\".join(ratios)),
        _METHOD: _text(_METHOD, "CS", "\\".join(methods)),
    }


def _text(tag: int, vr: str, value: str) -> bytes:
    return encode_element(tag, vr, value.encode("ascii"), implicit=False)
