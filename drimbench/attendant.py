"""The person at the terminal during a campaign: shown what is asked, asked for a word.

On a terminal a wait is one line that counts down, ended by Enter; elsewhere it is a line from time
to time, ended by its event or by `drimbench proceed`.
"""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.prompt import Prompt
from rich.status import Status

from bench.decisions import MAX_ATTACHMENT
from bench.operator import Request, Word
from drimbench.progress import Live
from reports import redact

__all__ = ["Attendant", "verdict_of_a_person"]

_PERIOD_S = 30.0
"""Between two lines of a wait, where no line is rewritten."""


class Attendant:
    """Asks on a console.

    Args:
        live: what else is told there, silent while something is asked.
        console: where.
        present: whether somebody can answer; else waits are only told.
    """

    def __init__(self, live: Live, console: Console, *, present: bool) -> None:
        self.present = present
        self._live = live
        self._console = console
        self._by = ""
        self._waiting = ""
        self._status: Status | None = None
        self._next = 0.0

    def judge(self, request: Request) -> Word | None:
        """The scenario, what is to be looked at, then decision, name, comment and files."""
        with self._live.paused():
            self._show(request)
            try:
                answer, self._by, comment = verdict_of_a_person(self._console, self._by)
                if answer not in ("o", "n"):
                    return None
                files = self._files()
            except EOFError:
                return None
        return Word(conform=answer == "o", by=self._by, comment=comment, files=files)

    def waiting(self, request: Request, left_s: float, *, gesture: bool) -> bool:
        """One more moment of a wait."""
        if self._waiting != request.identifier:
            self._begin(request, left_s, gesture=gesture)
        enter = " ; Entrée : c'est fait" if self.present else ""
        line = f"attente « {request.identifier} » : {_clock(left_s)}{enter}"
        if self._status is not None:
            self._status.update(line)
        elif left_s <= self._next:
            self._line(line)
            self._next = left_s - _PERIOD_S
        return self.present and _enter()

    def waited(self, request: Request, how: str) -> None:
        """How it ended."""
        if self._status is not None:
            self._status.stop()
            self._status = None
        self._waiting = ""
        self._line(f"attente « {request.identifier} » : {how}")

    def _begin(self, request: Request, left_s: float, *, gesture: bool) -> None:
        self._live.pause()
        self._waiting, self._next = request.identifier, left_s
        self._show(request)
        if gesture:
            self._line(f"    ailleurs   drimbench proceed {request.identifier}")
        if self._console.is_terminal:
            self._status = self._console.status("")
            self._status.start()
        while self.present and _enter():
            continue  # pressed before anything was asked

    def _show(self, request: Request) -> None:
        self._line(request.title, "bold")
        self._line(f"    {redact.text(request.text)}")

    def _files(self) -> tuple[Path, ...]:
        """Readable files of proof; asked again until all are."""
        while True:
            told = Prompt.ask(
                "Captures, vidéos ou fichiers à joindre",
                default="",
                show_default=False,
                console=self._console,
            )
            try:
                files = tuple(Path(word).expanduser() for word in shlex.split(told))
            except ValueError as error:
                self._line(f"    {error}")
                continue
            wrong = [file for file in files if not _attachable(file)]
            if not wrong:
                return files
            self._line(f"    illisible, vide ou trop gros : {', '.join(map(str, wrong))}")

    def _line(self, text: str, style: str = "") -> None:
        self._console.print(text, style=style, highlight=False, markup=False, soft_wrap=True)


def verdict_of_a_person(console: Console, by: str, *, quit_: bool = False) -> tuple[str, str, str]:
    """What a person decides: `o`, `n`, `p` (later) or `q` (only with `quit_`), who, and why.

    Raises:
        EOFError: nobody answers.
    """
    answer = Prompt.ask(
        escape(f"Conforme ? [o]ui, [n]on, [p]lus tard{', [q]uitter' if quit_ else ''}"),
        choices=["o", "n", "p", *(["q"] if quit_ else [])],
        default="p",
        show_choices=False,
        console=console,
    )
    if answer not in ("o", "n"):
        return answer, by, ""
    while not by.strip():
        by = Prompt.ask("Votre nom", console=console)
    comment = Prompt.ask(
        "Ce que vous avez constaté", default="", show_default=False, console=console
    )
    while answer == "n" and not comment.strip():
        comment = Prompt.ask("Une non-conformité se motive", console=console)
    return answer, by, comment


def _attachable(file: Path) -> bool:
    try:
        with file.open("rb"):
            return 0 < file.stat().st_size <= MAX_ATTACHMENT
    except OSError:
        return False


def _clock(seconds: float) -> str:
    minutes, left = divmod(round(seconds), 60)
    return f"{minutes} min {left:02} s" if minutes else f"{left} s"


def _enter() -> bool:
    """Whether Enter was pressed since the last time; never waits."""
    if sys.platform == "win32":
        import msvcrt

        return msvcrt.kbhit() and msvcrt.getwch() in "\r\n"
    import select

    if not select.select([sys.stdin], [], [], 0)[0]:
        return False
    return sys.stdin.readline() != ""
