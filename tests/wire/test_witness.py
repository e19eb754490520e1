"""A port that remembers who came."""

from __future__ import annotations

import asyncio

from wire.witness import Witness, listen


def test_whoever_comes_is_remembered_by_how_it_began() -> None:
    async def play() -> tuple[list[bytes], Witness]:
        witness = await listen("127.0.0.1")
        assert witness.visits == []
        await witness.knock()
        _, writer = await asyncio.open_connection(witness.host, witness.port)
        writer.close()
        await witness.knock()
        await witness.stop()
        return witness.visits, witness

    visits, _ = asyncio.run(play())
    assert [one for one in visits if one] == [b"drimbench"] * 2
    assert len(visits) == 3
