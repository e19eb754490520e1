"""What is kept of an HTTP body while it passes: all of a message, the outline of images.

A recorder counts and hashes every byte and holds a bounded number of them, so that gigabytes
can stream through it. Text and MTOM bodies are kept whole; a `multipart/related` of DICOM parts
is kept as one summary per part: its headers, size, digest and first bytes (a data set's header).
"""

from __future__ import annotations

import functools
import hashlib
import time
from collections.abc import Iterable

from protocols.errors import RemoteProtocolError
from protocols.multipart import (
    Parser,
    PartBegin,
    PartData,
    PartEnd,
    boundary_of,
    parse_content_type,
)
from wire.exchange import Part, Payload

__all__ = ["IMAGE_BODY_BYTES", "KEPT_BYTES", "MESSAGE_BYTES", "PART_HEAD_BYTES", "BodyRecorder"]

KEPT_BYTES = 4 * 1024 * 1024
"""Bytes kept of a body of no particular type."""
MESSAGE_BYTES = 32 * 1024 * 1024
"""Bytes kept of a JSON, XML or MTOM body: a submission with a large report passes whole."""
IMAGE_BODY_BYTES = 4 * 1024
"""Bytes kept of a body of images, beside its parts: enough to see how it is framed."""
PART_HEAD_BYTES = 16 * 1024
"""Bytes kept of each image part."""
_MAX_PARTS = 100_000


class BodyRecorder:
    """Sees one body pass and tells what it was."""

    __slots__ = ("_chunks", "_hash", "_kept", "_limit", "_parts", "_size")

    def __init__(self, content_type: str | None) -> None:
        self._hash = hashlib.sha256()
        self._size = 0
        self._chunks: list[bytes] = []
        self._kept = 0
        self._limit, boundary = _policy(content_type)
        self._parts = _PartRecorder(boundary) if boundary else None

    @property
    def size(self) -> int:
        """Bytes seen so far."""
        return self._size

    def feed(self, chunk: bytes) -> None:
        """One more piece of the body."""
        if not chunk:
            return
        self._hash.update(chunk)
        self._size += len(chunk)
        if self._kept < self._limit:
            kept = chunk[: self._limit - self._kept]
            self._chunks.append(kept)
            self._kept += len(kept)
        if self._parts is not None:
            self._parts.feed(chunk)

    def payload(
        self, *, start_line: str, head: Iterable[tuple[str, str]], incomplete: bool = False
    ) -> Payload:
        """The payload of what passed; `incomplete` says that the body was cut or not read."""
        return Payload(
            start_line=start_line,
            head=tuple(head),
            body=b"".join(self._chunks),
            size=self._size,
            sha256=self._hash.hexdigest(),
            parts=self._parts.parts() if self._parts is not None else (),
            truncated=incomplete or self._kept < self._size,
        )


class _PartRecorder:
    """The outline of a multipart body; stops, keeping what it has, where the syntax breaks."""

    __slots__ = ("_chunks", "_done", "_hash", "_headers", "_kept", "_parser", "_size")

    def __init__(self, boundary: str) -> None:
        self._parser: Parser | None = Parser(boundary)
        self._done: list[Part] = []
        self._headers: tuple[tuple[str, str], ...] | None = None
        self._hash = hashlib.sha256()
        self._size = 0
        self._kept = 0
        self._chunks: list[bytes] = []

    def feed(self, chunk: bytes) -> None:
        if self._parser is None:
            return
        try:
            events = self._parser.feed(chunk)
        except RemoteProtocolError:
            # Judging the syntax is a validator's work; the body's beginning and digest remain.
            self._parser = None
            return
        for event in events:
            if isinstance(event, PartData):
                self._hash.update(event.data)
                self._size += len(event.data)
                if self._kept < PART_HEAD_BYTES:
                    kept = event.data[: PART_HEAD_BYTES - self._kept]
                    self._chunks.append(kept)
                    self._kept += len(kept)
            elif isinstance(event, PartBegin):
                self._headers = event.headers
            elif isinstance(event, PartEnd):
                self._close()
        if len(self._done) >= _MAX_PARTS:
            self._parser = None

    def parts(self) -> tuple[Part, ...]:
        if self._headers is not None:
            self._close()  # cut in the middle of a part: what came of it counts
        return tuple(self._done)

    def _close(self) -> None:
        self._done.append(
            Part(
                headers=self._headers or (),
                size=self._size,
                sha256=self._hash.hexdigest(),
                head=b"".join(self._chunks),
                mono=time.monotonic(),
            )
        )
        self._headers = None
        self._hash = hashlib.sha256()
        self._size = 0
        self._kept = 0
        self._chunks = []


@functools.lru_cache(maxsize=256)
def _policy(content_type: str | None) -> tuple[int, str]:
    """How many bytes to keep of a body of that type, and the boundary of images to outline."""
    if not content_type:
        return KEPT_BYTES, ""
    try:
        kind, parameters = parse_content_type(content_type)
        if kind == "multipart/related" and _is_image(parameters.get("type", "")):
            return IMAGE_BODY_BYTES, boundary_of(content_type)
    except RemoteProtocolError:
        return KEPT_BYTES, ""
    message = kind.startswith("multipart/") or kind.endswith(("json", "xml"))
    return (MESSAGE_BYTES if message else KEPT_BYTES), ""


def _is_image(kind: str) -> bool:
    kind = kind.lower()
    return kind.startswith("image/") or kind in ("application/dicom", "application/octet-stream")
