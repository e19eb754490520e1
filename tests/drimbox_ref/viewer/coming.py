"""A series whose images come when the test says so."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Stored:
    path: Path
    sop_instance: str


@dataclass
class Coming:
    """A series that a test makes come."""

    total: int
    images: list[Stored] = field(default_factory=list)
    ended: bool = False
    failure: Exception | None = None
    closed: int = 0
    news: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def received(self) -> Sequence[Stored]:
        return tuple(self.images)

    async def changed(self, seen: int) -> None:
        while len(self.images) <= seen and not self.ended:
            await self.news.wait()
            self.news.clear()

    def close(self) -> None:
        self.closed += 1

    def come(self, image: Stored) -> None:
        self.images.append(image)
        self.news.set()

    def end(self, failure: Exception | None = None) -> None:
        self.ended, self.failure = True, failure
        self.news.set()

    def withdraw(self, failure: Exception) -> None:
        """It ends, and nothing of it may be shown."""
        self.images.clear()
        self.end(failure)
