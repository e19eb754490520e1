"""What a vendor declares before a run: failures expected until a day, tests believed wrong.

Neither changes what is judged. An expected failure that fails is told apart from the others and
does not count; one that passes is told as well, for the declaration is stale. A challenge changes
no verdict at all: the report shows the argument beside it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from bench.profile import Challenge, ExpectedFailure
from bench.verdicts import Verdict

__all__ = ["agreed", "challenges", "expected_failures"]


def expected_failures(rows: Iterable[Mapping[str, Any]]) -> dict[str, ExpectedFailure]:
    """By scenario, as `run.start` holds them."""
    found = (ExpectedFailure.model_validate(row) for row in rows)
    return {one.scenario: one for one in found}


def challenges(rows: Iterable[Mapping[str, Any]]) -> tuple[Challenge, ...]:
    """As `run.start` holds them."""
    return tuple(Challenge.model_validate(row) for row in rows)


def agreed(verdict: Verdict, expected: ExpectedFailure | None, day: date) -> Verdict:
    """The verdict of a scenario once what was declared of it is known.

    Only a failure of the product is ever expected, and until the day that was named, included:
    what could not be verified stays so.
    """
    if expected is None or day > expected.until:
        return verdict
    if verdict is Verdict.FAIL:
        return Verdict.XFAIL
    return Verdict.XPASS if verdict in (Verdict.PASS, Verdict.WARN) else verdict
