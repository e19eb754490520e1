"""What the DMP keeps, in SQLite: patients, authorisations, entries, documents, associations.

Synchronous SQLAlchemy Core: asyncio code calls it in a thread. One writer at a time (`BEGIN
IMMEDIATE`); a submission is one transaction, on disk before it is answered.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from sqlalchemy import (
    Column,
    Connection,
    Engine,
    Integer,
    LargeBinary,
    MetaData,
    Row,
    String,
    Table,
    Text,
    create_engine,
    event,
    insert,
    select,
    update,
)

from protocols import ebrim
from protocols.ebrim import Association, DocumentEntry, Slot, SubmissionSet
from protocols.hl7types import CX
from protocols.xml import parse, serialize
from simulators.dmp.patients import DmpState, Patient
from spec.dmp import Authorisation
from spec.vihf import ModeAcces

__all__ = ["Session", "Store", "Stored"]

_METADATA = MetaData()
_PATIENTS = Table(
    "patients",
    _METADATA,
    Column("oid", String, primary_key=True),
    Column("matricule", String, primary_key=True),
    Column("fields", Text, nullable=False),
)
_AUTHORISATIONS = Table(
    "authorisations",
    _METADATA,
    Column("oid", String, primary_key=True),
    Column("matricule", String, primary_key=True),
    Column("structure", String, primary_key=True),
    Column("status", String, nullable=False),
)
_ENTRIES = Table(
    "entries",
    _METADATA,
    Column("number", Integer, primary_key=True),
    Column("id", String, nullable=False, unique=True),
    Column("unique_id", String, nullable=False, unique=True),
    Column("oid", String, nullable=False),
    Column("matricule", String, nullable=False, index=True),
    Column("status", String, nullable=False),
    Column("metadata", LargeBinary, nullable=False),
)
_DOCUMENTS = Table(
    "documents",
    _METADATA,
    Column("unique_id", String, primary_key=True),
    Column("content", LargeBinary, nullable=False),
)
_SETS = Table(
    "submission_sets",
    _METADATA,
    Column("id", String, primary_key=True),
    Column("unique_id", String, nullable=False, unique=True),
    Column("metadata", LargeBinary, nullable=False),
)
_ASSOCIATIONS = Table(
    "associations",
    _METADATA,
    Column("id", String, primary_key=True),
    Column("type", String, nullable=False),
    Column("source", String, nullable=False, index=True),
    Column("target", String, nullable=False, index=True),
    Column("slots", Text, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Stored:
    """One entry as it stands now, status included, and its document."""

    entry: DocumentEntry
    content: bytes


class Store:
    """The database. Safe from any thread.

    Raises:
        sqlalchemy.exc.OperationalError: the file cannot be opened or is not a database.
    """

    def __init__(self, path: Path) -> None:
        self._engine = _engine(path)
        _METADATA.create_all(self._engine)

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A consistent view, nothing kept."""
        with self._engine.connect() as connection:
            yield Session(connection)

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """A transaction, committed at the end, undone by an exception."""
        with self._engine.execution_options(writing=True).begin() as connection:
            yield Session(connection)

    def close(self) -> None:
        """Release the file."""
        self._engine.dispose()


