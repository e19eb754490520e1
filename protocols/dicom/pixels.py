"""Pixel data as bytes: how it is described, where each frame is, how frames are encapsulated.

Source: PS3.3 C.7.6.3 (description), PS3.5 8 and A.4 (native and encapsulated), annex G (RLE),
grade `standard`. Nothing is decompressed here but run lengths.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from protocols.dicom.edit import header_end, read_texts, read_values
from protocols.dicom.elements import (
    UNDEFINED,
    DicomSyntaxError,
    encode_item,
    is_implicit,
    iter_items,
    walk,
)

__all__ = [
    "NATIVE",
    "PIXEL_DATA",
    "PixelLayout",
    "encapsulated",
    "frames_of",
    "pixel_layout",
    "unpacked_run_lengths",
]

PIXEL_DATA = 0x7FE00010
NATIVE = frozenset({"1.2.840.10008.1.2", "1.2.840.10008.1.2.1"})
"""Transfer syntaxes in which pixel data are not compressed."""

_OFFSETS = 0x7FE00001
_SAMPLES, _PHOTOMETRIC, _PLANAR, _FRAMES = 0x00280002, 0x00280004, 0x00280006, 0x00280008
_ROWS, _COLUMNS, _ALLOCATED, _STORED = 0x00280010, 0x00280011, 0x00280100, 0x00280101
_HIGH_BIT, _SIGNED = 0x00280102, 0x00280103
_SHORTS = (_SAMPLES, _PLANAR, _ROWS, _COLUMNS, _ALLOCATED, _STORED, _HIGH_BIT, _SIGNED)
_MAX_FRAMES = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class PixelLayout:
    """The Image Pixel attributes of a data set."""

    rows: int
    columns: int
    samples: int
    planar: int
    """PlanarConfiguration: 1 when each component is a plane of its own."""
    allocated: int
    stored: int
    signed: bool
    photometric: str
    frames: int

    @property
    def frame_size(self) -> int:
        """Bytes of a frame that is not compressed; 0 when frames do not begin on a byte."""
        bits = self.rows * self.columns * self.samples * self.allocated
        return 0 if bits % 8 else bits // 8


def pixel_layout(data: bytes, *, transfer_syntax: str) -> PixelLayout | None:
    """The description in a data set (or in its header); None when it has no pixels described.

    Raises:
        DicomSyntaxError: unreadable, or a description that contradicts itself.
    """
    tags = (*_SHORTS, _PHOTOMETRIC, _FRAMES)
    values = read_values(data, transfer_syntax=transfer_syntax, tags=tags)
    shorts = {
        tag: int.from_bytes(values[tag][:2], "little")
        for tag in _SHORTS
        if len(values.get(tag, b"")) >= 2
    }
    if _ROWS not in shorts or _COLUMNS not in shorts:
        return None
    texts = read_texts(data, transfer_syntax=transfer_syntax, tags=(_PHOTOMETRIC, _FRAMES))
    allocated = shorts.get(_ALLOCATED, 8)
    stored = shorts.get(_STORED, allocated)
    frames = texts.get(_FRAMES, "").split("\\")[0].strip() or "1"
    if (
        allocated not in (1, 8, 16, 32, 64)
        or not 1 <= stored <= allocated
        or shorts.get(_HIGH_BIT, stored - 1) != stored - 1
        or not (frames.isascii() and frames.isdigit() and 1 <= int(frames) <= _MAX_FRAMES)
        or shorts.get(_SAMPLES, 1) not in (1, 3, 4)
    ):
        raise DicomSyntaxError("description des pixels illisible", where="0028")
    return PixelLayout(
        rows=shorts[_ROWS],
        columns=shorts[_COLUMNS],
        samples=shorts.get(_SAMPLES, 1),
        planar=shorts.get(_PLANAR, 0),
        allocated=allocated,
        stored=stored,
        signed=bool(shorts.get(_SIGNED, 0)),
        photometric=texts.get(_PHOTOMETRIC, ""),
        frames=int(frames),
    )


def frames_of(
    data: bytes, *, transfer_syntax: str, layout: PixelLayout
) -> list[memoryview | bytes]:
    """The encoded frames of a data set, in order: slices of it, copied only when in fragments.

    Raises:
        DicomSyntaxError: no pixel data, or not as many frames as the layout says.
    """
    implicit = is_implicit(transfer_syntax)
    position = header_end(data, transfer_syntax=transfer_syntax) or 0
    for element in walk(data, position, implicit=implicit):
        if element.tag != PIXEL_DATA:
            continue
        if element.length != UNDEFINED:
            return _native(memoryview(data)[element.value : element.end], layout)
        items = list(iter_items(data, element.value, element.end, UNDEFINED, implicit=False))
        fragments = [memoryview(data)[start:end] for start, end in items]
        if not fragments:
            raise DicomSyntaxError("pixels encapsulés sans table", where="7FE0,0010")
        offsets = _extended_offsets(data, transfer_syntax) or _basic_offsets(fragments[0])
        return _framed(fragments[1:], offsets, layout.frames)
    raise DicomSyntaxError("pas de pixels", where="7FE0,0010")


def encapsulated(frames: Sequence[bytes]) -> bytes:
    """The Pixel Data element (explicit VR, OB) of compressed frames, one fragment each."""
    padded = [frame + b"\0" if len(frame) % 2 else frame for frame in frames]
    offsets, position = [], 0
    for frame in padded:
        offsets.append(position)
        position += 8 + len(frame)
    # The table has 32-bit offsets: left empty where they do not fit (PS3.5 A.4).
    table = struct.pack(f"<{len(offsets)}L", *offsets) if position < 1 << 32 else b""
    head = struct.pack("<HH2sHL", 0x7FE0, 0x0010, b"OB", 0, UNDEFINED)
    end = struct.pack("<HHL", 0xFFFE, 0xE0DD, 0)
    return b"".join((head, encode_item(table), *map(encode_item, padded), end))


def unpacked_run_lengths(frame: bytes, *, planes: int, size: int) -> list[bytes]:
    """The byte planes of an RLE frame, each of `size` bytes, most significant first (annex G).

    Raises:
        DicomSyntaxError: another number of planes, or a plane too short.
    """
    if len(frame) < 64:
        raise DicomSyntaxError("en-tête RLE tronqué")
    number, *offsets = struct.unpack("<16L", frame[:64])
    if number != planes:
        raise DicomSyntaxError(f"{number} plan(s) RLE au lieu de {planes}")
    bounds = [*offsets[:number], len(frame)]
    found = []
    for start, end in pairwise(bounds):
        if not 64 <= start <= end <= len(frame):
            raise DicomSyntaxError("plan RLE hors du flux")
        plane = _unpack_bits(frame[start:end], size)
        if len(plane) < size:
            raise DicomSyntaxError("plan RLE tronqué")
        found.append(plane[:size])
    return found


def _unpack_bits(data: bytes, size: int) -> bytes:
    out = bytearray()
    position = 0
    while position < len(data) - 1 and len(out) < size:
        number = data[position]
        if number < 128:
            out += data[position + 1 : position + 2 + number]
            position += 2 + number
        elif number > 128:
            out += data[position + 1 : position + 2] * (257 - number)
            position += 2
        else:
            position += 1
    return bytes(out)


def _native(value: memoryview, layout: PixelLayout) -> list[memoryview | bytes]:
    size = layout.frame_size
    if not size and layout.frames == 1:
        return [value]
    if not size or len(value) < size * layout.frames:
        raise DicomSyntaxError("pixels plus courts que leur description", where="7FE0,0010")
    return [value[index * size : (index + 1) * size] for index in range(layout.frames)]


def _basic_offsets(table: memoryview) -> list[int]:
    return list(struct.unpack(f"<{len(table) // 4}L", table[: len(table) // 4 * 4]))


def _extended_offsets(data: bytes, transfer_syntax: str) -> list[int]:
    value = read_values(data, transfer_syntax=transfer_syntax, tags=(_OFFSETS,)).get(_OFFSETS, b"")
    return list(struct.unpack(f"<{len(value) // 8}Q", value[: len(value) // 8 * 8]))


def _framed(
    fragments: list[memoryview], offsets: list[int], count: int
) -> list[memoryview | bytes]:
    """Fragments put together into frames: by the table, else one each, else all in one."""
    if len(fragments) == count:
        return list(fragments)
    if count == 1:
        return [b"".join(fragments)]
    frames: list[list[memoryview]] = []
    position = 0
    starts = set(offsets)
    for fragment in fragments:
        if position in starts or not frames:
            frames.append([])
        frames[-1].append(fragment)
        position += 8 + len(fragment)
    if len(frames) != count:
        raise DicomSyntaxError(
            f"{len(fragments)} fragments pour {count} images, sans table qui les sépare",
            where="7FE0,0010",
        )
    return [b"".join(parts) for parts in frames]
