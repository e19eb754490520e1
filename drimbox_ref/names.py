"""Time, and identifiers that are never minted twice, even by a restarted box."""

from __future__ import annotations

import hashlib
import uuid
from collections import deque
from datetime import UTC, datetime
from threading import Lock

from sqlalchemy import Column, Integer, MetaData, Table, Text

from drimbox_ref.database import Database, insert_into

__all__ = ["SCHEMA", "SeededUids", "SystemClock", "SystemUids"]

SCHEMA = MetaData()

_BLOCK = 64

_counters = Table(
    "counters",
    SCHEMA,
    Column("name", Text, primary_key=True),
    Column("value", Integer, nullable=False),
)


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Aware, UTC."""
        return datetime.now(UTC)


class SystemUids:
    """Random identifiers: `2.25.<UUID as integer>` (EX_2.1-1130) and version 4 UUIDs."""

    def oid(self) -> str:
        """A fresh OID."""
        return f"2.25.{uuid.uuid4().int}"

    def uuid(self) -> uuid.UUID:
        """A fresh UUID."""
        return uuid.uuid4()


class SeededUids:
    """Reproducible identifiers: the digest of a seed and of a counter kept on disk.

    The counter is what a seed alone lacks: a box that is killed and started again must not mint
    the same identifiers for other things. It goes by blocks: what is left of one when the box
    stops is lost, and an identifier rarely waits for the disk.
    """

    def __init__(self, database: Database, *, root: str, seed: int, name: str) -> None:
        self._database = database
        self._root = root
        self._seed = f"{seed}|{name}"
        self._lock = Lock()
        self._left: dict[str, deque[int]] = {}

    def oid(self) -> str:
        """A fresh OID under the installation's root, 64 characters at most."""
        number = int.from_bytes(self._digest("oid")[:12], "big")
        return f"{self._root}.{number}"[:64]

    def uuid(self) -> uuid.UUID:
        """A fresh UUID (version 4 layout)."""
        return uuid.UUID(bytes=self._digest("uuid")[:16], version=4)

    def _digest(self, kind: str) -> bytes:
        with self._lock:
            left = self._left.setdefault(kind, deque())
            if not left:
                left.extend(self._reserve(kind))
            value = left.popleft()
        return hashlib.sha256(f"{self._seed}|{kind}|{value}".encode()).digest()

    def _reserve(self, kind: str) -> range:
        """A block of numbers that nobody else takes."""
        with self._database.transaction() as connection:
            statement = (
                insert_into(connection, _counters)
                .values(name=kind, value=_BLOCK)
                .on_conflict_do_update(
                    index_elements=[_counters.c.name], set_={"value": _counters.c.value + _BLOCK}
                )
                .returning(_counters.c.value)
            )
            end: int = connection.execute(statement).scalar_one()
        return range(end - _BLOCK + 1, end + 1)
