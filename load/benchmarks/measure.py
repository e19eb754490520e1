"""What a benchmark says: one figure of ours, one of the peer, their ratio and its bar."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass

__all__ = ["Measure", "Skipped", "faster", "timed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """One line of the table.

    `ratio` is the median of the ratios of each round, which is steadier on a busy machine than
    the ratio of the medians that `ours` and `peer` show. `quiet_ratio` compares the undisturbed
    figures: a neighbour that takes the processor or the disk only ever slows. Where a figure is a
    cost, `limit` is what that one must not exceed; where it is a speed, `floor` is what it must
    reach; both are None where a figure only informs.
    """

    benchmark: str
    name: str
    peer_name: str
    ours: float
    peer: float
    ratio: float
    quiet_ratio: float
    limit: float | None
    unit: str
    runs: int
    floor: float | None = None

    @property
    def kept(self) -> bool:
        """Whether the undisturbed ratio is within its bar."""
        above = self.floor is None or self.quiet_ratio >= self.floor
        return above and (self.limit is None or self.quiet_ratio <= self.limit)

    @property
    def bar(self) -> str:
        """Its limit or its floor as written, "" without."""
        if self.floor is not None:
            return f"≥ {self.floor:g}"
        return "" if self.limit is None else f"{self.limit:g}"

    def as_dict(self) -> dict[str, object]:
        """For JSON."""
        return {**asdict(self), "kept": self.kept}


@dataclass(frozen=True, slots=True, kw_only=True)
class Skipped:
    """What was not measured, and why."""

    benchmark: str
    name: str
    reason: str

    def as_dict(self) -> dict[str, object]:
        """For JSON."""
        return {"benchmark": self.benchmark, "name": self.name, "skipped": self.reason}


def timed(work: Callable[[], object]) -> Callable[[], float]:
    """The same work, which says how many seconds it took."""

    def seconds() -> float:
        begun = time.perf_counter()
        work()
        return time.perf_counter() - begun

    return seconds


def faster(
    benchmark: str,
    name: str,
    peer_name: str,
    ours: Callable[[], float],
    peer: Callable[[], float],
    *,
    amount: float,
    unit: str,
    rounds: int,
    floor: float | None,
) -> Measure:
    """How many times as fast as the peer we do the same work, in interleaved rounds.

    `ours` and `peer` do it once and give the seconds that it took; a first, uncounted, round warms
    them. `amount` is how much work that is, in the unit whose number a second is shown.
    """
    played = [(ours(), peer()) for _ in range(rounds + 1)][1:]
    return Measure(
        benchmark=benchmark,
        name=name,
        peer_name=peer_name,
        ours=amount / statistics.median(mine for mine, _ in played),
        peer=amount / statistics.median(theirs for _, theirs in played),
        ratio=statistics.median(theirs / mine for mine, theirs in played),
        quiet_ratio=min(theirs for _, theirs in played) / min(mine for mine, _ in played),
        limit=None,
        unit=unit,
        runs=rounds,
        floor=floor,
    )
