"""Comparing what two voices say of one subject: equal, or one within the other.

Every comparison is a `Pair`, agreeing or not: the pairs of all rules are the table that the
cross-validator shows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from validators.cross.fact import Fact, Subject, Voice
from validators.rule import Broken

__all__ = ["Pair", "Statements", "broken", "equal", "unanimous", "within"]

_SHOWN = 5


class Statements:
    """The facts of an exam, by subject and voice."""

    def __init__(self, facts: Iterable[Fact]) -> None:
        self._facts: dict[tuple[Subject, Voice], list[Fact]] = {}
        for fact in facts:
            if fact.value:
                self._facts.setdefault((fact.subject, fact.voice), []).append(fact)

    def of(self, subject: Subject, voice: Voice) -> Sequence[Fact]:
        """What a voice says of a subject, in the order read; nothing when it is silent."""
        return self._facts.get((subject, voice), ())

    def voices(self, subject: Subject) -> list[Voice]:
        """Who speaks of a subject."""
        return [voice for voice in Voice if (subject, voice) in self._facts]

    def values(self, subject: Subject, *voices: Voice) -> set[str]:
        """The distinct values that some voices give."""
        return {fact.value for voice in voices for fact in self.of(subject, voice)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Two voices on one subject.

    When they disagree, values and places are those of the disagreement. `within` says that the
    right one had only to be among what the left one says.
    """

    subject: Subject
    left: Voice
    right: Voice
    agrees: bool
    within: bool = False
    left_values: tuple[str, ...] = ()
    right_values: tuple[str, ...] = ()
    left_where: str = ""
    right_where: str = ""

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "subject": str(self.subject),
            "left": {
                "artefact": str(self.left),
                "values": list(self.left_values),
                "where": self.left_where,
            },
            "right": {
                "artefact": str(self.right),
                "values": list(self.right_values),
                "where": self.right_where,
            },
            "relation": "inclus" if self.within else "égal",
            "agrees": self.agrees,
        }


def equal(said: Statements, subject: Subject, *pairs: tuple[Voice, Voice]) -> Iterator[Pair]:
    """Both voices give the same set of values, thing by thing where they speak of the same."""
    for left, right in pairs:
        yield from _compare(said, subject, left, right, within=False)


def within(said: Statements, subject: Subject, *pairs: tuple[Voice, Voice]) -> Iterator[Pair]:
    """All that the right voice of a pair says is among what its left one says."""
    for left, right in pairs:
        yield from _compare(said, subject, left, right, within=True)


def unanimous(said: Statements, subject: Subject) -> Iterator[Pair]:
    """Every voice that speaks gives one value, always the same."""
    speaking = said.voices(subject)
    yield from equal(said, subject, *combinations(speaking, 2))
    for voice in speaking:
        yield from _alone(subject, voice, said.of(subject, voice))


def broken(pairs: Iterable[Pair], message: str) -> Iterator[Broken]:
    """One fault per pair that disagrees."""
    for pair in pairs:
        if pair.agrees:
            continue
        where = " / ".join(filter(None, (pair.left_where, pair.right_where)))
        yield Broken(
            message=f"{message} ({pair.left}, {pair.right}).",
            expected=_list(pair.left_values),
            actual=_list(pair.right_values),
            where=where,
        )


def _by_thing(facts: Sequence[Fact]) -> dict[str, dict[str, Fact]]:
    """Thing -> value -> the first fact that gives it."""
    found: dict[str, dict[str, Fact]] = {}
    for fact in facts:
        found.setdefault(fact.about, {}).setdefault(fact.value, fact)
    return found


def _compare(
    said: Statements, subject: Subject, left: Voice, right: Voice, *, within: bool
) -> Iterator[Pair]:
    ours, theirs = _by_thing(said.of(subject, left)), _by_thing(said.of(subject, right))
    # Facts about different things say nothing of each other.
    common = [thing for thing in ours if thing in theirs]
    if not common:
        return
    shown: tuple[Mapping[str, Fact], Mapping[str, Fact]] | None = None
    for thing in common:
        mine, other = ours[thing], theirs[thing]
        if other.keys() <= mine.keys() if within else other.keys() == mine.keys():
            continue
        extra = {value: fact for value, fact in other.items() if value not in mine}
        shown = shown or (mine, extra if within else other)
    agrees = shown is None
    mine, other = shown or (ours[common[0]], theirs[common[0]])
    yield Pair(
        subject=subject,
        left=left,
        right=right,
        agrees=agrees,
        within=within,
        left_values=tuple(sorted(mine)),
        right_values=tuple(sorted(other)),
        left_where=_where(mine, other),
        right_where=_where(other, mine),
    )


def _alone(subject: Subject, voice: Voice, facts: Sequence[Fact]) -> Iterator[Pair]:
    """A voice that contradicts itself: two files of one kind, two images."""
    for values in _by_thing(facts).values():
        if len(values) > 1:
            first, *others = values.values()
            yield Pair(
                subject=subject,
                left=voice,
                right=voice,
                agrees=False,
                left_values=(first.value,),
                right_values=tuple(fact.value for fact in others),
                left_where=first.where,
                right_where=others[0].where,
            )


def _where(facts: Mapping[str, Fact], others: Mapping[str, Fact]) -> str:
    """Of the first value that the other side lacks, else of the first."""
    chosen = next((fact for value, fact in facts.items() if value not in others), None)
    return (chosen or next(iter(facts.values()))).where


def _list(values: Sequence[str]) -> str:
    more = f" … ({len(values)} valeurs)" if len(values) > _SHOWN else ""
    return " | ".join(values[:_SHOWN]) + more
