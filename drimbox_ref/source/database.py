"""The Source's durable state: one SQLite file, every commit on disk before it returns."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import (
    Column,
    Connection,
    Engine,
    Float,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    create_engine,
    event,
)
from sqlalchemy.pool import QueuePool

__all__ = [
    "Database",
    "alerts",
    "archive",
    "archive_reports",
    "audit",
    "counters",
    "from_epoch",
    "inbox",
    "outbox",
    "to_epoch",
]

_schema = MetaData()

inbox = Table(
    "inbox",
    _schema,
    Column("id", Integer, primary_key=True),
    Column("control_id", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("raw", LargeBinary, nullable=False),
    Column("received", Float, nullable=False),
    Column("state", Text, nullable=False, index=True),
    Column("detail", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("due", Float),
    Column("studies", Text, nullable=False),
    UniqueConstraint("control_id", "digest"),
)

outbox = Table(
    "outbox",
    _schema,
    Column("id", Integer, primary_key=True),
    Column("inbox_id", Integer, nullable=False),
    Column("study_uid", Text, nullable=False, index=True),
    Column("submission", LargeBinary, nullable=False),
    Column("follow", Text, nullable=False),
    Column("entry", LargeBinary, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("due", Float, nullable=False),
    Column("state", Text, nullable=False, index=True),
    Column("detail", Text, nullable=False),
    UniqueConstraint("inbox_id", "study_uid"),
)

archive = Table(
    "archive",
    _schema,
    Column("id", Integer, primary_key=True),
    Column("kos_uid", Text, nullable=False, unique=True),
    Column("study_uid", Text, nullable=False, index=True),
    Column("entry_uuid", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("entry", LargeBinary, nullable=False),
    Column("updated", Float, nullable=False),
)

archive_reports = Table(
    "archive_reports",
    _schema,
    Column("kos_uid", Text, nullable=False),
    Column("report", Text, nullable=False),
    UniqueConstraint("kos_uid", "report"),
)

alerts = Table(
    "alerts",
    _schema,
    Column("id", Integer, primary_key=True),
    Column("utc", Float, nullable=False),
    Column("ban", Text, nullable=False),
    Column("message", Text, nullable=False),
    Column("advice", Text, nullable=False),
    Column("control_id", Text, nullable=False),
    Column("report", Text, nullable=False),
    Column("study_uid", Text, nullable=False),
    UniqueConstraint("ban", "message", "control_id", "report", "study_uid"),
)

audit = Table(
    "audit",
    _schema,
    Column("id", Integer, primary_key=True),
    Column("utc", Float, nullable=False),
    Column("event", Text, nullable=False),
    Column("outcome", Integer, nullable=False),
    Column("description", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("peer", Text, nullable=False),
    Column("objects", Text, nullable=False),
)

counters = Table(
    "counters",
    _schema,
    Column("name", Text, primary_key=True),
    Column("value", Integer, nullable=False),
)


class Database:
    """Transactions on the state file; safe from any thread, one writer at a time."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.engine: Engine = create_engine(
            f"sqlite:///{directory / 'source.sqlite'}",
            poolclass=QueuePool,
            connect_args={"timeout": 30, "check_same_thread": False},
        )
        event.listen(self.engine, "connect", _on_connect)
        event.listen(self.engine, "begin", _on_begin)
        _schema.create_all(self.engine)

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """A write transaction: durable when the block ends, undone when it raises."""
        with self.engine.begin() as connection:
            yield connection

    def close(self) -> None:
        """Give the file back."""
        self.engine.dispose()


def to_epoch(moment: datetime) -> float:
    """Seconds since 1970 of an aware time."""
    return moment.timestamp()


def from_epoch(value: float) -> datetime:
    """The aware UTC time of an epoch."""
    return datetime.fromtimestamp(value, UTC)


def _on_connect(connection: Any, _record: object) -> None:
    """Let SQLAlchemy begin transactions itself, and make each commit reach the disk."""
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.close()


def _on_begin(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")
