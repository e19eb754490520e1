"""What people read afterwards: administrator alerts and the audit trail."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import (
    Column,
    Float,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    insert,
    select,
)
from sqlalchemy.dialects.sqlite import insert as insert_once

from drimbox_ref.database import Database, from_epoch, to_epoch

__all__ = ["SCHEMA", "Alert", "AuditEvent", "SqlAlerts", "SqlAudit"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """What the administrator must know (DB.SO.21). French."""

    ban: str
    message: str
    advice: str
    control_id: str = ""
    report: str = ""
    study_uid: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEvent:
    """One audit record (DB.SO.43 to .47, DB.CO.80 to .82).

    `outcome` is ATNA's EventOutcomeIndicator: 0 success, 4 minor failure, 8 serious failure.
    """

    event: str
    """`RAD-128` (report received), `ITI-41` (publication), `ITI-43` (images, documents)..."""
    outcome: int
    description: str
    """EventOutcomeDescription, French, "" on success."""
    subject: str = ""
    peer: str = ""
    objects: Mapping[str, str] = field(default_factory=dict)


SCHEMA = MetaData()

_alerts = Table(
    "alerts",
    SCHEMA,
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

_audit = Table(
    "audit",
    SCHEMA,
    Column("id", Integer, primary_key=True),
    Column("utc", Float, nullable=False),
    Column("event", Text, nullable=False),
    Column("outcome", Integer, nullable=False),
    Column("description", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("peer", Text, nullable=False),
    Column("objects", Text, nullable=False),
)


class SqlAlerts:
    """Alerts in the state file."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def raise_(self, alert: Alert, *, now: datetime) -> bool:
        """Keep an alert; False when the same one about the same thing is there already."""
        statement = (
            insert_once(_alerts)
            .values(
                utc=to_epoch(now),
                ban=alert.ban,
                message=alert.message,
                advice=alert.advice,
                control_id=alert.control_id,
                report=alert.report,
                study_uid=alert.study_uid,
            )
            .on_conflict_do_nothing()
        )
        with self._database.transaction() as connection:
            return connection.execute(statement).rowcount > 0

    def everything(self, limit: int) -> tuple[Mapping[str, object], ...]:
        """The latest alerts, newest first."""
        with self._database.reading() as connection:
            rows = connection.execute(
                select(_alerts).order_by(_alerts.c.id.desc()).limit(limit)
            ).all()
        return tuple(
            {
                "id": row.id,
                "utc": from_epoch(row.utc).isoformat(),
                "kind": row.ban,
                "message": row.message,
                "advice": row.advice,
                "control_id": row.control_id,
                "report": row.report,
                "study_uid": row.study_uid,
            }
            for row in rows
        )


class SqlAudit:
    """The audit trail in the state file."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def record(self, event: AuditEvent, *, now: datetime) -> None:
        """Keep an event."""
        statement = insert(_audit).values(
            utc=to_epoch(now),
            event=event.event,
            outcome=event.outcome,
            description=event.description,
            subject=event.subject,
            peer=event.peer,
            objects=json.dumps(dict(event.objects), ensure_ascii=False),
        )
        with self._database.transaction() as connection:
            connection.execute(statement)

    def everything(self, limit: int) -> tuple[Mapping[str, object], ...]:
        """The latest events, newest first."""
        with self._database.reading() as connection:
            rows = connection.execute(
                select(_audit).order_by(_audit.c.id.desc()).limit(limit)
            ).all()
        return tuple(
            {
                "id": row.id,
                "utc": from_epoch(row.utc).isoformat(),
                "event": row.event,
                "EventOutcomeIndicator": row.outcome,
                "EventOutcomeDescription": row.description,
                "subject": row.subject,
                "peer": row.peer,
                "objects": json.loads(row.objects),
            }
            for row in rows
        )
