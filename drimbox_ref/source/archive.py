"""The local archive: every KOS that was published, and what became of it (DB.SO.22)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, insert, select, update

from drimbox_ref.database import Database, from_epoch, insert_into, inserted, to_epoch
from drimbox_ref.source.records import dump_entry, load_entry
from drimbox_ref.source.tables import archive, archive_reports, archive_states
from drimbox_ref.source.values import ArchiveEntry, EntryChange, EntryState

__all__ = ["SqlArchive"]


class SqlArchive:
    """An `Archive` in the state's database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def current(self, study_uid: str) -> ArchiveEntry | None:
        """The latest entry of a study, whatever its state."""
        statement = (
            select(archive)
            .where(archive.c.study_uid == study_uid)
            .order_by(archive.c.id.desc())
            .limit(1)
        )
        return self._one(statement)

    def by_kos(self, kos_uid: str) -> ArchiveEntry | None:
        """The entry of a KOS, current or not."""
        return self._one(select(archive).where(archive.c.kos_uid == kos_uid))

    def record(self, entry: ArchiveEntry) -> None:
        """Add a published entry; the study's former one becomes replaced. Idempotent."""
        moment = to_epoch(entry.updated)
        with self._database.transaction() as connection:
            added = inserted(
                connection,
                insert_into(connection, archive)
                .values(
                    kos_uid=entry.kos_uid,
                    study_uid=entry.study_uid,
                    entry_uuid=entry.entry_uuid,
                    state=entry.state.value,
                    entry=dump_entry(entry),
                    updated=moment,
                )
                .on_conflict_do_nothing(),
            )
            if not added:
                return
            former = (
                connection.execute(
                    select(archive.c.kos_uid)
                    .where(
                        archive.c.study_uid == entry.study_uid,
                        archive.c.kos_uid != entry.kos_uid,
                        archive.c.state == EntryState.PUBLISHED.value,
                    )
                    .order_by(archive.c.id)
                )
                .scalars()
                .all()
            )
            for kos_uid in former:
                _enter(connection, kos_uid, EntryState.REPLACED, moment)
            _note(connection, entry.kos_uid, entry.study_uid, entry.state, moment)
            for report in entry.reports:
                _add_report(connection, entry.kos_uid, report)

    def depublish(self, kos_uid: str, *, now: datetime) -> None:
        """Mark a KOS depublished; its identification stays. Idempotent."""
        with self._database.transaction() as connection:
            _enter(connection, kos_uid, EntryState.DEPUBLISHED, to_epoch(now))

    def add_report(self, kos_uid: str, report: str, *, now: datetime) -> None:
        """One more report triggered this KOS."""
        with self._database.transaction() as connection:
            _add_report(connection, kos_uid, report)
            connection.execute(
                update(archive).where(archive.c.kos_uid == kos_uid).values(updated=to_epoch(now))
            )

    def set_entry_uuid(self, kos_uid: str, entry_uuid: str) -> None:
        """The identifier that the DMP gave."""
        self._change(kos_uid, entry_uuid=entry_uuid)

    def history(self, study_uid: str) -> tuple[EntryChange, ...]:
        """What became of the KOS of a study, oldest first."""
        statement = (
            select(archive_states)
            .where(archive_states.c.study_uid == study_uid)
            .order_by(archive_states.c.id)
        )
        with self._database.reading() as connection:
            rows = connection.execute(statement).all()
        return tuple(
            EntryChange(kos_uid=row.kos_uid, state=EntryState(row.state), utc=from_epoch(row.utc))
            for row in rows
        )

    def count(self) -> int:
        """How many KOS there are, whatever their state."""
        with self._database.reading() as connection:
            return connection.execute(select(func.count()).select_from(archive)).scalar_one()

    def last(self) -> int:
        """The number of the newest entry, 0 when there is none."""
        with self._database.reading() as connection:
            return connection.execute(select(func.max(archive.c.id))).scalar_one() or 0

    def page(self, after: int, limit: int) -> tuple[tuple[int, ArchiveEntry], ...]:
        """The entries that come after that number, oldest first, each with its own number:
        a walk that is taken up again after any of them."""
        numbered = select(archive).where(archive.c.id > after).order_by(archive.c.id).limit(limit)
        with self._database.reading() as connection:
            rows = connection.execute(numbered).all()
            return tuple((row.id, _entry(connection, row)) for row in rows)

    def everything(self, limit: int) -> tuple[ArchiveEntry, ...]:
        """The latest entries, newest first."""
        return self._all(select(archive).order_by(archive.c.id.desc()).limit(limit))

    def _change(self, kos_uid: str, **values: Any) -> None:
        with self._database.transaction() as connection:
            connection.execute(update(archive).where(archive.c.kos_uid == kos_uid).values(**values))

    def _one(self, statement: Any) -> ArchiveEntry | None:
        found = self._all(statement)
        return found[0] if found else None

    def _all(self, statement: Any) -> tuple[ArchiveEntry, ...]:
        with self._database.reading() as connection:
            rows = connection.execute(statement).all()
            return tuple(_entry(connection, row) for row in rows)


def _entry(connection: Connection, row: Any) -> ArchiveEntry:
    reports = connection.execute(
        select(archive_reports.c.report)
        .where(archive_reports.c.kos_uid == row.kos_uid)
        .order_by(archive_reports.c.report)
    ).scalars()
    return replace(
        load_entry(row.entry),
        entry_uuid=row.entry_uuid,
        state=EntryState(row.state),
        updated=from_epoch(row.updated),
        reports=tuple(reports),
    )


def _enter(connection: Connection, kos_uid: str, state: EntryState, moment: float) -> None:
    """A KOS enters a state; nothing when it is there already."""
    changed = connection.execute(
        update(archive)
        .where(archive.c.kos_uid == kos_uid, archive.c.state != state.value)
        .values(state=state.value, updated=moment)
        .returning(archive.c.study_uid)
    ).scalar_one_or_none()
    if changed is not None:
        _note(connection, kos_uid, changed, state, moment)


def _note(
    connection: Connection, kos_uid: str, study_uid: str, state: EntryState, moment: float
) -> None:
    connection.execute(
        insert(archive_states).values(
            kos_uid=kos_uid, study_uid=study_uid, state=state.value, utc=moment
        )
    )


def _add_report(connection: Connection, kos_uid: str, report: str) -> None:
    connection.execute(
        insert_into(connection, archive_reports)
        .values(kos_uid=kos_uid, report=report)
        .on_conflict_do_nothing()
    )
