"""A DICOM file as a tree of elements, read the way a judge needs it: as it is written.

An absent element, an empty one and a padded one stay three different things, and a file that is
cut (a header kept without its pixels) gives the elements that precede the cut.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from protocols.dicom import DicomSyntaxError, codec_of, is_implicit, iter_items, split_part10, walk
from protocols.dicom.convert import vr_of
from protocols.dicom.elements import PIXEL_DATA_TAGS, UNDEFINED

__all__ = ["DataSet", "Element", "File", "read_file", "tag_path"]

_BINARY = {"OB", "OD", "OF", "OL", "OV", "OW", "UN", "US", "SS", "UL", "SL", "FL", "FD", "AT"}
_SINGLE = {"UT", "UR", "LT", "ST"}
_MAX_DEPTH = 16
_CHARACTER_SET = 0x00080005


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
    """A DICOM file: what its meta information says, and its data set up to the pixels."""

    media_sop_class: str
    media_sop_instance: str
    transfer_syntax: str
    data: DataSet


def tag_path(tag: int) -> str:
    """`0040,A370` for 0x0040A370."""
    return f"{tag >> 16:04X},{tag & 0xFFFF:04X}"


def read_file(data: bytes, *, partial: bool = False) -> File:
    """Read a file up to its pixels.

    Args:
        partial: the bytes are the beginning of a file; what the cut touches is left out.

    Raises:
        DicomSyntaxError: no preamble and `DICM`, no transfer syntax, elements that run over the
            end (unless `partial`), deep nesting, a deflated or big endian data set.
    """
    part = split_part10(data)
    reader = _Reader(part.dataset, is_implicit(part.transfer_syntax), partial)
    root = reader.data_set(0, len(part.dataset), "", 0, "latin-1")
    return File(part.sop_class, part.sop_instance, part.transfer_syntax, root)


@dataclass(frozen=True, slots=True)
class _Reader:
    data: bytes
    implicit: bool
    partial: bool

    def data_set(self, start: int, end: int, path: str, depth: int, codec: str) -> DataSet:
        if depth > _MAX_DEPTH:
            raise DicomSyntaxError("séquences trop imbriquées", where=path, span=(start, end))
        elements: dict[int, Element] = {}
        # Only the last element of the root can be cut: deeper ones then never reach us.
        cut = self.partial and depth == 0
        for found in walk(self.data, start, end, implicit=self.implicit, cut=cut):
            if found.tag in PIXEL_DATA_TAGS or found.end > end:
                break
            vr = found.vr.decode("latin-1") or vr_of(found.tag)
            if vr == "UN" and vr_of(found.tag) != "SQ":
                vr = vr_of(found.tag)
            if vr == "SQ" or found.length == UNDEFINED:
                where = f"{path}/{tag_path(found.tag)}" if path else tag_path(found.tag)
                ranges = iter_items(
                    self.data, found.value, found.end, found.length, implicit=self.implicit
                )
                items = tuple(
                    self.data_set(first, last, f"{where}[{rank}]", depth + 1, codec)
                    for rank, (first, last) in enumerate(ranges, start=1)
                )
                elements[found.tag] = Element(found.tag, "SQ", items=items)
                continue
            text = _text(self.data[found.value : found.end], vr, codec)
            elements[found.tag] = Element(found.tag, vr, text)
            if found.tag == _CHARACTER_SET:
                codec = codec_of(text)
        return DataSet(elements, path)


def _text(value: bytes, vr: str, codec: str) -> str:
    if vr in _BINARY:
        return value[:64].hex()
    decoded = value.decode(codec, "replace")
    return decoded.rstrip("\0 ") if vr in _SINGLE or vr == "UI" else decoded.strip("\0 ")
