"""What work costs, compared within one run: never an assertion on seconds."""

from __future__ import annotations

import time
from collections.abc import Callable

__all__ = ["costs", "growth"]

Work = Callable[[], object]

ROUNDS = 3


def costs(*works: Work, rounds: int = ROUNDS) -> tuple[float, ...]:
    """The CPU seconds of each work: its best of a few rounds, taken in turn.

    CPU time leaves out what else the machine does, the best leaves out what disturbs the caches.
    """
    best = [float("inf")] * len(works)
    for _ in range(rounds):
        for rank, work in enumerate(works):
            begun = time.process_time()
            work()
            best[rank] = min(best[rank], time.process_time() - begun)
    return tuple(best)


def growth(small: Work, large: Work, *, rounds: int = ROUNDS) -> float:
    """How many times more the large work costs than the small one."""
    first, second = costs(small, large, rounds=rounds)
    return second / first
