"""What the KOS rules judge: a manifest as its elements, and the case that it belongs to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from validators.context import Context
from validators.dicom_tree import DataSet, File, read_file

__all__ = ["Kos", "Reference", "read"]

CONTENT = 0x0040A730
EVIDENCE = 0x0040A375
SERIES = 0x00081115
INSTANCES = 0x00081199


@dataclass(frozen=True, slots=True)
class Reference:
    """One instance that the evidence lists, with the UIDs above it and where it is written."""

    study: str
    series: str
    sop_class: str
    instance: str
    where: str


@dataclass(frozen=True, slots=True)
class Kos:
    """A manifest. `root` is its data set."""

    file: File
    context: Context

    @property
    def root(self) -> DataSet:
        return self.file.data

    @property
    def sop_instance(self) -> str:
        """(0008,0018)."""
        return self.root.text(0x00080018)

    @property
    def study(self) -> str:
        """(0020,000D)."""
        return self.root.text(0x0020000D)

    @property
    def studies(self) -> tuple[DataSet, ...]:
        """The items of the evidence."""
        return self.root.items(EVIDENCE)

    @property
    def series(self) -> tuple[tuple[str, DataSet], ...]:
        """Study UID and item of every series of the evidence."""
        return tuple(
            (study.text(0x0020000D), series)
            for study in self.studies
            for series in study.items(SERIES)
        )

    @property
    def requests(self) -> tuple[DataSet, ...]:
        """The items of ReferencedRequestSequence."""
        return self.root.items(0x0040A370)

    def references(self) -> Iterator[Reference]:
        """Every instance of the evidence."""
        for study, series in self.series:
            for item in series.items(INSTANCES):
                yield Reference(
                    study,
                    series.text(0x0020000E),
                    item.text(0x00081150),
                    item.text(0x00081155),
                    item.where(0x00081155),
                )

    def content(self) -> Iterator[tuple[DataSet, DataSet]]:
        """Every content item that refers to an instance, with its reference."""
        for item in self.root.items(CONTENT):
            for reference in item.items(INSTANCES):
                yield item, reference


def read(data: bytes, context: Context) -> Kos:
    """Read a manifest file.

    Raises:
        DicomSyntaxError: not a DICOM file.
    """
    return Kos(read_file(data), context)
