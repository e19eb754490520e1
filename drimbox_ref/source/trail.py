"""What people read afterwards: administrator alerts and the audit trail."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import insert, select
from sqlalchemy.dialects.sqlite import insert as insert_once

from drimbox_ref.source.database import Database, alerts, audit, from_epoch, to_epoch
from drimbox_ref.source.values import Alert, AuditEvent

__all__ = ["SqlAlerts", "SqlAudit"]


class SqlAlerts:
    """`Alerts` in the state file."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def raise_(self, alert: Alert, *, now: datetime) -> bool:
        """Keep an alert; False when the same one about the same thing is there already."""
        statement = (
            insert_once(alerts)
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
        with self._database.transaction() as connection:
            rows = connection.execute(
                select(alerts).order_by(alerts.c.id.desc()).limit(limit)
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
    """`Audit` in the state file."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def record(self, event: AuditEvent, *, now: datetime) -> None:
        """Keep an event."""
        statement = insert(audit).values(
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
        with self._database.transaction() as connection:
            rows = connection.execute(select(audit).order_by(audit.c.id.desc()).limit(limit)).all()
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
