"""One target under many hostile inputs, in this process: how long, how much memory, what broke."""

from __future__ import annotations

import resource
import signal
import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from random import Random
from types import FrameType

from tests.fuzz.hostile import hostile
from tests.fuzz.targets import Target

__all__ = ["LONGEST_S", "MEMORY_MIB", "Failure", "Outcome", "fuzz", "input_of"]

LONGEST_S = 5.0
"""Seconds of processor that one input may take: a busy machine is no reader's fault."""
_WAIT_S = 60.0
"""Seconds that it may take at all: a reader that waits for something uses no processor."""
MEMORY_MIB = 400
"""Growth of the process's peak over the whole run."""
_KEPT = 5


class TooLong(BaseException):
    """Not an Exception: no reader may swallow it."""


@dataclass(frozen=True, slots=True)
class Failure:
    """An input that broke the contract; `fuzz --seed S --only N` plays it again."""

    number: int
    size: int
    what: str
    head: str


@dataclass(slots=True)
class Outcome:
    """What became of a target."""

    target: str
    seed: int
    count: int
    seconds: float = 0.0
    slowest_s: float = 0.0
    slowest: int = 0
    grown_mib: float = 0.0
    failures: list[Failure] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        """No exception but the documented one, no hang, bounded memory."""
        return not self.failures and self.grown_mib < MEMORY_MIB

    def as_dict(self) -> dict[str, object]:
        """For JSON."""
        return {**asdict(self), "passed": self.passed}


def input_of(target: Target, seed: int, number: int) -> bytes:
    """The input of that number: it depends on nothing that was played before."""
    return hostile(target.seeds, Random(f"{target.name}/{seed}/{number}"))


def fuzz(target: Target, count: int, seed: int, only: int | None = None) -> Outcome:
    """Play `count` inputs, or one of them. Stops after five failures. Main thread only."""
    outcome = Outcome(target.name, seed, count)
    before = _peak_mib()
    begun = time.perf_counter()
    for number in range(count) if only is None else (only,):
        data = input_of(target, seed, number)
        started = time.perf_counter()
        try:
            with _at_most(LONGEST_S):
                target.try_one(data)
        except (Exception, TooLong) as error:
            outcome.failures.append(_failure(number, data, error))
            if len(outcome.failures) == _KEPT:
                break
        took = time.perf_counter() - started
        if took > outcome.slowest_s:
            outcome.slowest_s, outcome.slowest = took, number
    outcome.seconds = time.perf_counter() - begun
    outcome.grown_mib = _peak_mib() - before
    return outcome


def _failure(number: int, data: bytes, error: BaseException) -> Failure:
    last = traceback.extract_tb(error.__traceback__)[-1]
    what = f"{type(error).__name__}: {str(error)[:200]} ({last.filename}:{last.lineno})"
    return Failure(number, len(data), what, data[:120].hex())


@contextmanager
def _at_most(seconds: float) -> Iterator[None]:
    """Raise in whatever runs when the time is over."""

    def over(number: int, frame: FrameType | None) -> None:
        raise TooLong(f"more than {seconds} s of processor, or {_WAIT_S} s")

    timers = (
        (signal.SIGPROF, signal.ITIMER_PROF, seconds),
        (signal.SIGALRM, signal.ITIMER_REAL, _WAIT_S),
    )
    former = [signal.signal(number, over) for number, _, _ in timers]
    for _, timer, delay in timers:
        signal.setitimer(timer, delay)
    try:
        yield
    finally:
        for (number, timer, _), handler in zip(timers, former, strict=True):
            signal.setitimer(timer, 0)
            signal.signal(number, handler)


def _peak_mib() -> float:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1 << 20) if sys.platform == "darwin" else peak / 1024
