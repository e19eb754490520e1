"""What people read afterwards: administrator alerts and the audit trail.

The trail is a chain: each record carries a MAC of itself and of the one before it, and the last
one is noted apart. Whoever changes, removes, adds or reorders records without the key, which is
kept beside the database and not in it, breaks it where `SqlAudit.verify` says (DB.CS.08).
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import (
    Column,
    Connection,
    Float,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    func,
    insert,
    select,
    update,
)

from drimbox_ref.database import Database, from_epoch, insert_into, inserted, to_epoch

__all__ = [
    "SCHEMA",
    "Alert",
    "AuditEvent",
    "Chain",
    "Criteria",
    "Record",
    "SqlAlerts",
    "SqlAudit",
    "audit_key",
    "keep_key",
    "shown",
]


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
    """The professional on whose behalf it was done, "" when nobody is known."""
    patient: str = ""
    """The patient's matricule INS, "" when none is known."""
    peer: str = ""
    objects: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """An event as it was kept: its number in the chain, its time, and its MAC in hexadecimal."""

    number: int
    utc: datetime
    event: AuditEvent
    mac: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Criteria:
    """What to look for (DB.CS.10); what is empty does not restrict."""

    patient: str = ""
    professional: str = ""
    document: str = ""
    """Any identifier of an object: KOS, study, report, submission set, message."""
    event: str = ""
    since: datetime | None = None
    until: datetime | None = None
    failures: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """What the verification found: how many records, the last one's MAC, and what is broken."""

    count: int
    head: str
    breaks: tuple[str, ...]
    """One French sentence for each break, in the order of the chain; empty: intact."""

    @property
    def intact(self) -> bool:
        """Nothing was changed, removed, added or reordered."""
        return not self.breaks


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

_trail = Table(
    "audit_trail",
    SCHEMA,
    # Numbered by the chain, not by the database: a gap is a record that was removed.
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("utc", Float, nullable=False, index=True),
    Column("content", Text, nullable=False),
    Column("mac", Text, nullable=False),
)

_keys = Table(
    "audit_keys",
    SCHEMA,
    Column("id", Integer, primary_key=True),
    Column("record", Integer, nullable=False, index=True),
    Column("kind", Text, nullable=False),
    Column("value", Text, nullable=False),
    Index("audit_keys_by_value", "kind", "value"),
)

_head = Table(
    "audit_head",
    SCHEMA,
    Column("name", Text, primary_key=True),
    Column("last", Integer, nullable=False),
    Column("mac", Text, nullable=False),
)

_forwarded = Table(
    "audit_forwarded",
    SCHEMA,
    Column("name", Text, primary_key=True),
    Column("last", Integer, nullable=False),
)

_DOCUMENTS = frozenset({"kos", "document", "report", "study", "submissionSet", "message"})
_KEY = "audit.key"
_PAGE = 500
_BREAKS = 20
"""Breaks told one by one: after that many, the trail is worth nothing anyway."""


