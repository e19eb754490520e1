"""The export queue on disk: what a restart goes on with, and what was exported already.

What concerns an export is in the database. The images that the PACS acknowledged are one line each
in a file of the export: a transaction per image would take longer than the C-STORE. Such a line
survives the end of the process, however it ends; if the machine itself stops, the last ones may be
missing and those images are stored again, which a PACS takes for what it is: the same instance.

Réf.: queue, DB.CO.78, exams exported already, DB.CO.79, default PACS, DB.CO.62, grade: draft.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import Column, Float, Integer, MetaData, Row, Table, Text, delete, select

from drimbox_ref.consumer.jobs import Job, JobState
from drimbox_ref.consumer.values import Call, Exam, Ins, Received, Use
from drimbox_ref.database import Database, from_epoch, insert_into, to_epoch
from protocols.ebrim import DocumentEntry

__all__ = ["SCHEMA", "SqlQueue"]

SCHEMA = MetaData()

_exports = Table(
    "exports",
    SCHEMA,
    Column("id", Text, primary_key=True),
    Column("owner", Text, nullable=False, index=True),
    Column("ins", Text, nullable=False, index=True),
    Column("ins_oid", Text, nullable=False),
    Column("destination", Text, nullable=False),
    Column("asked_for", Text, nullable=False),
    Column("state", Text, nullable=False, index=True),
    Column("fetched", Integer, nullable=False),
    Column("stored", Integer, nullable=False),
    Column("failure", Text, nullable=False),
    Column("message", Text, nullable=False),
    Column("began", Float, nullable=False),
    Column("ended", Float),
    Column("call", Text, nullable=False),
    Column("exam", Text, nullable=False),
)

_call = TypeAdapter(Call)
_exam = TypeAdapter(Exam)
_NO_ENTRY = DocumentEntry(id="")
_UNFINISHED = [state for state in JobState if state in ("waiting", "running", "suspended")]
_LIFE = timedelta(days=365)
"""How long it is remembered that an exam was exported."""


class SqlQueue:
    """`Queue` in the box's database and a directory of its own."""

    def __init__(self, database: Database, directory: Path) -> None:
        self._database = database
        self._directory = directory
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)

    def save(self, job: Job) -> None:
        """Durable when it returns. The images of an export that is over are forgotten."""
        row = {
            "id": job.id,
            "owner": job.owner,
            "ins": job.call.ins.value,
            "ins_oid": job.call.ins.oid,
            "destination": job.destination,
            "asked_for": job.use.value if job.use else "",
            "state": job.state.value,
            "fetched": job.fetched,
            "stored": job.stored,
            "failure": job.failure,
            "message": job.message,
            "began": to_epoch(job.began),
            "ended": to_epoch(job.ended) if job.ended else None,
            "call": _call.dump_json(job.call).decode(),
            "exam": _exam.dump_json(replace(job.exam, entry=_NO_ENTRY)).decode(),
        }
        with self._database.transaction() as connection:
            statement = insert_into(connection, _exports).values(row)
            connection.execute(
                statement.on_conflict_do_update(index_elements=["id"], set_=dict(row))
            )
        if job.state is JobState.DONE:
            self._file(job.id).unlink(missing_ok=True)

    def unfinished(self) -> tuple[Job, ...]:
        """What the former process was doing, in the order it was asked for."""
        return self._jobs(_exports.c.state.in_(_UNFINISHED), order=_exports.c.began)

    def of_patient(self, ins: Ins) -> tuple[Job, ...]:
        """Every export for this patient, whoever asked for it, the latest first."""
        return self._jobs(
            _exports.c.ins == ins.value,
            _exports.c.ins_oid == ins.oid,
            order=_exports.c.began.desc(),
        )

    def destination(self, owner: str) -> str:
        """Where this professional exported last, "" for the first time."""
        query = (
            select(_exports.c.destination)
            .where(_exports.c.owner == owner)
            .order_by(_exports.c.began.desc())
            .limit(1)
        )
        with self._database.reading() as connection:
            return connection.scalar(query) or ""

    def forget(self, *, now: datetime) -> None:
        """Drop exports that ended long ago, and the lines of exports that are no more."""
        with self._database.transaction() as connection:
            old = to_epoch(now - _LIFE)
            connection.execute(
                delete(_exports).where(_exports.c.began < old, _exports.c.state.not_in(_UNFINISHED))
            )
            known = set(connection.scalars(select(_exports.c.id)))
        for file in self._directory.iterdir():
            if file.name not in known:
                file.unlink()

    def stored(self, id: str) -> frozenset[str]:
        """The SOPInstanceUID of the images that the PACS acknowledged."""
        try:
            text = self._file(id).read_text(encoding="ascii")
        except FileNotFoundError:
            return frozenset()
        # A line without its end was being written when the process died.
        return frozenset(text.split("\n")[:-1])

    @contextmanager
    def storing(self, id: str) -> Iterator[Callable[[Received], None]]:
        """Give a function to call with each image that the PACS acknowledged."""
        with self._file(id).open("ab", buffering=0) as file:

            def note(image: Received) -> None:
                file.write(f"{image.sop_instance}\n".encode("ascii"))

            yield note

    def _file(self, id: str) -> Path:
        return self._directory / id

    def _jobs(self, *where: Any, order: Any) -> tuple[Job, ...]:
        with self._database.reading() as connection:
            rows = connection.execute(select(_exports).where(*where).order_by(order)).all()
        return tuple(map(_job, rows))


def _job(row: Row[Any]) -> Job:
    return Job(
        id=row.id,
        owner=row.owner,
        call=_call.validate_json(row.call),
        exam=_exam.validate_json(row.exam),
        destination=row.destination,
        use=Use(row.asked_for) if row.asked_for else None,
        began=from_epoch(row.began),
        ended=None if row.ended is None else from_epoch(row.ended),
        state=JobState(row.state),
        fetched=row.fetched,
        stored=row.stored,
        failure=row.failure,
        message=row.message,
    )
