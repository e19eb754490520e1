"""A DICOM file as a tree of elements, read the way a judge needs it: as it is written.

An absent element, an empty one and a padded one stay three different things, and a file that is
cut (a header kept without its pixels) gives the elements that precede the cut. Values are text;
the value representation is the written one, or the dictionary's in implicit VR.

Réf. DICOM PS3.5 sections 7.1 and 7.5, PS3.10 section 7.1.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

from pydicom.charset import python_encoding
from pydicom.datadict import dictionary_VR

from protocols.errors import RemoteProtocolError

__all__ = ["DataSet", "DicomSyntaxError", "Element", "File", "read_file", "tag_path"]

IMPLICIT = "1.2.840.10008.1.2"
BIG_ENDIAN = "1.2.840.10008.1.2.2"
DEFLATED = "1.2.840.10008.1.2.1.99"

_PIXELS = 0x7FE00010
_ITEM, _ITEM_END, _SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
_UNDEFINED = 0xFFFFFFFF
_LONG = {b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV"}
_BINARY = {"OB", "OD", "OF", "OL", "OV", "OW", "UN", "US", "SS", "UL", "SL", "FL", "FD", "AT"}
_SINGLE = {"UT", "UR", "LT", "ST"}
_MAX_DEPTH = 16


class DicomSyntaxError(RemoteProtocolError):
    """Not a DICOM file, or one whose elements cannot be told apart."""


@dataclass(frozen=True, slots=True)
class Element:
    """One element. `text` is its value without padding; `items` those of a sequence."""

    tag: int
    vr: str
    text: str = ""
    items: tuple[DataSet, ...] = ()

    @property
    def values(self) -> tuple[str, ...]:
        """The values, none when the element is empty."""
        if not self.text:
            return ()
        if self.vr in _SINGLE:
            return (self.text,)
        return tuple(value.strip() for value in self.text.split("\\"))


@dataclass(frozen=True, slots=True)
class DataSet:
    """Elements by tag, and the path of the set in its file ("" at the root)."""

    elements: dict[int, Element] = field(default_factory=dict)
    path: str = ""

    def __contains__(self, tag: int) -> bool:
        return tag in self.elements

    def text(self, tag: int) -> str:
        """The value of an element, "" when it is absent or empty."""
        element = self.elements.get(tag)
        return "" if element is None else element.text

    def values(self, tag: int) -> tuple[str, ...]:
        """The values of an element, none when it is absent or empty."""
        element = self.elements.get(tag)
        return () if element is None else element.values

    def items(self, tag: int) -> tuple[DataSet, ...]:
        """The items of a sequence, none when it is absent or empty."""
        element = self.elements.get(tag)
        return () if element is None else element.items

    def where(self, tag: int) -> str:
        """The tag path of an element of this set, present or not."""
        return f"{self.path}/{tag_path(tag)}" if self.path else tag_path(tag)


@dataclass(frozen=True, slots=True)
class File:
    """A DICOM file: its meta information, its data set, and whether it was read to its end."""

    meta: DataSet
    data: DataSet
    whole: bool

    @property
    def transfer_syntax(self) -> str:
        """(0002,0010)."""
        return self.meta.text(0x00020010)


def tag_path(tag: int) -> str:
    """`0040,A370` for 0x0040A370."""
    return f"{tag >> 16:04X},{tag & 0xFFFF:04X}"


def read_file(data: bytes, *, partial: bool = False) -> File:
    """Read a file up to its pixels.

    Args:
        partial: the bytes are the beginning of a file; the last element may be cut.

    Raises:
        DicomSyntaxError: no preamble and `DICM`, no transfer syntax, elements that run over the
            end (unless `partial`), sequences deeper than 16, deflated or big endian data sets
            (the latter two are forbidden on the wires of DRIM-M).
    """
    if data[128:132] != b"DICM":
        raise DicomSyntaxError("pas de préambule DICOM (« DICM » à l'octet 128)", span=(128, 132))
    meta_reader = _Reader(data, explicit=True, partial=partial)
    meta, at = meta_reader.data_set(132, len(data), "", 0, group=2)
    syntax = meta.text(0x00020010)
    if not syntax:
        raise DicomSyntaxError("syntaxe de transfert absente", where="0002,0010")
    if syntax in (BIG_ENDIAN, DEFLATED):
        raise DicomSyntaxError(f"syntaxe de transfert interdite : {syntax}", where="0002,0010")
    reader = _Reader(data, explicit=syntax != IMPLICIT, partial=partial)
    body, _ = reader.data_set(at, len(data), "", 0)
    return File(meta, body, whole=not reader.cut and not meta_reader.cut)


class _Reader:
    """One pass over one file; `cut` says that its end was not reached."""

    def __init__(self, data: bytes, *, explicit: bool, partial: bool) -> None:
        self._data = data
        self._explicit = explicit
        self._partial = partial
        self.cut = False

    def data_set(
        self, at: int, end: int, path: str, depth: int, *, group: int | None = None
    ) -> tuple[DataSet, int]:
        """The elements from `at`, and where they stop (an item's end, `end`, another group)."""
        elements: dict[int, Element] = {}
        codec = "iso8859"
        while at < end and not self.cut:
            if at + 8 > end:
                self._short(at)
                break
            tag = self._tag(at)
            if tag in (_ITEM_END, _SEQUENCE_END):
                return DataSet(elements, path), at
            if (group is not None and tag >> 16 != group) or tag == _PIXELS:
                break
            vr, length, start = self._header(at, tag, end)
            if self.cut:
                break
            where = f"{path}/{tag_path(tag)}" if path else tag_path(tag)
            if vr == "SQ" or length == _UNDEFINED:
                items, at = self._items(start, length, end, where, depth + 1)
                elements[tag] = Element(tag, "SQ", items=items)
                continue
            if start + length > end:
                self._short(at)
                break
            at = start + length
            text = _text(self._data[start:at], vr, codec)
            elements[tag] = Element(tag, vr, text)
            if tag == 0x00080005:
                codec = _codec(text)
        return DataSet(elements, path), at

    def _tag(self, at: int) -> int:
        group, element = struct.unpack_from("<HH", self._data, at)
        return int(group) << 16 | int(element)

    def _header(self, at: int, tag: int, end: int) -> tuple[str, int, int]:
        """Value representation, length and start of the value."""
        if not self._explicit:
            (length,) = struct.unpack_from("<I", self._data, at + 4)
            return _dictionary(tag), int(length), at + 8
        vr = self._data[at + 4 : at + 6]
        if not (vr.isalpha() and vr.isupper()):
            raise DicomSyntaxError(
                f"représentation de valeur illisible : {vr!r}",
                where=tag_path(tag),
                span=(at + 4, at + 6),
            )
        if vr not in _LONG:
            (short,) = struct.unpack_from("<H", self._data, at + 6)
            return vr.decode("ascii"), int(short), at + 8
        if at + 12 > end:
            self._short(at)
            return "", 0, at
        (length,) = struct.unpack_from("<I", self._data, at + 8)
        return vr.decode("ascii"), int(length), at + 12

    def _items(
        self, at: int, length: int, end: int, path: str, depth: int
    ) -> tuple[tuple[DataSet, ...], int]:
        if depth > _MAX_DEPTH:
            raise DicomSyntaxError("séquences trop profondes", where=path)
        limit = end if length == _UNDEFINED else at + length
        if limit > end:
            if not self._partial:
                self._short(at)
            limit = end
        found: list[DataSet] = []
        while at < limit and not self.cut:
            if at + 8 > limit:
                self._short(at)
                break
            tag = self._tag(at)
            (size,) = struct.unpack_from("<I", self._data, at + 4)
            at += 8
            if tag == _SEQUENCE_END:
                return tuple(found), at
            if tag != _ITEM:
                raise DicomSyntaxError("item de séquence attendu", where=path, span=(at - 8, at))
            item_path = f"{path}[{len(found) + 1}]"
            undefined = size == _UNDEFINED
            item_end = limit if undefined else at + int(size)
            if item_end > limit:
                if not self._partial:
                    self._short(at)
                item_end = limit
            item, stopped = self.data_set(at, item_end, item_path, depth)
            found.append(item)
            at = stopped + 8 if undefined else item_end
        if not self.cut and length != _UNDEFINED and at < limit:
            self._short(at)
        return tuple(found), min(at, limit)

    def _short(self, at: int) -> None:
        """An element runs over the end: the cut of a partial file, or a broken one."""
        if not self._partial:
            raise DicomSyntaxError("élément tronqué", span=(at, len(self._data)))
        self.cut = True


def _dictionary(tag: int) -> str:
    try:
        # "US or SS" and the like: none of them is text or a sequence.
        return str(dictionary_VR(tag))[:2]
    except KeyError:
        return "UL" if tag & 0xFFFF == 0 else "UN"


def _codec(character_set: str) -> str:
    names = [name.strip() for name in character_set.split("\\")]
    return str(python_encoding.get(names[0], "iso8859"))


def _text(value: bytes, vr: str, codec: str) -> str:
    if vr in _BINARY:
        return value[:64].hex()
    try:
        decoded = value.decode(codec, "replace")
    except LookupError:
        decoded = value.decode("latin-1")
    return decoded.rstrip("\0 ") if vr in _SINGLE or vr == "UI" else decoded.strip("\0 ")
