"""One connection on which the bytes of a request are made by hand, and every answer that comes.

In clear or inside TLS. What came of it is an Exchange of protocol `TLS`, as `wire.tls_probe` tells
its own: nobody who judges HTTP has to read what is no HTTP.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass

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
from wire.tls import ClientTls, client_context, failure_reason

__all__ = ["Heard", "say"]

_CHUNK = 65536
_KEPT = 1 << 20
_STATUS = re.compile(rb"HTTP/1\.[01] (\d{3})[ \r]")


@dataclass(slots=True)
class Heard:
    """What a server made of it."""

    received: bytes = b""
    closed: bool = False
    """It hung up, with an answer or without."""
    tls_reason: str | None = None
    """Why there was no TLS session."""
    reason: str = ""
    """Why there was no connection at all."""

    @property
    def statuses(self) -> tuple[int, ...]:
        """One for each answer that came."""
        return tuple(int(one) for one in _STATUS.findall(self.received))

    @property
    def head(self) -> tuple[tuple[str, str], ...]:
        """The header lines of the first answer."""
        lines = self.received.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")[1:]
        pairs = (line.partition(":") for line in lines)
        return tuple((name.strip(), value.strip()) for name, _, value in pairs)


async def say(
    data: bytes,
    *,
    host: str,
    port: int,
    connect_to: Mapping[str, str],
    observe: Observe,
    tls: ClientTls | None,
    detail: str = "",
    silence: float = 5.0,
) -> Heard:
    """Send these bytes whole, then read until the server hangs up, or says nothing for `silence`
    seconds. In clear without `tls`."""
    heard, (utc, began), where = Heard(), stamp(), Backend(connect_to).where(host, port)
    context = client_context(tls) if tls else None
    try:
        reader, writer = await asyncio.wait_for(
            asyncio.open_connection(*where, ssl=context, server_hostname=host if context else None),
            silence,
        )
    except ssl.SSLError as error:
        heard.closed, heard.tls_reason = True, failure_reason(error)
    except (OSError, TimeoutError) as error:
        heard.reason = str(error) or type(error).__name__
    else:
        await _talk(data, heard, reader, writer, silence)
    observe(
        Exchange(
            protocol="TLS",
            transaction="TLS",
            detail=detail,
            actor="pair",
            peer="source",
            direction=Direction.OUT,
            outcome=Outcome.ANSWERED if heard.received else Outcome.REFUSED,
            connection=new_connection_id(),
            utc=utc,
            mono_start=began,
            mono_end=stamp()[1],
            reason=heard.reason or heard.tls_reason or "",
            request=Payload.whole(data[:_KEPT]),
            response=Payload.whole(heard.received[:_KEPT]),
            tls=TlsInfo(server_name=host, reason=heard.tls_reason) if tls else None,
            reach=Reach(address=authority(*where)),
        )
    )
    return heard


async def _talk(
    data: bytes,
    heard: Heard,
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    silence: float,
) -> None:
    received = bytearray()
    try:
        writer.write(data)
        await asyncio.wait_for(writer.drain(), silence)
        while chunk := await asyncio.wait_for(reader.read(_CHUNK), silence):
            received += chunk
        heard.closed = True
    except TimeoutError:
        pass  # it stays open, and has no more to say
    except ssl.SSLError as error:
        # TLS 1.3: the refusal of a client comes with the first read.
        heard.closed, heard.tls_reason = True, None if received else failure_reason(error)
    except OSError:
        heard.closed = True
    finally:
        heard.received = bytes(received)
        writer.transport.abort()
        with contextlib.suppress(OSError, TimeoutError):
            await asyncio.wait_for(writer.wait_closed(), silence)
