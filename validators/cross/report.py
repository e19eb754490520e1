"""The cross-validator's door: artefacts in, a table of pairs and findings out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from validators.context import Context
from validators.cross.comparison import Pair
from validators.cross.exam import read_artefacts
from validators.cross.rules import CROSS
from validators.finding import Finding, verdict_of

__all__ = ["CrossReport", "compare"]


@dataclass(frozen=True, slots=True)
class CrossReport:
    """Whether the artefacts of an exam agree: `pass`, `warn` or `fail`.

    `pairs` holds every comparison that was made, agreeing or not, in the order of its subjects.
    """

    verdict: str
    pairs: tuple[Pair, ...]
    findings: tuple[Finding, ...]


def compare(artefacts: Mapping[str, bytes], *, context: Context | None = None) -> CrossReport:
    """Compare the artefacts of one exam, by file name.

    Raises:
        ExamError: more artefacts than an exam has.
        CheckerError: a rule broke (never the fault of an artefact).
    """
    given = context or Context()
    exam = read_artefacts(artefacts, given)
    found = CROSS.judge(exam, given)
    weighed = tuple(finding.weighed(given.floor) for finding in found)
    return CrossReport(verdict_of(list(weighed)), exam.said.pairs(), weighed)
