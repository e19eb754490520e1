"""How far a long piece of work is: a bar on a terminal, a line now and then elsewhere.

Nothing is shown of work that ends within two seconds.
"""

from __future__ import annotations

import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import Progress, TaskID

__all__ = ["Counting"]

_PATIENCE_S = 2.0
_LINE_EVERY_S = 10.0


class Counting:
    """Call it with what is done and of how much."""

    def __init__(self, console: Console, what: str) -> None:
        self._console = console
        self._what = what
        self._next = time.monotonic() + _PATIENCE_S
        self._bar: Progress | None = None
        self._task = TaskID(0)

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

    def __call__(self, done: int, total: int) -> None:
        now = time.monotonic()
        if self._bar is not None:
            self._bar.update(self._task, completed=done, total=total)
        elif now >= self._next:
            if self._console.is_terminal:
                self._bar = Progress(console=self._console, transient=True)
                self._bar.start()
                self._task = self._bar.add_task(self._what, completed=done, total=total)
            else:
                self._next = now + _LINE_EVERY_S
                self._console.print(f"{self._what} : {done} sur {total}", highlight=False)
