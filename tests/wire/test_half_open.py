"""Connections that are held half open."""

from __future__ import annotations

import asyncio
import contextlib

from wire.half_open import hold


def test_each_says_its_beginning_and_waits_until_it_is_let_go() -> None:
    async def play() -> tuple[int, list[bytes], int]:
        heard: list[bytes] = []
        gone = asyncio.Event()

        async def met(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            heard.append(await reader.readexactly(3))
            with contextlib.suppress(ConnectionError):
                await reader.read()
            gone.set()
            writer.close()

        server = await asyncio.start_server(met, "127.0.0.1", 0)
        where = server.sockets[0].getsockname()
        held = await hold(where, count=60, beginning=b"kit")
        opened = held.count
        assert not gone.is_set()
        await held.release()
        await asyncio.wait_for(gone.wait(), 5.0)
        server.close()
        closed = await hold(where, count=3)
        return opened, heard, closed.count

    opened, heard, closed = asyncio.run(play())
    assert (opened, set(heard), closed) == (60, {b"kit"}, 0)
