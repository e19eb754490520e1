"""A response's head leaves with the beginning of its body: one system call, one TLS record.

uvicorn writes the two apart, and the peer wakes up twice for a small answer. Through this
transport the head waits for the next write, or for the end of the loop's turn when none comes;
everything else passes straight through, so a stream stays a stream.
"""

from __future__ import annotations

import asyncio
from typing import Any

__all__ = ["GatheringTransport"]

_SMALL = 16 * 1024
"""Bytes: the size of a TLS record; joining more would cost a copy and save nothing."""


class GatheringTransport:
    """An asyncio transport that holds back what begins as an HTTP/1.1 response does."""

    __slots__ = ("_held", "_loop", "_transport")

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._held = b""

    def write(self, data: bytes) -> None:
        """Send; a head waits for its body, one turn of the loop at most."""
        if self._held:
            if len(data) <= _SMALL:
                data = self._held + data
                self._held = b""
            else:
                self.flush()
        elif data.startswith(b"HTTP/1.1 "):
            self._held = data
            self._loop.call_soon(self.flush)
            return
        self._transport.write(data)

    def flush(self) -> None:
        """Send what is held now."""
        if self._held:
            data, self._held = self._held, b""
            self._transport.write(data)

    def close(self) -> None:
        """Send what is held, then close in good order."""
        self.flush()
        self._transport.close()

    def abort(self) -> None:
        """Send what is held as far as the kernel takes it, then drop the connection."""
        self.flush()
        self._transport.abort()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)
