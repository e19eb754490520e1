"""One soak from beginning to end: a bed, the plan on it, the judgement of what it leaves."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.bed import Bed
from bench.profile import EMBEDDED
from load.soak.dossiers import Cabinet
from load.soak.driving import Driver, Played, Telling
from load.soak.faults import MENU
from load.soak.hearing import Ear
from load.soak.judging import Judgement, SourcePages, judge
from load.soak.plan import Plan, make
from wire.shard import Shard

__all__ = ["Outcome", "Soak", "play"]

_WINDOW = 40
_PATIENCE_S = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Soak:
    """What is asked for. `command` starts another Source than the embedded reference: `{python}`,
    `{config}` and `{ready}` are replaced as in a profile."""

    seed: int
    reports: int = 2000
    senders: int = 8
    kills: int = 20
    command: tuple[str, ...] = ()
    keep: Path | None = None
    """Where to leave the journal, the databases and the logs."""
    window: int = _WINDOW
    patience_s: float = _PATIENCE_S


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was asked, planned, played and found."""

    soak: Soak
    plan: Plan
    played: Played
    judgement: Judgement
    exchanges: dict[str, int]
    seconds: float

    @property
    def conform(self) -> bool:
        """Whether nothing is wrong, and all that was planned took place."""
        return not self.judgement.differences and not self.played.died and self.played.settled


def play(soak: Soak, tell: Telling) -> Outcome:
    """Play a soak.

    Raises:
        ValueError: numbers that no plan can have.
        bench.errors.BenchError, bench.process.BoxFailure: the world or the Source did not start.
    """
    plan = make(
        soak.seed,
        reports=soak.reports,
        senders=soak.senders,
        kills=soak.kills,
        menu=sorted(MENU),
    )
    begun = time.monotonic()
    with _bed(soak) as (bed, ear):
        tell("préparation", 0, 0)
        cabinet = Cabinet(bed, plan)
        driver = Driver(
            bed, ear, plan, cabinet, tell, window=soak.window, patience_s=soak.patience_s
        )
        try:
            played = bed.call(driver.play)
        except BaseException:
            bed.call(driver.abandon)
            raise
        tell("jugement", 0, 0)
        pages = bed.call(_pages, driver)
        assert bed.simulators.dmp is not None
        judgement = judge(plan, cabinet, bed.simulators.dmp, played, pages)
        return Outcome(soak, plan, played, judgement, dict(ear.counts), time.monotonic() - begun)


async def _pages(driver: Driver) -> SourcePages:
    rows = driver.pages.rows
    return SourcePages(await rows("inbox"), await rows("archive"), await rows("alerts"))


@contextmanager
def _bed(soak: Soak) -> Iterator[tuple[Bed, Ear]]:
    with _directory(soak.keep) as directory:
        shard = Shard(directory, "soak")
        ear = Ear(shard, kept=soak.keep is not None)
        bed = Bed(
            EMBEDDED,
            ear,
            directory,
            soak.seed,
            source_command=soak.command,
            roles=frozenset({"source"}),
        )
        try:
            bed.start()
            yield bed, ear
        finally:
            bed.stop()
            shard.close()


@contextmanager
def _directory(keep: Path | None) -> Iterator[Path]:
    if keep is not None:
        keep.mkdir(parents=True, exist_ok=True)
        yield keep.absolute()
        return
    with tempfile.TemporaryDirectory(prefix="drimbench-soak-") as name:
        yield Path(name)
