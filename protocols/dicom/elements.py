"""Data elements as bytes: where each begins and ends, and how one is written.

Little endian only, explicit and implicit VR (PS3.5 section 7). Nothing is interpreted: a value is
a range of bytes. Nesting is bounded, so hostile input costs neither stack nor time.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from protocols.errors import LocalProtocolError, RemoteProtocolError
from spec.dicom import EXPLICIT_VR_BIG_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN

__all__ = [
    "DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN",
    "PIXEL_DATA_TAGS",
    "UNDEFINED",
    "DicomSyntaxError",
    "Element",
    "encode_element",
    "encode_item",
    "encode_sequence",
    "is_implicit",
    "iter_items",
    "tag_name",
    "walk",
]

UNDEFINED = 0xFFFFFFFF
"""The length of an element or item that ends with a delimiter."""

PIXEL_DATA_TAGS = frozenset({0x7FE00008, 0x7FE00009, 0x7FE00010})
"""Float, Double Float and plain Pixel Data."""

DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN = "1.2.840.10008.1.2.1.99"

_ITEM = 0xFFFEE000
_ITEM_END = 0xFFFEE00D
_SEQUENCE_END = 0xFFFEE0DD
_MAX_DEPTH = 48

_LONG_VRS = frozenset(
    (b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV")
)
"""VRs with two reserved bytes and a 32-bit length in explicit VR, PS3.5 table 7.1-1."""

_tag_and_length = struct.Struct("<HHL").unpack_from
_tag_vr_length = struct.Struct("<HH2sH").unpack_from
_long = struct.Struct("<L").unpack_from
_pack_implicit = struct.Struct("<HHL").pack
_pack_short = struct.Struct("<HH2sH").pack
_pack_long = struct.Struct("<HH2sHL").pack


class DicomSyntaxError(RemoteProtocolError):
    """Bytes that are no DICOM data set, or no Part 10 file."""


class Element(NamedTuple):
    """One data element, as offsets in the buffer that was walked."""

    tag: int
    """`0xGGGGEEEE`."""
    vr: bytes
    """As written, `b""` in implicit VR."""
    start: int
    value: int
    """Offset of the value field."""
    length: int
    """As written; `UNDEFINED` for a delimited value."""
    end: int
    """Past the element, its sequence delimiter included."""


def is_implicit(transfer_syntax: str) -> bool:
    """Whether data sets of that transfer syntax are in implicit VR.

    Raises:
        DicomSyntaxError: big endian or deflated, which this module does not read.
    """
    if transfer_syntax in (EXPLICIT_VR_BIG_ENDIAN, DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN):
        raise DicomSyntaxError(f"syntaxe de transfert non lue : {transfer_syntax}")
    return transfer_syntax == IMPLICIT_VR_LITTLE_ENDIAN


def tag_name(tag: int) -> str:
    """`(gggg,eeee)` in upper-case hexadecimal, as the standard prints it."""
    return f"({tag >> 16:04X},{tag & 0xFFFF:04X})"


def walk(
    data: bytes, start: int = 0, end: int | None = None, *, implicit: bool, cut: bool = False
) -> Iterator[Element]:
    """The elements of the data set `data[start:end]`, in the order written, not descending.

    With `cut` the data set may be a beginning only: the last element is then given with an `end`
    beyond the buffer when its length is defined, and the walk just stops where a header or a
    delimited value is incomplete.

    Raises:
        DicomSyntaxError: a length goes past the end, a delimiter is missing or misplaced.
    """
    return _walk(data, start, len(data) if end is None else end, implicit, cut, 0)


def _walk(
    data: bytes, position: int, end: int, implicit: bool, cut: bool, depth: int
) -> Iterator[Element]:
    while position < end:
        header = _header(data, position, end, implicit)
        if header is None:
            if cut:
                return
            raise DicomSyntaxError("élément tronqué", span=(position, end))
        tag, vr, value, length = header
        if tag >> 16 == 0xFFFE:
            raise DicomSyntaxError(
                "délimiteur inattendu", where=tag_name(tag), span=(position, end)
            )
        if length == UNDEFINED:
            try:
                past = _skip_items(data, value, end, implicit or vr == b"UN", depth + 1)
            except _CutError:
                if cut:
                    return
                raise DicomSyntaxError(
                    "séquence sans fin", where=tag_name(tag), span=(position, end)
                ) from None
        else:
            past = value + length
            if past > end and not cut:
                raise DicomSyntaxError(
                    f"longueur {length} au-delà de la fin",
                    where=tag_name(tag),
                    span=(position, end),
                )
        yield Element(tag, vr, position, value, length, past)
        position = past


def iter_items(
    data: bytes, value: int, end: int, length: int, *, implicit: bool
) -> Iterator[tuple[int, int]]:
    """The data set ranges of the items of a sequence value, delimiters left out.

    `value`, `end` and `length` are those of its `Element`.

    Raises:
        DicomSyntaxError: what is there is no item.
    """
    position = value
    while position < end:
        if position + 8 > end:
            raise DicomSyntaxError("item tronqué", span=(position, end))
        group, element, size = _tag_and_length(data, position)
        tag = group << 16 | element
        if tag == _SEQUENCE_END and length == UNDEFINED:
            return
        if tag != _ITEM:
            raise DicomSyntaxError("item attendu", where=tag_name(tag), span=(position, end))
        position += 8
        if size == UNDEFINED:
            try:
                past = _skip_data_set(data, position, end, implicit, 1)
            except _CutError:
                raise DicomSyntaxError("item sans fin", span=(position, end)) from None
            yield position, past - 8
            position = past
        else:
            if position + size > end:
                raise DicomSyntaxError("item trop long", span=(position, end))
            yield position, position + size
            position += size


class _CutError(Exception):
    """The buffer ends inside a delimited value."""


def _header(
    data: bytes, position: int, end: int, implicit: bool
) -> tuple[int, bytes, int, int] | None:
    """Tag, VR, offset of the value and length, or None when the buffer ends too early."""
    if position + 8 > end:
        return None
    if implicit:
        group, element, length = _tag_and_length(data, position)
        return group << 16 | element, b"", position + 8, length
    group, element, vr, length = _tag_vr_length(data, position)
    if group == 0xFFFE:
        return group << 16 | element, b"", position + 8, _long(data, position + 4)[0]
    if vr in _LONG_VRS:
        if position + 12 > end:
            return None
        return group << 16 | element, vr, position + 12, _long(data, position + 8)[0]
    if not (65 <= vr[0] <= 90 and 65 <= vr[1] <= 90):
        raise DicomSyntaxError(
            f"VR illisible {vr!r}",
            where=tag_name(group << 16 | element),
            span=(position, position + 8),
        )
    return group << 16 | element, vr, position + 8, length


def _skip_items(data: bytes, position: int, end: int, implicit: bool, depth: int) -> int:
    """Past the sequence delimiter that ends the items (or fragments) at `position`."""
    while True:
        if position + 8 > end:
            raise _CutError
        group, element, size = _tag_and_length(data, position)
        tag = group << 16 | element
        position += 8
        if tag == _SEQUENCE_END:
            return position
        if tag != _ITEM:
            raise DicomSyntaxError("item attendu", where=tag_name(tag), span=(position - 8, end))
        if size == UNDEFINED:
            position = _skip_data_set(data, position, end, implicit, depth)
        else:
            position += size


def _skip_data_set(data: bytes, position: int, end: int, implicit: bool, depth: int) -> int:
    """Past the item delimiter that ends the data set at `position`."""
    if depth > _MAX_DEPTH:
        raise DicomSyntaxError("séquences trop imbriquées", span=(position, end))
    while True:
        header = _header(data, position, end, implicit)
        if header is None:
            raise _CutError
        tag, vr, value, length = header
        if tag == _ITEM_END:
            return value
        if tag >> 16 == 0xFFFE:
            raise DicomSyntaxError(
                "délimiteur inattendu", where=tag_name(tag), span=(position, end)
            )
        if length == UNDEFINED:
            position = _skip_items(data, value, end, implicit or vr == b"UN", depth + 1)
        else:
            position = value + length


def encode_element(tag: int, vr: str, value: bytes, *, implicit: bool) -> bytes:
    """One element, its value padded to an even length (NUL for UI and OB, space for text).

    Raises:
        LocalProtocolError: the value is too long for the 16-bit length of its VR.
    """
    code = vr.encode("ascii")
    if len(value) % 2:
        value += b"\0" if vr in ("UI", "OB", "UN") else b" "
    if implicit:
        return _pack_implicit(tag >> 16, tag & 0xFFFF, len(value)) + value
    if code in _LONG_VRS:
        return _pack_long(tag >> 16, tag & 0xFFFF, code, 0, len(value)) + value
    if len(value) > 0xFFFE:
        raise LocalProtocolError(f"{tag_name(tag)} : valeur trop longue pour {vr}")
    return _pack_short(tag >> 16, tag & 0xFFFF, code, len(value)) + value


def encode_item(content: bytes) -> bytes:
    """One item of defined length holding an encoded data set."""
    return _pack_implicit(0xFFFE, 0xE000, len(content)) + content


def encode_sequence(tag: int, items: Sequence[bytes], *, implicit: bool) -> bytes:
    """One sequence of defined length; each of `items` is an encoded data set."""
    content = b"".join(map(encode_item, items))
    if implicit:
        return _pack_implicit(tag >> 16, tag & 0xFFFF, len(content)) + content
    return _pack_long(tag >> 16, tag & 0xFFFF, b"SQ", 0, len(content)) + content
