"""The journal's pen: one append-only NDJSON shard per process, blobs by SHA-256 beside it.

A shard is written with one `write` per line, so that a process killed at any moment leaves at
worst one torn last line. Reading, merging and judging belong to `bench.journal`.
"""

from __future__ import annotations

import atexit
import hashlib
import itertools
import json
import os
import queue
import threading
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

from wire.exchange import Exchange, Part, Payload, Reach, TlsInfo, stamp

__all__ = ["BlobStore", "Shard"]

_LONGEST_QUEUE = 10_000
"""Lines that may wait for the disk: beyond, who records waits too."""


class BlobStore:
    """Content-addressed files: `blobs/ab/ab12...`, written once, never changed."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def path(self, digest: str) -> Path:
        """Where the blob of that SHA-256 (lower-case hex) is, or would be."""
        return self.directory / digest[:2] / digest

    def put(self, data: bytes) -> str:
        """Keep `data` and return its SHA-256 in lower-case hex."""
        digest = hashlib.sha256(data).hexdigest()
        target = self.path(digest)
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            scratch = target.with_name(f".{digest}.{os.getpid()}.{threading.get_ident()}")
            scratch.write_bytes(data)
            scratch.replace(target)
        return digest

    def get(self, digest: str) -> bytes:
        """The bytes of a blob.

        Raises:
            FileNotFoundError: no such blob in this run.
        """
        return self.path(digest).read_bytes()


class Shard:
    """The part of a run's journal that this process writes. Safe from any thread.

    No other process, not even an earlier one of the same number, writes in the same file.
    Lines are numbered when asked for and written by a thread of their own, in that order, blobs
    before the line that names them: recording never makes a service wait for the disk. `close`
    writes all that is left. `path` is the file.
    """

    def __init__(self, run: Path, name: str) -> None:
        self.run = run
        self.name = name
        self.blobs = BlobStore(run / "blobs")
        shards = run / "journal"
        shards.mkdir(parents=True, exist_ok=True)
        self._fd, self.path = _new_file(shards, f"{name}-{os.getpid()}")
        self._serial = itertools.count(1)
        self._order = threading.Lock()
        self._waiting: queue.Queue[Callable[[], bytes] | None] = queue.Queue(_LONGEST_QUEUE)
        self._writer = threading.Thread(target=self._write_all, name=f"journal-{name}", daemon=True)
        self._trouble: Exception | None = None
        self._writer.start()
        atexit.register(self.flush)

    def write(self, type: str, **fields: Any) -> str:
        """Append one event and return its id (unique in the run).

        Raises:
            Exception: what kept an earlier line from being written.
        """
        return self._append(type, lambda: fields)

    def observe(self, exchange: Exchange) -> None:
        """Append an exchange, its bodies as blobs: an `Observe`."""
        self.record(exchange)

    def record(self, exchange: Exchange) -> str:
        """Append an exchange and return the event's id. Raises as `write`."""
        return self._append("exchange", lambda: self._fields(exchange))

    def flush(self) -> None:
        """Return once everything appended so far is in the file."""
        self._waiting.join()

    def close(self) -> None:
        """Write what is left and close the file. Nothing can be written afterwards."""
        atexit.unregister(self.flush)
        self._waiting.put(None)
        self._writer.join()
        os.close(self._fd)

    def _append(self, type: str, fields: Callable[[], dict[str, Any]]) -> str:
        if self._trouble is not None:
            raise self._trouble
        with self._order:
            utc, mono = stamp()
            event_id = f"{self.path.stem}-{next(self._serial)}"
            head = {"id": event_id, "type": type, "utc": _iso(utc), "mono": mono}
            self._waiting.put(lambda: _line({**head, **fields()}))
        return event_id

    def _write_all(self) -> None:
        while (make := self._waiting.get()) is not None:
            try:
                os.write(self._fd, make())
            except Exception as error:  # told to the next who writes: a journal is never half kept
                self._trouble = error
            finally:
                self._waiting.task_done()
        self._waiting.task_done()

    def _fields(self, exchange: Exchange) -> dict[str, Any]:
        return {
            "protocol": exchange.protocol,
            "actor": exchange.actor,
            "peer": exchange.peer,
            "direction": exchange.direction.value,
            "outcome": exchange.outcome.value,
            "connection": exchange.connection,
            "started": _iso(exchange.utc),
            "mono_start": exchange.mono_start,
            "mono_end": exchange.mono_end,
            "transaction": exchange.transaction,
            "detail": exchange.detail,
            "reason": exchange.reason,
            "keys": list(exchange.keys),
            "request": self._payload(exchange.request),
            "response": self._payload(exchange.response),
            "tls": self._tls(exchange.tls),
            "reach": self._reach(exchange.reach),
        }

    def _reach(self, reach: Reach | None) -> dict[str, str] | None:
        """Files of the run as seen from its folder, which may move; others as they are."""
        if reach is None:
            return None
        fields = asdict(reach)
        for name in ("trust", "certificate", "key"):
            if fields[name] and Path(fields[name]).is_relative_to(self.run):
                fields[name] = Path(fields[name]).relative_to(self.run).as_posix()
        return fields

    def _payload(self, payload: Payload | None) -> dict[str, Any] | None:
        if payload is None:
            return None
        return {
            "start_line": payload.start_line,
            "head": [list(pair) for pair in payload.head],
            "blob": self.blobs.put(payload.body) if payload.body else None,
            "size": payload.size,
            "sha256": payload.sha256,
            "truncated": payload.truncated,
            "parts": [self._part(part) for part in payload.parts],
        }

    def _part(self, part: Part) -> dict[str, Any]:
        return {
            "headers": [list(pair) for pair in part.headers],
            "size": part.size,
            "sha256": part.sha256,
            "head": self.blobs.put(part.head) if part.head else None,
            "mono": part.mono,
        }

    def _tls(self, tls: TlsInfo | None) -> dict[str, Any] | None:
        if tls is None:
            return None
        return {
            "version": tls.version,
            "cipher": tls.cipher,
            "peer_chain": [self.blobs.put(der) for der in tls.peer_chain],
            "server_name": tls.server_name,
            "reason": tls.reason,
        }


def _new_file(folder: Path, stem: str) -> tuple[int, Path]:
    for rank in itertools.count(1):
        path = folder / (f"{stem}.ndjson" if rank == 1 else f"{stem}-{rank}.ndjson")
        try:
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND
            return os.open(path, flags, 0o644), path
        except FileExistsError:
            continue
    raise AssertionError("unreachable")


def _line(event: dict[str, Any]) -> bytes:
    return (json.dumps(event, ensure_ascii=False, separators=(",", ":")) + "\n").encode()


def _iso(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
