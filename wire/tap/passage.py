"""How the bytes of one direction travel between the two ends of a tap."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Protocol

from wire.tap.ear import Side

__all__ = ["Cut", "HalfClosed", "Passage", "Reading", "prompt", "straight"]

_READ = 64 * 1024

Reading = Callable[[Side, asyncio.StreamReader], AsyncIterator[bytes]]
"""How the bytes of a side are read to their end, never empty: at once, or later."""


class Cut(Exception):
    """Raised by a passage: both ends lose the connection here, abruptly."""


class HalfClosed(Exception):
    """Raised by a passage: this direction ends here in good order; the other goes on."""


class Passage(Protocol):
    """Carries what one side sent; one for each direction of each connection."""

    def carry(self, data: bytes) -> AsyncIterator[bytes]:
        """The bytes that arrive, when they do.

        Raises:
            Cut: at any point.
            HalfClosed: at any point; what the side sends afterwards is lost.
        """


class _Straight:
    """A good wire."""

    async def carry(self, data: bytes) -> AsyncIterator[bytes]:
        """At once, unchanged."""
        yield data


def straight(side: Side) -> Passage:
    """Nothing happens to the bytes, whoever sends them."""
    return _Straight()


async def prompt(side: Side, reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
    """As soon as they come, whoever sends them."""
    while data := await reader.read(_READ):
        yield data
