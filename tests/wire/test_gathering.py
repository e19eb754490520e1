"""A head leaves with its body, and never later than the turn in which it was written."""

from __future__ import annotations

import asyncio
from typing import cast

import pytest

from wire.gathering import GatheringTransport

HEAD = b"HTTP/1.1 200 OK\r\n\r\n"


class Wire:
    """Notes what a transport is asked to do."""

    def __init__(self) -> None:
        self.calls: list[bytes | str] = []

    def write(self, data: bytes) -> None:
        self.calls.append(data)

    def close(self) -> None:
        self.calls.append("close")

    def abort(self) -> None:
        self.calls.append("abort")

    def is_closing(self) -> bool:
        return "close" in self.calls


async def begin() -> tuple[Wire, GatheringTransport]:
    wire = Wire()
    transport = cast(asyncio.Transport, wire)
    return wire, GatheringTransport(transport, asyncio.get_running_loop())


def test_a_small_body_joins_its_head_and_a_large_one_follows_it() -> None:
    async def scenario() -> None:
        wire, gathering = await begin()
        large = bytes(64 * 1024)
        gathering.write(HEAD)
        assert wire.calls == []
        gathering.write(b"ok")
        gathering.write(b"more")
        gathering.write(HEAD)
        gathering.write(large)
        assert wire.calls == [HEAD + b"ok", b"more", HEAD, large]

    asyncio.run(scenario())


def test_a_head_alone_leaves_at_the_end_of_the_turn() -> None:
    async def scenario() -> None:
        wire, gathering = await begin()
        gathering.write(HEAD)
        await asyncio.sleep(0)
        assert wire.calls == [HEAD]
        gathering.write(b"later")
        assert wire.calls == [HEAD, b"later"]

    asyncio.run(scenario())


@pytest.mark.parametrize("end", ["close", "abort"])
def test_ending_loses_nothing(end: str) -> None:
    async def scenario() -> None:
        wire, gathering = await begin()
        gathering.write(HEAD)
        getattr(gathering, end)()
        await asyncio.sleep(0)
        assert wire.calls == [HEAD, end]
        assert gathering.is_closing() == (end == "close")

    asyncio.run(scenario())
