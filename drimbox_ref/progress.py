"""How far a long command is: nothing before two seconds, then a line that changes on a terminal,
and a line every ten seconds elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from types import TracebackType
from typing import TextIO

__all__ = ["Progress"]

_QUIET_S = 2.0
_TERMINAL_S, _FILE_S = 0.2, 10.0


class Progress:
    """Counts the steps of one thing; writes to stderr, so that results stay alone on stdout."""

    def __init__(
        self,
        what: str,
        total: int | None = None,
        *,
        stream: TextIO | None = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._what, self._total = what, total
        self._stream = stream or sys.stderr
        self._now = now
        self._terminal = self._stream.isatty()
        self._begun = now()
        self._shown = self._begun
        self._said = False
        self.done = 0

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._said and self._terminal:
            self._stream.write("\r\x1b[K")
            self._stream.flush()

    def to(self, done: int) -> None:
        """So many steps are done."""
        self.done = done
        now = self._now()
        pause = _TERMINAL_S if self._terminal else _FILE_S
        if now - self._begun < _QUIET_S or (self._said and now - self._shown < pause):
            return
        line = f"{self._what} : {done}" + (f"/{self._total}" if self._total is not None else "")
        if self._total and done:
            left = (now - self._begun) / done * (self._total - done)
            line += f", encore {_duration(left)} environ"
        self._stream.write(f"\r\x1b[K{line}" if self._terminal else f"{line}\n")
        self._stream.flush()
        self._shown, self._said = now, True

    def step(self) -> None:
        """One more step is done."""
        self.to(self.done + 1)


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes:02} min"
    return f"{minutes} min {rest:02} s" if minutes else f"{rest} s"
