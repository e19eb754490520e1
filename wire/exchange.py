"""The Exchange: one message on the wire, whatever the protocol and whatever became of it.

Every adapter of this room hands one `Exchange` to `observe` when the exchange is over. An
exchange is recorded as it was seen, raw bytes included; what it *means* is said by others (a
service labels the transaction, the bench attributes it to a scenario, a validator judges it).
"""

from __future__ import annotations

import hashlib
import itertools
import os
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum

__all__ = [
    "Direction",
    "Exchange",
    "Label",
    "Observe",
    "Outcome",
    "Part",
    "Payload",
    "Reach",
    "TlsInfo",
    "ignore",
    "new_connection_id",
    "stamp",
]


class Outcome(StrEnum):
    """What became of an exchange."""

    ANSWERED = "answered"
    REFUSED = "refused"
    """Nothing was exchanged: handshake, association or connection refused."""
    ABORTED = "aborted"
    """Begun and cut: reset, A-ABORT, half an answer."""
    TIMED_OUT = "timed-out"


class Direction(StrEnum):
    """Seen from the process that records."""

    IN = "in"
    """We are the server."""
    OUT = "out"
    """We are the client."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsInfo:
    """The TLS session of an exchange, or what was learnt before it failed.

    `peer_chain` holds DER certificates, leaf first, empty when the peer showed none. `reason` is
    the OpenSSL reason of a refusal (`TLSV1_ALERT_UNKNOWN_CA`...) or `closed` when the peer went
    away without saying why: a reason is never guessed.
    """

    version: str | None = None
    cipher: str | None = None
    peer_chain: tuple[bytes, ...] = ()
    server_name: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One part of a multipart body whose bytes were not kept."""

    headers: tuple[tuple[str, str], ...]
    size: int
    sha256: str
    head: bytes = b""
    """The beginning of the part: a DICOM header without its pixels."""
    mono: float = field(default=0.0, compare=False)
    """When its last byte passed, on the clock of the exchange; 0: not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Payload:
    """One direction of an exchange.

    `body` holds the whole body, or its beginning when `truncated`; `size` and `sha256` always
    describe the complete body, counted while it passed.
    """

    start_line: str = ""
    head: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    size: int = 0
    sha256: str = ""
    parts: tuple[Part, ...] = ()
    truncated: bool = False

    @classmethod
    def whole(
        cls, body: bytes, *, start_line: str = "", head: Iterable[tuple[str, str]] = ()
    ) -> Payload:
        """A payload whose body is kept entirely."""
        return cls(
            start_line=start_line,
            head=tuple(head),
            body=body,
            size=len(body),
            sha256=hashlib.sha256(body).hexdigest(),
        )

    def header(self, name: str) -> str | None:
        """The first header of that name, case-insensitively."""
        wanted = name.lower()
        return next((value for key, value in self.head if key.lower() == wanted), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """How a client reached its peer: what another program needs to do the same.

    `address` is `address:port`; the rest are the PEM files of a TLS client, empty without.
    """

    address: str
    trust: str = ""
    certificate: str = ""
    key: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One exchange, as the recording process saw it.

    `transaction` is the short name that reports count (`ITI-41`, `C-FIND`, `ORU^R01`,
    `introspection`...); `detail` refines it (`TD2.1a`). `keys` are identifiers that this exchange
    names or mints beyond those visible in its bytes (a token `jti`, an OIDC state, an entryUUID):
    attribution follows them.
    """

    protocol: str
    """`HTTP`, `MLLP`, `DIMSE`, `DNS` or `TLS` (a handshake that led to nothing)."""
    actor: str
    """Who records: `dmp`, `psc`, `ris`, `source`..."""
    peer: str
    """Who is opposite, as far as the recorder knows: a name, else `address:port`."""
    direction: Direction
    outcome: Outcome
    connection: str
    utc: datetime
    mono_start: float
    mono_end: float
    transaction: str = ""
    detail: str = ""
    reason: str = ""
    request: Payload | None = None
    response: Payload | None = None
    tls: TlsInfo | None = None
    keys: tuple[str, ...] = field(default=())
    reach: Reach | None = None
    """Of an exchange that we began."""

    def labelled(
        self, *, transaction: str = "", detail: str = "", keys: Iterable[str] = ()
    ) -> Exchange:
        """The same exchange with a name, a detail and more keys."""
        return replace(
            self,
            transaction=transaction or self.transaction,
            detail=detail or self.detail,
            keys=(*self.keys, *(key for key in keys if key)),
        )


Observe = Callable[[Exchange], None]
"""Receives each exchange when it is over. Called from any thread; must not block or raise."""

Label = Callable[[Exchange], Exchange]
"""Gives an exchange its transaction name; what a service knows and the wire does not."""


def ignore(exchange: Exchange) -> None:
    """Observe nothing: what a box under test does."""


_serial = itertools.count(1)


def new_connection_id() -> str:
    """An id for one transport connection, unique on this machine."""
    return f"{os.getpid()}-{next(_serial)}"


def stamp() -> tuple[datetime, float]:
    """Now, as `(utc, mono)`: `mono` orders, `utc` is shown."""
    return datetime.now(UTC), time.monotonic()
