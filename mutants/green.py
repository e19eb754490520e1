"""The green run: the right box conforms, and tells which of its parts each scenario uses."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from importlib import import_module
from pathlib import Path
from typing import Any

from bench.journal import Journal
from bench.results import Run, ScenarioResult
from bench.verdicts import Verdict
from drimbox_ref.usage import EVENT
from mutants.registry import Mutant, Role
from mutants.shadows import DIFFERS, SHADOWED

__all__ = ["Green", "Use", "read", "replaced"]

Use = tuple[str, str]
"""The role of a box, and one of its parts."""

_CONFORM = (Verdict.PASS, Verdict.WARN, Verdict.OMIT)


@dataclass(frozen=True, slots=True)
class Green:
    """What the right box did."""

    run: Run
    pki: Path
    """The certificates of its world."""
    used: Mapping[str, frozenset[Use]]
    """By scenario."""
    shadowed: frozenset[str]
    """The wrong boxes of which it is known when they would have answered otherwise."""
    differing: Mapping[str, frozenset[str]]
    """By scenario, those that would have."""

    @property
    def red(self) -> tuple[ScenarioResult, ...]:
        """What the right box did not pass: with one such scenario no wrong box proves anything."""
        return tuple(one for one in self.run.scenarios if one.verdict not in _CONFORM)

    def telling(self, mutant: Mutant, parts: Iterable[str]) -> frozenset[str]:
        """The scenarios that can tell that wrong box, of these parts, from the right one: those
        that used a part that would have answered otherwise, where that is known; else those that
        used one of its parts.
        """
        if mutant.name not in self.shadowed:
            return self.users(mutant.role, parts)
        return frozenset(one for one, names in self.differing.items() if mutant.name in names)

    def users(self, role: Role, parts: Iterable[str]) -> frozenset[str]:
        """The scenarios that used one of these parts of that box."""
        wanted = {(role, part) for part in parts}
        return frozenset(one for one, used in self.used.items() if not wanted.isdisjoint(used))


def read(run: Run, pki: Path) -> Green:
    """What a run recorded with `record_parts`, of watched boxes, says.

    A use belongs to the scenario during which it happened: a part that works by itself, or is
    late, is thought to be used by more scenarios than it is, never by fewer.
    """
    events = Journal(run.directory).of("scenario.start", "scenario.end", EVENT, SHADOWED, DIFFERS)
    used: dict[str, set[Use]] = defaultdict(set)
    differing: dict[str, set[str]] = defaultdict(set)
    shadowed: set[str] = set()
    playing: str | None = None
    for event in events:
        match event.type:
            case "scenario.start":
                playing = event.fields["scenario"]
            case "scenario.end":
                playing = None
            case kind if kind == SHADOWED:
                shadowed.update(event.fields["mutants"])
            case _ if playing is None:
                continue
            case kind if kind == DIFFERS:
                differing[playing].update(event.fields["mutants"])
            case _:
                used[playing].add((event.fields["role"], event.fields["part"]))
    return Green(
        run=run,
        pki=pki,
        used={scenario: frozenset(uses) for scenario, uses in used.items()},
        shadowed=frozenset(shadowed),
        differing={scenario: frozenset(names) for scenario, names in differing.items()},
    )


def replaced(mutants: Iterable[Mutant], green: Green) -> dict[str, tuple[str, ...]]:
    """The parts that each wrong box replaces, by its name: those that its transform changes in
    the right box of the green run, made again from the same configuration.
    """
    boxes = green.run.directory / "boxes"
    right: dict[Role, Any] = {}
    answer = {}
    for one in mutants:
        if one.role not in right:
            right[one.role] = _right_parts(one.role, boxes / f"{one.role}.toml")
        before, after = right[one.role], one.transform(right[one.role])
        answer[one.name] = tuple(
            field.name
            for field in fields(before)
            if getattr(before, field.name) is not getattr(after, field.name)
        )
    return answer


def _right_parts(role: Role, config: Path) -> Any:
    """The parts of a box that never starts."""
    compose = import_module(f"drimbox_ref.{role}.compose")
    foundation, parts = compose.build_parts(
        import_module(f"drimbox_ref.{role}.config").load(config)
    )

    async def close() -> None:
        for one in foundation.close:
            await one()

    asyncio.run(close())
    return parts
