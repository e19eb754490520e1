"""Waiting with a deadline for what nobody announces."""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Event

__all__ = ["Countdown", "until"]

_FIRST_S, _GROWTH, _LONGEST_S = 0.01, 1.5, 0.05
"""What is looked for has mostly happened, or is about to: often at first, then less."""


def until(condition: Callable[[], bool], *, deadline_s: float) -> bool:
    """Wait for a condition that nobody announces; whether it came true before the deadline."""
    pause, limit, interval = Event(), time.monotonic() + deadline_s, _FIRST_S
    while time.monotonic() < limit:
        if condition():
            return True
        pause.wait(interval)
        interval = min(interval * _GROWTH, _LONGEST_S)
    return condition()


class Countdown:
    """Seconds left of a deadline that began when this was made."""

    def __init__(self, deadline_s: float) -> None:
        self._limit = time.monotonic() + deadline_s

    def __call__(self) -> float:
        """Never below 0."""
        return max(0.0, self._limit - time.monotonic())
