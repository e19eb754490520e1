"""Connections that begin and go no further, held together until they are let go."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

__all__ = ["HalfOpen", "hold"]


@dataclass(slots=True)
class HalfOpen:
    """Connections to one port, each of which has said its beginning and waits."""

    _writers: list[asyncio.StreamWriter] = field(default_factory=list)

    @property
    def count(self) -> int:
        """How many were opened."""
        return len(self._writers)

    async def release(self) -> None:
        """Let all of them go, at once."""
        for one in self._writers:
            one.transport.abort()
        self._writers.clear()


async def hold(where: tuple[str, int], *, count: int, beginning: bytes = b"") -> HalfOpen:
    """Open so many connections, at most 50 at the same instant, and send that on each.

    Those that the server refuses are not counted.
    """
    held, turn = HalfOpen(), asyncio.Semaphore(50)

    async def one() -> None:
        async with turn:
            try:
                _, writer = await asyncio.wait_for(asyncio.open_connection(*where), 5.0)
            except (OSError, TimeoutError):
                return
            held._writers.append(writer)
            if beginning:
                writer.write(beginning)

    await asyncio.gather(*(one() for _ in range(count)))
    return held
