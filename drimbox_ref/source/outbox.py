"""The outbox: submissions to the DMP, on disk before they are sent, until they are confirmed."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, select, update

from drimbox_ref.database import Database, from_epoch, insert_into, inserted, to_epoch
from drimbox_ref.source.records import (
    dump_entry,
    dump_follow,
    dump_submission,
    load_entry,
    load_follow,
    load_submission,
)
from drimbox_ref.source.tables import outbox
from drimbox_ref.source.values import ArchiveEntry, Follow, OutboxItem, Submission

__all__ = ["SqlOutbox"]

PENDING = "pending"
REFUSED = "refused"


class SqlOutbox:
    """An `Outbox` in the state file."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(
        self,
        inbox_id: int,
        submission: Submission,
        follow: Follow,
        entry: ArchiveEntry,
        *,
        now: datetime,
    ) -> bool:
        """Keep a submission durably; False when this message already has one for this study.

        One that the DMP refused does not count: the message was sent again after correction.
        """
        former = delete(outbox).where(
            outbox.c.inbox_id == inbox_id,
            outbox.c.study_uid == entry.study_uid,
            outbox.c.state == REFUSED,
        )
        with self._database.transaction() as connection:
            connection.execute(former)
            statement = (
                insert_into(connection, outbox)
                .values(
                    inbox_id=inbox_id,
                    study_uid=entry.study_uid,
                    submission=dump_submission(submission),
                    follow=dump_follow(follow),
                    entry=dump_entry(entry),
                    attempts=0,
                    due=to_epoch(now),
                    state=PENDING,
                    detail="",
                )
                .on_conflict_do_nothing()
            )
            return inserted(connection, statement)

    def has(self, inbox_id: int, study_uid: str) -> bool:
        """This message already led to a submission for this study."""
        return self._exists(
            outbox.c.inbox_id == inbox_id,
            outbox.c.study_uid == study_uid,
            outbox.c.state != REFUSED,
        )

    def pending(self, study_uid: str) -> bool:
        """Something is still to be confirmed for this study."""
        return self._exists(outbox.c.study_uid == study_uid, outbox.c.state == PENDING)

    def due(self, now: datetime) -> tuple[OutboxItem, ...]:
        """Submissions to send, oldest first."""
        return self._items(
            select(outbox)
            .where(outbox.c.state == PENDING, outbox.c.due <= to_epoch(now))
            .order_by(outbox.c.id)
            .limit(50)
        )

    def attempt(self, item: int) -> None:
        """Note durably that an attempt begins: from now on the DMP may have it."""
        self._change(item, attempts=outbox.c.attempts + 1)

    def postpone(self, item: int, *, due: datetime, detail: str) -> None:
        """Try again later."""
        self._change(item, due=to_epoch(due), detail=detail)

    def close(self, item: int, *, state: str, detail: str) -> None:
        """Confirmed (`done`) or refused for good (`refused`)."""
        self._change(item, state=state, detail=detail)

    def next_due(self) -> datetime | None:
        """When the next submission is due, None when none waits."""
        statement = select(func.min(outbox.c.due)).where(outbox.c.state == PENDING)
        with self._database.reading() as connection:
            value = connection.execute(statement).scalar()
        return None if value is None else from_epoch(value)

    def everything(self, limit: int, state: str | None = None) -> tuple[OutboxItem, ...]:
        """The latest submissions, newest first; of that state only, when it is given."""
        asked = select(outbox) if state is None else select(outbox).where(outbox.c.state == state)
        return self._items(asked.order_by(outbox.c.id.desc()).limit(limit))

    def _exists(self, *conditions: Any) -> bool:
        with self._database.reading() as connection:
            found = connection.execute(select(outbox.c.id).where(*conditions).limit(1)).first()
        return found is not None

    def _change(self, item: int, **values: Any) -> None:
        with self._database.transaction() as connection:
            connection.execute(update(outbox).where(outbox.c.id == item).values(**values))

    def _items(self, statement: Any) -> tuple[OutboxItem, ...]:
        with self._database.reading() as connection:
            rows = connection.execute(statement).all()
        return tuple(
            OutboxItem(
                id=row.id,
                inbox_id=row.inbox_id,
                submission=load_submission(row.submission),
                follow=load_follow(row.follow),
                entry=load_entry(row.entry),
                attempts=row.attempts,
                due=from_epoch(row.due),
                state=row.state,
                detail=row.detail,
            )
            for row in rows
        )