def _engine(path: Path) -> Engine:
    engine = create_engine(f"sqlite:///{path}", connect_args={"timeout": 30})

    # The driver would begin deferred transactions by itself, and only before writing: take that
    # over, so that checks and insertions of one submission see one state.
    @event.listens_for(engine, "connect")
    def _connect(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        writing = connection.get_execution_options().get("writing", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")

    return engine


class Session:
    """Reading and writing inside one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    # Patients

    def patient(self, identity: CX) -> Patient | None:
        """The patient of an INS."""
        row = self._connection.execute(
            select(_PATIENTS).where(
                _PATIENTS.c.oid == _oid(identity), _PATIENTS.c.matricule == identity.id
            )
        ).first()
        return None if row is None else _patient(row)

    def patients(self) -> tuple[Patient, ...]:
        """Everybody, in the order added."""
        return tuple(_patient(row) for row in self._connection.execute(select(_PATIENTS)))

    def put_patient(self, patient: Patient) -> None:
        """Add a patient, or change the one of that INS."""
        values = {"oid": patient.oid, "matricule": patient.matricule, "fields": _fields(patient)}
        statement = insert(_PATIENTS).prefix_with("OR REPLACE")
        self._connection.execute(statement, values)

    def has_patients(self) -> bool:
        """Whether the database was filled before."""
        return self._connection.execute(select(_PATIENTS.c.oid).limit(1)).first() is not None

    def authorisation(self, patient: Patient, structure: str) -> Authorisation:
        """What the professionals of a structure may, after TD0.3 if there was one."""
        row = self._connection.execute(
            select(_AUTHORISATIONS.c.status).where(
                _AUTHORISATIONS.c.oid == patient.oid,
                _AUTHORISATIONS.c.matricule == patient.matricule,
                _AUTHORISATIONS.c.structure == structure,
            )
        ).first()
        return patient.authorisation if row is None else Authorisation(row.status)

    def authorise(self, patient: Patient, structure: str, status: Authorisation) -> None:
        """Keep the outcome of TD0.3."""
        values = {
            "oid": patient.oid,
            "matricule": patient.matricule,
            "structure": structure,
            "status": status.value,
        }
        self._connection.execute(insert(_AUTHORISATIONS).prefix_with("OR REPLACE"), values)

    # Entries and documents

    def entry(self, entry_id: str) -> DocumentEntry | None:
        """The entry of an entryUUID."""
        return self._entry(_ENTRIES.c.id == entry_id)

    def entry_of_document(self, unique_id: str) -> DocumentEntry | None:
        """The entry of a uniqueId."""
        return self._entry(_ENTRIES.c.unique_id == unique_id)

    def entries(self, patient: CX | None = None) -> tuple[DocumentEntry, ...]:
        """All entries of a patient, or of everybody, oldest first."""
        statement = select(_ENTRIES).order_by(_ENTRIES.c.number)
        if patient is not None:
            statement = statement.where(
                _ENTRIES.c.oid == _oid(patient), _ENTRIES.c.matricule == patient.id
            )
        return tuple(_read_entry(row) for row in self._connection.execute(statement))

    def content(self, unique_id: str) -> bytes | None:
        """The bytes of a document."""
        row = self._connection.execute(
            select(_DOCUMENTS.c.content).where(_DOCUMENTS.c.unique_id == unique_id)
        ).first()
        return None if row is None else bytes(row.content)

    def set_known(self, unique_id: str) -> bool:
        """Whether a SubmissionSet has that uniqueId."""
        statement = select(_SETS.c.id).where(_SETS.c.unique_id == unique_id)
        return self._connection.execute(statement).first() is not None

    def associations(self, object_ids: Iterable[str]) -> tuple[Association, ...]:
        """The associations from or to any of these objects."""
        ids = list(object_ids)
        statement = select(_ASSOCIATIONS).where(
            _ASSOCIATIONS.c.source.in_(ids) | _ASSOCIATIONS.c.target.in_(ids)
        )
        return tuple(
            Association(
                id=row.id,
                type=row.type,
                source=row.source,
                target=row.target,
                slots=tuple(Slot(name, tuple(values)) for name, values in json.loads(row.slots)),
            )
            for row in self._connection.execute(statement)
        )

    def add_entry(self, entry: DocumentEntry, patient: CX, content: bytes) -> None:
        """Register an entry and keep its document."""
        self._connection.execute(
            insert(_ENTRIES),
            {
                "id": entry.id,
                "unique_id": entry.unique_id,
                "oid": _oid(patient),
                "matricule": patient.id,
                "status": entry.status,
                "metadata": _written(entry),
            },
        )
        self._connection.execute(
            insert(_DOCUMENTS), {"unique_id": entry.unique_id, "content": content}
        )

    def add_set(self, submission_set: SubmissionSet) -> None:
        """Register a SubmissionSet."""
        self._connection.execute(
            insert(_SETS),
            {
                "id": submission_set.id,
                "unique_id": submission_set.unique_id,
                "metadata": serialize(ebrim.build_submit(submission_set)),
            },
        )

    def add_association(self, association: Association) -> None:
        """Register an association."""
        self._connection.execute(
            insert(_ASSOCIATIONS),
            {
                "id": association.id,
                "type": association.type,
                "source": association.source,
                "target": association.target,
                "slots": json.dumps([[slot.name, slot.values] for slot in association.slots]),
            },
        )

    def revise_entry(self, entry_id: str, entry: DocumentEntry) -> None:
        """Put another version of its metadata in place of an entry; its status stays."""
        self._connection.execute(
            update(_ENTRIES)
            .where(_ENTRIES.c.id == entry_id)
            .values(id=entry.id, metadata=_written(entry))
        )

    def set_status(self, entry_id: str, status: str) -> None:
        """Change the availabilityStatus of an entry."""
        self._connection.execute(
            update(_ENTRIES).where(_ENTRIES.c.id == entry_id).values(status=status)
        )

    def _entry(self, condition: Any) -> DocumentEntry | None:
        row = self._connection.execute(select(_ENTRIES).where(condition)).first()
        return None if row is None else _read_entry(row)


def _oid(identity: CX) -> str:
    return "" if identity.authority is None else identity.authority.universal_id


def _written(entry: DocumentEntry) -> bytes:
    return serialize(ebrim.build_query_response(ebrim.QueryResponse(entries=(entry,))))


def _read_entry(row: Row[Any]) -> DocumentEntry:
    return replace(_described(row.metadata), status=row.status)


@lru_cache(maxsize=1024)
def _described(metadata: bytes) -> DocumentEntry:
    """Read once, not at each query: whoever waits for a document asks again and again."""
    (entry,) = ebrim.parse_query_response(parse(metadata)).entries
    return entry


def _fields(patient: Patient) -> str:
    return json.dumps(
        {
            "family": patient.family,
            "given": patient.given,
            "birth_date": patient.birth_date,
            "gender": patient.gender,
            "state": patient.state,
            "authorisation": patient.authorisation,
            "refuses": patient.refuses,
            "opposed_to": sorted(patient.opposed_to),
            "treating_physician": patient.treating_physician,
            "internet_account": patient.internet_account,
            "ens": patient.ens,
        }
    )


def _patient(row: Row[Any]) -> Patient:
    fields = json.loads(row.fields)
    return Patient(
        matricule=row.matricule,
        oid=row.oid,
        **fields
        | {
            "state": DmpState(fields["state"]),
            "authorisation": Authorisation(fields["authorisation"]),
            "opposed_to": frozenset(ModeAcces(mode) for mode in fields["opposed_to"]),
        },
    )
