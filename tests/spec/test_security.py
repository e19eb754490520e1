"""The security catalogue: 133 rows, each with who judges it."""

from __future__ import annotations

import pytest

from spec.requirements import CATALOGUE, Verification, resolve
from spec.security import FAMILIES, ROWS, Judged, Outcome, Row, Target

TOTALS = {
    "TLS": 30, "TOK": 32, "OIC": 13, "CIB": 6, "PRX": 6, "WL": 16,
    "SML": 6, "DIC": 12, "HL7": 5, "ARC": 2, "TRC": 2, "HLT": 3,
}  # fmt: skip


def test_133_rows_in_their_families() -> None:
    expected = [f"{family}-{number:02}" for family, count in TOTALS.items()
                for number in range(1, count + 1)]  # fmt: skip
    assert list(ROWS) == expected
    assert len(expected) == 133
    assert list(FAMILIES) == list(TOTALS)


@pytest.mark.parametrize("one", ROWS.values(), ids=lambda one: one.id)
def test_a_row_is_complete(one: Row) -> None:
    for text in (one.stimulus, one.expected, one.manual):
        assert not text or text.endswith((".", "?"))
    assert one.stimulus
    assert one.expected
    assert one.manual or one.judged is Judged.AUTOMATIC
    if one.target is Target.SOURCE:
        assert one.outcome is not Outcome.ABANDONED


@pytest.mark.parametrize("one", ROWS.values(), ids=lambda one: one.id)
def test_a_row_is_a_requirement_of_our_own(one: Row) -> None:
    found = CATALOGUE[one.requirement_id]
    assert found.own
    assert resolve(one.id) is found
    automatic = one.judged is Judged.AUTOMATIC
    assert (found.verification is Verification.AUTOMATIC) == automatic
