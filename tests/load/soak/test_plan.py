"""A seed decides everything, and what it decides could happen in a hospital."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from load.soak.faults import MENU
from load.soak.plan import Moment, Plan, Step, make

seeds = st.integers(0, 2**32 - 1)


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    senders = draw(st.integers(1, 8))
    reports = draw(st.integers(senders, 120))
    return make(
        draw(seeds),
        reports=reports,
        senders=senders,
        kills=draw(st.integers(0, min(10, reports))),
        menu=sorted(MENU),
    )


@given(seeds)
def test_a_seed_plays_the_same_again(seed: int) -> None:
    first, again, other = (
        make(one, reports=60, senders=8, kills=2, menu=sorted(MENU))
        for one in (seed, seed, seed + 1)
    )
    assert first == again
    assert first.senders != other.senders


@given(plans())
def test_reports_are_numbered_in_each_senders_order(plan: Plan) -> None:
    numbers = [one.number for one in plan.reports]
    assert len(set(numbers)) == len(numbers)
    for sender in plan.senders:
        assert [one.number for one in sender] == sorted(one.number for one in sender)
    shares = [len(sender) for sender in plan.senders]
    assert max(shares) - min(shares) <= 1


@given(plans())
def test_a_dossier_belongs_to_one_sender(plan: Plan) -> None:
    owners: dict[int, set[int]] = {}
    for number, sender in enumerate(plan.senders):
        for one in sender:
            owners.setdefault(one.dossier.number, set()).add(number)
    assert all(len(found) == 1 for found in owners.values())


@given(plans())
def test_a_life_is_one_that_a_ris_can_have(plan: Plan) -> None:
    for life in plan.lives().values():
        assert life[0].step is Step.CREATE
        standing: set[int] = set()
        versions: dict[int, int] = {}
        orders = added = 0
        for one in life:
            before = versions.get(one.report, 0)
            begins = one.step in (Step.CREATE, Step.SECOND)
            assert begins == (before == 0)
            assert one.version == before + (begins or one.step.makes_version)
            assert one.orders == orders + (one.step is Step.ORDER)
            assert one.added == added + (one.step is Step.IMAGES)
            if one.step is Step.AGAIN:
                assert not standing
            elif not begins:
                assert one.report in standing
            versions[one.report], orders, added = one.version, one.orders, one.added
            if one.step is Step.CANCEL:
                standing.discard(one.report)
            else:
                standing.add(one.report)


@given(plans())
def test_what_happens_comes_at_numbers_of_acknowledgements_that_will_be(plan: Plan) -> None:
    reports = sum(map(len, plan.senders))
    for events in (plan.kills, plan.faults):
        after = [one.after for one in events]
        assert after == sorted(set(after))
        assert all(1 <= one <= reports for one in after)
    assert {one.name for one in plan.faults} <= set(MENU)


def test_the_soak_of_the_issue_meets_every_step_moment_and_fault() -> None:
    plan = make(1, reports=2000, senders=8, kills=20, menu=sorted(MENU))
    assert {one.step for one in plan.reports} == set(Step)
    assert {kill.moment for kill in plan.kills} == set(Moment)
    assert len(plan.kills) == 20
    assert {fault.name for fault in plan.faults} == set(MENU)
    assert any(one.repeats for one in plan.reports)
    assert {one.mdm for one in plan.reports} == {True, False}


@pytest.mark.parametrize(
    ("reports", "senders", "kills"), [(3, 4, 0), (3, 0, 0), (3, 1, 4), (3, 1, -1)]
)
def test_numbers_that_no_plan_can_have(reports: int, senders: int, kills: int) -> None:
    with pytest.raises(ValueError, match=f"{reports} reports"):
        make(1, reports=reports, senders=senders, kills=kills, menu=())
