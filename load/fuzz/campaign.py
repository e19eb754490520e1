"""A fuzzing campaign: cases in batches, a valid twin after each, and what broke made small."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from bench.process import BoxFailure
from load.fuzz.doors import Door
from load.fuzz.exchange import Reply, http_status
from load.fuzz.minimising import minimised
from load.fuzz.mutation import case_of
from load.fuzz.vitals import Vitals, growing, vitals_of

__all__ = ["KINDS", "Campaign", "Finding", "Limits", "Played", "Telling"]

KINDS = {
    "crash": "le processus s'est arrêté",
    "hang": "ni réponse ni fermeture avant l'échéance",
    "twin": "la demande valide qui suit n'a plus sa réponse",
    "error": "HTTP 500",
    "trace": "une trace d'exécution dans la réponse ou au journal de la boîte",
    "growth": "la mémoire, les descripteurs ou les fils croissent sans cesse",
}
_TRACE = b"Traceback (most recent call last)"
_MOST_FINDINGS = 5
"""By door: a box that breaks at everything teaches nothing more."""
_ENDING_S = 0.5

Telling = Callable[[str, int, int], None]
"""Door, its cases played, findings so far."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """`count` cases by door, `minutes` in all (0: no such limit); `only` replays one case."""

    count: int = 2000
    minutes: float = 0.0
    only: int | None = None
    batch: int = 50
    patience_s: float = 0.3
    deadline_s: float = 15.0
    minimise_s: float = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One fault. `smallest` still does it; it is `pieces` itself when nothing smaller does."""

    door: str
    index: int
    kind: str
    what: str
    pieces: tuple[bytes, ...]
    smallest: tuple[bytes, ...]
    answer: bytes
    said: str


@dataclass(slots=True)
class Played:
    """What a door went through."""

    door: str
    cases: int = 0
    twins: int = 0
    answered: int = 0
    closed: int = 0
    findings: list[Finding] = field(default_factory=list)
    readings: list[Vitals] = field(default_factory=list)
    pids: list[int] = field(default_factory=list)
    over: bool = False


