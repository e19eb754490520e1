"""Every element of a DICOM file, nested ones included, altered one at a time.

Read and written by pydicom, which shares nothing with our own codec.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from io import BytesIO

import pydicom
from pydicom import config
from pydicom.dataset import Dataset, FileDataset

from tests.alterations.model import ABSENT, EMPTY, OTHER, Alteration

__all__ = ["alterations"]

_OTHERS = {
    "UI": "2.25.1",
    "DA": "19010101",
    "TM": "000001",
    "IS": "7",
    "DS": "7",
    "UR": "https://kit.invalid/",
}
_TEXTS = {"CS", "LO", "SH", "PN", "LT", "ST", "UT", "UC", "AE"}
_Step = tuple[pydicom.tag.BaseTag, int]


def alterations(good: bytes) -> Iterator[Alteration]:
    """Elements left out, emptied or given another value that their VR allows."""
    file = pydicom.dcmread(BytesIO(good))
    yield from _meta(file)
    yield from _walk(file, file, (), "")


def _meta(file: FileDataset) -> Iterator[Alteration]:
    for tag in (0x00020002, 0x00020003, 0x00020010):
        for change in (ABSENT, OTHER):
            # Without its transfer syntax, no writer writes a file.
            if tag == 0x00020010:
                continue
            edited = copy.deepcopy(file)
            if change == ABSENT:
                del edited.file_meta[tag]
            else:
                edited.file_meta[tag].value = _OTHERS["UI"]
            yield Alteration(_name(tag), change, _bytes(edited))


def _walk(
    file: FileDataset, level: Dataset, path: tuple[_Step, ...], prefix: str
) -> Iterator[Alteration]:
    for element in level:
        if element.tag.group >= 0x7FE0:
            continue
        place = prefix + _name(element.tag)
        yield Alteration(place, ABSENT, _edited(file, path, element.tag, None))
        if element.VR == "SQ":
            if len(element.value):
                yield Alteration(place, EMPTY, _edited(file, path, element.tag, []))
            for rank, item in enumerate(element.value):
                step = (*path, (element.tag, rank))
                where = f"{place}[{rank + 1}]"
                if len(element.value) > 1:
                    yield Alteration(where, ABSENT, _without_item(file, path, element.tag, rank))
                yield from _walk(file, item, step, f"{where}/")
            continue
        if not element.is_empty:
            yield Alteration(place, EMPTY, _edited(file, path, element.tag, ""))
            other = _OTHERS.get(element.VR, "KIT" if element.VR in _TEXTS else "")
            if other:
                yield Alteration(place, OTHER, _edited(file, path, element.tag, other))


def _target(file: FileDataset, path: tuple[_Step, ...]) -> Dataset:
    level: Dataset = file
    for tag, rank in path:
        level = level[tag].value[rank]
    return level


def _edited(
    file: FileDataset, path: tuple[_Step, ...], tag: pydicom.tag.BaseTag, value: object
) -> bytes:
    edited = copy.deepcopy(file)
    level = _target(edited, path)
    if value is None:
        del level[tag]
    else:
        level[tag].value = value
    return _bytes(edited)


def _without_item(
    file: FileDataset, path: tuple[_Step, ...], tag: pydicom.tag.BaseTag, rank: int
) -> bytes:
    edited = copy.deepcopy(file)
    del _target(edited, path)[tag].value[rank]
    return _bytes(edited)


def _bytes(file: FileDataset) -> bytes:
    out = BytesIO()
    before = config.settings.writing_validation_mode
    config.settings.writing_validation_mode = config.IGNORE
    try:
        pydicom.dcmwrite(out, file, enforce_file_format=False)
    finally:
        config.settings.writing_validation_mode = before
    return out.getvalue()


def _name(tag: int) -> str:
    return f"{tag >> 16:04X},{tag & 0xFFFF:04X}"
