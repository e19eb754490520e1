"""What a person adds to a run once it was played: decisions on its evidence, files of proof.

Both are more lines of the journal, in shards of their own: nothing that was recorded changes, and
the last decision on a step is the one that counts.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from bench.errors import BenchError
from bench.journal import Event, ShardTail
from bench.packed import refuse_if_packed
from wire.shard import Shard

__all__ = [
    "ATTACHMENT",
    "DECISION",
    "MAX_ATTACHMENT",
    "Attachment",
    "Decision",
    "attach",
    "attachments",
    "decide",
    "decisions",
]

ATTACHMENT, DECISION = "attachment", "decision"

MAX_ATTACHMENT = 512 * 1024 * 1024
"""Bytes of a file of proof: a screen recorded for some minutes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What a person decided on one step, having looked at its evidence."""

    scenario: str
    step: int
    conform: bool
    by: str
    comment: str
    utc: datetime

    @property
    def told(self) -> str:
        """One French line for a report."""
        word = "conforme" if self.conform else "non conforme"
        said = f" : {self.comment}" if self.comment else ""
        return f"jugé {word} par {self.by} le {self.utc:%d/%m/%Y à %H:%M} UTC{said}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A file that a person gave as proof; its bytes are a blob of the run."""

    proof: str
    """What it proves: a proof or a requirement of the catalogue, or a scenario of the run."""
    name: str
    """The file's own name, without folder."""
    size: int
    sha256: str
    by: str
    utc: datetime


def decide(run: Path, scenario: str, step: int, *, conform: bool, by: str, comment: str) -> None:
    """Write a decision.

    Raises:
        BenchError: nobody decides, a refusal without a word, or a run sealed in a dossier.
    """
    refuse_if_packed(run, "décision")
    if not by.strip():
        raise BenchError("une décision porte le nom de qui la prend")
    if not conform and not comment.strip():
        raise BenchError("une décision de non-conformité se motive")
    _write(
        run,
        DECISION,
        scenario=scenario,
        step=step,
        conform=conform,
        by=by.strip(),
        comment=comment.strip(),
    )


def attach(run: Path, proof: str, file: Path, *, by: str) -> Attachment:
    """Keep a file of proof.

    Raises:
        BenchError: it cannot be read, is empty or too large, or the run is sealed in a dossier.
    """
    refuse_if_packed(run, "fichier de preuve")
    try:
        size = file.stat().st_size
        if size > MAX_ATTACHMENT:
            raise BenchError(f"{file} : {size} octets, {MAX_ATTACHMENT} au plus")
        data = file.read_bytes()
    except OSError as error:
        raise BenchError(f"{file} : illisible ({error.strerror})") from None
    if not data:
        raise BenchError(f"{file} : vide")
    event = _write(run, ATTACHMENT, data=data, proof=proof, name=file.name, by=by.strip())
    return _attachment(event)


def decisions(events: Iterable[Event]) -> dict[tuple[str, int], Decision]:
    """The last decision on each (scenario, step)."""
    found: dict[tuple[str, int], Decision] = {}
    for event in sorted(events, key=lambda one: one.utc):
        fields = event.fields
        found[fields["scenario"], fields["step"]] = Decision(
            scenario=fields["scenario"],
            step=fields["step"],
            conform=fields["conform"],
            by=fields["by"],
            comment=fields["comment"],
            utc=event.utc,
        )
    return found


def attachments(events: Iterable[Event]) -> tuple[Attachment, ...]:
    """The files given, in the order of time."""
    return tuple(_attachment(event) for event in sorted(events, key=lambda one: one.utc))


def _attachment(event: Event) -> Attachment:
    fields = event.fields
    return Attachment(
        proof=fields["proof"],
        name=fields["name"],
        size=fields["size"],
        sha256=fields["sha256"],
        by=fields["by"],
        utc=event.utc,
    )


def _write(run: Path, type: str, *, data: bytes | None = None, **fields: object) -> Event:
    shard = Shard(run, f"personne-{uuid.uuid4().hex[:12]}")
    try:
        if data is not None:
            fields |= {"size": len(data), "sha256": shard.blobs.put(data)}
        shard.write(type, **fields)
    finally:
        shard.close()
    written = ShardTail(shard.path).read()
    if len(written) != 1:
        raise BenchError(f"{shard.path} : le journal n'a pas pu être écrit")
    return written[0]