class Campaign:
    """Plays doors in turn, a batch each, until all is played or the time is over."""

    def __init__(
        self, doors: Sequence[Door], seed: int, limits: Limits, tell: Telling = lambda *_: None
    ) -> None:
        self._doors, self._seed, self._limits, self._tell = doors, seed, limits, tell
        self.played = {door.name: Played(door.name) for door in doors}
        self.interrupted = False
        self.seconds = 0.0

    @property
    def findings(self) -> list[Finding]:
        """All of them."""
        return [one for played in self.played.values() for one in played.findings]

    def play(self) -> None:
        """Play; Ctrl-C ends it, with what was found so far."""
        begun = time.monotonic()
        minutes = self._limits.minutes
        end = begun + minutes * 60 if minutes else float("inf")
        try:
            while any(not one.over for one in self.played.values()) and time.monotonic() < end:
                for door in self._doors:
                    if not self.played[door.name].over:
                        self._batch(door, end)
            self._judge_growth()
        except KeyboardInterrupt:
            self.interrupted = True
        self.seconds = time.monotonic() - begun

    def _batch(self, door: Door, end: float) -> None:
        played, limits = self.played[door.name], self._limits
        first = played.cases if limits.only is None else limits.only
        numbers = range(first, first + 1 if limits.only is not None else first + limits.batch)
        if limits.only is None and not limits.minutes:
            numbers = range(first, min(first + limits.batch, limits.count))
        done: list[int] = []
        for index in numbers:
            if time.monotonic() >= end and done:
                break
            done.append(index)
            played.cases += 1
            self._case(door, index, done)
            if len(played.findings) >= _MOST_FINDINGS:
                played.over = True
                return
        played.twins += 1
        if told := door.twin():
            self._blame(door, done, told)
        self._measure(door)
        if limits.only is not None or (not limits.minutes and played.cases >= limits.count):
            played.over = True
        self._tell(door.name, played.cases, len(self.findings))

    def _case(self, door: Door, index: int, done: list[int]) -> None:
        played, pieces = self.played[door.name], self._pieces(door, index)
        written = _written(door)
        reply = self._send(door, pieces)
        played.answered += bool(reply.data)
        played.closed += not reply.data and reply.ended
        kind = _kind(door, reply, written)
        if kind == "crash" or reply.refused:
            self._blame(door, done, reply.refused or "connexion rompue")
            done.clear()
        elif kind:
            known = {(one.kind, one.what) for one in played.findings}
            what = _what(kind, reply, door, written)
            if (kind, what) not in known:
                self._found(door, index, kind, what, pieces, reply)

    def _pieces(self, door: Door, index: int) -> tuple[bytes, ...]:
        return case_of(door.name, door.grammar, door.seeds, self._seed, index)

    def _send(self, door: Door, pieces: Sequence[bytes]) -> Reply:
        limits = self._limits
        return door.send(pieces, patience_s=limits.patience_s, deadline_s=limits.deadline_s)

    def _blame(self, door: Door, done: Sequence[int], told: str) -> None:
        """The box died or answers no more: which of the cases since the last twin does that to a
        fresh one; the last is looked at first."""
        crashed = _gone(door)
        kind = "crash" if crashed else "twin"
        if not crashed and not door.twin():
            return  # it was slow, and answers now
        for index in reversed(done):
            pieces = self._pieces(door, index)
            if self._again(door, kind, pieces):
                said = _said(door)
                self._found(door, index, kind, told, pieces, Reply(b"", True), said)
                self._fresh(door)
                return
        said = _said(door)
        index = done[-1] if done else 0
        whole = self._pieces(door, index)
        self.played[door.name].findings.append(
            Finding(
                door=door.name, index=index, kind=kind, pieces=whole, smallest=whole, answer=b"",
                what=f"{told} ; aucun des {len(done)} derniers cas ne le refait seul", said=said,
            )
        )  # fmt: skip
        self._fresh(door)

    def _found(
        self, door: Door, index: int, kind: str, what: str, pieces: tuple[bytes, ...],
        reply: Reply, said: str = "",
    ) -> None:  # fmt: skip
        end = time.monotonic() + self._limits.minimise_s
        smallest = minimised(
            pieces, lambda one: time.monotonic() < end and self._again(door, kind, one)
        )
        self.played[door.name].findings.append(
            Finding(
                door=door.name, index=index, kind=kind, what=what, pieces=pieces,
                smallest=smallest, answer=reply.data[:100_000], said=said or _said(door),
            )
        )  # fmt: skip
        if kind in ("hang", "crash", "twin"):
            self._fresh(door)

    def _again(self, door: Door, kind: str, pieces: tuple[bytes, ...]) -> bool:
        """Whether a conversation does it to a box that is well."""
        if kind in ("crash", "twin") and (_gone(door) or door.twin()):
            self._fresh(door)
        written = _written(door)
        reply = self._send(door, pieces)
        if kind == "crash":
            return _gone(door)
        if kind == "twin":
            return bool(door.twin())
        return _kind(door, reply, written) == kind

    def _fresh(self, door: Door) -> None:
        with suppress(BoxFailure):
            door.restart()

    def _measure(self, door: Door) -> None:
        played, pid = self.played[door.name], door.pid()
        if pid is None:
            return
        if not played.pids or played.pids[-1] != pid:
            played.pids.append(pid)
            played.readings.clear()
        if reading := vitals_of(pid, played.cases):
            played.readings.append(reading)

    def _judge_growth(self) -> None:
        for door in self._doors:
            played = self.played[door.name]
            if told := growing(played.readings):
                played.findings.append(
                    Finding(
                        door=door.name, index=-1, kind="growth", what=told, pieces=(),
                        smallest=(), answer=b"", said="",
                    )
                )  # fmt: skip


def _gone(door: Door) -> bool:
    """Whether the process has ended; one that has just closed may be about to."""
    if door.box is None:
        return False
    end = time.monotonic() + _ENDING_S
    while door.box.alive() and time.monotonic() < end:
        time.sleep(0.01)
    return not door.box.alive()


def _kind(door: Door, reply: Reply, written: int) -> str:
    if door.box is not None and not door.box.alive():
        return "crash"
    if not reply.ended and not reply.refused:
        return "hang"
    if _TRACE in reply.data or _TRACE in _log(door, written):
        return "trace"
    if door.http and http_status(reply.data) == 500 and not door.faults_allowed:
        return "error"
    return ""


def _what(kind: str, reply: Reply, door: Door, written: int) -> str:
    if kind == "trace":
        text = (_log(door, written) + reply.data).decode("utf-8", "replace")
        after = text.partition(_TRACE.decode())[2].splitlines()[1:]  # after the colon
        last = [one.strip() for one in after if one.strip() and not one.startswith(" ")]
        return last[0][:200] if last else "trace"
    return KINDS[kind]


def _written(door: Door) -> int:
    log = door.box.log_file if door.box is not None else None
    return log.stat().st_size if log is not None and log.exists() else 0


def _log(door: Door, written: int) -> bytes:
    """What the box printed since."""
    if door.box is None or not door.box.log_file.exists():
        return b""
    with door.box.log_file.open("rb") as log:
        log.seek(written)
        return log.read(1_000_000)


def _said(door: Door) -> str:
    return door.box.last_words(40) if door.box is not None else ""
