"""Senders that nobody answers: they go on until they are told to stop, or give up, or know why."""

from __future__ import annotations

import asyncio
import itertools
import socket
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, cast

import pytest

from bench.bed import Bed
from load.soak import driving
from load.soak.dossiers import Cabinet
from load.soak.driving import Driver
from load.soak.hearing import Ear
from load.soak.plan import Plan, make
from simulators.ris.service import Link
from wire.exchange import Observe, ignore


class Box:
    """A Source that has a door and no house."""

    def __init__(self) -> None:
        self.code: int | None = None

    def ended(self) -> int | None:
        return self.code

    def last_words(self) -> str:
        return "plus de place sur le disque"


class Address(dict[str, str]):
    def pair(self, name: str) -> tuple[str, int]:
        return "127.0.0.1", int(self[name])


def driver(port: int, plan: Plan, observe: Observe = ignore) -> tuple[Driver, Box]:
    box = Box()
    bed: Any = SimpleNamespace(
        simulators=SimpleNamespace(pacs=SimpleNamespace(), dmp=SimpleNamespace()),
        boxes={"source": box},
        source=Address(mllp=str(port)),
        intake=Link(),
        observe=observe,
    )
    cabinet: Any = SimpleNamespace(prepare=lambda planned: b"MSH|^~\\&|%d" % planned.number)
    ear: Any = SimpleNamespace(told=ignore, counts={"ITI-41": 0, "ITI-57": 0})
    made = Driver(
        cast(Bed, bed), cast(Ear, ear), plan, cast(Cabinet, cabinet), lambda *_: None,
        window=10, patience_s=0.1,
    )  # fmt: skip
    return made, box


@pytest.fixture
def unused_port() -> Iterator[int]:
    """A port that refuses: it is bound, and nobody listens there."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]


@pytest.fixture
def plan() -> Plan:
    return make(1, reports=8, senders=4, kills=0, menu=())


def test_what_is_abandoned_ends_though_everybody_retries(unused_port: int, plan: Plan) -> None:
    async def main() -> None:
        refused, many = itertools.count(1), asyncio.Event()
        made, _ = driver(unused_port, plan, lambda _: many.set() if next(refused) > 8 else None)
        playing = asyncio.create_task(made.play())
        await many.wait()
        await made.abandon()
        await asyncio.wait({playing}, timeout=5)
        assert playing.cancelled()

    asyncio.run(main())


def test_a_ris_gives_up_and_says_why(
    unused_port: int, plan: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(driving, "_GIVE_UP_S", 0.2)

    async def main() -> None:
        made, _ = driver(unused_port, plan)
        played = await made.play()
        assert played.missing.keys() == {one.number for one in plan.reports}
        assert all(played.missing.values())
        assert not played.acknowledged

    asyncio.run(main())


def test_a_source_that_ends_by_itself_is_told_so(unused_port: int, plan: Plan) -> None:
    async def main() -> None:
        made, box = driver(unused_port, plan)
        box.code = 3
        played = await made.play()
        assert "code 3" in played.died
        assert "plus de place sur le disque" in played.died
        assert len(played.missing) == 8
        assert not played.settled

    asyncio.run(main())
