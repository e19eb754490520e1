"""Progress on the terminal: one line per scenario, animated only where somebody looks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.status import Status

from bench.stage import ScenarioInfo
from bench.verdicts import Verdict

__all__ = ["Live"]

_MARKS = {
    Verdict.PASS: ("✓", "green"),
    Verdict.WARN: ("!", "yellow"),
    Verdict.FAIL: ("✗", "red"),
    Verdict.SKIP: ("○", "yellow"),
    Verdict.OMIT: ("·", "dim"),
    Verdict.REVIEW: ("?", "yellow"),
    Verdict.UNKNOWN: ("?", "magenta"),
    Verdict.ERROR: ("E", "magenta"),
    Verdict.XFAIL: ("·", "dim"),
    Verdict.XPASS: ("↯", "red"),
}


class Live:
    """Tells a console. On a terminal the running scenario is shown while it runs."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._status: Status | None = None
        self._running: dict[str, str] = {}
        """Id -> title; several when several workers play."""
        self._told = ""
        """The last reason printed: one that many scenarios share is said once."""

    def preparing(self, what: str) -> None:
        """The bed is being made."""
        self._console.print(f"Préparation : {what}…", style="dim")

    def started(self, info: ScenarioInfo, number: int, total: int) -> None:
        """A scenario begins."""
        self._running[info.id] = info.title
        if self._console.is_terminal:
            line = f"{number}/{total}  {' · '.join(self._running.values())}"
            if self._status is None:
                self._status = self._console.status(line)
                self._status.start()
            else:
                self._status.update(line)

    def pause(self) -> None:
        """Nothing moves any more, until the next scenario."""
        if self._status is not None:
            self._status.stop()
            self._status = None

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Nothing moves meanwhile."""
        status = self._status
        if status is not None:
            status.stop()
        yield
        if status is not None:
            status.start()

    def finished(self, info: ScenarioInfo, verdict: Verdict, reason: str, seconds: float) -> None:
        """A scenario is over."""
        self._running.pop(info.id, None)
        if not self._running:
            self.pause()
        mark, style = _MARKS[verdict]
        self._console.print(
            f"[{style}]{mark}[/{style}] {info.id:<14} {info.title} [dim]({seconds:.1f} s)[/dim]",
            highlight=False,
        )
        if verdict in (Verdict.PASS, Verdict.OMIT, Verdict.XFAIL):
            return
        if reason != self._told:
            self._told = reason
            self._console.print(
                f"  {verdict.french} : {reason}", style=style, highlight=False, markup=False
            )
