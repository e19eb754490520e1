"""The local archive: what is kept of each KOS, and what became of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from drimbox_ref.database import Database, DatabaseError
from drimbox_ref.source.archive import SqlArchive
from drimbox_ref.source.values import ArchiveEntry, EntryState, Follow, Ins
from tests.drimbox_ref.source.world import World

_NOW = datetime(2026, 11, 22, 12, 0, 0, 123456, tzinfo=UTC)


def _entry(kos: str = "1.2.3", study: str = "9.1", **changes: object) -> ArchiveEntry:
    entry = ArchiveEntry(
        kos_uid=kos,
        study_uid=study,
        set_uid=f"{kos}.1",
        entry_uuid="urn:uuid:0",
        state=EntryState.PUBLISHED,
        version=1,
        fingerprint="f",
        ins=Ins(value="275036322310189", oid="1.2.250.1.213.1.4.10"),
        ipp="42",
        pacs="PACS",
        series={"9.1.1": ("9.1.1.1", "9.1.1.2")},
        kos=b"\0DICM",
        metadata="<é/>".encode(),
        signature=b"<Signature/>",
        reports=("1.9^CR",),
        follow=Follow(
            ins=Ins(value="275036322310189", oid="1.2.250.1.213.1.4.10"),
            structure="1",
            sector="SA08^1.2",
            professional="8",
            family="ÉLAN",
            given="Zoé",
            profession="10",
            specialty="SM44",
            specialty_label="",
        ),
        updated=_NOW,
    )
    return replace(entry, **changes)  # type: ignore[arg-type]


@pytest.fixture
def archive(world: World) -> SqlArchive:
    return SqlArchive(world.database)


def test_an_entry_comes_back_as_it_was_kept(archive: SqlArchive) -> None:
    archive.record(_entry())
    assert archive.current("9.1") == _entry()
    assert archive.by_kos("1.2.3") == _entry()
    assert archive.current("9.2") is None
    assert archive.by_kos("1.2.4") is None


def test_states_leave_their_history(archive: SqlArchive) -> None:
    archive.record(_entry())
    later = _NOW + timedelta(hours=1)
    archive.record(_entry("1.2.4", updated=later))
    archive.record(_entry("1.2.4", updated=later))
    archive.depublish("1.2.4", now=later)
    archive.depublish("1.2.4", now=later + timedelta(hours=1))
    assert [(one.kos_uid, one.state, one.utc) for one in archive.history("9.1")] == [
        ("1.2.3", EntryState.PUBLISHED, _NOW),
        ("1.2.3", EntryState.REPLACED, later),
        ("1.2.4", EntryState.PUBLISHED, later),
        ("1.2.4", EntryState.DEPUBLISHED, later),
    ]
    kept = archive.by_kos("1.2.3")
    assert kept is not None
    assert (kept.state, kept.signature) == (EntryState.REPLACED, b"<Signature/>")


def test_a_walk_is_taken_up_where_it_stopped(archive: SqlArchive) -> None:
    for number in range(5):
        archive.record(_entry(f"1.2.{number}", f"9.{number}"))
    assert archive.count() == 5
    first = archive.page(0, 2)
    rest = archive.page(first[-1][0], 10)
    assert [entry.kos_uid for _, entry in (*first, *rest)] == [f"1.2.{n}" for n in range(5)]
    assert archive.page(rest[-1][0], 10) == ()


def test_reports_are_added_once(archive: SqlArchive) -> None:
    archive.record(_entry())
    archive.add_report("1.2.3", "1.9^CR2", now=_NOW)
    archive.add_report("1.2.3", "1.9^CR2", now=_NOW)
    kept = archive.current("9.1")
    assert kept is not None
    assert kept.reports == ("1.9^CR", "1.9^CR2")


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("mysql://kit@h/box", "base inconnue"),
        ("n'importe quoi", "URL de base illisible"),
    ],
)
def test_another_kind_of_database_is_refused(url: str, said: str) -> None:
    with pytest.raises(DatabaseError, match=said):
        Database(url)
