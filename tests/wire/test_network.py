"""A bad network does what it is told, and nothing else: no byte is lost, moved or made up."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.wire.test_tap import PIECES, Neighbour, between, run
from wire.tap import Breakage, Cut, HalfClosed, Link, Network, Shape, Side


class FakeClock:
    """Time that passes only when somebody waits for it."""

    def __init__(self) -> None:
        self.time = 0.0

    def now(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        self.time += max(0.0, seconds)
        await asyncio.sleep(0)


SHAPES = st.builds(
    Shape,
    latency_s=st.sampled_from([0.0, 0.05, 1.0]),
    up_bps=st.sampled_from([0, 9600, 10**6]),
    down_bps=st.sampled_from([0, 9600, 10**6]),
)


def on(network: Network, clock: FakeClock | None = None) -> dict[str, Any]:
    link = Link(network, clock or FakeClock())
    return {"passage": link.passage, "reading": link.reading}


@settings(max_examples=40, deadline=None)
@given(PIECES, PIECES, SHAPES)
def test_a_slow_network_changes_no_byte(asked: list[bytes], told: list[bytes], to: Shape) -> None:
    async def scenario() -> None:
        neighbour = Neighbour(told)
        async with between(neighbour, **on(Network(shape=to))) as (tap, ear):
            reader, writer = await asyncio.open_connection(tap.host, tap.port)
            writer.writelines(asked)
            writer.write_eof()
            assert await reader.read() == b"".join(told)
            assert neighbour.got == b"".join(asked)
            writer.close()
            await ear.done.wait()
            assert ear.reasons == ["connexion fermée"]

    run(scenario())


async def carried(link: Link, side: Side, pieces: list[bytes]) -> tuple[bytes, type | None]:
    """What arrives of the pieces of one connection, and how it ends."""
    passage, arrived = link.passage(side), b""
    try:
        for piece in pieces:
            async for part in passage.carry(piece):
                arrived += part
    except (Cut, HalfClosed) as error:
        return arrived, type(error)
    return arrived, None


@settings(deadline=None)
@given(PIECES, st.integers(0, 400), st.booleans())
def test_a_break_comes_at_its_byte(pieces: list[bytes], at: int, cut: bool) -> None:
    breakage = Breakage(cut_after=at) if cut else Breakage(close_after=at)
    link = Link(Network(shape=Shape(down_bps=9600), breakage=breakage), FakeClock())
    sent = b"".join(pieces)
    arrived, ended = run(carried(link, Side.CALLED, pieces))
    assert arrived == sent[:at]
    reached = bool(sent) and len(sent) >= at
    assert ended is ((Cut if cut else HalfClosed) if reached else None)
    assert run(carried(link, Side.CALLER, pieces)) == (sent, None)  # the other way is whole


@settings(deadline=None)
@given(PIECES, st.integers(0, 400))
def test_one_byte_is_corrupted(pieces: list[bytes], at: int) -> None:
    link = Link(Network(breakage=Breakage(side=Side.CALLER, corrupt_at=at)), FakeClock())
    sent = b"".join(pieces)
    arrived, _ = run(carried(link, Side.CALLER, pieces))
    different = [i for i, (one, two) in enumerate(zip(sent, arrived, strict=True)) if one != two]
    assert different == ([at] if at < len(sent) else [])


@pytest.mark.parametrize("breakage", [Breakage(cut_after=3), Breakage(close_after=3)])
def test_the_caller_sees_the_break(breakage: Breakage) -> None:
    async def scenario() -> None:
        async with between(Neighbour([b"answer"]), **on(Network(breakage=breakage))) as (tap, _):
            reader, writer = await asyncio.open_connection(tap.host, tap.port)
            writer.write_eof()
            if breakage.cut_after is None:
                assert await reader.read() == b"ans"
            else:
                with pytest.raises(ConnectionResetError):
                    await reader.read()
            writer.transport.abort()

    run(scenario())


def test_bandwidth_and_latency_take_the_time_that_they_cost() -> None:
    clock = FakeClock()
    run(carried(Link(Network(shape=Shape(up_bps=8000)), clock), Side.CALLER, [b"x" * 3000]))
    assert clock.time == pytest.approx(3.0)

    async def late() -> float:
        clock, reader = FakeClock(), asyncio.StreamReader()
        reader.feed_data(b"hello")
        reader.feed_eof()
        link = Link(Network(shape=Shape(latency_s=2.0)), clock)
        assert [data async for data in link.reading(Side.CALLER, reader)] == [b"hello"]
        return clock.time

    assert run(late()) == pytest.approx(2.0)  # the end flies along with what it ends


def test_connections_share_the_bandwidth() -> None:
    """Two at once take as long as both one after the other."""

    async def scenario() -> float:
        clock = FakeClock()
        link = Link(Network(shape=Shape(down_bps=8000)), clock)
        two = [carried(link, Side.CALLED, [b"x" * 1000]) for _ in range(2)]
        assert await asyncio.gather(*two) == [(b"x" * 1000, None)] * 2
        return clock.time

    assert run(scenario()) >= 2.0


def test_an_open_connection_obeys_the_new_network() -> None:
    async def scenario() -> None:
        link = Link(Network(), FakeClock())
        passage = link.passage(Side.CALLED)
        assert [part async for part in passage.carry(b"before")] == [b"before"]
        link.network = Network(breakage=Breakage(cut_after=0))
        with pytest.raises(Cut):
            assert [part async for part in passage.carry(b"after")]

    run(scenario())


def test_a_reset_is_passed_on_after_what_came_before() -> None:
    async def scenario() -> None:
        reader = asyncio.StreamReader()
        reader.feed_data(b"before")
        reading = Link(Network(shape=Shape(latency_s=1.0)), FakeClock()).reading(
            Side.CALLER, reader
        )
        assert await anext(reading) == b"before"
        reader.set_exception(ConnectionResetError("reset"))
        with pytest.raises(ConnectionResetError):
            await anext(reading)

    run(scenario())
