"""One crowd from beginning to end: a bed, its members together, and what is left in the PACS."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.bed import Bed
from bench.imagery import patient_ids
from bench.profile import EMBEDDED
from load.crowd.crossing import Watch
from load.crowd.people import IMAGES, Member, hold, members
from load.crowd.visiting import Visitor
from simulators.user import UserConfig
from wire.shard import Shard
from wire.tls import ClientTls

__all__ = ["Crowd", "Outcome", "play"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Crowd:
    """What is asked for. `command` starts another Consumer than the embedded reference."""

    seed: int
    people: int = 50
    seconds: float = 300.0
    command: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What took place and what crossed."""

    crowd: Crowd
    rounds: int
    refused: int
    exchanges: dict[str, int]
    crossings: tuple[str, ...]
    lacks: tuple[str, ...]
    """What members were not shown of their own."""
    seconds: float

    @property
    def conform(self) -> bool:
        """Whether nothing crossed, nothing lacked, and everybody read at least once."""
        return not self.crossings and not self.lacks and self.rounds >= self.crowd.people


def play(crowd: Crowd) -> Outcome:
    """Play a crowd.

    Raises:
        bench.errors.BenchError, bench.process.BoxFailure: the world or the box did not start.
    """
    begun = time.monotonic()
    crew = members(crowd.people, crowd.seed)
    with tempfile.TemporaryDirectory(prefix="drimbench-crowd-") as name:
        directory = Path(name)
        shard = Shard(directory, "crowd")
        watch = Watch(shard, crew)
        bed = Bed(
            EMBEDDED,
            watch,
            directory,
            crowd.seed,
            consumer_command=crowd.command,
            roles=frozenset({"consumer"}),
        )
        try:
            bed.start()
            visitors = bed.call(_together, bed, watch, crew, crowd.seconds)
            _judge_pacs(bed, watch, crew)
        finally:
            bed.stop()
            shard.close()
    return Outcome(
        crowd,
        sum(one.did.rounds for one in visitors),
        sum(one.did.refused for one in visitors),
        dict(watch.counts),
        tuple(watch.crossings),
        tuple(watch.lacks),
        time.monotonic() - begun,
    )


async def _together(
    bed: Bed, watch: Watch, crew: Sequence[Member], seconds: float
) -> Sequence[Visitor]:
    assert bed.simulators.dmp is not None
    assert bed.simulators.psc is not None
    host = bed.site.names.neighbour
    for member in crew:
        bed.simulators.psc.admit(member.professional)
        hold(member, bed.simulators.dmp, bed.neighbour, host=host)
    config = UserConfig(tls=ClientTls(bed.papers.server_trust), connect_to=bed.connect_to)
    visitors: list[Visitor] = []

    for rank, member in enumerate(crew, 1):
        consumer = f"https://{bed.site.names.consumer}"
        visitors.append(Visitor(member, watch, config, consumer, _next_to(visitors, rank)))
    end = time.monotonic() + seconds
    await asyncio.gather(*(one.visit(lambda: time.monotonic() >= end) for one in visitors))
    return visitors


def _next_to(visitors: Sequence[Visitor], rank: int) -> Callable[[], str]:
    """The address of the page of whoever comes next."""
    return lambda: visitors[rank % len(visitors)].address


def _judge_pacs(bed: Bed, watch: Watch, crew: Sequence[Member]) -> None:
    """Each exam is in the local PACS under the number of its own patient."""
    for member in crew:
        held = bed.local_pacs.count(member.study)
        ids = patient_ids(bed.local_pacs, member.study)
        where = f"{member.number} : {held} image(s) dans le PACS sous {sorted(ids)}"
        if not ids <= {member.ipp}:
            watch.crossed(where)
        elif held != IMAGES:
            watch.lacked(where)