class SqlAlerts:
    """Alerts in the box's database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def raise_(self, alert: Alert, *, now: datetime) -> bool:
        """Keep an alert; False when the same one about the same thing is there already."""
        with self._database.transaction() as connection:
            statement = (
                insert_into(connection, _alerts)
                .values(
                    utc=to_epoch(now),
                    ban=alert.ban,
                    message=_storable(alert.message),
                    advice=alert.advice,
                    control_id=_storable(alert.control_id),
                    report=_storable(alert.report),
                    study_uid=alert.study_uid,
                )
                .on_conflict_do_nothing()
            )
            return inserted(connection, statement)

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
    """The audit trail in the box's database; nothing here changes or removes a record."""

    def __init__(self, database: Database, *, key: bytes) -> None:
        self._database = database
        self._key = key

    def record(self, event: AuditEvent, *, now: datetime) -> None:
        """Keep an event."""
        content = _written(event, now)
        with self._database.transaction() as connection:
            last = connection.execute(select(_head)).one_or_none()
            number = last.last + 1 if last else 1
            mac = self._mac(last.mac if last else "", number, content)
            connection.execute(
                insert(_trail).values(id=number, utc=to_epoch(now), content=content, mac=mac)
            )
            keys = [
                {"record": number, "kind": kind, "value": value} for kind, value in _keys_of(event)
            ]
            connection.execute(insert(_keys), keys)
            if last:
                connection.execute(update(_head).values(last=number, mac=mac))
            else:
                connection.execute(insert(_head).values(name="head", last=number, mac=mac))

    def everything(self, limit: int) -> tuple[Mapping[str, object], ...]:
        """The latest events, newest first."""
        return tuple(shown(record) for record in self.search(Criteria(), limit))

    def search(self, criteria: Criteria, limit: int) -> tuple[Record, ...]:
        """The latest events that meet all criteria, newest first."""
        statement = select(_trail).order_by(_trail.c.id.desc()).limit(limit)
        for kind, value in (
            ("patient", criteria.patient),
            ("professional", criteria.professional),
            ("document", criteria.document),
            ("event", criteria.event),
            ("outcome", "failure" if criteria.failures else ""),
        ):
            if value:
                found = select(_keys.c.record).where(_keys.c.kind == kind, _keys.c.value == value)
                statement = statement.where(_trail.c.id.in_(found))
        if criteria.since:
            statement = statement.where(_trail.c.utc >= to_epoch(criteria.since))
        if criteria.until:
            statement = statement.where(_trail.c.utc < to_epoch(criteria.until))
        with self._database.reading() as connection:
            return tuple(map(_read, connection.execute(statement).all()))

    def after(self, number: int, limit: int) -> tuple[Record, ...]:
        """The records that come after that one, oldest first."""
        statement = select(_trail).where(_trail.c.id > number).order_by(_trail.c.id).limit(limit)
        with self._database.reading() as connection:
            return tuple(map(_read, connection.execute(statement).all()))

    def forwarded(self) -> int:
        """The number of the last record that a repository was sent, 0 before any."""
        with self._database.reading() as connection:
            found = connection.execute(
                select(_forwarded.c.last).where(_forwarded.c.name == "syslog")
            ).scalar_one_or_none()
        return found or 0

    def note_forwarded(self, number: int) -> None:
        """The repository was sent the records up to that one."""
        with self._database.transaction() as connection:
            connection.execute(
                insert_into(connection, _forwarded)
                .values(name="syslog", last=number)
                .on_conflict_do_update(index_elements=[_forwarded.c.name], set_={"last": number})
            )

    def count(self) -> int:
        """How many records there are."""
        with self._database.reading() as connection:
            return connection.execute(select(func.count()).select_from(_trail)).scalar_one()

    def verify(
        self, *, anchor: tuple[int, str] | None = None, told: Callable[[int], object] | None = None
    ) -> Chain:
        """Walk the whole chain.

        `anchor` is the number and MAC of a record as they were noted elsewhere: what the database
        and its head together cannot show is that both went back to an older state. `told` hears
        how many records were read.
        """
        breaks: list[str] = []
        former, expected, seen = "", 1, 0
        with self._database.reading() as connection:
            head = connection.execute(select(_head)).one_or_none()
            for row in _rows(connection):
                if row.id != expected:
                    breaks.append(f"enregistrements {expected} à {row.id - 1} : absents")
                if not hmac.compare_digest(self._mac(former, row.id, row.content), row.mac):
                    breaks.append(f"enregistrement {row.id} : modifié, ou son voisin avant lui")
                elif why := _incoherent(connection, row):
                    breaks.append(f"enregistrement {row.id} : {why}")
                if anchor and anchor[0] == row.id and anchor[1] != row.mac:
                    breaks.append(f"enregistrement {row.id} : n'est pas celui qui a été noté")
                former, expected, seen = row.mac, row.id + 1, seen + 1
                if told and seen % _PAGE == 0:
                    told(seen)
                if len(breaks) >= _BREAKS:
                    breaks.append("… vérification arrêtée là")
                    return Chain(count=seen, head=former, breaks=tuple(breaks))
        if head is None and seen:
            breaks.append("la tête de chaîne est absente")
        elif head is not None and (head.last, head.mac) != (expected - 1, former):
            breaks.append(
                f"la tête de chaîne annonce {head.last} enregistrement(s), le dernier lu est le "
                f"numéro {expected - 1}"
            )
        if anchor and anchor[0] >= expected:
            breaks.append(f"l'enregistrement {anchor[0]}, qui avait été noté, est absent")
        if told:
            told(seen)
        return Chain(count=seen, head=former, breaks=tuple(breaks))

    def _mac(self, former: str, number: int, content: str) -> str:
        message = f"{former}\n{number}\n{content}".encode()
        return hmac.new(self._key, message, hashlib.sha256).hexdigest()


