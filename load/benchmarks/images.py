"""Images for benchmarks: one drawn by the modality, the others the same pixels under other UIDs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from protocols.dicom import split_part10
from simulators import modality

__all__ = ["CT", "MG", "Sort", "files"]


@dataclass(frozen=True, slots=True)
class Sort:
    """A sort of images: square, of two bytes a pixel."""

    modality: str
    matrix: int
    count: int

    @property
    def words(self) -> str:
        """How a table names so many of them."""
        size = 2 * self.matrix**2 / 1e6
        return f"{self.count} {self.modality} de {size:.1f} Mo"


CT = Sort("CT", 512, 400)
MG = Sort("MG", 3240, 16)
"""A tomosynthesis view."""


def files(sort: Sort, *, study: str = "2.25.40001") -> Iterator[bytes]:
    """Part 10 files, uncompressed, each with a SOP instance of its own.

    The UID of each is as long as that of the first, so that no length changes.
    """
    exam = modality.Exam(
        patient=modality.Patient(name="BENCH^A", patient_id="IPP-1"),
        study_uid=study,
        matrix=sort.matrix,
        series=(modality.Series(modality=sort.modality, count=1),),
    )
    (first,) = modality.make(exam)
    uid = split_part10(first).sop_instance.encode()
    for number in range(sort.count):
        other = uid[:-6] + f".{10_000 + number:05d}".encode()
        yield first.replace(uid, other)
