"""The model of faults: what a menu takes, and whom a plan strikes."""

from __future__ import annotations

import threading
from typing import Any

import anyio
import anyio.lowlevel
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wire.faults import BadFault, FaultKind, Faults, Parameter, cut_after, delay, slow
from wire.impairment import Impairment, Link, Release

MENU = (
    FaultKind(
        name="statut",
        words="échoue",
        meaning="fails",
        services=("A", "B"),
        parameters=(
            Parameter(
                name="statut", words="statut", default=0xA700, low=1, high=0xFFFF, hexadecimal=True
            ),
            Parameter(name="raison", words="raison", default="x", choices={"x": "X", "y": "Y"}),
        ),
    ),
    delay(("A",), "attend", "waits"),
    slow(("A",), "lent", "slow"),
    cut_after(("A",), "coupe", "cuts"),
)


@pytest.fixture
def faults() -> Faults:
    return Faults(MENU)


# What is read ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "read"),
    [
        ({}, {"statut": 0xA700, "raison": "x"}),
        ({"statut": "c001"}, {"statut": 0xC001, "raison": "x"}),
        ({"statut": 0xC001, "raison": "y"}, {"statut": 0xC001, "raison": "y"}),
    ],
)
def test_what_is_given_is_read(faults: Faults, values: Any, read: Any) -> None:
    faults.set("statut", "A", values)
    assert faults.placed[0].fault.values == read
    status = MENU[0].parameters[0]
    assert status.read(status.show(read["statut"])) == read["statut"]


@pytest.mark.parametrize(
    ("on", "kind", "values", "plan", "told"),
    [
        ("A", "rien", {}, {}, "au menu : statut, retard, lenteur, coupure"),
        ("C", "statut", {}, {}, "attendu : A, B"),
        ("A", "statut", {"statut": 0}, {}, "hexadécimal de 0001 à FFFF attendu"),
        ("A", "statut", {"statut": "g"}, {}, "« g » donné"),
        ("A", "statut", {"raison": "z"}, {}, "un de x, y attendu"),
        ("A", "retard", {"secondes": 0}, {}, "nombre de 0.001 à 86400 s attendu"),
        ("A", "retard", {"secondes": "nan"}, {}, "« nan » donné"),
        ("A", "lenteur", {"debit": 1.5}, {}, "octets/s attendu"),
        ("A", "lenteur", {"debit": "inf"}, {}, "octets/s attendu"),
        ("A", "coupure", {"octet": 1}, {}, "attendu : octets"),
        ("A", "coupure", {}, {"times": 0}, "fois : nombre de 1"),
        ("A", "coupure", {}, {"skip": -1}, "après : nombre de 0"),
    ],
)
def test_what_is_wrong_is_told(
    faults: Faults, on: str, kind: str, values: Any, plan: Any, told: str
) -> None:
    with pytest.raises(BadFault, match=told):
        faults.set(kind, on, values, **plan)
    assert faults.placed == ()


# Whom it strikes ------------------------------------------------------------------------------


@given(skip=st.integers(0, 5), times=st.none() | st.integers(1, 5), comes=st.integers(0, 12))
def test_a_plan_strikes_whom_it_says(skip: int, times: int | None, comes: int) -> None:
    faults = Faults(MENU)
    faults.set("statut", "A", skip=skip, times=times)
    struck = [faults.strike("A") is not None for _ in range(comes)]
    end = comes if times is None else skip + times
    assert struck == [skip <= rank < end for rank in range(comes)]
    assert faults.strike("B") is None


@given(st.lists(st.tuples(st.sampled_from("AB"), st.integers(0, 3), st.integers(1, 3)), max_size=6))
def test_each_strikes_as_often_as_it_was_to_and_alone(plans: list[tuple[str, int, int]]) -> None:
    faults = Faults(MENU)
    ids = [faults.set("statut", on, skip=skip, times=times) for on, skip, times in plans]
    for on in "AB":
        for _ in range(40):
            faults.strike(on)
    assert faults.placed == ()
    over = {one.id: one for one in faults.over}
    assert [over[id].struck for id in ids] == [times for _, _, times in plans]


def test_those_that_are_due_strike_in_the_order_set(faults: Faults) -> None:
    faults.set("statut", "A", times=1, statut=1)
    faults.set("statut", "A", times=2, statut=2)
    faults.set("statut", "A", statut=3)
    struck = [faults.strike("A") for _ in range(5)]
    assert [one and one.number("statut") for one in struck] == [1, 2, 2, 3, 3]


def test_simultaneous_requests_share_a_plan(faults: Faults) -> None:
    faults.set("statut", "A", times=100)
    counts: list[int] = []

    def ask() -> None:
        counts.append(sum(faults.strike("A") is not None for _ in range(50)))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert sum(counts) == 100


def test_what_is_removed_is_released_even_when_it_has_struck(faults: Faults) -> None:
    first, second = faults.set("retard", "A", times=1), faults.set("retard", "A")
    held, other = faults.strike("A"), faults.strike("A")
    assert held is not None
    assert other is not None
    assert faults.clear(second) == 1
    assert (held.release.wait(0), other.release.wait(0)) == (False, True)
    assert faults.clear(first) == 0, "it was over, and what it holds goes on"
    assert held.release.wait(0)
    assert faults.over == ()


# What a link lets through ---------------------------------------------------------------------


@given(
    limit=st.none() | st.integers(0, 300),
    rate=st.none() | st.integers(1, 10_000),
    sizes=st.lists(st.integers(1, 200), max_size=10),
)
def test_a_link_lets_through_what_it_may(
    limit: int | None, rate: int | None, sizes: list[int]
) -> None:
    link = Link(Impairment(drop_after=limit, rate=rate), Release())
    passed = 0
    for size in sizes:
        while size and not link.cut:
            taken, seconds = link.take(size)
            assert 0 < taken <= size
            assert seconds >= 0
            assert rate is None or taken <= max(1, rate)
            size, passed = size - taken, passed + taken
    assert passed == (sum(sizes) if limit is None else min(limit, sum(sizes)))


def test_a_release_ends_waits_of_threads_and_coroutines() -> None:
    release, ended = Release(), []
    thread = threading.Thread(target=lambda: ended.append(release.wait(60)))
    thread.start()

    async def main() -> None:
        assert not await release.pause(0.001)

        async def held() -> None:
            ended.append(await release.pause(60))

        async with anyio.create_task_group() as group:
            group.start_soon(held)
            await anyio.lowlevel.checkpoint()
            await anyio.to_thread.run_sync(release.set)
        assert await release.pause(60), "set once for all"

    anyio.run(main)
    thread.join(10)
    assert ended == [True, True]
