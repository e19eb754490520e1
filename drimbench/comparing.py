"""A comparison of two runs, told to a person or to a program."""

from __future__ import annotations

from typing import Any

from rich.console import Console

from bench.comparison import Change, Comparison, Difference
from bench.verdicts import Verdict
from reports import redact
from reports.dossier.differences import as_dict
from reports.words import moment, plural

__all__ = ["as_json", "show"]

_STYLES = {
    Change.WORSE: "red",
    Change.BETTER: "green",
    Change.ADDED: "cyan",
    Change.REMOVED: "yellow",
}


def as_json(found: Comparison) -> dict[str, Any]:
    """The documented shape, with where the runs are."""
    told = as_dict(found)
    told["before"]["directory"] = str(found.before.directory)
    told["after"]["directory"] = str(found.after.directory)
    return told


def show(
    found: Comparison, console: Console, *, names: tuple[str, str] = ("avant", "après")
) -> None:
    """What differs, the worst first; one line when nothing does."""
    for name, run in zip(names, (found.before, found.after), strict=True):
        _line(
            console,
            f"{name:<10} {run.id}  {moment(run.started)}  {run.verdict.french}, "
            f"{plural(len(run.scenarios), 'scénario')}",
        )
    for name, left, right in found.context:
        _line(console, f"  {name} : {left or 'rien'} -> {right or 'rien'}", "dim")
    for change in Change:
        for one in found.scenarios:
            if one.change is change:
                _line(
                    console,
                    f"{change.french:<10} {one.id}  {one.title} : {_move(one)}",
                    _STYLES[change],
                )
                if one.reason:
                    _line(console, f"           {redact.text(one.reason)}")
    moved = [one for one in found.requirements if one.change in (Change.WORSE, Change.BETTER)]
    for one in moved:
        _line(console, f"exigence   {one.id} : {_move(one)}", _STYLES[one.change])
    for scenario, rule, change in found.findings:
        word = "constat nouveau" if change is Change.ADDED else "constat disparu"
        _line(console, f"{word} {rule} dans {scenario}", _STYLES[change])
    count = len(found.regressions)
    told = plural(count, "régression") if count else "aucune régression"
    _line(console, f"{told} ; {plural(found.same, 'scénario')} sans changement", "bold")


def _move(one: Difference) -> str:
    return f"{_word(one.before)} -> {_word(one.after)}"


def _word(verdict: Verdict | None) -> str:
    return verdict.french if verdict else "pas joué"


def _line(console: Console, text: str, style: str = "") -> None:
    console.print(text, style=style, highlight=False, markup=False, soft_wrap=True)