def audit_key(state: Path) -> bytes:
    """The key of the chain: `audit.key` of the state directory, made on first use, for its owner
    alone.

    Raises:
        OSError: it can neither be read nor be made.
    """
    file = state / _KEY
    if not file.exists():
        scratch = _written_key(state, secrets.token_bytes(32))
        try:
            # A link, not a move: of two processes that start together one makes the key.
            os.link(scratch, file)
        except FileExistsError:
            pass
        finally:
            scratch.unlink(missing_ok=True)
    return bytes.fromhex(file.read_text(encoding="ascii"))


def keep_key(state: Path, key: bytes) -> None:
    """Put the key of a restored trail in its place; the one that was there protected nothing.

    Raises:
        OSError: it cannot be written.
    """
    _written_key(state, key).replace(state / _KEY)


def _written_key(state: Path, key: bytes) -> Path:
    """The key on disk under another name."""
    state.mkdir(parents=True, exist_ok=True)
    scratch = state / f"{_KEY}.{os.getpid()}.tmp"
    descriptor = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as opened:
        opened.write(key.hex())
        opened.flush()
        os.fsync(opened.fileno())
    return scratch


def shown(record: Record) -> Mapping[str, object]:
    """A record as the administration API and the command line write it."""
    event = record.event
    return {
        "id": record.number,
        "utc": record.utc.isoformat(),
        "event": event.event,
        "EventOutcomeIndicator": event.outcome,
        "EventOutcomeDescription": event.description,
        "subject": event.subject,
        "patient": event.patient,
        "peer": event.peer,
        "objects": dict(event.objects),
        "mac": record.mac,
    }


def _written(event: AuditEvent, now: datetime) -> str:
    value = {
        "utc": now.isoformat(),
        "event": event.event,
        "outcome": event.outcome,
        "description": event.description,
        "subject": event.subject,
        "patient": event.patient,
        "peer": event.peer,
        "objects": dict(event.objects),
    }
    # JSON in ASCII: control characters of a peer forge no line, and PostgreSQL takes no NUL.
    return json.dumps(value, separators=(",", ":"))


def _read(row: Any) -> Record:
    value = json.loads(row.content)
    return Record(
        number=row.id,
        utc=datetime.fromisoformat(value["utc"]),
        event=AuditEvent(
            event=value["event"],
            outcome=value["outcome"],
            description=value["description"],
            subject=value["subject"],
            patient=value["patient"],
            peer=value["peer"],
            objects=value["objects"],
        ),
        mac=row.mac,
    )


def _keys_of(event: AuditEvent) -> set[tuple[str, str]]:
    """By what a record is found."""
    found = {
        ("event", event.event),
        ("outcome", "failure" if event.outcome else "success"),
        ("professional", event.subject),
        ("patient", event.patient),
    }
    for name, value in event.objects.items():
        if name in _DOCUMENTS:
            found |= {("document", one) for one in value.split(", ")}
        elif name == "path":
            found |= {("document", step) for step in value.split("/") if "." in step}
    return {(kind, _storable(value)) for kind, value in found if value}


def _incoherent(connection: Connection, row: Any) -> str:
    """Why what a record is found by does not agree with what it says, or ""."""
    record = _read(row)
    if from_epoch(row.utc) != record.utc:
        return "son heure de recherche a été modifiée"
    found = connection.execute(
        select(_keys.c.kind, _keys.c.value).where(_keys.c.record == row.id)
    ).all()
    if {(kind, value) for kind, value in found} != _keys_of(record.event):
        return "ses clés de recherche ont été modifiées"
    return ""


def _rows(connection: Connection) -> Iterator[Any]:
    after = 0
    while True:
        rows = connection.execute(
            select(_trail).where(_trail.c.id > after).order_by(_trail.c.id).limit(_PAGE)
        ).all()
        if not rows:
            return
        yield from rows
        after = rows[-1].id


def _storable(text: str) -> str:
    """PostgreSQL's text takes no NUL."""
    return text.replace("\0", "\ufffd")
