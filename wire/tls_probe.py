"""One connection on which bytes made by hand are sent, and what a TLS server makes of them.

What came of it is an Exchange of protocol `TLS`, as any handshake that leads to nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import anyio

from protocols.errors import RemoteProtocolError
from wire.exchange import (
    Direction,
    Exchange,
    Observe,
    Outcome,
    Payload,
    Reach,
    TlsInfo,
    new_connection_id,
    stamp,
)
from wire.http_backend import Backend
from wire.listening import authority
from wire.tls_records import Alert, Answers, ServerHello

__all__ = ["Met", "probe"]

_CHUNK = 65536
_KEPT = 1 << 20


@dataclass(slots=True)
class Met:
    """What a server made of it."""

    alert: Alert | None = None
    hello: ServerHello | None = None
    closed: bool = False
    """It hung up, with an alert or without."""
    garbage: bytes = b""
    """What it said, when that was no TLS."""
    connected: bool = False
    sent: int = 0
    """How many bytes it took."""
    received: bytearray = field(default_factory=bytearray)

    @property
    def refused(self) -> bool:
        """By an alert or a close, and not before it was reached."""
        return self.connected and self.hello is None and (self.alert is not None or self.closed)

    @property
    def reason(self) -> str | None:
        """The alert's name, `closed` without one; None: it refuses nothing."""
        if not self.refused:
            return None
        return self.alert.name if self.alert else "closed"


async def probe(
    data: bytes,
    *,
    host: str,
    port: int,
    connect_to: Mapping[str, str],
    observe: Observe,
    detail: str = "",
    timeout: float = 10.0,  # noqa: ASYNC109  (of silence, not of the call)
) -> Met:
    """Send these bytes to a server and read until it decides: an alert, a hello, or a close.

    The bytes leave whole, unless the server hangs up before; `timeout` seconds of silence end it.
    """
    met, (utc, began), where = Met(), stamp(), Backend(connect_to).where(host, port)
    outcome, reason = Outcome.ANSWERED, ""
    try:
        await _talk(data, met, where, timeout)
    except TimeoutError:
        outcome, reason = Outcome.TIMED_OUT, "silence"
    except OSError as error:
        outcome, reason = Outcome.REFUSED, str(error)
    if met.refused:
        outcome, reason = Outcome.REFUSED, met.reason or ""
    observe(
        Exchange(
            protocol="TLS",
            transaction="TLS",
            detail=detail,
            actor="pair",
            peer="source",
            direction=Direction.OUT,
            outcome=outcome,
            connection=new_connection_id(),
            utc=utc,
            mono_start=began,
            mono_end=stamp()[1],
            reason=reason,
            request=Payload.whole(data[:_KEPT]),
            response=Payload.whole(bytes(met.received)),
            tls=TlsInfo(server_name=host, reason=met.reason),
            reach=Reach(address=authority(*where)),
        )
    )
    return met


async def _talk(data: bytes, met: Met, where: tuple[str, int], silence: float) -> None:
    with anyio.fail_after(silence):
        stream = await anyio.connect_tcp(*where)
    met.connected = True
    answers = Answers()
    async with stream:
        try:
            for start in range(0, len(data), _CHUNK):
                with anyio.fail_after(silence):
                    await stream.send(data[start : start + _CHUNK])
                met.sent += len(data[start : start + _CHUNK])
        except (anyio.BrokenResourceError, OSError):
            met.closed = True  # what it said before is still there to read
        while met.hello is None and met.alert is None:
            try:
                with anyio.fail_after(silence):
                    received = await stream.receive(_CHUNK)
            except (anyio.EndOfStream, anyio.BrokenResourceError):
                met.closed = True
                return
            met.received += received
            try:
                for event in answers.feed(received):
                    if isinstance(event, ServerHello):
                        met.hello = event
                    elif event.fatal:
                        met.alert = met.alert or event
            except RemoteProtocolError:
                met.garbage = bytes(met.received)
                return
