"""A KOS of 10,000 instances built and read, against plain pydicom doing the same.

pydicom makes its data set element by element, as a program that knows nothing else does; before
anything is timed, both files are read by pydicom and compared.
"""

from __future__ import annotations

import gc
import io
from collections.abc import Sequence
from typing import Any

import pydicom
from pydicom.dataset import Dataset

from load.benchmarks.measure import Measure, faster, timed
from load.benchmarks.validation import long_manifest
from protocols.kos import decode

__all__ = ["BUILT", "INSTANCES", "NAME", "READ", "KosError", "run"]

NAME = "kos"
INSTANCES = 10_000
BUILT, READ = 50.0, 20.0
"""How many times as fast as pydicom, at least."""
_ROUNDS = 3
_EVIDENCE, _CONTENT = 0x0040A375, 0x0040A730


class KosError(Exception):
    """Both did not do the same: their times would mean nothing."""


def run(*, rounds: int = _ROUNDS, instances: int = INSTANCES) -> list[Measure]:
    """Measure building and reading.

    Raises:
        KosError: what the two make or read differs.
    """
    ours = long_manifest(instances)
    model = pydicom.dcmread(io.BytesIO(ours))
    theirs = _built(model)
    if pydicom.dcmread(io.BytesIO(theirs)) != pydicom.dcmread(io.BytesIO(ours)):
        raise KosError("les deux KOS diffèrent")
    if _read(ours) != [one.sop_instance for one in decode(ours).instances()]:
        raise KosError("les deux lectures diffèrent")
    # What was made so far is no work of the two that follow: their collector need not walk it.
    gc.collect()
    gc.freeze()
    title = f"KOS de {instances} instances"
    return [
        faster(
            NAME, f"{title}, écrit", "pydicom",
            timed(lambda: long_manifest(instances)), timed(lambda: _built(model)),
            amount=1, unit="KOS/s", rounds=rounds, floor=BUILT,
        ),
        faster(
            NAME, f"{title}, lu", "pydicom",
            timed(lambda: decode(ours)), timed(lambda: _read(ours)),
            amount=1, unit="KOS/s", rounds=rounds, floor=READ,
        ),
    ]  # fmt: skip


def _built(model: Any) -> bytes:
    """The same file, its two long sequences made one element after the other."""
    made = Dataset()
    made.file_meta = model.file_meta
    for element in model:
        if element.tag not in (_EVIDENCE, _CONTENT):
            made.add(element)
    made.CurrentRequestedProcedureEvidenceSequence = [
        _study(one) for one in model.CurrentRequestedProcedureEvidenceSequence
    ]
    made.ContentSequence = [_item(one) for one in model.ContentSequence]
    buffer = io.BytesIO()
    made.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def _study(model: Any) -> Dataset:
    study = Dataset()
    study.StudyInstanceUID = str(model.StudyInstanceUID)
    study.ReferencedSeriesSequence = [_series(one) for one in model.ReferencedSeriesSequence]
    return study


def _series(model: Any) -> Dataset:
    series = Dataset()
    for element in model:
        if element.keyword != "ReferencedSOPSequence":
            setattr(series, element.keyword, element.value)
    series.ReferencedSOPSequence = _references(model.ReferencedSOPSequence)
    return series


def _references(models: Sequence[Any]) -> list[Dataset]:
    made = []
    for one in models:
        reference = Dataset()
        for element in one:
            setattr(reference, element.keyword, str(element.value))
        made.append(reference)
    return made


def _item(model: Any) -> Dataset:
    item = Dataset()
    for element in model:
        if element.keyword == "ReferencedSOPSequence":
            item.ReferencedSOPSequence = _references(element.value)
        else:
            setattr(item, element.keyword, element.value)
    return item


def _read(data: bytes) -> list[str]:
    """The SOP instances that the evidence lists, and every reference of the content looked at."""
    read = pydicom.dcmread(io.BytesIO(data))
    for item in read.ContentSequence:
        for one in item.get("ReferencedSOPSequence", ()):
            if not one.ReferencedSOPInstanceUID:
                raise KosError("référence vide")
    return [
        str(one.ReferencedSOPInstanceUID)
        for study in read.CurrentRequestedProcedureEvidenceSequence
        for series in study.ReferencedSeriesSequence
        for one in series.ReferencedSOPSequence
    ]
