"""A message made of separators is refused at once; a long one is read."""

from __future__ import annotations

import pytest

from tests.cost import costs
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
    report = validate(data, "oru")
    assert [found.rule for found in report.findings] == ["ORU-000"]


def test_too_much_structure_costs_less_than_what_is_judged() -> None:
    few, most, more = (
        GOOD + b"PRT||||SB|\r" * count for count in (SEGMENTS // 16, SEGMENTS - 100, SEGMENTS * 4)
    )
    assert "ORU-000" not in {found.rule for found in validate(most, "oru").findings}
    small, large, refused = costs(
        lambda: validate(few, "oru"), lambda: validate(most, "oru"), lambda: validate(more, "oru")
    )
    assert refused < large
    assert large < small * 64  # 256 if quadratic


def test_a_long_value_is_no_trouble() -> None:
    report = validate(hl7v2.oru(payload="A" * 5_000_000), "oru")
    assert "ORU-000" not in {found.rule for found in report.findings}
