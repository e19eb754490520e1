"""Waiting with a deadline for what nobody announces."""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Event

__all__ = ["Countdown", "until"]

_FIRST_S, _SHARE, _LONGEST_S = 0.02, 0.2, 0.5
"""What is looked for has mostly happened, or is about to: often at first, then every fifth of what
was waited already. Whatever looks as often for what never comes takes the time of those who work.
"""


def until(condition: Callable[[], bool], *, deadline_s: float) -> bool:
    """Wait for a condition that nobody announces; whether it came true before the deadline."""
    pause, begun = Event(), time.monotonic()
    while (waited := time.monotonic() - begun) < deadline_s:
        if condition():
            return True
        interval = min(max(waited * _SHARE, _FIRST_S), _LONGEST_S)
        pause.wait(min(interval, deadline_s - waited))
    return condition()


class Countdown:
    """Seconds left of a deadline that began when this was made."""

    def __init__(self, deadline_s: float) -> None:
        self._limit = time.monotonic() + deadline_s

    def __call__(self) -> float:
        """Never below 0."""
        return max(0.0, self._limit - time.monotonic())
