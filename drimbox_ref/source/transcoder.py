"""An instance in a transfer syntax that the client takes, when the PACS has given another.

The PACS is asked first, by negotiation (DB.SO.85): this is what remains to be done. Frame by
frame: one frame at a time is decompressed, whatever the length of the loop.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from drimbox_ref.codecs import ENCODED, JPEG_BASELINE, CodecError, decoded, encoded
from drimbox_ref.source.values import NotTranscodable, StoredObject
from protocols.dicom import encode_element, read_texts, replace_elements, walk
from protocols.dicom.pixels import (
    NATIVE,
    PIXEL_DATA,
    PixelLayout,
    encapsulated,
    frames_of,
    pixel_layout,
)
from protocols.dicomweb import ANY_TRANSFER_SYNTAX
from protocols.errors import RemoteProtocolError
from spec.dicom import EXPLICIT_VR_LITTLE_ENDIAN

__all__ = ["PixelTranscoder"]

_PHOTOMETRIC, _PLANAR = 0x00280004, 0x00280006
_LOSSY, _RATIO, _METHOD = 0x00282110, 0x00282112, 0x00282114
_OFFSETS, _OFFSET_LENGTHS = 0x7FE00001, 0x7FE00002
_JPEG_METHOD = "ISO_10918_1"


class PixelTranscoder:
    """A `Transcoder`: the first syntax of the list that can be produced wins."""

    def transcode(self, stored: StoredObject, wanted: Sequence[str]) -> StoredObject:
        """The instance in one of the syntaxes wanted, best first.

        An instance without pixels goes out in Explicit VR Little Endian: no other syntax applies.

        Raises:
            NotTranscodable: none can be produced; the reason is that of the last one tried.
        """
        try:
            layout = pixel_layout(stored.data, transfer_syntax=stored.transfer_syntax)
            span = _pixel_span(stored)
        except RemoteProtocolError as error:
            raise NotTranscodable(f"pixels illisibles : {error}") from error
        if layout is None or span is None:
            return replace(stored, transfer_syntax=EXPLICIT_VR_LITTLE_ENDIAN)
        reason = NotTranscodable("aucune syntaxe admise n'est produite ici")
        for one in wanted:
            target = EXPLICIT_VR_LITTLE_ENDIAN if one == ANY_TRANSFER_SYNTAX else one
            if target not in ENCODED:
                continue
            try:
                return _converted(stored, target, layout, span)
            except CodecError as error:
                reason = NotTranscodable(str(error))
        raise reason

    def frame(self, stored: StoredObject, number: int, wanted: Sequence[str]) -> tuple[str, bytes]:
        """Transfer syntax and bytes of one frame, numbered from 1.

        Raises:
            IndexError: no such frame.
            NotTranscodable: as `transcode`.
        """
        syntax = stored.transfer_syntax
        try:
            layout = pixel_layout(stored.data, transfer_syntax=syntax)
            if layout is None or _pixel_span(stored) is None or number > layout.frames:
                raise IndexError(number)
            frame = frames_of(stored.data, transfer_syntax=syntax, layout=layout)[number - 1]
        except RemoteProtocolError as error:
            raise NotTranscodable(f"pixels illisibles : {error}") from error
        if syntax in wanted or ANY_TRANSFER_SYNTAX in wanted:
            return syntax, bytes(frame)
        reason = NotTranscodable("aucune syntaxe admise n'est produite ici")
        for target in wanted:
            if target not in ENCODED:
                continue
            try:
                pixels = decoded(bytes(frame), layout, syntax)
                return target, encoded(pixels, layout, target)[0]
            except CodecError as error:
                reason = NotTranscodable(str(error))
        raise reason


def _pixel_span(stored: StoredObject) -> tuple[int, int] | None:
    """Where the Pixel Data element begins and ends."""
    for element in walk(stored.data, implicit=False):
        if element.tag == PIXEL_DATA:
            return element.start, element.end
    return None


def _converted(
    stored: StoredObject, target: str, layout: PixelLayout, span: tuple[int, int]
) -> StoredObject:
    frames, photometric = [], layout.photometric
    for frame in frames_of(stored.data, transfer_syntax=stored.transfer_syntax, layout=layout):
        pixels = decoded(bytes(frame), layout, stored.transfer_syntax)
        data, photometric = encoded(pixels, layout, target)
        frames.append(data)
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
        changed |= _said_lossy(stored, layout, sum(map(len, frames)))
    header = replace_elements(
        stored.data[: span[0]], transfer_syntax=EXPLICIT_VR_LITTLE_ENDIAN, elements=changed
    )
    return replace(stored, transfer_syntax=target, data=header + element + stored.data[span[1] :])


def _said_lossy(stored: StoredObject, layout: PixelLayout, size: int) -> dict[int, bytes]:
    """What PS3.3 C.7.6.1.1.5 wants said; earlier ratios and methods stay before ours."""
    texts = read_texts(stored.data, transfer_syntax=stored.transfer_syntax, tags=(_RATIO, _METHOD))
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
