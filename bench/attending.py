"""What a scenario asks of a person, or waits for, while it plays.

The bench never depends on one. Without anybody a judgement is left to `drimbench review`, and what
only a person could do is not verified. Whoever is somewhere else ends a wait by `drimbench
proceed`, which is one more line of the journal.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from bench.deadline import Countdown, until
from bench.decisions import attach, decide
from bench.errors import BenchError
from bench.journal import Journal, ShardTail
from bench.operator import Request
from bench.outcomes import CannotVerify
from bench.stage import Stage
from bench.verdicts import Verdict
from wire.shard import Shard

__all__ = ["ask", "await_exchanges", "instruct", "open_waits", "proceed", "wait"]

_START, _END, _PROCEED = "wait.start", "wait.end", "wait.proceed"


def ask(stage: Stage, what: str) -> None:
    """The running step is judged by a person: at once when there is one, else by a review."""
    stage.leave_to_a_person(what)
    word = stage.operator.judge(_request(stage, "", what)) if stage.operator.present else None
    if word is None:
        return
    step, run = stage.steps[-1], stage.shard.run
    for file in word.files:
        attach(run, stage.info.id, file, by=word.by)
    decide(run, stage.info.id, step.index, conform=word.conform, by=word.by, comment=word.comment)
    step.decided = Verdict.PASS if word.conform else Verdict.FAIL
    stage.asserted += 1


def instruct(stage: Stage, what: str, *, identifier: str = "", deadline_s: float = 0.0) -> None:
    """A person does something that the scenario cannot go on without, and says so.

    Args:
        what: the gesture, in French.
        identifier: of the wait; by default the step's, `SCN-PUB-01:3`.
        deadline_s: by default the profile's `[timing] person_s`.

    Raises:
        CannotVerify: nobody is there, or nothing was said in time.
    """
    if not stage.operator.present:
        raise CannotVerify(f"geste d'une personne, et personne pour le faire : {what}")
    deadline_s = deadline_s or stage.profile.timing.person_s
    request = _request(stage, identifier, what)
    if not _told(stage, request, deadline_s, lambda: False, gesture=True):
        raise CannotVerify(f"geste non fait en {deadline_s:g} s : {what}")


def wait(
    stage: Stage,
    what: str,
    happened: Callable[[], bool],
    *,
    identifier: str = "",
    deadline_s: float,
) -> bool:
    """Wait for something that a slow box does, its countdown visible; whether it happened.

    A person who says that it is done ends the wait: what is looked for is looked for once more.
    """
    request = _request(stage, identifier, what)
    _told(stage, request, deadline_s, happened, gesture=False)
    return happened()


def await_exchanges(
    stage: Stage, transaction: str, count: int, *, identifier: str, deadline_s: float
) -> None:
    """Wait for so many exchanges of a slow box, its countdown visible.

    Raises:
        NotMet: they did not come.
    """
    what = f"{count} échange(s) {transaction}"
    wait(
        stage,
        what,
        lambda: len(stage.seen(transaction)) >= count,
        identifier=identifier,
        deadline_s=deadline_s,
    )
    found = stage.seen(transaction)
    stage.expect(
        f"{what} attendu(s)",
        len(found) >= count,
        expected=f"{what} en {deadline_s:g} s au plus",
        actual=f"{len(found)} échange(s)",
        exchanges=[seen.id for seen in found],
        deadline_s=deadline_s,
    )


def open_waits(run: Path) -> dict[str, str]:
    """Identifier -> what is waited for, of the waits of a run that are not over."""
    waiting: dict[str, str] = {}
    for event in Journal(run).of(_START, _END, "run.resume", "run.end"):
        match event.type:
            case "wait.start":
                waiting[event.fields["wait"]] = event.fields["what"]
            case "wait.end":
                waiting.pop(event.fields["wait"], None)
            case _:
                waiting.clear()
    return waiting


def proceed(run: Path, identifier: str = "", *, by: str = "") -> str:
    """Say that what is waited for is done; the identifier of the wait.

    Args:
        identifier: may be left out when a single wait is open.

    Raises:
        BenchError: no such wait is open, or several are and none is named.
    """
    waiting = open_waits(run)
    known = ", ".join(sorted(waiting)) or "aucune"
    if not identifier and len(waiting) == 1:
        identifier = next(iter(waiting))
    if identifier not in waiting:
        named = f"« {identifier} »" if identifier else "sans nom"
        raise BenchError(f"attente {named} : pas en cours ; attentes en cours : {known}")
    with closing(Shard(run, f"personne-{uuid.uuid4().hex[:12]}")) as shard:
        shard.write(_PROCEED, wait=identifier, by=by.strip())
    return identifier


def _request(stage: Stage, identifier: str, what: str) -> Request:
    name = identifier or f"{stage.info.id}:{stage.steps[-1].index + 1}"
    return Request(identifier=name, title=stage.info.title, text=what)


def _told(
    stage: Stage,
    request: Request,
    deadline_s: float,
    happened: Callable[[], bool],
    *,
    gesture: bool,
) -> bool:
    """Whether it happened, or somebody said so, before the deadline."""
    word = _Said(stage.shard.run, request.identifier)
    fields = {"scenario": stage.info.id, "wait": request.identifier}
    stage.shard.write(_START, **fields, what=request.text, deadline_s=deadline_s)
    left = Countdown(deadline_s)
    how = "délai dépassé"

    def over() -> bool:
        nonlocal how
        if happened():
            how = "l'effet est venu"
        elif stage.operator.waiting(request, left(), gesture=gesture):
            how = "quelqu'un l'a dit ici"
        elif word.came():
            how = "quelqu'un l'a dit d'ailleurs (drimbench proceed)"
        else:
            return False
        return True

    try:
        return until(over, deadline_s=deadline_s)
    finally:
        stage.shard.write(_END, **fields, how=how)
        stage.operator.waited(request, how)


class _Said:
    """Whether another process has written, since this was made, that a wait is over."""

    def __init__(self, run: Path, identifier: str) -> None:
        self._folder = run / "journal"
        self._identifier = identifier
        self._old = frozenset(self._shards())
        self._tails: dict[Path, ShardTail] = {}

    def came(self) -> bool:
        """Since the last time it was asked."""
        return any(
            event.type == _PROCEED and event.fields["wait"] == self._identifier
            for path in self._shards() - self._old
            for event in self._tails.setdefault(path, ShardTail(path)).read()
        )

    def _shards(self) -> frozenset[Path]:
        return frozenset(self._folder.glob("personne-*.ndjson"))
