"""The inbox: messages from the RIS, on disk before they are acknowledged."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any

from sqlalchemy import func, select, update

from drimbox_ref.database import Database, from_epoch, insert_into, inserted, to_epoch
from drimbox_ref.source.tables import inbox
from drimbox_ref.source.values import InboxItem

__all__ = ["SqlInbox"]

WAITING = "waiting"
STOPPED = "stopped"


class SqlInbox:
    """An `Inbox` in the state file."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, control_id: str, raw: bytes, *, now: datetime) -> bool:
        """Keep a message durably; False when the same control id and bytes are there already.

        A message that ended in an alert is taken up again when the RIS sends it again: this is
        what the alert asks for.
        """
        digest = hashlib.sha256(raw).hexdigest()
        with self._database.transaction() as connection:
            statement = (
                insert_into(connection, inbox)
                .values(
                    control_id=control_id,
                    digest=digest,
                    raw=raw,
                    received=to_epoch(now),
                    state=WAITING,
                    detail="",
                    attempts=0,
                    due=to_epoch(now),
                    studies="",
                )
                .on_conflict_do_update(
                    index_elements=[inbox.c.control_id, inbox.c.digest],
                    set_={"state": WAITING, "due": to_epoch(now), "attempts": 0},
                    where=inbox.c.state == STOPPED,
                )
            )
            return inserted(connection, statement)

    def due(self, now: datetime) -> tuple[InboxItem, ...]:
        """Messages to work on, oldest first."""
        statement = (
            select(inbox)
            .where(inbox.c.state == WAITING, inbox.c.due <= to_epoch(now))
            .order_by(inbox.c.id)
            .limit(50)
        )
        return self._items(statement)

    def postpone(self, item: int, *, due: datetime, detail: str, studies: frozenset[str]) -> None:
        """Try again later; `studies` are those that later messages must not overtake."""
        self._change(
            item,
            due=to_epoch(due),
            detail=detail,
            attempts=inbox.c.attempts + 1,
            studies=" ".join(sorted(studies)),
        )

    def earlier(self, item: int) -> frozenset[str]:
        """The studies of messages that came before this one and still wait."""
        statement = select(inbox.c.studies).where(inbox.c.state == WAITING, inbox.c.id < item)
        with self._database.reading() as connection:
            rows = connection.execute(statement).scalars().all()
        return frozenset(uid for studies in rows for uid in studies.split())

    def close(self, item: int, *, state: str, detail: str) -> None:
        """Nothing more to do (`done`) or nothing more can be done (`stopped`)."""
        self._change(item, state=state, detail=detail, due=None)

    def next_due(self) -> datetime | None:
        """When the next message is due, None when none waits."""
        statement = select(func.min(inbox.c.due)).where(inbox.c.state == WAITING)
        with self._database.reading() as connection:
            value = connection.execute(statement).scalar()
        return None if value is None else from_epoch(value)

    def everything(self, limit: int, state: str | None = None) -> tuple[InboxItem, ...]:
        """The latest messages, newest first; of that state only, when it is given."""
        asked = select(inbox) if state is None else select(inbox).where(inbox.c.state == state)
        return self._items(asked.order_by(inbox.c.id.desc()).limit(limit))

    def _change(self, item: int, **values: Any) -> None:
        with self._database.transaction() as connection:
            connection.execute(update(inbox).where(inbox.c.id == item).values(**values))

    def _items(self, statement: Any) -> tuple[InboxItem, ...]:
        with self._database.reading() as connection:
            rows = connection.execute(statement).all()
        return tuple(
            InboxItem(
                id=row.id,
                control_id=row.control_id,
                raw=row.raw,
                received=from_epoch(row.received),
                state=row.state,
                detail=row.detail,
                attempts=row.attempts,
                due=None if row.due is None else from_epoch(row.due),
            )
            for row in rows
        )
