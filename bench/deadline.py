"""Waiting with a deadline for what nobody announces."""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Event

__all__ = ["Countdown", "until"]

_POLL_S = 0.05


def until(condition: Callable[[], bool], *, deadline_s: float) -> bool:
    """Wait for a condition that nobody announces; whether it came true before the deadline."""
    pause, limit = Event(), time.monotonic() + deadline_s
    while time.monotonic() < limit:
        if condition():
            return True
        pause.wait(_POLL_S)
    return condition()


class Countdown:
    """Seconds left of a deadline that began when this was made."""

    def __init__(self, deadline_s: float) -> None:
        self._limit = time.monotonic() + deadline_s

    def __call__(self) -> float:
        """Never below 0."""
        return max(0.0, self._limit - time.monotonic())
