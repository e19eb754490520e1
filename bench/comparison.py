"""Two runs side by side: what got worse, what got better, and what they were played with."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from bench.results import Run
from bench.verdicts import Verdict, severity

__all__ = ["Change", "Comparison", "Difference", "compare"]


class Change(StrEnum):
    """What became of a scenario or a requirement from one run to the other."""

    WORSE = "worse"
    BETTER = "better"
    ADDED = "added"
    """Only in the second run."""
    REMOVED = "removed"
    """Only in the first one."""

    @property
    def french(self) -> str:
        """The word that the console prints."""
        return _FRENCH[self]


_FRENCH = {
    Change.WORSE: "régression",
    Change.BETTER: "progrès",
    Change.ADDED: "ajouté",
    Change.REMOVED: "absent",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One scenario or requirement whose verdict is not the same."""

    id: str
    title: str
    before: Verdict | None
    after: Verdict | None
    change: Change
    reason: str = ""
    """Of the second verdict, for a scenario."""

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "id": self.id,
            "title": self.title,
            "before": self.before.value if self.before else None,
            "after": self.after.value if self.after else None,
            "change": self.change.value,
            "reason": self.reason,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What differs between two runs; verdicts that did not move are only counted."""

    before: Run
    after: Run
    context: tuple[tuple[str, str, str], ...]
    """(name, before, after) of what they were played with, where it differs."""
    scenarios: tuple[Difference, ...]
    requirements: tuple[Difference, ...]
    findings: tuple[tuple[str, str, Change], ...]
    """(scenario, rule, added or removed)."""
    same: int
    """Scenarios whose verdict did not move."""

    @property
    def regressions(self) -> tuple[Difference, ...]:
        """The scenarios that got worse."""
        return tuple(one for one in self.scenarios if one.change is Change.WORSE)


_CONTEXT = (
    "version",
    "python",
    "platform",
    "profile",
    "product",
    "claims",
    "options",
    "floor",
    "strict",
)


def compare(before: Run, after: Run) -> Comparison:
    """Compare two runs, whatever product, profile or version each was played with."""
    first = {one.id: one for one in before.scenarios}
    second = {one.id: one for one in after.scenarios}
    scenarios = tuple(
        _differences(
            {id: (one.title, one.verdict, "") for id, one in first.items()},
            {id: (one.title, one.verdict, one.reason) for id, one in second.items()},
        )
    )
    requirements = tuple(
        _differences(
            {id: ("", before.requirement_verdict(id), "") for id in before.requirements()},
            {id: ("", after.requirement_verdict(id), "") for id in after.requirements()},
        )
    )
    both = first.keys() & second.keys()
    return Comparison(
        before=before,
        after=after,
        context=tuple(
            (name, left, right)
            for name in _CONTEXT
            if (left := _flat(before.meta.get(name))) != (right := _flat(after.meta.get(name)))
        ),
        scenarios=scenarios,
        requirements=requirements,
        findings=tuple(_findings(before, after, both)),
        same=sum(first[id].verdict is second[id].verdict for id in both),
    )


_Told = Mapping[str, tuple[str, Verdict, str]]


def _differences(before: _Told, after: _Told) -> Iterator[Difference]:
    for id in [*after, *(id for id in before if id not in after)]:
        old, new = before.get(id), after.get(id)
        title, _, reason = new or old or ("", None, "")
        was, now = old[1] if old else None, new[1] if new else None
        if was is now:
            continue
        if was is None or now is None:
            change = Change.ADDED if was is None else Change.REMOVED
        else:
            change = Change.WORSE if severity(now) > severity(was) else Change.BETTER
        yield Difference(id=id, title=title, before=was, after=now, change=change, reason=reason)


def _findings(
    before: Run, after: Run, scenarios: Iterable[str]
) -> Iterator[tuple[str, str, Change]]:
    old = {(s.id, finding.rule) for s in before.scenarios for _, finding in s.findings}
    new = {(s.id, finding.rule) for s in after.scenarios for _, finding in s.findings}
    both = set(scenarios)
    for change, found in ((Change.ADDED, new - old), (Change.REMOVED, old - new)):
        yield from ((id, rule, change) for id, rule in sorted(found) if id in both)


def _flat(value: object) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key}={_flat(one)}" for key, one in sorted(value.items()) if one != "")
    if isinstance(value, bool):
        return "oui" if value else "non"
    return "" if value is None else str(value)
