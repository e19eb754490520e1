"""A campaign by several workers: each a process with a bed of its own, all in one run.

Each plays a share of the scenarios and writes shards of its own; who asked writes the plan and the
end, and tells how it goes. A box that is somewhere, or anything at a fixed address, cannot be
there twice: real boxes are driven serially.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field, replace
from multiprocessing import get_context, parent_process
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from threading import Thread
from typing import Any, cast

from bench import concealed
from bench.assemble import load
from bench.campaign import CampaignError, Options, Progress, Quiet, play_part, selected_by
from bench.errors import BenchError
from bench.gate import check_features, place
from bench.profile import Profile
from bench.results import Run
from bench.sessions import begin
from bench.stage import ScenarioInfo
from bench.verdicts import Verdict
from wire.shard import Shard

__all__ = ["play_by_workers", "serial_because", "usual_workers"]

_WORTH = 12
"""Scenarios below which a second bed costs more than it brings."""
_USUAL = 2


def usual_workers(options: Options) -> int:
    """How many play fastest: two for a campaign of the embedded reference, on two cores."""
    profile = options.profile
    embedded = not profile.source.command and not profile.consumer.command
    if not embedded or serial_because(options) or len(selected_by(options)) < _WORTH:
        return 1
    return min(_USUAL, _cores())


def serial_because(options: Options) -> str:
    """Why this campaign can have one bed only, in French, "" when it can have several."""
    profile = options.profile
    if profile.external_source() or profile.external_consumer():
        return "un produit qui est déjà à une adresse se conduit en série"
    if fixed := next(_fixed(profile), ""):
        return f"{fixed} ne se partage pas entre plusieurs bancs"
    if real := profile.neighbours.real:
        return f"un voisin réel ({', '.join(one.name for one in real)}) se conduit en série"
    if profile.source.database:
        return "une base PostgreSQL est celle d'une seule Source"
    if options.report is not None:
        return "un seul scénario joue le compte rendu fourni"
    return ""


def unprepared() -> None:
    """A worker begins as it is."""


def play_by_workers(
    options: Options,
    workers: int,
    progress: Progress | None = None,
    prepare: Callable[[], None] = unprepared,
) -> Run:
    """Play a campaign by so many workers at most, and read its run. Ctrl-C leaves it resumable.

    Args:
        prepare: what each worker does first, as this process has done: a function of a module.

    Raises:
        CampaignError: it can have one bed only, or a worker ended before its time.
        BenchError: as `bench.campaign.play`.
    """
    if reason := serial_because(options):
        raise CampaignError(f"--workers {workers} : {reason}")
    selected = selected_by(options)
    pickles = sorted(check_features(*options.folders), key=lambda one: place(one.file, one.line))
    scenarios = [one.scenario for one in pickles if one.scenario in selected]
    session = options.session or begin(
        options.profile, options.runs, seed=options.seed, report=options.report
    )
    with closing(Shard(session.directory, "bench")) as shard:
        shard.write("plan", scenarios=scenarios)
        crew = _Crew(progress or Quiet(), len(scenarios), prepare)
        for number, share in enumerate(_shares(scenarios, workers), 1):
            crew.start(
                replace(
                    options, only=tuple(share), suite="", session=replace(session, worker=number)
                )
            )
        crew.conduct()
        if crew.trouble:
            raise CampaignError(f"{crew.trouble} (drimbench run --resume joue le reste)")
        if not crew.interrupted:
            shard.write("run.end")
    return load(session.directory)


@dataclass(slots=True)
class _Crew:
    """The workers while they play, and what they tell."""

    progress: Progress
    total: int
    prepare: Callable[[], None]
    interrupted: bool = False
    trouble: str = ""
    """Why a part of the campaign was not played, of the first worker that said so."""
    _begun: int = 0
    _prepared: bool = False
    _at_work: dict[Any, BaseProcess] = field(default_factory=dict)
    """By the connection that each tells its story through; its class is the platform's."""

    def start(self, options: Options) -> None:
        context = get_context("spawn")  # pytest and threads: never a plain fork
        ours, theirs = context.Pipe(duplex=False)
        process = context.Process(
            target=_work, args=(options, theirs, self.prepare, concealed.names())
        )
        process.start()
        theirs.close()
        self._at_work[ours] = process

    def conduct(self) -> None:
        """Listen until all have ended. Ctrl-C stops them, a second one kills them."""
        while self._at_work:
            try:
                self._listen()
            except KeyboardInterrupt:
                for process in self._at_work.values():
                    if self.interrupted:
                        process.kill()
                    else:
                        _interrupt(process)
                self.interrupted = True

    def _listen(self) -> None:
        for heard in cast(list[Connection], wait(list(self._at_work))):
            try:
                self._tell(*heard.recv())
            except EOFError:
                self._over(heard)

    def _over(self, line: Connection) -> None:
        process = self._at_work[line]
        process.join()
        del self._at_work[line]
        line.close()
        if process.exitcode and not self.trouble and not self.interrupted:
            self.trouble = f"un des bancs s'est arrêté (code {process.exitcode})"

    def _tell(self, what: str, *said: Any) -> None:
        match what:
            case "preparing" if not self._prepared:
                self._prepared = True
                self.progress.preparing(*said)
            case "started":
                self._begun += 1
                self.progress.started(said[0], self._begun, self.total)
            case "finished":
                self.progress.finished(*said)
            case "trouble" if not self.interrupted:
                self.trouble = self.trouble or said[0]


class _Told:
    """The progress of a worker, told to who started it."""

    def __init__(self, line: Connection) -> None:
        self._line = line

    def preparing(self, what: str) -> None:
        """The bed is being made."""
        self._line.send(("preparing", what))

    def started(self, info: ScenarioInfo, number: int, total: int) -> None:
        """A scenario begins; its number is the crew's affair."""
        self._line.send(("started", info))

    def finished(self, info: ScenarioInfo, verdict: Verdict, reason: str, seconds: float) -> None:
        """A scenario is over."""
        self._line.send(("finished", info, verdict, reason, seconds))


def _work(
    options: Options, line: Connection, prepare: Callable[[], None], secrets: Sequence[str]
) -> None:
    """Play a share, in a process of its own. Ends when who started it does."""
    if sys.platform != "win32":
        os.setsid()  # Ctrl-C of the terminal comes through who started it, once
    Thread(target=_end_with_parent, daemon=True).start()
    with closing(line), suppress(KeyboardInterrupt, BrokenPipeError):
        try:
            concealed.recall(secrets)
            prepare()
            play_part(options, _Told(line))
        except BenchError as error:
            line.send(("trouble", str(error)))


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)  # nobody reads the rest; the boxes end with their standard input


def _interrupt(process: BaseProcess) -> None:
    if process.pid is not None and process.is_alive():
        with suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGINT)


def _shares(scenarios: Sequence[str], workers: int) -> Iterator[Sequence[str]]:
    """Scenarios in a row: a worker then starts no box that its share has no use of."""
    count = min(max(1, workers), len(scenarios))
    for number in range(count):
        yield scenarios[len(scenarios) * number // count : len(scenarios) * (number + 1) // count]


def _fixed(profile: Profile) -> Iterator[str]:
    """What a profile puts at one place, by key."""
    for role, box in (("source", profile.source), ("consumer", profile.consumer)):
        yield from (f"le port fixe {role}.ports.{name}" for name, port in box.ports.items() if port)
    for name, value in profile.world:
        if isinstance(value, int) and value:
            yield f"le port fixe world.{name}"
    if profile.world.pki:
        yield "le dossier world.pki"


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
