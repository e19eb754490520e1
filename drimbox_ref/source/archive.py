"""The local archive: every KOS that was published, and what became of it (DB.SO.22)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select, update
from sqlalchemy.dialects.sqlite import insert

from drimbox_ref.database import Database, from_epoch, to_epoch
from drimbox_ref.source.records import dump_entry, load_entry
from drimbox_ref.source.tables import archive, archive_reports
from drimbox_ref.source.values import ArchiveEntry, EntryState

__all__ = ["SqlArchive"]


class SqlArchive:
    """An `Archive` in the state file."""

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
        with self._database.transaction() as connection:
            added = connection.execute(
                insert(archive)
                .values(
                    kos_uid=entry.kos_uid,
                    study_uid=entry.study_uid,
                    entry_uuid=entry.entry_uuid,
                    state=entry.state.value,
                    entry=dump_entry(entry),
                    updated=to_epoch(entry.updated),
                )
                .on_conflict_do_nothing()
            )
            if added.rowcount == 0:
                return
            connection.execute(
                update(archive)
                .where(
                    archive.c.study_uid == entry.study_uid,
                    archive.c.kos_uid != entry.kos_uid,
                    archive.c.state == EntryState.PUBLISHED.value,
                )
                .values(state=EntryState.REPLACED.value, updated=to_epoch(entry.updated))
            )
            for report in entry.reports:
                _add_report(connection, entry.kos_uid, report)

    def depublish(self, kos_uid: str, *, now: datetime) -> None:
        """Mark a KOS depublished; its identification stays."""
        self._change(kos_uid, state=EntryState.DEPUBLISHED.value, updated=to_epoch(now))

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
            return tuple(
                replace(
                    load_entry(row.entry),
                    entry_uuid=row.entry_uuid,
                    state=EntryState(row.state),
                    updated=from_epoch(row.updated),
                    reports=tuple(
                        connection.execute(
                            select(archive_reports.c.report)
                            .where(archive_reports.c.kos_uid == row.kos_uid)
                            .order_by(archive_reports.c.report)
                        ).scalars()
                    ),
                )
                for row in rows
            )


def _add_report(connection: Connection, kos_uid: str, report: str) -> None:
    connection.execute(
        insert(archive_reports).values(kos_uid=kos_uid, report=report).on_conflict_do_nothing()
    )
