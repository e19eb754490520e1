"""DICOM data sets as trees: Part 10 files, naked identifiers of DIMSE, and DICOM JSON lines."""

from __future__ import annotations

import hashlib
import json
import warnings
from collections.abc import Iterator
from io import BytesIO
from typing import Any

from pydicom import DataElement, Dataset, dcmread
from pydicom.filebase import DicomBytesIO
from pydicom.filereader import read_dataset
from pydicom.uid import UID

from reports.annotate import text
from reports.annotate.model import Node, Section, Tree

__all__ = ["is_part10", "json_sections", "named_uid", "sections"]

MAX_NODES = 500
MAX_VALUE = 160
MAX_DEPTH = 16
_BINARY = frozenset({"OB", "OD", "OF", "OL", "OV", "OW", "UN"})


def is_part10(body: bytes) -> bool:
    """Whether the bytes begin like a DICOM file (PS3.10, 7.1)."""
    return body[128:132] == b"DICM"


def sections(
    body: bytes, title: str, *, total: int | None = None, folded: bool = False
) -> tuple[Section, ...]:
    """The elements of a file or of a naked data set. `total` is its full size when cut."""
    left = (total or len(body)) - len(body)
    note = f"{left} octets de plus non conservés" if left > 0 else ""
    try:
        with warnings.catch_warnings():
            # pydicom tells what it finds odd; judging values is the validators' work.
            warnings.simplefilter("ignore")
            nodes, complete = _nodes(_read(body))
    except Exception as error:
        # Whatever hostile bytes make pydicom raise, a report shows them all the same.
        blocks, more = text.hexdump(body)
        said = "; ".join(filter(None, (f"{type(error).__name__} : {error}", more, note)))
        return (Section(f"{title} (DICOM illisible)", blocks, said, folded),)
    if not complete:
        note = "; ".join(filter(None, (f"affichage coupé à {MAX_NODES} éléments", note)))
    return (Section(title, (Tree(nodes),), note, folded),)


def json_sections(body: bytes, title: str) -> tuple[Section, ...]:
    """One section for each line of DICOM JSON (PS3.18 annex F): the answers of a query."""
    made = []
    for rank, line in enumerate(body.splitlines(), 1):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                nodes, complete = _nodes(Dataset.from_json(json.loads(line)))
        except Exception as error:
            # Same reason as above: what cannot be read is shown as it is.
            blocks, note = text.text_or_hex(line)
            made.append(Section(f"{title} {rank} ({type(error).__name__})", blocks, note))
            continue
        note = "" if complete else f"affichage coupé à {MAX_NODES} éléments"
        made.append(Section(f"{title} {rank}", (Tree(nodes),), note, folded=rank > 3))
    return tuple(made)


def named_uid(value: str) -> str:
    """A UID of the standard followed by its name; anything else unchanged."""
    name = UID(value).name
    return f"{value} ({name})" if name != value else value


def _read(body: bytes) -> Dataset:
    if is_part10(body):
        return dcmread(BytesIO(body), stop_before_pixels=True, force=True)
    explicit = len(body) >= 6 and body[4:6].isalpha() and body[4:6].isupper()
    return read_dataset(DicomBytesIO(body), is_implicit_VR=not explicit, is_little_endian=True)


def _nodes(dataset: Dataset) -> tuple[tuple[Node, ...], bool]:
    budget = [MAX_NODES]
    meta = getattr(dataset, "file_meta", None)
    nodes = (*_elements(meta, "", 0, budget), *_elements(dataset, "", 0, budget))
    return nodes, budget[0] > 0


def _elements(dataset: Dataset | None, path: str, depth: int, budget: list[int]) -> Iterator[Node]:
    for element in dataset or ():
        if budget[0] <= 0:
            return
        budget[0] -= 1
        tag = f"{element.tag.group:04X},{element.tag.element:04X}"
        place = f"{path}/{tag}" if path else tag
        if element.VR == "SQ" and depth < MAX_DEPTH:
            items = tuple(_items(element, place, depth, budget))
            count = len(element.value)
            summary = f"{count} item{'s' if count > 1 else ''}"
            yield Node(place, f"({tag})", str(element.name), "SQ", summary, items)
        else:
            yield Node(place, f"({tag})", str(element.name), str(element.VR), _value(element))


def _items(element: DataElement, place: str, depth: int, budget: list[int]) -> Iterator[Node]:
    for rank, item in enumerate(element.value, 1):
        if budget[0] <= 0:
            return
        budget[0] -= 1
        inside = f"{place}[{rank}]"
        yield Node(inside, f"item {rank}", "", "", "",
                   tuple(_elements(item, inside, depth + 1, budget)))  # fmt: skip


def _value(element: DataElement) -> str:
    value: Any = element.value
    if value is None or value == "":
        return ""
    if isinstance(value, bytes) or element.VR in _BINARY:
        content = value if isinstance(value, bytes) else bytes(str(value), "utf-8")
        return f"‹{text.size(len(content))}, sha256 {hashlib.sha256(content).hexdigest()[:16]}…›"
    values = (
        value
        if isinstance(value, list | tuple) or type(value).__name__ == "MultiValue"
        else [value]
    )
    return text.shown("\\".join(_one(element, single) for single in values), MAX_VALUE)


def _one(element: DataElement, value: Any) -> str:
    return named_uid(str(value)) if element.VR == "UI" else str(value)
