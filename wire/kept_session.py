"""A TLS connection that its client keeps, then a session of it that the client resumes.

Several requests on one connection, and the session handed to the next one (RFC 5077, RFC 8446
2.2): no pool of ours tells one connection from another, nor resumes. Each request is an Exchange of
protocol `TLS`, as `wire.raw_http` tells its own.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

import anyio
import anyio.abc
import h11

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
from wire.listening import authority
from wire.tls import ClientTls, client_context, failure_reason

__all__ = ["Answered", "KeptClient"]

T = TypeVar("T")

_CHUNK = 65536
_KEPT = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What became of one request."""

    status: int | None
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    """Its beginning."""
    tls_reason: str | None = None
    """Why the connection ended without an answer: OpenSSL's word, or `closed`."""
    resumed: bool = False
    """The connection is of a resumed session."""


class KeptClient:
    """One client of one server: at most one connection at a time, and the last session of it.

    Args:
        where: address and port; `host` is the name that is asked for and checked.
        version: the only version that is offered; None: what the context has.
        silence: seconds without a word after which the server is given up.
    """

    def __init__(
        self,
        where: tuple[str, int],
        *,
        host: str,
        tls: ClientTls,
        observe: Observe,
        version: ssl.TLSVersion | None = None,
        silence: float = 10.0,
    ) -> None:
        self._where, self._host, self._observe = where, host, observe
        self._silence = silence
        self._context = client_context(tls)
        if version is not None:
            self._context.minimum_version = self._context.maximum_version = version
        self._stream: anyio.abc.ByteStream | None = None
        self._session: ssl.SSLSession | None = None
        self._http: h11.Connection
        self._tls: ssl.SSLObject
        self._incoming: ssl.MemoryBIO
        self._outgoing: ssl.MemoryBIO
        self._connection = ""

    async def ask(
        self, path: str, headers: Iterable[tuple[str, str]], *, detail: str = ""
    ) -> Answered:
        """GET, on the connection that is kept, else on a new one, which resumes the last session.

        Raises:
            OSError: the server cannot be reached at all.
        """
        utc, began = stamp()
        answered = Answered(status=None, tls_reason="closed")
        try:
            if self._stream is None:
                await self._open()
            answered = await self._ask(path, headers)
        except ssl.SSLError as error:
            answered = Answered(status=None, tls_reason=failure_reason(error))
        except (anyio.EndOfStream, anyio.BrokenResourceError, h11.RemoteProtocolError):
            pass
        except TimeoutError:
            answered = Answered(status=None)
        if answered.status is None:
            await self.hang_up()
        self._tell(path, answered, detail, utc=utc, began=began)
        return answered

    async def hang_up(self) -> None:
        """Close the connection that is kept, if there is one; its session is remembered."""
        if self._stream is not None:
            await self._stream.aclose()
        self._stream = None

    @property
    def open(self) -> bool:
        """Whether a connection is kept."""
        return self._stream is not None

    async def _open(self) -> None:
        with anyio.fail_after(self._silence):
            self._stream = await anyio.connect_tcp(*self._where)
        self._connection = new_connection_id()
        self._http = h11.Connection(h11.CLIENT)
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = self._context.wrap_bio(
            self._incoming, self._outgoing, server_hostname=self._host, session=self._session
        )
        await self._pump(self._tls.do_handshake)

    async def _ask(self, path: str, headers: Iterable[tuple[str, str]]) -> Answered:
        request = h11.Request(method="GET", target=path, headers=[("Host", self._host), *headers])
        data = self._http.send(request) + (self._http.send(h11.EndOfMessage()) or b"")
        await self._pump(lambda: self._tls.write(data))
        lines: tuple[tuple[str, str], ...] = ()
        status, body = 0, bytearray()
        while True:
            event = self._http.next_event()
            if event is h11.NEED_DATA:
                self._http.receive_data(await self._pump(lambda: self._tls.read(_CHUNK)))
            elif isinstance(event, h11.Response):
                status = event.status_code
                lines = tuple((k.decode("latin-1"), v.decode("latin-1")) for k, v in event.headers)
            elif isinstance(event, h11.Data):
                body += event.data[: max(0, _KEPT - len(body))]
            elif isinstance(event, h11.EndOfMessage | h11.ConnectionClosed):
                break
        # The tickets of TLS 1.3 come after the handshake.
        self._session = self._tls.session
        resumed = bool(self._tls.session_reused)
        if self._http.states[h11.SERVER] is h11.DONE and self._http.our_state is h11.DONE:
            self._http.start_next_cycle()
        else:
            await self.hang_up()
        return Answered(status=status or None, headers=lines, body=bytes(body), resumed=resumed)

    async def _pump(self, step: Callable[[], T]) -> T:
        """Do it, sending and receiving what it takes."""
        assert self._stream is not None
        while True:
            try:
                done, result = True, step()
            except ssl.SSLWantReadError:
                done = False
            except ssl.SSLError:
                if data := self._outgoing.read():
                    await self._stream.send(data)  # the alert
                raise
            with anyio.fail_after(self._silence):
                if data := self._outgoing.read():
                    await self._stream.send(data)
                if done:
                    return result
                self._incoming.write(await self._stream.receive(_CHUNK))

    def _tell(
        self, path: str, answered: Answered, detail: str, *, utc: datetime, began: float
    ) -> None:
        reached = answered.status is not None
        self._observe(
            Exchange(
                protocol="TLS",
                transaction="TLS",
                detail=detail,
                actor="pair",
                peer="source",
                direction=Direction.OUT,
                outcome=Outcome.ANSWERED if reached else Outcome.REFUSED,
                connection=self._connection or new_connection_id(),
                utc=utc,
                mono_start=began,
                mono_end=stamp()[1],
                reason=answered.tls_reason or "",
                request=Payload.whole(f"GET {path}".encode()),
                response=Payload.whole(answered.body[:_KEPT]),
                tls=TlsInfo(server_name=self._host, reason=answered.tls_reason),
                reach=Reach(address=authority(*self._where)),
            )
        )
