"""The green runs: the right box conforms, and tells which of its parts each scenario uses."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from importlib import import_module
from itertools import takewhile
from pathlib import Path
from typing import Any

from bench.journal import Journal
from bench.outcomes import StepKind
from bench.results import Run, ScenarioResult
from bench.verdicts import Verdict
from drimbox_ref.usage import EVENT
from mutants.registry import Mutant, Role
from mutants.shadows import DIFFERS, SHADOWED, WRITTEN

__all__ = ["Green", "Told", "Use", "merged", "read", "replaced"]

Use = tuple[str, str]
"""The role of a box, and one of its parts."""

_CONFORM = (Verdict.PASS, Verdict.WARN, Verdict.OMIT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What the right box told during one scenario."""

    preparation: tuple[str, ...]
    """The steps before what is judged, as written."""
    used: frozenset[Use]
    used_after: frozenset[Use]
    """... once it was prepared."""
    differing: frozenset[str]
    """The wrong boxes that would have answered otherwise."""
    differing_after: frozenset[str]
    """... once it was prepared."""

    @property
    def course(self) -> tuple[tuple[str, ...], frozenset[Use]]:
        """What it has in common with a scenario that goes on from the same point by the same
        parts."""
        return self.preparation, self.used_after


@dataclass(frozen=True, slots=True)
class Green:
    """What the right box did, in one run or several."""

    runs: tuple[Run, ...]
    pki: Path
    """The certificates of its world."""
    told: Mapping[str, Told]
    """By scenario, in the order played."""
    shadowed: frozenset[str]
    """The wrong boxes of which it is known when they would have answered otherwise."""

    @classmethod
    def unwatched(cls, run: Run, pki: Path) -> Green:
        """A run of which nobody asked what it uses."""
        return cls(runs=(run,), pki=pki, told={}, shadowed=frozenset())

    @property
    def scenarios(self) -> tuple[ScenarioResult, ...]:
        """All that were played."""
        return tuple(one for run in self.runs for one in run.scenarios)

    @property
    def red(self) -> tuple[ScenarioResult, ...]:
        """What the right box did not pass: with one such scenario no wrong box proves anything."""
        return tuple(one for one in self.scenarios if one.verdict not in _CONFORM)

    def telling(self, mutant: Mutant, parts: Iterable[str]) -> frozenset[str]:
        """The scenarios that can tell that wrong box, of these parts, from the right one.

        Where it is known when it would have answered otherwise, they are those in which it would;
        where it is not, those that used one of its parts. Of those in which that is so only while
        they are prepared, and that go on by the same parts from the same point, it is the first:
        each finds what the others do.
        """
        if mutant.name not in self.shadowed:
            wanted = {(mutant.role, part) for part in parts}
            return self._first_of_each_course(
                lambda told: not wanted.isdisjoint(told.used),
                lambda told: not wanted.isdisjoint(told.used_after),
            )
        return self._first_of_each_course(
            lambda told: mutant.name in told.differing,
            lambda told: mutant.name in told.differing_after,
        )

    def _first_of_each_course(
        self, ever: Callable[[Told], bool], after: Callable[[Told], bool]
    ) -> frozenset[str]:
        found = {id for id, told in self.told.items() if after(told)}
        courses = {self.told[id].course for id in found}
        for id, told in self.told.items():
            if ever(told) and told.course not in courses:
                courses.add(told.course)
                found.add(id)
        return frozenset(found)


def read(run: Run, pki: Path) -> Green:
    """What a run recorded with `record_parts`, of watched boxes, says.

    A use belongs to the scenario during which it happened: a part that works by itself, or is
    late, is thought to be used by more scenarios than it is, never by fewer.
    """
    journal = Journal(run.directory)
    prepared = _preparations(journal)
    used: dict[tuple[str, bool], set[Use]] = defaultdict(set)
    differing: dict[tuple[str, bool], set[str]] = defaultdict(set)
    shadowed: set[str] = set()
    played: list[str] = []
    playing: str | None = None
    steps = 0
    unread: set[str] = set()
    events = ("scenario.start", "scenario.end", "step", EVENT, SHADOWED, DIFFERS, WRITTEN)
    for event in journal.of(*events):
        match event.type:
            case "scenario.start":
                playing, steps = event.fields["scenario"], 0
                played.append(event.fields["scenario"])
                unread.clear()
            case "scenario.end":
                playing = None
            case kind if kind == SHADOWED:
                shadowed.update(event.fields["mutants"])
                if playing is not None:
                    # Started again, it has forgotten what it would have written otherwise.
                    differing[playing, steps >= len(prepared[playing])] |= unread
            case _ if playing is None:
                continue
            case "step":
                steps += 1
            case kind if kind == WRITTEN:
                unread.update(event.fields["mutants"])
            case kind if kind == DIFFERS:
                after = steps >= len(prepared[playing])
                differing[playing, after].update(event.fields["mutants"])
            case _:
                after = steps >= len(prepared[playing])
                used[playing, after].add((event.fields["role"], event.fields["part"]))
    told = {
        one: Told(
            preparation=prepared[one],
            used=frozenset(used[one, False] | used[one, True]),
            used_after=frozenset(used[one, True]),
            differing=frozenset(differing[one, False] | differing[one, True]),
            differing_after=frozenset(differing[one, True]),
        )
        for one in played
    }
    return Green(runs=(run,), pki=pki, told=told, shadowed=frozenset(shadowed))


def merged(greens: Sequence[Green]) -> Green:
    """Several runs of the same right box as one; the certificates are those of the first. A wrong
    box is shadowed that was in each run that tells something."""
    return Green(
        runs=tuple(run for one in greens for run in one.runs),
        pki=greens[0].pki,
        told={id: told for one in greens for id, told in one.told.items()},
        shadowed=frozenset.intersection(*(one.shadowed for one in greens if one.told)),
    )


def _preparations(journal: Journal) -> dict[str, tuple[str, ...]]:
    """The leading `Étant donné` steps of each scenario."""
    steps: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for event in journal.of("step"):
        steps[event.fields["scenario"]].append((event.fields["kind"], event.fields["text"]))
    return defaultdict(
        tuple,
        {
            id: tuple(text for _, text in takewhile(lambda step: step[0] == StepKind.GIVEN, them))
            for id, them in steps.items()
        },
    )


def replaced(mutants: Iterable[Mutant], green: Green) -> dict[str, tuple[str, ...]]:
    """The parts that each wrong box replaces, by its name: those that its transform changes in
    the right box of the green run, made again from the same configuration.
    """
    boxes = green.runs[0].directory / "boxes"
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
