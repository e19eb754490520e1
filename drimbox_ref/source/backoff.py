"""How long to wait before the next attempt: doubling, up to a ceiling; or until a time told."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

__all__ = ["Backoff", "Postponed"]


@dataclass(frozen=True, slots=True)
class Backoff:
    """`first_s`, then twice as long each time, at most `max_s` (seconds)."""

    first_s: float
    max_s: float

    def delay(self, attempts: int) -> timedelta:
        """The pause after that many attempts (0: after the first)."""
        return timedelta(seconds=min(self.max_s, self.first_s * 2 ** min(attempts, 32)))


class Postponed(Exception):
    """The work on a message must be taken up again later, `due` then or after the usual pause."""

    def __init__(self, reason: str, due: datetime | None = None) -> None:
        super().__init__(reason)
        self.due = due
