"""A run as its readers see it: the journal merged, attributed and judged, as plain values.

Console, JSON, HTML, JUnit and every later projection read this and nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.decisions import Attachment, Decision
from bench.verdicts import Verdict, merge
from validators.finding import Finding, Severity
from wire.exchange import Exchange

if TYPE_CHECKING:
    from bench.profile import Challenge

__all__ = ["Expectation", "RecordedExchange", "Run", "ScenarioResult", "StepResult"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedExchange:
    """An exchange of the journal with its id and what attribution decided."""

    id: str
    exchange: Exchange
    scenario: str | None
    """Id of the scenario it belongs to, or None when ambient."""
    step: int | None
    """Index of the step that was running when it started."""
    why: str
    """How it was attributed, in French: `nomme le patient`, `même connexion`, `ambiant`..."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """A step awaited an effect: kept as recorded, never recomputed."""

    scenario: str
    step: int
    what: str
    """What was awaited, in French."""
    met: bool
    requirements: tuple[str, ...]
    exchanges: tuple[str, ...] = ()
    expected: str = ""
    actual: str = ""
    deadline_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StepResult:
    """One Gherkin step as it went."""

    index: int
    keyword: str
    text: str
    verdict: Verdict
    message: str
    started: datetime | None
    ended: datetime | None
    decision: Decision | None = None
    """What a person decided, when the step was left to one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScenarioResult:
    """One scenario: its steps, its exchanges, what the judges said of them."""

    id: str
    title: str
    feature: str
    domain: str
    requirements: tuple[str, ...]
    verdict: Verdict
    reason: str
    duration_s: float
    case: dict[str, str]
    """Public identifiers of its Case: patient, accession, study..."""
    steps: tuple[StepResult, ...]
    expectations: tuple[Expectation, ...]
    findings: tuple[tuple[str, Finding], ...]
    """Pairs (exchange id, finding)."""
    exchanges: tuple[RecordedExchange, ...]

    def counts_errors(self) -> bool:
        """Whether an error was found in it that nobody had declared."""
        return self.verdict is not Verdict.XFAIL and any(
            finding.severity is Severity.ERROR for _, finding in self.findings
        )

    def broken(self) -> frozenset[str]:
        """The requirements that an error-level finding names; none when it was declared."""
        if self.verdict is Verdict.XFAIL:
            return frozenset()
        return frozenset(
            requirement
            for _, finding in self.findings
            if finding.severity is Severity.ERROR
            for requirement in finding.requirements
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A whole run."""

    directory: Path
    id: str
    seed: int
    started: datetime
    duration_s: float
    verdict: Verdict
    meta: dict[str, Any]
    """Versions, profile name and hash, product identity, floor, strictness."""
    scenarios: tuple[ScenarioResult, ...]
    ambient: tuple[RecordedExchange, ...]
    interrupted: bool = False
    """The campaign was cut before its end."""
    unplayed: tuple[str, ...] = ()
    """Scenarios that it was to play, and never began."""
    notes: tuple[str, ...] = field(default=())
    """What reading the journal had to say (a torn last line...)."""
    attachments: tuple[Attachment, ...] = ()
    """Files that a person gave as proof."""
    challenges: tuple[Challenge, ...] = ()
    """Tests that the vendor believes wrong."""

    @property
    def inapplicable(self) -> dict[str, str]:
        """Requirements that the product's claims leave out -> why, with the source."""
        return dict(self.meta.get("inapplicable", {}))

    def counts(self) -> dict[str, int]:
        """How many exchanges of each transaction name, ambient ones included."""
        totals: dict[str, int] = {}
        for recorded in (*self.ambient, *(e for s in self.scenarios for e in s.exchanges)):
            name = recorded.exchange.transaction or recorded.exchange.protocol
            totals[name] = totals.get(name, 0) + 1
        return dict(sorted(totals.items()))

    def requirements(self) -> dict[str, list[ScenarioResult]]:
        """The scenarios of each requirement id, ids sorted: those that carry it, and those where
        an error that names it was found; those that do not bind the product may have none."""
        matrix: dict[str, list[ScenarioResult]] = {one: [] for one in self.inapplicable}
        for scenario in self.scenarios:
            for requirement in (*scenario.requirements, *sorted(scenario.broken())):
                scenarios = matrix.setdefault(requirement, [])
                if scenario not in scenarios:
                    scenarios.append(scenario)
        return dict(sorted(matrix.items()))

    def requirement_verdict(self, requirement: str) -> Verdict:
        """Of the scenarios that carry it, and of every error that names it, wherever found."""
        carried = [s.verdict for s in self.scenarios if requirement in s.requirements]
        if requirement in self.inapplicable:
            carried = [Verdict.OMIT]
        broken = any(requirement in s.broken() for s in self.scenarios)
        return merge([*carried, *([Verdict.FAIL] if broken else [])])
