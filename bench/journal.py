"""Reading a run's journal: shards merged in time order, blobs resolved, torn ends noted."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from bench.errors import BenchError
from wire.exchange import Direction, Exchange, Outcome, Part, Payload, Reach, TlsInfo
from wire.shard import BlobStore

__all__ = ["Event", "Journal", "JournalError", "ShardTail"]


_ONE_BOOT_S = 30.0
_MONO = ("mono_start", "mono_end")


class JournalError(BenchError):
    """The directory is not a run, or a line of its journal is not one of ours."""


@dataclass(frozen=True, slots=True)
class Event:
    """One line of the journal."""

    id: str
    type: str
    utc: datetime
    mono: float
    fields: dict[str, Any]


class Journal:
    """A run's journal, read only.

    Args:
        run: the directory of the run, with `journal/*.ndjson` and `blobs/`.

    Raises:
        JournalError: no journal there.
    """

    def __init__(self, run: Path) -> None:
        self.run = run
        self.blobs = BlobStore(run / "blobs")
        self.notes: list[str] = []
        shards = sorted((run / "journal").glob("*.ndjson"))
        if not shards:
            raise JournalError(f"{run} : aucun journal (journal/*.ndjson) dans ce dossier")
        written: list[list[Event]] = []
        for shard in shards:
            tail = ShardTail(shard)
            written.append(tail.read())
            if tail.torn:
                self.notes.append(f"{shard.name} : dernière ligne incomplète, ignorée")
        self.events = sorted(_on_one_clock(written), key=lambda event: event.mono)

    def of(self, *types: str) -> Iterator[Event]:
        """The events of those types, in time order."""
        return (event for event in self.events if event.type in types)

    def exchange(self, event: Event) -> Exchange:
        """The exchange that an `exchange` event records, bodies read from their blobs."""
        return exchange_from(event.fields, self.blobs)


class ShardTail:
    """Reads a growing shard: each `read` returns the events completed since the last one."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.torn = False
        self._offset = 0
        self._line = 0

    def read(self) -> list[Event]:
        """New complete lines.

        Raises:
            JournalError: a complete line is not an event; names file and line.
        """
        if not self.path.exists():
            return []
        with self.path.open("rb") as shard:
            shard.seek(self._offset)
            data = shard.read()
        end = data.rfind(b"\n") + 1
        self.torn = end < len(data)
        self._offset += end
        return [self._event(line) for line in data[:end].splitlines()]

    def _event(self, line: bytes) -> Event:
        self._line += 1
        try:
            fields = json.loads(line)
            return Event(
                id=fields.pop("id"),
                type=fields.pop("type"),
                utc=_moment(fields.pop("utc")),
                mono=fields.pop("mono"),
                fields=fields,
            )
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise JournalError(
                f"{self.path}, ligne {self._line} : événement attendu, trouvé {line[:60]!r}"
            ) from error


def _on_one_clock(shards: list[list[Event]]) -> Iterator[Event]:
    """All events, their `mono` counted from the oldest shard's clock.

    `mono` starts again with the machine, and a run may be resumed after that. What separates two
    shards of one boot is at most a correction of the clock, and is left alone.
    """
    begun = sorted((shard for shard in shards if shard), key=lambda shard: shard[0].utc)
    if not begun:
        return
    origin = _boot(begun[0][0])
    for shard in begun:
        late = _boot(shard[0]) - origin
        if abs(late) < _ONE_BOOT_S:
            yield from shard
            continue
        for event in shard:
            moved = {key: event.fields[key] + late for key in _MONO if event.fields.get(key)}
            yield replace(event, mono=event.mono + late, fields={**event.fields, **moved})


def _boot(event: Event) -> float:
    """When `mono` was zero, in seconds since 1970."""
    return event.utc.timestamp() - event.mono


def exchange_from(fields: dict[str, Any], blobs: BlobStore) -> Exchange:
    """The inverse of `wire.shard.Shard.record`."""
    return Exchange(
        protocol=fields["protocol"],
        actor=fields["actor"],
        peer=fields["peer"],
        direction=Direction(fields["direction"]),
        outcome=Outcome(fields["outcome"]),
        connection=fields["connection"],
        utc=_moment(fields["started"]),
        mono_start=fields["mono_start"],
        mono_end=fields["mono_end"],
        transaction=fields["transaction"],
        detail=fields["detail"],
        reason=fields["reason"],
        keys=tuple(fields["keys"]),
        request=_payload(fields["request"], blobs),
        response=_payload(fields["response"], blobs),
        tls=_tls(fields["tls"], blobs),
        reach=Reach(**reach) if (reach := fields.get("reach")) else None,
    )


def _payload(fields: dict[str, Any] | None, blobs: BlobStore) -> Payload | None:
    if fields is None:
        return None
    return Payload(
        start_line=fields["start_line"],
        head=_pairs(fields["head"]),
        body=blobs.get(fields["blob"]) if fields["blob"] else b"",
        size=fields["size"],
        sha256=fields["sha256"],
        truncated=fields["truncated"],
        parts=tuple(
            Part(
                headers=_pairs(part["headers"]),
                size=part["size"],
                sha256=part["sha256"],
                head=blobs.get(part["head"]) if part["head"] else b"",
                mono=part.get("mono", 0.0),  # runs of before do not say it
            )
            for part in fields["parts"]
        ),
    )


def _tls(fields: dict[str, Any] | None, blobs: BlobStore) -> TlsInfo | None:
    if fields is None:
        return None
    return TlsInfo(
        version=fields["version"],
        cipher=fields["cipher"],
        peer_chain=tuple(blobs.get(digest) for digest in fields["peer_chain"]),
        server_name=fields["server_name"],
        reason=fields["reason"],
    )


def _pairs(pairs: list[list[str]]) -> tuple[tuple[str, str], ...]:
    return tuple((name, value) for name, value in pairs)


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
