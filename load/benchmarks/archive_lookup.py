"""A lookup in the Source's archive, by study and by KOS: of many entries beside a few.

What a Consumer's request costs must not grow with the years. Rows are filled in bulk, then read by
the code that the Source reads them with; both archives are files of their own.
"""

from __future__ import annotations

import random
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import insert

from drimbox_ref.database import Database
from drimbox_ref.source import tables
from drimbox_ref.source.archive import SqlArchive
from drimbox_ref.source.records import dump_entry
from drimbox_ref.source.values import ArchiveEntry, EntryState, Follow, Ins
from load.benchmarks.measure import Measure

__all__ = ["FEW", "LIMIT", "MANY", "NAME", "fill", "run"]

NAME = "archive_lookup"
FEW, MANY = 10_000, 1_000_000
LIMIT = 2.0
"""A lookup among many over one among a few."""
_ROUNDS, _LOOKUPS = 9, 200
_BATCH = 10_000
_QUIETEST = 0.05
_KOS, _STUDY = "1.2.250.1.999.1", "1.2.250.1.999.2"


def run(
    *, few: int = FEW, many: int = MANY, rounds: int = _ROUNDS, lookups: int = _LOOKUPS
) -> list[Measure]:
    """Measure both kinds of lookup, in interleaved rounds of distinct random identifiers."""
    with tempfile.TemporaryDirectory(prefix="drimbench-") as name:
        small, large = (Database(Path(name) / f"{n}.sqlite", tables.SCHEMA) for n in (few, many))
        try:
            fill(small, few)
            fill(large, many)
            return [
                _measure(
                    f"archive, {many} KOS, {what}",
                    f"archive, {few} KOS",
                    [
                        (_times(large, many, look, lookups), _times(small, few, look, lookups))
                        for _ in range(rounds)
                    ],
                )
                for what, look in (("par examen", _by_study), ("par KOS", _by_kos))
            ]
        finally:
            small.close()
            large.close()


def fill(database: Database, count: int) -> None:
    """That many KOS, each of an exam of its own, of two images, with its report and its state."""
    template = dump_entry(_entry()).decode()
    with database.transaction() as connection:
        for start in range(0, count, _BATCH):
            numbers = range(start, min(start + _BATCH, count))
            connection.execute(
                insert(tables.archive),
                [
                    {
                        "kos_uid": f"{_KOS}.{n}",
                        "study_uid": f"{_STUDY}.{n}",
                        "entry_uuid": "",
                        "state": EntryState.PUBLISHED.value,
                        "entry": template.replace(f"{_KOS}.0", f"{_KOS}.{n}")
                        .replace(f"{_STUDY}.0", f"{_STUDY}.{n}")
                        .encode(),
                        "updated": 0.0,
                    }
                    for n in numbers
                ],
            )
            connection.execute(
                insert(tables.archive_reports),
                [{"kos_uid": f"{_KOS}.{n}", "report": f"1.2.3^{n}"} for n in numbers],
            )
            connection.execute(
                insert(tables.archive_states),
                [
                    {
                        "kos_uid": f"{_KOS}.{n}",
                        "study_uid": f"{_STUDY}.{n}",
                        "state": EntryState.PUBLISHED.value,
                        "utc": 0.0,
                    }
                    for n in numbers
                ],
            )


def _by_study(archive: SqlArchive, number: int) -> ArchiveEntry | None:
    return archive.current(f"{_STUDY}.{number}")


def _by_kos(archive: SqlArchive, number: int) -> ArchiveEntry | None:
    return archive.by_kos(f"{_KOS}.{number}")


def _times(
    database: Database,
    count: int,
    look: Callable[[SqlArchive, int], ArchiveEntry | None],
    lookups: int,
) -> list[float]:
    """Seconds of each lookup, in order of length."""
    archive, times = SqlArchive(database), []
    # Chance that no result depends on: which entries are looked up.
    for number in random.sample(range(count), lookups):
        begun = time.perf_counter()
        found = look(archive, number)
        times.append(time.perf_counter() - begun)
        if found is None or found.kos_uid != f"{_KOS}.{number}":
            raise LookupError(f"the entry {number} of {count} was not found")
    return sorted(times)


def _measure(
    name: str, peer_name: str, rounds: Sequence[tuple[list[float], list[float]]]
) -> Measure:
    ours = [statistics.median(many) for many, _ in rounds]
    peer = [statistics.median(few) for _, few in rounds]
    quiet = (
        _quiet([t for many, _ in rounds for t in many]),
        _quiet([t for _, f in rounds for t in f]),
    )
    return Measure(
        benchmark=NAME,
        name=name,
        peer_name=peer_name,
        ours=statistics.median(ours) * 1e6,
        peer=statistics.median(peer) * 1e6,
        ratio=statistics.median(a / b for a, b in zip(ours, peer, strict=True)),
        quiet_ratio=quiet[0] / quiet[1],
        limit=LIMIT,
        unit="µs",
        runs=sum(len(many) for many, _ in rounds),
    )


def _quiet(times: Sequence[float]) -> float:
    return sorted(times)[int(len(times) * _QUIETEST)]


def _entry() -> ArchiveEntry:
    ins = Ins(value="275036322310189", oid="1.2.250.1.213.1.4.10")
    return ArchiveEntry(
        kos_uid=f"{_KOS}.0",
        study_uid=f"{_STUDY}.0",
        set_uid="1.2.250.1.999.3",
        entry_uuid="",
        state=EntryState.PUBLISHED,
        version=1,
        fingerprint="",
        ins=ins,
        ipp="1",
        pacs="PACS",
        series={f"{_STUDY}.0.1": (f"{_STUDY}.0.1.1", f"{_STUDY}.0.1.2")},
        kos=b"",
        metadata=b"",
        reports=(),
        follow=Follow(
            ins=ins,
            structure="1750000001",
            sector="",
            professional="899700000001",
            family="TEST",
            given="Test",
            profession="10",
            specialty="SM44",
            specialty_label="",
        ),
        updated=datetime(2026, 11, 22, tzinfo=UTC),
    )
