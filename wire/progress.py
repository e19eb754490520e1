"""How far a long command is: a bar on a terminal, a line now and then elsewhere.

Nothing is shown of work that ends within two seconds.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from rich import progress as bars
from rich.console import Console

__all__ = ["Progress"]

_PATIENCE_S = 2.0
_LINE_EVERY_S = 10.0


class Progress:
    """Counts the steps of one thing. On stderr unless told, so that results stay alone on stdout.

    `what` is what is counted (« KOS lus »), `total` how many there are if that is known, `now` a
    monotonic clock in seconds.
    """

    def __init__(
        self,
        what: str,
        total: int | None = None,
        *,
        console: Console | None = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._what, self._total = what, total
        self._console = console or Console(stderr=True)
        self._now = now
        self._begun = now()
        self._next = self._begun + _PATIENCE_S
        self._bar: bars.Progress | None = None
        self._task = bars.TaskID(0)
        self.done = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def to(self, done: int, total: int | None = None) -> None:
        """So many steps are done; of so many, when that is known by now."""
        self.done = done
        self._total = self._total if total is None else total
        if self._bar is not None:
            self._bar.update(self._task, completed=done, total=self._total)
        elif self._now() >= self._next:
            self._show()

    def step(self) -> None:
        """One more step is done."""
        self.to(self.done + 1)

    def _show(self) -> None:
        if self._console.is_terminal and not self._console.is_dumb_terminal:
            self._bar = bars.Progress(
                bars.TextColumn("{task.description}", markup=False),
                bars.BarColumn(),
                bars.MofNCompleteColumn(),
                bars.TimeRemainingColumn(elapsed_when_finished=True),
                console=self._console,
                transient=True,
                get_time=self._now,
            )
            self._bar.start()
            self._task = self._bar.add_task(self._what, completed=self.done, total=self._total)
            return
        now = self._now()
        self._next = now + _LINE_EVERY_S
        line = f"{self._what} : {self.done}"
        if self._total is not None:
            line += f" sur {self._total}"
        if self._total and self.done:
            left = (now - self._begun) / self.done * (self._total - self.done)
            line += f", encore {_duration(left)} environ"
        self._console.print(line, highlight=False, markup=False, soft_wrap=True)


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes:02} min"
    return f"{minutes} min {rest:02} s" if minutes else f"{rest} s"
