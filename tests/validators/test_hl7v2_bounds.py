"""A message made of separators is refused at once; a long one is read."""

from __future__ import annotations

import time

import pytest

from validators.api import validate
from validators.examples import hl7v2
from validators.hl7v2.bounds import REPETITIONS, SEGMENTS

GOOD = hl7v2.oru()


@pytest.mark.parametrize(
    "data",
    [
        GOOD + b"PRT||||SB|\r" * (SEGMENTS + 1),
        GOOD.replace(b"PID|1||", b"PID|1||" + b"~^&" * (REPETITIONS + 1), 1),
    ],
    ids=["segments", "répétitions"],
)
def test_too_much_structure_is_one_finding(data: bytes) -> None:
    begun = time.perf_counter()
    report = validate(data, "oru")
    assert [found.rule for found in report.findings] == ["ORU-000"]
    assert time.perf_counter() - begun < 2


def test_many_segments_are_judged_in_bounded_time() -> None:
    begun = time.perf_counter()
    report = validate(GOOD + b"PRT||||SB|\r" * (SEGMENTS - 100), "oru")
    assert "ORU-000" not in {found.rule for found in report.findings}
    assert time.perf_counter() - begun < 5


def test_a_long_value_is_no_trouble() -> None:
    report = validate(hl7v2.oru(payload="A" * 5_000_000), "oru")
    assert "ORU-000" not in {found.rule for found in report.findings}
