"""A DRIMbox's durable state: one SQLite file, every commit on disk before it returns."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, MetaData, create_engine, event
from sqlalchemy.pool import QueuePool

__all__ = ["Database", "from_epoch", "to_epoch"]


class Database:
    """Transactions on a state file; safe from any thread, one writer at a time."""

    def __init__(self, file: Path, *schemas: MetaData) -> None:
        """Open the file, made with the tables of `schemas` when it is new."""
        file.parent.mkdir(parents=True, exist_ok=True)
        self.engine: Engine = create_engine(
            f"sqlite:///{file}",
            poolclass=QueuePool,
            connect_args={"timeout": 30, "check_same_thread": False},
        )
        event.listen(self.engine, "connect", _on_connect)
        event.listen(self.engine, "begin", _on_begin)
        for schema in schemas:
            schema.create_all(self.engine)

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """A write transaction: durable when the block ends, undone when it raises."""
        with self.engine.execution_options(writing=True).begin() as connection:
            yield connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """One consistent view, which neither waits for the writer nor makes it wait."""
        with self.engine.connect() as connection:
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
    writing = connection.get_execution_options().get("writing", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")
