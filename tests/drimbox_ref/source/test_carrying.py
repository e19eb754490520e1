"""What the local archive gives and takes: XDM archives and backups."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

import pytest

from drimbox_ref.credentials import Credentials
from drimbox_ref.source.archive import SqlArchive
from drimbox_ref.source.backup import BackupError, restore, save
from drimbox_ref.source.values import ArchiveEntry, EntryState
from drimbox_ref.source.xdm_export import export
from drimbox_ref.source.xdm_import import ArchiveError, Imported, take
from drimbox_ref.trail import SqlAudit
from tests.drimbox_ref.source.test_publication import Box
from tests.drimbox_ref.source.world import (
    INS,
    STUDIES,
    World,
    cda_report,
    found_study,
    make_world,
    oru,
)
from validators.api import validate

pytestmark = pytest.mark.anyio

_NOW = datetime(2026, 11, 22, tzinfo=UTC)


@pytest.fixture
async def filled(world: World) -> World:
    """Two KOS of one exam, the second in force, and one depublished."""
    box = Box(world)
    await box.publish(oru())
    world.clock.advance(3600)
    world.pacs.studies[STUDIES[0]] = found_study(instances=4)
    await box.publish(oru(control_id="MSG-2"))
    await box.publish(
        oru(cda_report([STUDIES[1]], report_id="1.2.250.1.999.5.7"), control_id="MSG-3")
    )
    other = world.parts.archive.current(STUDIES[1])
    assert other is not None
    world.parts.archive.depublish(other.kos_uid, now=world.clock.now())
    current = world.parts.archive.current(STUDIES[0])
    assert current is not None
    world.parts.archive.add_report(current.kos_uid, "1.2.250.1.999.5.9^X", now=world.clock.now())
    return world


@pytest.fixture
def another(tmp_path: Path, credentials: Credentials) -> World:
    return make_world(tmp_path / "another", credentials, seed=8)


def _entries(world: World) -> list[ArchiveEntry]:
    return [entry for _, entry in SqlArchive(world.database).page(0, 100)]


def _files(directory: Path) -> list[str]:
    return [one.name for one in directory.iterdir() if one.is_file()]


def _take(world: World, *files: Path, dry_run: bool = False) -> Imported:
    return take(SqlArchive(world.database), files, pacs_of=lambda _: "PACS", dry_run=dry_run)


async def test_an_export_is_judged_good_and_taken_back(
    filled: World, another: World, tmp_path: Path
) -> None:
    exported = export(SqlArchive(filled.database), tmp_path / "out", sender="Boîtier d'essai")
    assert exported.failures == []
    assert exported.count == 3
    for file in exported.files:
        report = validate(file.read_bytes(), "xdm")
        errors = [one for one in report.findings if one.severity.name == "ERROR"]
        assert errors == []
    before = _entries(filled)
    imported = _take(another, *reversed(exported.files))
    assert (imported.taken, imported.known, imported.failures) == (3, 0, [])
    for was, now in zip(before, _entries(another), strict=True):
        # What an archive does not carry is found again when the PACS or a report says it.
        unsaid = replace(was, fingerprint=now.fingerprint, updated=now.updated, pacs_ipp="")
        assert now == unsaid
        assert b"URI" not in now.metadata
    assert [one.state for one in _entries(another)] == [
        EntryState.REPLACED,
        EntryState.PUBLISHED,
        EntryState.DEPUBLISHED,
    ]
    again = _take(another, *exported.files)
    assert (again.taken, again.known, again.failures) == (0, 3, [])


async def test_an_imported_kos_lives_on(filled: World, tmp_path: Path, another: World) -> None:
    """What the same report says again is not published again; a change replaces it."""
    exported = export(SqlArchive(filled.database), tmp_path / "out", sender="A")
    another.dmp.documents.update(filled.dmp.documents)
    another.pacs.studies.update(filled.pacs.studies)
    _take(another, *exported.files)
    box = Box(another)
    another.pacs.studies[STUDIES[0]] = found_study(instances=5)
    await box.publish(oru(control_id="MSG-9"))
    former, current = [one for one in _entries(another) if one.study_uid == STUDIES[0]][-2:]
    assert (former.state, current.state) == (EntryState.REPLACED, EntryState.PUBLISHED)
    assert current.version == 3
    assert box.bans() == []


async def test_a_dry_run_writes_nothing(filled: World, another: World, tmp_path: Path) -> None:
    archive = SqlArchive(filled.database)
    dry = export(archive, tmp_path / "dry", sender="A", dry_run=True)
    assert dry.count == 3
    assert not (tmp_path / "dry").exists()
    real = export(archive, tmp_path / "out", sender="A")
    assert _take(another, *real.files, dry_run=True).taken == 3
    assert _entries(another) == []


async def test_one_month_alone(filled: World, tmp_path: Path) -> None:
    none = export(SqlArchive(filled.database), tmp_path, sender="A", month="199901")
    assert (none.count, none.files) == (0, [])


async def test_an_interrupted_export_leaves_nothing_half_written(
    filled: World, tmp_path: Path
) -> None:
    def stop(_: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        export(SqlArchive(filled.database), tmp_path / "out", sender="A", told=stop)
    assert list((tmp_path / "out").iterdir()) == []


def _altered(file: Path, change: Callable[[str, bytes], bytes | None]) -> bytes:
    target = BytesIO()
    with ZipFile(file) as source, ZipFile(target, "w") as out:
        for info in source.infolist():
            data = change(info.filename, source.read(info))
            if data is not None:
                out.writestr(info.filename, data)
    return target.getvalue()


def _replaced(end: str, old: bytes, new: bytes) -> Callable[[str, bytes], bytes | None]:
    return lambda name, data: data.replace(old, new) if name.endswith(end) else data


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (_replaced("KOS_1_1.DCM", b"1.2.250", b"1.2.251"), "empreinte de KOS_1_1.DCM"),
        (_replaced("SIGN_1.XML", b"DigestValue>", b"DigestValue> "), "taille de SIGN_1.XML"),
        (_replaced("CR.TXT", b";1.2.250.1.213.1.4", b""), "CR.TXT : 5 champ(s)"),
        (_replaced("METADATA.XML", b"StatusType:", b"StatusType:X"), "état inconnu"),
        (_replaced("METADATA.XML", f'value="{INS}^'.encode(), b'value="^'), "CX sans identifiant"),
        (lambda name, data: None if name.endswith("DCM") else data, "fichier absent du lot"),
        (lambda name, data: b"<x" if name.endswith("METADATA.XML") else data, "illisible"),
        (lambda name, data: None if name.endswith("METADATA.XML") else data, "manque"),
    ],
)
async def test_a_lot_that_does_not_agree_is_refused_and_named(
    filled: World,
    another: World,
    tmp_path: Path,
    change: Callable[[str, bytes], bytes | None],
    said: str,
) -> None:
    exported = export(SqlArchive(filled.database), tmp_path / "out", sender="A")
    file = tmp_path / "KA.zip"
    file.write_bytes(_altered(exported.files[0], change))
    imported = _take(another, file)
    assert imported.taken == 0
    assert said in imported.failures[0]
    assert "SS000001" in imported.failures[0]


def _zip(**members: bytes) -> bytes:
    target = BytesIO()
    with ZipFile(target, "w", ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return target.getvalue()


@pytest.mark.parametrize(
    "data",
    [
        b"not a zip",
        _zip(),
        _zip(**{"../../IHE_XDM/SS000001/METADATA.XML": b"<x/>"}),
        _zip(**{"/IHE_XDM/SS000001/METADATA.XML": b"<x/>"}),
        _zip(**{"IHE_XDM/SS000001/METADATA.XML": b"<x/>", "IHE_XDM/SS000001/metadata.xml": b""}),
    ],
)
async def test_what_is_no_archive_is_refused(another: World, tmp_path: Path, data: bytes) -> None:
    file = tmp_path / "hostile.zip"
    file.write_bytes(data)
    with pytest.raises(ArchiveError, match=r"hostile\.zip"):
        _take(another, file)
    assert _files(tmp_path) == ["hostile.zip"]


async def test_a_bomb_is_not_inflated(another: World, tmp_path: Path) -> None:
    file = tmp_path / "bomb.zip"
    file.write_bytes(_zip(**{"IHE_XDM/SS000001/METADATA.XML": bytes(8 << 20)}))
    assert "trop" in _take(another, file).failures[0]


async def test_an_older_archive_does_not_hide_what_came_since(
    filled: World, another: World, tmp_path: Path
) -> None:
    """The exam has a later KOS here: the one of the archive is refused, by name."""
    first = _entries(filled)[0]
    SqlArchive(another.database).record(replace(first, updated=first.updated, kos_uid="1.9"))
    later = replace(
        first, kos_uid="1.10", updated=datetime(2030, 1, 1, tzinfo=UTC), state=EntryState.PUBLISHED
    )
    SqlArchive(another.database).record(later)
    exported = export(SqlArchive(filled.database), tmp_path / "out", sender="A")
    imported = _take(another, *exported.files)
    assert imported.taken == 1
    assert all("KOS plus récent" in failure for failure in imported.failures)


# Backups -----------------------------------------------------------------------------------------


async def test_a_backup_comes_back_whole(filled: World, another: World, tmp_path: Path) -> None:
    audit = SqlAudit(filled.database, key=b"k" * 32)
    file = tmp_path / "backup.zip"
    saved = save(filled.database, file, key=b"k" * 32, now=_NOW)
    assert saved.rows["archive"] == 3
    assert file.stat().st_mode & 0o077 == 0
    dry, _ = restore(another.database, file, dry_run=True)
    assert dry == saved
    assert _entries(another) == []
    restored, key = restore(another.database, file)
    assert restored == saved
    assert _entries(another) == _entries(filled)
    assert SqlAudit(another.database, key=key).verify() == audit.verify()
    assert another.parts.inbox.everything(9) == filled.parts.inbox.everything(9)
    assert another.parts.outbox.everything(9) == filled.parts.outbox.everything(9)
    # The restored box goes on: its rows are numbered after those that came back.
    another.dmp.documents.update(filled.dmp.documents)
    another.pacs.studies.update(filled.pacs.studies)
    await Box(another).publish(oru(control_id="MSG-10"))
    assert len(another.parts.inbox.everything(9)) == 4


async def test_a_backup_is_not_restored_over_anything(filled: World, tmp_path: Path) -> None:
    file = tmp_path / "backup.zip"
    save(filled.database, file, key=b"k", now=_NOW)
    with pytest.raises(BackupError, match="n'est pas vide"):
        restore(filled.database, file)


async def test_a_damaged_backup_restores_nothing(
    filled: World, another: World, tmp_path: Path
) -> None:
    file = tmp_path / "backup.zip"
    save(filled.database, file, key=b"k", now=_NOW)
    file.write_bytes(_altered(file, _replaced("archive.ndjson", b"published", b"replaced")))
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    with pytest.raises(BackupError):
        restore(another.database, file)
    assert _entries(another) == []
    assert hashlib.sha256(file.read_bytes()).hexdigest() == digest


async def test_a_backup_that_fails_leaves_the_former_one(filled: World, tmp_path: Path) -> None:
    file = tmp_path / "backup.zip"
    save(filled.database, file, key=b"k", now=_NOW)
    former = file.read_bytes()

    def stop(_: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        save(filled.database, file, key=b"k", now=_NOW, told=stop)
    assert file.read_bytes() == former
    assert _files(tmp_path) == ["backup.zip"]
