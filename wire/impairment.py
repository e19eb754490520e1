"""What a link can suffer, whoever speaks on it: a wait, a cut after so many bytes, a slow line.

The same on a socket of threads (`ImpairedSocket`) and on the answer of an ASGI application
(`wire.http_server.impaired`); every wait ends with its `Release`.
"""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

__all__ = ["ImpairedSocket", "Impairment", "Link", "Release", "drop"]

_SLICES_PER_S = 20
"""A slow line moves as often as that: smooth enough, and cheap."""
_RESET = struct.pack("ii", 1, 0)
"""SO_LINGER of no second: closing sends RST, as a process that died does."""


class Release:
    """What ends a wait before its time, for threads and coroutines alike. Set once."""

    def __init__(self) -> None:
        self._event = threading.Event()
        self._lock = threading.Lock()
        self._wakers: set[Callable[[], None]] = set()

    def set(self) -> None:
        """End every wait, present and to come."""
        with self._lock:
            self._event.set()
            wakers, self._wakers = self._wakers, set()
        for wake in wakers:
            wake()

    def wait(self, seconds: float) -> bool:
        """Hold the thread that long at most; whether it was released."""
        return self._event.wait(max(0.0, seconds))

    async def pause(self, seconds: float) -> bool:
        """Hold the coroutine that long at most; whether it was released."""
        loop, woken = asyncio.get_running_loop(), asyncio.Event()

        def wake() -> None:
            with suppress(RuntimeError):  # its loop is over, and its wait with it
                loop.call_soon_threadsafe(woken.set)

        with self._lock:
            if self._event.is_set():
                return True
            self._wakers.add(wake)
        try:
            with suppress(TimeoutError):
                await asyncio.wait_for(woken.wait(), max(0.0, seconds))
        finally:
            with self._lock:
                self._wakers.discard(wake)
        return woken.is_set()


@dataclass(frozen=True, slots=True, kw_only=True)
class Impairment:
    """What an answer suffers on its way."""

    drop_after: int | None = None
    """Bytes that leave before the connection is reset."""
    rate: int | None = None
    """Bytes per second, at most."""


class Link:
    """One impairment at work, on one connection or on several that share it. Any thread."""

    def __init__(self, impairment: Impairment, release: Release) -> None:
        self._impairment = impairment
        self._release = release
        self._sent = 0
        self._started = time.monotonic()
        self._lock = threading.Lock()

    @property
    def cut(self) -> bool:
        """Whether nothing more may leave."""
        limit = self._impairment.drop_after
        return limit is not None and self._sent >= limit

    def take(self, wanted: int) -> tuple[int, float]:
        """How many bytes of `wanted` may leave (0: the link is cut), once that many seconds have
        passed."""
        limit, rate = self._impairment.drop_after, self._impairment.rate
        if self._release.wait(0.0):
            rate = None  # the line is what it was: the rest need not leave in slices
        with self._lock:
            due = 0.0
            if rate is not None:
                wanted = min(wanted, max(1, rate // _SLICES_PER_S))
            if limit is not None:
                wanted = max(0, min(wanted, limit - self._sent))
            self._sent += wanted
            if rate is not None:
                due = self._started + self._sent / rate
        return wanted, max(0.0, due - time.monotonic())

    def wait(self, seconds: float) -> None:
        """Hold the thread, unless the fault is over."""
        if seconds > 0:
            self._release.wait(seconds)

    async def pause(self, seconds: float) -> None:
        """Hold the coroutine, unless the fault is over."""
        if seconds > 0:
            await self._release.pause(seconds)


class ImpairedSocket:
    """A socket whose sending suffers; all the rest is its own."""

    def __init__(self, inner: socket.socket, link: Link) -> None:
        self.inner = inner
        self._link = link

    def send(self, data: bytes) -> int:
        """As a socket's: how many bytes left.

        Raises:
            ConnectionResetError: the link is cut, and the connection reset.
        """
        size, seconds = self._link.take(len(data))
        self._link.wait(seconds)
        if size == 0 and data:
            drop(self.inner)
            raise ConnectionResetError("lien coupé par une panne simulée")
        return self.inner.send(data[:size])

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)


def drop(connection: socket.socket) -> None:
    """Reset a connection now: the peer sees RST. Idempotent."""
    with suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    connection.close()
