"""A DRIMbox's durable state: one SQLite file or one PostgreSQL database, every commit on disk
before it returns."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import (
    Connection,
    Engine,
    MetaData,
    Table,
    create_engine,
    event,
    literal_column,
    text,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.pool import QueuePool

__all__ = ["Database", "DatabaseError", "from_epoch", "insert_into", "inserted", "to_epoch"]

_WRITER = 0x4452494D
"""Key of the PostgreSQL advisory lock that makes writers take turns, as SQLite's do."""

_TIMEOUT_S = 30


class DatabaseError(Exception):
    """A database that cannot be used; its text is one line in French, without password."""


class Database:
    """Transactions on a state; safe from any thread and any process, one writer at a time."""

    def __init__(self, where: Path | str, *schemas: MetaData) -> None:
        """Open a SQLite file, or a PostgreSQL database by URL; missing tables are made.

        Raises:
            DatabaseError: unknown kind of URL, driver not installed, database out of reach.
        """
        if isinstance(where, Path):
            where.parent.mkdir(parents=True, exist_ok=True)
            self.engine: Engine = _sqlite(where)
        else:
            self.engine = _postgresql(where)
        self.schemas = schemas
        shown = self.engine.url.render_as_string(hide_password=True)
        try:
            with self.transaction() as connection:
                for schema in schemas:
                    schema.create_all(connection)
        except SQLAlchemyError as error:
            self.engine.dispose()
            raise DatabaseError(f"{shown} : {_first_line(error)}") from error

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
        """Give the database back."""
        self.engine.dispose()


def insert_into(connection: Connection, table: Table) -> sqlite.Insert | postgresql.Insert:
    """An INSERT that knows `on_conflict_do_nothing` and `on_conflict_do_update`, which each
    dialect has and their common ancestor lacks."""
    if connection.dialect.name == "postgresql":
        return postgresql.insert(table)
    return sqlite.insert(table)


def inserted(connection: Connection, statement: sqlite.Insert | postgresql.Insert) -> bool:
    """Run an INSERT that may do nothing; whether it did something.

    Not by `rowcount`, which PostgreSQL's driver does not give of an INSERT.
    """
    return connection.execute(statement.returning(literal_column("1"))).first() is not None


def to_epoch(moment: datetime) -> float:
    """Seconds since 1970 of an aware time."""
    return moment.timestamp()


def from_epoch(value: float) -> datetime:
    """The aware UTC time of an epoch."""
    return datetime.fromtimestamp(value, UTC)


# SQLite ------------------------------------------------------------------------------------------


def _sqlite(file: Path) -> Engine:
    engine = create_engine(
        f"sqlite:///{file}",
        poolclass=QueuePool,
        connect_args={"timeout": _TIMEOUT_S, "check_same_thread": False},
    )
    event.listen(engine, "connect", _on_connect)
    event.listen(engine, "begin", _beginning(_begin_sqlite))
    return engine


def _on_connect(connection: Any, _record: object) -> None:
    """Let SQLAlchemy begin transactions itself, and make each commit reach the disk."""
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.close()


def _begin_sqlite(connection: Connection, *, writing: bool) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")


# PostgreSQL --------------------------------------------------------------------------------------


def _postgresql(url: str) -> Engine:
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise DatabaseError("URL de base illisible : attendu postgresql://…") from None
    if parsed.drivername not in ("postgresql", "postgres", "postgresql+psycopg"):
        raise DatabaseError(
            f"{parsed.drivername} : base inconnue ; attendu postgresql://utilisateur@hôte/base"
        )
    try:
        engine = create_engine(
            _timed(parsed.set(drivername="postgresql+psycopg")), pool_pre_ping=True
        )
    except (ModuleNotFoundError, NoSuchModuleError):
        raise DatabaseError(
            "pilote PostgreSQL absent : installer l'extra « postgres » (psycopg)"
        ) from None
    event.listen(engine, "begin", _beginning(_begin_postgresql))
    return engine


def _timed(url: URL) -> URL:
    """A server that does not answer is told as such, not waited for."""
    if "connect_timeout" in url.query:
        return url
    return url.update_query_dict({"connect_timeout": str(_TIMEOUT_S)})


def _begin_postgresql(connection: Connection, *, writing: bool) -> None:
    """Writers take turns: what one reads before it writes holds until it commits."""
    if writing:
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _WRITER})
    else:
        connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")


def _beginning(begin: Callable[..., None]) -> Callable[[Connection], None]:
    def on_begin(connection: Connection) -> None:
        begin(connection, writing=connection.get_execution_options().get("writing", False))

    return on_begin


def _first_line(error: SQLAlchemyError) -> str:
    origin = getattr(error, "orig", None) or error
    return next((line.strip() for line in str(origin).splitlines() if line.strip()), "illisible")
