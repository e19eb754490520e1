"""What a soak says: its progress, then what it played and found, for people and for machines."""

from __future__ import annotations

import shlex
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from types import TracebackType
from typing import Any, Self

from rich.console import Console

from load.soak.driving import Played
from load.soak.expected import State
from load.soak.faults import MENU
from load.soak.playing import Outcome, Soak
from wire.progress import Progress

__all__ = ["Teller", "as_document", "replay", "write"]

_QUOTED = set(" \t\n'\"\\")
_SHOWN = 50
"""Differences that a person is shown; a machine is given all of them."""


class Teller:
    """Says how far a soak is, on standard error: each phase has a progress of its own."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(stderr=True)
        self._phase = ExitStack()
        self._what = ""
        self._progress: Progress | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._phase.close()

    def say(self, line: str) -> None:
        """Something to know even if nothing else is ever said."""
        self._console.print(line, highlight=False, markup=False)

    def __call__(self, what: str, done: int, total: int) -> None:
        if self._progress is None or what != self._what:
            self._phase.close()
            self._what = what
            self._progress = self._phase.enter_context(Progress(what, console=self._console))
        self._progress.to(done, total or None)


def replay(soak: Soak) -> str:
    """The command that plays the same again."""
    words = [
        "python", "-m", "load.soak", "--seed", str(soak.seed), "--reports", str(soak.reports),
        "--senders", str(soak.senders), "--kills", str(soak.kills),
    ]  # fmt: skip
    if soak.command:
        # `{config}` and the like need no quotes of their own within those of the whole.
        parts = (
            one if one and not set(one) & _QUOTED else shlex.quote(one) for one in soak.command
        )
        words += ["--source", " ".join(parts)]
    return shlex.join(words)


def write(outcome: Outcome, console: Console | None = None) -> None:
    """The report for a person."""
    console = console or Console(width=None if sys.stdout.isatty() else 120)
    for line in _lines(outcome):
        console.print(line, highlight=False, markup=False, soft_wrap=True)


def _lines(outcome: Outcome) -> Iterator[str]:
    soak, played, judged = outcome.soak, outcome.played, outcome.judgement
    yield (
        f"Endurance : graine {soak.seed}, {soak.reports} comptes rendus de {soak.senders} "
        f"émetteurs, {soak.kills} SIGKILL prévus, en {_duration(outcome.seconds)}"
    )
    yield f"  prévu          {_counted(Counter(str(one.step) for one in outcome.plan.reports))}"
    repeats = sum(one.repeats for one in outcome.plan.reports)
    yield (
        f"  envoyé         {played.sent} fois, dont {repeats} répétitions à l'identique et "
        f"{played.resent} renvois faute d'acquittement"
    )
    yield f"  acquitté       {_acknowledged(played)} de {soak.reports}"
    kills = _counted(played.kills)
    yield f"  tué (SIGKILL)  {played.kills.total()} fois" + (f" : {kills}" if kills else "")
    for name, count in sorted(played.faults.items()):
        yield f"  panne          {count} fois {name} : {MENU[name]}"
    found = ", ".join(f"{judged.found.get(state, 0)} {state}" for state in State)
    yield f"  DMP            {found} ; en vigueur attendus : {judged.expected}"
    yield from _verdict(outcome)
    yield f"Rejouer : {replay(soak)}"
    if soak.keep:
        yield f"Gardé dans {soak.keep} : journal, base du DMP, état et sortie de la Source"


def _verdict(outcome: Outcome) -> Iterator[str]:
    played, differences = outcome.played, outcome.judgement.differences
    if outcome.conform:
        yield "Conforme : rien de perdu, rien en double, rien d'orphelin."
        return
    if played.died:
        yield f"La Source n'est plus là : {played.died}"
    elif not played.settled:
        left = "" if played.backlog is None else f" ({played.backlog} travaux en attente)"
        yield f"La Source n'avance plus{left}."
    kinds = _counted(Counter(str(one.kind) for one in differences))
    yield f"{len(differences)} écart(s){' : ' if kinds else ''}{kinds}"
    for one in differences[:_SHOWN]:
        yield f"  {one.kind} : {one.about} : {one.text}"
    if len(differences) > _SHOWN:
        yield f"  … et {len(differences) - _SHOWN} autres (--json les donne tous)"


def as_document(outcome: Outcome) -> dict[str, Any]:
    """The report for a machine; shape in docs/reference/json.md."""
    soak, played, judged = outcome.soak, outcome.played, outcome.judgement
    return {
        "seed": soak.seed,
        "reports": soak.reports,
        "senders": soak.senders,
        "conform": outcome.conform,
        "replay": replay(soak),
        "seconds": round(outcome.seconds, 1),
        "planned": dict(Counter(str(one.step) for one in outcome.plan.reports)),
        "sent": played.sent,
        "resent": played.resent,
        "acknowledged": _acknowledged(played),
        "kills": dict(played.kills),
        "faults": dict(played.faults),
        "exchanges": {name or "?": count for name, count in sorted(outcome.exchanges.items())},
        "settled": played.settled,
        "died": played.died,
        "dmp": {str(state): judged.found.get(state, 0) for state in State},
        "expected_in_force": judged.expected,
        "differences": [
            {"kind": str(one.kind), "about": one.about, "text": one.text}
            for one in judged.differences
        ],
    }


def _acknowledged(played: Played) -> int:
    return sum(code == "AA" for code in played.acknowledged.values())


def _counted(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in sorted(counts.items()))


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02} s" if minutes else f"{rest} s"
