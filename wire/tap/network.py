"""A bad network on demand: latency, bandwidth, a cut, a half-close, a corrupted byte.

A `Link` is the line of one tap: all its connections share its bandwidth, as they would an access.
What it does can be changed while connections are open. Bytes are never reordered, lost or made up;
where nothing is broken on purpose, what arrives is what was sent.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Protocol

from wire.tap.ear import Side
from wire.tap.passage import Cut, HalfClosed, Passage

__all__ = ["CLEAR", "Breakage", "Clock", "Link", "Network", "Shape"]

_SLICE_S = 0.01
"""Bytes leave by slices that take this long at the bandwidth, so that connections share it."""
_LEAST, _MOST = 256, 64 * 1024
_IN_FLIGHT = 256
"""Reads that wait for their moment, in each direction of a connection; then the sender waits."""


class Clock(Protocol):
    """Time as a link knows it."""

    def now(self) -> float:
        """Seconds, from any origin."""

    async def sleep(self, seconds: float) -> None:
        """Return that much later."""


class _LoopClock:
    def now(self) -> float:
        return asyncio.get_running_loop().time()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What a network costs. Opening a connection to the tap itself costs nothing."""

    latency_s: float = 0.0
    """Each way: half of a round trip."""
    up_bps: int = 0
    """Bits a second of what callers send; 0: as many as come."""
    down_bps: int = 0
    """Bits a second of what is answered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Breakage:
    """What becomes of one direction of each connection, counted in its bytes from its opening."""

    side: Side = Side.CALLED
    """Whose bytes."""
    cut_after: int | None = None
    """Both ends lose the connection (RST) once that many have passed."""
    close_after: int | None = None
    """The direction ends in good order once that many have passed; the rest is lost."""
    corrupt_at: int | None = None
    """The byte at this offset arrives with its bits inverted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """How a tap's bytes travel."""

    shape: Shape = Shape()
    breakage: Breakage = Breakage()


CLEAR = Network()


class Link:
    """The line of a tap: give `passage` and `reading` to `open_tap`. `network` may be replaced at
    any time, from the loop: the bytes that follow obey it, on open connections too."""

    def __init__(
        self,
        network: Network = CLEAR,
        clock: Clock | None = None,
        noted: Callable[[str], None] = lambda what: None,
    ) -> None:
        """`noted` is told, in French, what is broken on purpose: an ear hears what was sent."""
        self.network = network
        self.noted = noted
        self._clock = clock or _LoopClock()
        self._free_at = dict.fromkeys(Side, 0.0)

    def passage(self, side: Side) -> Passage:
        """How one direction of a new connection travels."""
        return _Carried(self, side)

    async def reading(self, side: Side, reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
        """What a side sends, each read a latency later, its end as well.

        Raises:
            OSError: as the reader does, once what came before has been given.
        """
        flying: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(_IN_FLIGHT)

        async def listen() -> None:
            data = b"?"
            while data:
                data = await reader.read(_MOST)
                await flying.put((self._clock.now() + self.network.shape.latency_s, data))

        listening = asyncio.create_task(listen())
        try:
            while True:
                due, data = await _first(flying, listening)
                if (left := due - self._clock.now()) > 0:
                    await self._clock.sleep(left)
                if not data:
                    return
                yield data
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)

    async def paced(self, side: Side, data: bytes) -> AsyncIterator[bytes]:
        """The same bytes, at the bandwidth of that direction of the link."""
        while data:
            rate = self._rate(side)
            size = max(_LEAST, min(_MOST, int(rate * _SLICE_S))) if rate else len(data)
            part, data = data[:size], data[size:]
            if rate:
                now = self._clock.now()
                self._free_at[side] = max(now, self._free_at[side]) + len(part) / rate
                await self._clock.sleep(self._free_at[side] - now)
            yield part

    def _rate(self, side: Side) -> float:
        """Bytes a second, 0 for no limit."""
        shape = self.network.shape
        return (shape.up_bps if side is Side.CALLER else shape.down_bps) / 8


async def _first(
    flying: asyncio.Queue[tuple[float, bytes]], listening: asyncio.Task[None]
) -> tuple[float, bytes]:
    """What was read next, or the error that ended the reading."""
    taken = asyncio.ensure_future(flying.get())
    try:
        await asyncio.wait({taken, listening}, return_when=asyncio.FIRST_COMPLETED)
        if not taken.done() and listening.exception() is None:
            return await taken  # the end was read: it is in the queue
        if not taken.done():
            listening.result()
        return taken.result()
    finally:
        taken.cancel()


class _Carried:
    """One direction of one connection on a link."""

    def __init__(self, link: Link, side: Side) -> None:
        self._link = link
        self._side = side
        self._passed = 0

    async def carry(self, data: bytes) -> AsyncIterator[bytes]:
        """What arrives of it, when it does.

        Raises:
            Cut: as many bytes as the breakage says have passed.
            HalfClosed: likewise.
        """
        async for part in self._link.paced(self._side, data):
            broken = self._link.network.breakage
            if broken.side is not self._side:
                self._passed += len(part)
                yield part
                continue
            kept, then = self._kept(part, broken)
            at = broken.corrupt_at
            if at is not None and 0 <= at - self._passed < len(kept):
                self._link.noted(f"octet {at} inversé")
                kept = _corrupted(kept, at - self._passed)
            self._passed += len(kept)
            if kept:
                yield kept
            if then is not None:
                self._link.noted(str(then))
                raise then

    def _kept(self, part: bytes, broken: Breakage) -> tuple[bytes, Exception | None]:
        """What passes before the line breaks, and how it does."""
        limits: list[tuple[int, Exception]] = []
        if broken.cut_after is not None:
            limits.append((broken.cut_after, Cut(f"coupure après {broken.cut_after} octets")))
        if broken.close_after is not None:
            limits.append(
                (broken.close_after, HalfClosed(f"sens fermé après {broken.close_after} octets"))
            )
        for limit, then in sorted(limits, key=lambda one: one[0]):
            if self._passed + len(part) >= limit:
                return part[: max(0, limit - self._passed)], then
        return part, None


def _corrupted(part: bytes, index: int) -> bytes:
    changed = bytearray(part)
    changed[index] ^= 0xFF
    return bytes(changed)
