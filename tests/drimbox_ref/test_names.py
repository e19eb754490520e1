"""Identifiers that are never minted twice."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from drimbox_ref.database import Database
from drimbox_ref.names import SCHEMA, SeededUids


def uids(database: Database) -> SeededUids:
    """Of a box that starts."""
    return SeededUids(database, root="1.2.3", seed=7, name="box")


def test_a_seed_gives_the_same_identifiers(tmp_path: Path) -> None:
    """In another state, the same box mints the same, in the same order."""
    one, other = (uids(Database(tmp_path / name, SCHEMA)) for name in ("a.sqlite", "b.sqlite"))
    assert [one.oid() for _ in range(200)] == [other.oid() for _ in range(200)]
    assert [one.uuid() for _ in range(200)] == [other.uuid() for _ in range(200)]


def test_a_restarted_box_mints_nothing_twice(tmp_path: Path) -> None:
    """Whatever was left of a block when it was killed."""
    database = Database(tmp_path / "state.sqlite", SCHEMA)
    minted = [box.oid() for count in (1, 63, 64, 65, 7) for box in (uids(database),)
              for _ in range(count)]  # fmt: skip
    assert len(set(minted)) == len(minted)


def test_threads_and_processes_that_share_a_state_mint_nothing_twice(tmp_path: Path) -> None:
    """Two boxes of one state, each asked from several threads."""
    database = Database(tmp_path / "state.sqlite", SCHEMA)
    boxes = uids(database), uids(database)
    with ThreadPoolExecutor(8) as pool:
        minted = list(pool.map(lambda rank: boxes[rank % 2].oid(), range(1000)))
    assert len(set(minted)) == len(minted)
