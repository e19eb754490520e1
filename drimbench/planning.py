"""What `drimbench run` is asked to play: the profile, the words, and the plan without the play."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from bench.assemble import load
from bench.campaign import Options, Planned, Progress, plan
from bench.errors import BenchError
from bench.operator import Operator
from bench.profile import EMBEDDED, Profile
from bench.profile import read as read_profile
from bench.runs import all_runs
from bench.verdicts import Verdict
from drimbench.attendant import Attendant
from drimbench.ending import print_json
from drimbench.plugins import installed
from drimbench.progress import Live
from drimbench.requirements_cli import use_official
from reports.words import plural
from spec.grade import Grade

__all__ = ["faces", "prepare", "target", "tell", "words"]

_WELL = frozenset({Verdict.PASS, Verdict.WARN, Verdict.OMIT, Verdict.XFAIL})


def target(file: Path | None, *, strict: bool, floor: Grade | None, driver: str = "") -> Profile:
    """The profile, what the command line says more strictly than it, and who drives the pages.

    Raises:
        BenchError: the profile cannot be used.
    """
    profile = read_profile(file) if file else EMBEDDED
    changed: dict[str, object] = {
        "strict": profile.strict or strict,
        "floor": floor or profile.floor,
    }
    if driver:
        changed["consumer"] = profile.consumer.model_copy(update={"driver": driver})
    return profile.model_copy(update=changed)


def words(asked: Sequence[str], runs: Path, *, last_failed: bool) -> tuple[str, ...]:
    """The words of a selection; with `last_failed`, the scenarios of the last run that did not
    pass, were not verified or were never reached.

    Raises:
        BenchError: there is no last run, or all of it went well.
    """
    if not last_failed:
        return tuple(asked)
    found = all_runs(runs)
    if not found:
        raise BenchError(f"--last-failed : {runs} ne contient aucune campagne")
    last = load(found[-1])
    failed = [one.id for one in last.scenarios if one.verdict not in _WELL]
    left = (*failed, *last.unplayed)
    if not left:
        raise BenchError(f"--last-failed : tout est passé dans {last.id}")
    return (*asked, *left)


def faces(
    console: Console, *, silent: bool, no_input: bool
) -> tuple[Progress | None, Operator | None]:
    """Who is told how a campaign goes, and who may be asked: somebody at a terminal alone."""
    if silent:
        return None, None
    live = Live(console)
    present = not no_input and console.is_terminal and sys.stdin.isatty()
    return live, Attendant(live, console, present=present)


def prepare() -> None:
    """What every process of a campaign knows beside the bench: official texts, plug-ins.

    Raises:
        BenchError: one of these cannot be used.
    """
    use_official()
    installed()


def tell(options: Options, *, as_json: bool, brief: bool) -> None:
    """Say what would be played, and what would be left out and why.

    Raises:
        BenchError: what would keep the campaign from starting.
    """
    planned = plan(options)
    if as_json:
        print_json([_row(one) for one in planned])
        return
    console = Console()
    for one in planned:
        left_out = f"  [sans objet : {one.omitted}]" if one.omitted else ""
        _line(console, f"{one.pickle.scenario:<14} {one.pickle.title}{left_out}")
    played = sum(not one.omitted for one in planned)
    if not brief:
        profile = options.profile
        _line(
            console, f"profil     {profile.name} ({profile.product.name}), plancher {profile.floor}"
        )
        for role, box in (("source", profile.source), ("consumer", profile.consumer)):
            if getattr(profile.claims, role):
                _line(console, f"{role:<10} {_where(box.command, box.host)}")
    _line(console, f"{plural(played, 'scénario')} à jouer, {len(planned) - played} sans objet")


def _where(command: tuple[str, ...], host: str) -> str:
    return (
        f"{host}, lancée par : {' '.join(command)}" if command else f"{host}, embarquée ou déjà là"
    )


def _row(one: Planned) -> dict[str, object]:
    return {
        "id": one.pickle.scenario,
        "name": one.pickle.title,
        "domain": one.pickle.file.parent.name,
        "omitted": one.omitted,
    }


def _line(console: Console, text: str) -> None:
    console.print(text, highlight=False, markup=False, soft_wrap=True)
