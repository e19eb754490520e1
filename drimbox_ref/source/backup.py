"""The whole durable state of a Source in one file, and back (DB.SO.24).

A ZIP of one NDJSON file for each table and of a manifest with their counts and SHA-256. It is the
same for SQLite and PostgreSQL: what was saved from one is restored into the other. The key of the
audit trail goes with it, since the trail cannot be verified without it: a backup is to be kept as
the state directory is.
"""

from __future__ import annotations

import hashlib
import json
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, BadZipFile, ZipFile

from sqlalchemy import Connection, LargeBinary, Table, func, insert, select, text

from drimbox_ref.database import Database

__all__ = ["BackupError", "Saved", "restore", "save"]

_FORMAT = "drimbox-source-1"
_MANIFEST, _KEY = "MANIFEST.json", "audit.key"
_BATCH = 500


class BackupError(Exception):
    """A backup that cannot be restored; its text says why, in French."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Saved:
    """What a backup holds: when it was made, and how many rows of each table."""

    utc: str
    rows: dict[str, int]

    @property
    def count(self) -> int:
        """Of all tables."""
        return sum(self.rows.values())


def save(
    database: Database,
    file: Path,
    *,
    key: bytes,
    now: datetime,
    told: Callable[[int], object] = lambda _: None,
) -> Saved:
    """Write a backup: one consistent view, the Source running or not.

    Raises:
        OSError: the file cannot be written; a former one stays as it was.
    """
    part = file.with_name(f"{file.name}.part")
    rows: dict[str, int] = {}
    digests: dict[str, str] = {}
    done = 0
    try:
        with ZipFile(part, "w", ZIP_DEFLATED) as archive, database.reading() as connection:
            for table in _tables(database):
                digest, count = hashlib.sha256(), 0
                with archive.open(f"{table.name}.ndjson", "w", force_zip64=True) as opened:
                    for row in _rows(connection, table):
                        line = _dumped(table, row)
                        opened.write(line)
                        digest.update(line)
                        count += 1
                        told(done + count)
                rows[table.name], digests[table.name] = count, digest.hexdigest()
                done += count
            archive.writestr(_KEY, key.hex())
            saved = Saved(utc=now.isoformat(), rows=rows)
            manifest = {"format": _FORMAT, "utc": saved.utc, "rows": rows, "sha256": digests}
            archive.writestr(_MANIFEST, json.dumps(manifest, indent=1))
        part.chmod(0o600)
        part.replace(file)
    except BaseException:
        with suppress(OSError):
            part.unlink(missing_ok=True)
        raise
    return saved


def restore(
    database: Database,
    file: Path,
    *,
    dry_run: bool = False,
    told: Callable[[int], object] = lambda _: None,
) -> tuple[Saved, bytes]:
    """Read a backup into an empty database, all of it or nothing; its manifest, and the key of its
    audit trail.

    `dry_run` verifies the file and the database, and writes nothing.

    Raises:
        BackupError: not a backup, damaged, or the database is not empty.
    """
    try:
        with ZipFile(file) as archive:
            saved, digests = _manifest(archive, file)
            key = bytes.fromhex(archive.read(_KEY).decode("ascii"))
            tables = {table.name: table for table in _tables(database)}
            unknown = sorted(set(saved.rows) - set(tables))
            if unknown:
                raise BackupError(f"{file} : table inconnue de cette version : {unknown[0]}")
            with database.transaction() as connection:
                _check_empty(connection, tables)
                _read_all(connection, archive, saved, digests, tables, dry_run=dry_run, told=told)
                if not dry_run and connection.dialect.name == "postgresql":
                    _number_on(connection, tables)
    except (OSError, BadZipFile, KeyError, ValueError, EOFError) as error:
        raise BackupError(f"{file} : sauvegarde illisible ({error})") from None
    return saved, key


def _manifest(archive: ZipFile, file: Path) -> tuple[Saved, dict[str, str]]:
    manifest = json.loads(archive.read(_MANIFEST))
    if manifest.get("format") != _FORMAT:
        raise BackupError(f"{file} : format {manifest.get('format')!r} ; attendu {_FORMAT!r}")
    return Saved(utc=manifest["utc"], rows=manifest["rows"]), manifest["sha256"]


def _check_empty(connection: Connection, tables: dict[str, Table]) -> None:
    for table in tables.values():
        count = connection.execute(select(func.count()).select_from(table)).scalar_one()
        if count:
            raise BackupError(
                f"la base n'est pas vide ({count} ligne(s) dans {table.name}) : restaurer dans une "
                "base ou un dossier d'état neufs"
            )


def _read_all(
    connection: Connection,
    archive: ZipFile,
    saved: Saved,
    digests: dict[str, str],
    tables: dict[str, Table],
    *,
    dry_run: bool,
    told: Callable[[int], object],
) -> None:
    done = 0
    for name, expected in saved.rows.items():
        table, digest, count = tables[name], hashlib.sha256(), 0
        with archive.open(f"{name}.ndjson") as opened:
            while lines := list(islice(opened, _BATCH)):
                for line in lines:
                    digest.update(line)
                rows = [_loaded(table, line) for line in lines]
                if not dry_run:
                    connection.execute(insert(table), rows)
                count += len(lines)
                told(done + count)
        if count != expected or digest.hexdigest() != digests[name]:
            raise BackupError(
                f"{name} : {count} ligne(s) lues, {expected} annoncées, ou empreinte différente ; "
                "rien n'a été restauré"
            )
        done += count


def _number_on(connection: Connection, tables: dict[str, Table]) -> None:
    """PostgreSQL numbers rows by sequences, which inserted numbers do not move."""
    for table in tables.values():
        column = table.autoincrement_column
        if column is not None:
            connection.execute(
                text(
                    "SELECT setval(pg_get_serial_sequence(:name, :column), "
                    f"(SELECT coalesce(max({column.name}), 0) + 1 FROM {table.name}), false)"
                ),
                {"name": table.name, "column": column.name},
            )


def _tables(database: Database) -> list[Table]:
    return [table for schema in database.schemas for table in schema.sorted_tables]


def _rows(connection: Connection, table: Table) -> Iterator[Any]:
    statement = select(table).execution_options(yield_per=_BATCH)
    order = list(table.primary_key.columns)
    yield from connection.execute(statement.order_by(*order) if order else statement)


def _dumped(table: Table, row: Any) -> bytes:
    value = {
        column.name: b64encode(cell).decode("ascii")
        if isinstance(column.type, LargeBinary) and cell is not None
        else cell
        for column, cell in zip(table.columns, row, strict=True)
    }
    return json.dumps(value, separators=(",", ":")).encode() + b"\n"


def _loaded(table: Table, line: bytes) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(line)
    for column in table.columns:
        if isinstance(column.type, LargeBinary) and value[column.name] is not None:
            value[column.name] = b64decode(value[column.name])
    return value
