"""Other parsers of HL7 v2 find the same values in the same messages."""

from __future__ import annotations

import pytest

from protocols import hl7v2
from tests.alterations.hl7 import alterations as hl7_alterations
from validators.examples import hl7v2 as hl7_example

pytestmark = pytest.mark.interop


@pytest.mark.parametrize("data", [hl7_example.oru(), hl7_example.ack("AE")], ids=["oru", "ack"])
def test_another_parser_finds_the_same_values(data: bytes) -> None:
    other = pytest.importorskip("hl7", reason="bibliothèque absente : hl7 (extra interop)")
    assert _values_agree(other, data) > 20


@pytest.mark.slow
def test_another_parser_reads_alterations_alike() -> None:
    other = pytest.importorskip("hl7", reason="bibliothèque absente : hl7 (extra interop)")
    for one in hl7_alterations(hl7_example.oru()):
        if not one.place.startswith("MSH"):
            _values_agree(other, one.data)


def _values_agree(other: object, data: bytes) -> int:
    """Compare every segment, field, repetition and component; how many values."""
    ours = hl7v2.parse(data)
    theirs = other.parse(data.decode())  # type: ignore[attr-defined]
    assert [str(segment[0]) for segment in theirs] == [part.name for part in ours.segments]
    count = 0
    for part, segment in zip(ours.segments, theirs, strict=True):
        first = 3 if part.name == "MSH" else 1
        for number in range(first, len(segment)):
            written = str(segment[number])
            assert part.field(number).text == written, f"{part.name}-{number}"
            count += 1
            if not written:
                continue
            for rank, repetition in enumerate(segment[number], start=1):
                found = part.field(number).repetitions[rank - 1]
                pieces = repetition if isinstance(repetition, list) else [repetition]
                for component, piece in enumerate(pieces, start=1):
                    assert found.component(component).text == str(piece)
                    count += 1
    return count
