"""The model of what must be left, against a Source written apart that makes no mistake, then one.

The Source here is put off as a fault puts a real one off: it may take a message up when the next
ones of its dossier are there, and then sees the PACS as it has become.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from load.soak.expected import Content, Found, Kind, State, compare, expect
from load.soak.plan import Dossier, PlannedReport, Step, make


@dataclass(slots=True)
class Faultless:
    """What the DMP holds of one exam when the Source does all that it must."""

    held: list[Found] = field(default_factory=list)
    standing: set[int] = field(default_factory=set)

    @property
    def live(self) -> int | None:
        return next((n for n, one in enumerate(self.held) if one.state is State.IN_FORCE), None)

    def end(self, state: State) -> None:
        assert self.live is not None
        self.held[self.live] = replace(self.held[self.live], state=state)

    def take(self, one: PlannedReport, added: int) -> None:
        """Work on a message while the PACS has that many series more."""
        if one.step is Step.CANCEL:
            self.standing.discard(one.report)
            if not self.standing and self.live is not None:
                self.end(State.WITHDRAWN)
            return
        self.standing.add(one.report)
        content = Content(one.orders, one.masked, added)
        former = self.live
        if former is not None:
            if self.held[former].content == content:
                return
            self.end(State.REPLACED)
        self.held.append(
            Found(
                uid=f"1.{len(self.held) + 1}",
                state=State.IN_FORCE,
                content=content,
                replaces="" if former is None else self.held[former].uid,
            )
        )


def work(life: list[PlannedReport], random: Random) -> list[Found]:
    """Take the messages in groups, as they pile up: those that a later one undoes are left."""
    source = Faultless()
    start = 0
    while start < len(life):
        group = life[start : start + random.randint(1, 4)]
        for place, one in enumerate(group):
            rest = [other for other in group[place + 1 :] if other.report == one.report]
            overtaken = any(
                other.version > one.version or other.step is Step.CANCEL for other in rest
            )
            if one.step is Step.CANCEL:
                overtaken = any(other.version > one.version for other in rest)
                if overtaken:
                    continue
            if not overtaken or random.random() < 0.5:
                source.take(one, group[-1].added)
            elif one.step is not Step.CANCEL:
                # It stands all the same: its withdrawal, or next version, is to come.
                source.standing.add(one.report)
        start += len(group)
    return source.held


def lives(seed: int) -> list[list[PlannedReport]]:
    return list(make(seed, reports=60, senders=4, kills=0, menu=()).lives().values())


@given(st.integers(0, 10**6), st.randoms(use_true_random=False))
def test_a_source_that_makes_no_mistake_leaves_no_difference(seed: int, random: Random) -> None:
    for life in lives(seed):
        held = work(life, random)
        assert compare(expect(life), held, "exam") == [], (life, held)


@given(st.integers(0, 10**6), st.randoms(use_true_random=False))
def test_each_mistake_is_named(seed: int, random: Random) -> None:
    for life in lives(seed):
        expected, held = expect(life), work(life, random)

        def kinds(found: list[Found], life: list[PlannedReport] = life) -> set[Kind]:
            return {one.kind for one in compare(expect(life), found, "exam")}

        in_force = [one for one in held if one.state is State.IN_FORCE]
        if not expected.finals:
            assert in_force == []
            left = Found(uid="9", state=State.IN_FORCE, content=Content(0, False, 0))
            assert Kind.LEFT in kinds([*held, left])
            continue
        (last,) = in_force
        assert Kind.LOST in kinds(held[:-1])
        assert Kind.DUPLICATE in kinds([*held, replace(last, uid="9", replaces="")])
        again = [*held[:-1], replace(last, state=State.REPLACED)]
        assert Kind.DUPLICATE in kinds([*again, replace(last, uid="9", replaces=last.uid)])
        assert Kind.STALE in kinds([*held[:-1], replace(last, content=None)])
        assert Kind.ORPHAN in kinds([*held[:-1], replace(last, content=None)])
        unknown = replace(last, content=Content(99, False, 0))
        assert {Kind.ORPHAN, Kind.STALE} <= kinds([*held[:-1], unknown])
        withdrawn = replace(last, state=State.WITHDRAWN)
        assert Kind.LOST in kinds([*held[:-1], withdrawn])
        assert Kind.BROKEN in kinds([*held[:-1], replace(last, state=State.OTHER)])
        if last.replaces:
            assert Kind.BROKEN in kinds([*held[:-1], replace(last, replaces="")])


def report(step: Step, **said: int) -> PlannedReport:
    return PlannedReport(number=1, dossier=Dossier(1, (1,)), step=step, **said)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("life", "finals"),
    [
        ([report(Step.CREATE)], (Content(0, False, 0),)),
        ([report(Step.CREATE), report(Step.CANCEL)], ()),
        (
            [report(Step.CREATE), report(Step.ORDER, version=2, orders=1)],
            (Content(1, False, 0),),
        ),
        (
            [report(Step.CREATE), report(Step.SECOND, report=1), report(Step.CANCEL)],
            (Content(0, False, 0),),
        ),
        (
            [
                report(Step.CREATE),
                report(Step.SECOND, report=1),
                report(Step.CANCEL),
                report(Step.CANCEL, report=1),
            ],
            (),
        ),
        (
            [
                report(Step.CREATE),
                report(Step.SECOND, report=1),
                replace(report(Step.MASK, report=1, version=2), masked=True),
                report(Step.CANCEL, report=1, version=2),
            ],
            (Content(0, False, 0), Content(0, False, 0), Content(0, True, 0)),
        ),
        (
            [report(Step.CREATE), report(Step.CANCEL), report(Step.AGAIN, version=2)],
            (Content(0, False, 0),),
        ),
    ],
)
def test_what_is_left_of_a_life(life: list[PlannedReport], finals: tuple[Content, ...]) -> None:
    assert expect(life).finals == finals


def test_a_withdrawal_that_nobody_asked_for_is_a_loss() -> None:
    life = [report(Step.CREATE), report(Step.ORDER, version=2, orders=1)]
    held = [
        Found(uid="1", state=State.WITHDRAWN, content=Content(0, False, 0)),
        Found(uid="2", state=State.IN_FORCE, content=Content(1, False, 0)),
    ]
    (difference,) = compare(expect(life), held, "exam")
    assert difference.kind is Kind.LOST
    assert "sans annulation" in difference.text
