"""Received instances on disk: reading the beginning of one without its pixels."""

from __future__ import annotations

from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import cast

from protocols.dicom import DicomSyntaxError, Part10, is_implicit, split_part10, walk

__all__ = ["check_whole", "read_head"]

_FIRST = 64 * 1024
_LIMIT = 16 * 1024 * 1024
"""A header that puts the patient's identifiers farther than that is no header."""


def read_head(path: Path, *, upto: int) -> Part10:
    """A file whose `dataset` is a beginning that holds every element up to the tag `upto`.

    Raises:
        DicomSyntaxError: not a DICOM file.
        OSError: unreadable.
    """
    size = _FIRST
    whole = path.stat().st_size
    while True:
        with path.open("rb") as file:
            part = split_part10(file.read(size))
        implicit = is_implicit(part.transfer_syntax)
        past = any(
            element.tag > upto for element in walk(part.dataset, implicit=implicit, cut=True)
        )
        if past or size >= whole:
            return part
        if size >= _LIMIT:
            raise DicomSyntaxError("en-tête DICOM démesuré", span=(0, size))
        size *= 4


def check_whole(path: Path) -> None:
    """A file whose data set can be read to its end, pixels and sequences included.

    Pixels are not decoded: that is for whoever shows them.

    Raises:
        DicomSyntaxError: a length goes past the end, a sequence does not end or is too deep.
        OSError: unreadable.
    """
    with path.open("rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as whole:
        part = split_part10(whole[:_FIRST])
        begins = min(_FIRST, len(whole)) - len(part.dataset)
        # Sliced and unpacked as bytes are, and never held in memory at once.
        elements = walk(cast(bytes, whole), begins, implicit=is_implicit(part.transfer_syntax))
        for _ in elements:
            pass
