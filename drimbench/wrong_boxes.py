"""`drimbench mutants`: wrong boxes, and who catches them."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from rich.console import Console

from bench.errors import BenchError
from bench.sessions import versions
from bench.verdicts import ExitCode
from features import FEATURES, STEP_MODULES
from mutants.matrix import Ground, Trial, play_green, play_matrix, processes
from mutants.record import read, rows
from mutants.registry import Mutant, UnknownMutant, catalogue, find

__all__ = ["chosen", "exit_code_of", "keep", "listing", "play", "tell"]


def chosen(names: Sequence[str]) -> tuple[Mutant, ...]:
    """The wrong boxes of these names, all of them when none is given.

    Raises:
        BenchError: no such wrong box.
    """
    try:
        return tuple(find(name) for name in names) if names else catalogue()
    except UnknownMutant as error:
        raise BenchError(str(error)) from None


def listing(mutants: Sequence[Mutant], console: Console) -> None:
    """One line per wrong box."""
    for one in mutants:
        console.print(f"[bold]{one.name}[/bold]  {one.breaks}", highlight=False)
        console.print(f"    {', '.join(one.requirements)}", style="dim", highlight=False)


def play(
    mutants: Sequence[Mutant],
    runs: Path,
    *,
    full: bool,
    console: Console | None,
    record: Path | None = None,
) -> tuple[Trial, ...]:
    """Play the right box, then each wrong one, several at a time, telling the console
    and the record as they end.

    Raises:
        BenchError: a campaign could not be played, the right box does not conform, or the record
            is none.
    """
    if record is not None:
        read(record)

    def heard(trial: Trial) -> None:
        if console:
            tell(trial, console)
        if record is not None:
            keep(trial, record)

    ground = Ground(features=FEATURES, steps=STEP_MODULES, runs=runs, preload=("drimbench.cli",))
    with processes(ground, full=full) as pool:
        played = play_green(ground, full=full, pool=pool)
        if console:
            console.print(f"[green]✓[/green] boîte juste : {len(played.scenarios)} scénarios")
        return play_matrix(mutants, ground, played=played, full=full, pool=pool, tell=heard)


def tell(trial: Trial, console: Console) -> None:
    """Who caught it, and who cried wolf."""
    mark, style = ("✓", "green") if trial.killed and not trial.false_alarms else ("✗", "red")
    by = ", ".join(one.scenario for one in trial.killed_by) or "personne"
    console.print(f"[{style}]{mark}[/{style}] {trial.mutant.name} : vu par {by}", highlight=False)
    for one in trial.false_alarms:
        console.print(f"    fausse alarme : {one.scenario} ({one.reason})", style="red")


def keep(trial: Trial, file: Path) -> None:
    """Write down what a wrong box did, in place of what the same one did before.

    Raises:
        BenchError: the file is not a recorded matrix, or cannot be written.
    """
    told = versions()
    played = rows(
        [trial],
        played=date.today(),
        commit=_commit(),
        version=told["version"],
        python=told["python"],
    )
    record = read(file).with_rows(played, [one.name for one in catalogue()])
    try:
        record.write(file)
    except OSError as error:
        raise BenchError(f"{file} : {error.strerror}") from None


def _commit() -> str:
    """Of the sources that are running; `?` where they are no repository."""
    try:
        answer = subprocess.run(
            ["git", "rev-parse", "--short=10", "HEAD"],
            cwd=Path(__file__).parent,
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return "?"
    return answer.stdout.strip()


def exit_code_of(trials: Sequence[Trial]) -> ExitCode:
    """1 when a wrong box escapes or when a scenario cries wolf."""
    wrong = any(not trial.killed or trial.false_alarms for trial in trials)
    return ExitCode.FAIL if wrong else ExitCode.CONFORM
