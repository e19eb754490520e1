"""The tables of a Source's state file: inbox, outbox, archive."""

from __future__ import annotations

from sqlalchemy import Column, Float, Integer, LargeBinary, MetaData, Table, Text, UniqueConstraint

__all__ = [
    "SCHEMA",
    "archive",
    "archive_reports",
    "archive_states",
    "inbox",
    "outbox",
    "versions",
    "walks",
]

SCHEMA = MetaData()

inbox = Table(
    "inbox",
    SCHEMA,
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
    SCHEMA,
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
    SCHEMA,
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
    SCHEMA,
    Column("kos_uid", Text, nullable=False),
    Column("report", Text, nullable=False),
    UniqueConstraint("kos_uid", "report"),
)

archive_states = Table(
    "archive_states",
    SCHEMA,
    Column("id", Integer, primary_key=True),
    Column("kos_uid", Text, nullable=False),
    Column("study_uid", Text, nullable=False, index=True),
    Column("state", Text, nullable=False),
    Column("utc", Float, nullable=False),
)

versions = Table(
    "versions",
    SCHEMA,
    Column("inbox_id", Integer, nullable=False),
    Column("study_uid", Text, nullable=False, index=True),
    Column("set_id", Text, nullable=False, index=True),
    Column("version", Integer, nullable=False),
    Column("withdrawn", Integer, nullable=False),
    Column("sent", Text, nullable=False),
    UniqueConstraint("inbox_id", "study_uid"),
)

walks = Table(
    "walks",
    SCHEMA,
    Column("name", Text, primary_key=True),
    Column("begun", Text, nullable=False),
    Column("after", Integer, nullable=False),
)
