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
    """The facts of an exam, by subject and voice, and every comparison made of them."""

    def __init__(self, facts: Iterable[Fact]) -> None:
        self._pairs: dict[tuple[Subject, Voice, Voice], Pair] = {}
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

    def keep(self, pair: Pair) -> Pair:
        """Remember a comparison: a table shows those that agree as well."""
        known = self._pairs.get((pair.subject, pair.left, pair.right))
        if known is None or known.agrees:
            self._pairs[pair.subject, pair.left, pair.right] = pair
        return pair

    def pairs(self) -> tuple[Pair, ...]:
        """The comparisons made so far, in the order of subjects and voices."""
        order = {name: rank for rank, name in enumerate([*Subject, *Voice])}
        found = sorted(self._pairs.items(), key=lambda item: [order[name] for name in item[0]])
        return tuple(pair for _, pair in found)


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
        """JSON-ready; the first values of each side, and how many there are."""
        return {
            "subject": str(self.subject),
            "left": _side(self.left, self.left_values, self.left_where),
            "right": _side(self.right, self.right_values, self.right_where),
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
        yield from _alone(said, subject, voice)


def broken(pairs: Iterable[Pair], message: str) -> Iterator[Broken]:
    """One fault per disagreement: pairs that oppose the same two sets of values are one."""
    found: dict[frozenset[tuple[str, ...]], list[Pair]] = {}
    for pair in pairs:
        if not pair.agrees:
            found.setdefault(frozenset((pair.left_values, pair.right_values)), []).append(pair)
    for group in found.values():
        first = group[0]
        ours, theirs = _sides(group)
        yield Broken(
            message=f"{message} : {', '.join(ours)} d'une part, {', '.join(theirs)} d'autre part.",
            expected=_list(first.left_values),
            actual=_list(first.right_values),
            where=" / ".join(filter(None, (first.left_where, first.right_where))),
        )


def _sides(group: Sequence[Pair]) -> tuple[dict[Voice, None], dict[Voice, None]]:
    """The voices that say what the first pair's left one says, and the others."""
    ours: dict[Voice, None] = {}
    theirs: dict[Voice, None] = {}
    for pair in group:
        same = pair.left_values == group[0].left_values
        ours[pair.left if same else pair.right] = None
        theirs[pair.right if same else pair.left] = None
    return ours, theirs


def _side(voice: Voice, values: Sequence[str], where: str) -> dict[str, Any]:
    shown = list(values[:_SHOWN])
    return {"artefact": str(voice), "values": shown, "count": len(values), "where": where}


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
    first, second = shown or (ours[common[0]], theirs[common[0]])
    pair = Pair(
        subject=subject,
        left=left,
        right=right,
        agrees=agrees,
        within=within,
        left_values=tuple(sorted(first)),
        right_values=tuple(sorted(second)),
        left_where=_where(first, second),
        right_where=_where(second, first),
    )
    yield said.keep(pair)


def _alone(said: Statements, subject: Subject, voice: Voice) -> Iterator[Pair]:
    """A voice that contradicts itself: two files of one kind, two images."""
    for values in _by_thing(said.of(subject, voice)).values():
        if len(values) > 1:
            first, *others = values.values()
            pair = Pair(
                subject=subject,
                left=voice,
                right=voice,
                agrees=False,
                left_values=(first.value,),
                right_values=tuple(fact.value for fact in others),
                left_where=first.where,
                right_where=others[0].where,
            )
            yield said.keep(pair)


def _where(facts: Mapping[str, Fact], others: Mapping[str, Fact]) -> str:
    """Of the first value that the other side lacks, else of the first."""
    chosen = next((fact for value, fact in facts.items() if value not in others), None)
    return (chosen or next(iter(facts.values()))).where


def _list(values: Sequence[str]) -> str:
    more = f" … ({len(values)} valeurs)" if len(values) > _SHOWN else ""
    return " | ".join(values[:_SHOWN]) + more
