"""What carries one request of the HTTP client: httpcore's pool, recorded, its failures named."""

from __future__ import annotations

import time
from collections.abc import AsyncIterable, AsyncIterator, Mapping
from dataclasses import dataclass, replace

import httpcore
import httpx
from httpcore import AsyncConnectionInterface

from protocols.errors import LocalProtocolError
from wire.exchange import (
    Direction,
    Exchange,
    Observe,
    Outcome,
    Payload,
    Reach,
    TlsInfo,
    ignore,
    stamp,
)
from wire.http_backend import ATTEMPT, Attempt, Backend, Stream
from wire.listening import authority
from wire.recording import BodyRecorder
from wire.tls import ClientTls, client_context, failure_reason

__all__ = [
    "HttpFailure",
    "Interrupted",
    "Naming",
    "TimedOut",
    "Transport",
    "Unreachable",
    "tls_of",
]

CONNECTIONS = 100
"""At most, at once, of one client."""
KEEP_ALIVE = 15.0
"""Seconds that an idle connection stays in the pool: less than servers keep it."""


class HttpFailure(Exception):
    """No complete answer. `reason` is one line for a report, `tls_reason` OpenSSL's word."""

    def __init__(self, reason: str, *, tls_reason: str | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.tls_reason = tls_reason


class Unreachable(HttpFailure):
    """Refused, unknown name, handshake failed, or closed before any answer."""


class Interrupted(HttpFailure):
    """The answer began and was cut."""


class TimedOut(HttpFailure):
    """Nothing came for as long as the client waits."""


@dataclass(frozen=True, slots=True)
class Naming:
    """What the caller says about its exchange; httpx carries it along redirects."""

    transaction: str = ""
    detail: str = ""
    keys: tuple[str, ...] = ()
    peer: str = ""


class Transport(httpx.AsyncBaseTransport):
    """httpcore's pool on our network, every exchange observed, every failure one of ours."""

    def __init__(
        self, actor: str, observe: Observe, tls: ClientTls | None, connect_to: Mapping[str, str]
    ) -> None:
        self._actor = actor
        self._observe = observe
        self._tls = tls
        self._context = client_context(tls) if tls else None
        self._backend = Backend(connect_to)
        self._pool = _Pool(
            ssl_context=self._context,
            max_connections=CONNECTIONS,
            max_keepalive_connections=20,
            keepalive_expiry=KEEP_ALIVE,
            network_backend=self._backend,
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request; redirects are httpx's affair.

        Raises:
            HttpFailure: one of its three kinds, after it was observed.
            LocalProtocolError: a header cannot be written, or https without TLS configuration.
        """
        if request.url.scheme == "https" and self._context is None:
            raise LocalProtocolError(f"{self._actor}: no TLS configuration for {request.url}")
        assert isinstance(request.stream, httpx.AsyncByteStream)
        recording = _Recording(self._actor, self._observe, request, self._reach(request.url))
        token = ATTEMPT.set(recording.attempt)
        try:
            answer = await self._pool.handle_async_request(
                httpcore.Request(
                    method=request.method,
                    url=httpcore.URL(
                        scheme=request.url.raw_scheme,
                        host=request.url.raw_host,
                        port=request.url.port,
                        target=request.url.raw_path,
                    ),
                    headers=request.headers.raw,
                    content=recording.sent(request.stream),
                    extensions=request.extensions,
                )
            )
        except httpcore.TimeoutException as error:
            raise recording.timed_out() from error
        except (httpcore.NetworkError, httpcore.RemoteProtocolError) as error:
            raise recording.unanswered(error) from error
        except (httpcore.LocalProtocolError, httpcore.UnsupportedProtocol) as error:
            raise LocalProtocolError(f"cannot send to {request.url}: {error}") from error
        except BaseException as error:
            recording.tell(Outcome.ABORTED, reason=f"{type(error).__name__}: {error}")
            raise
        finally:
            ATTEMPT.reset(token)
        recording.begin_answer(answer)
        assert isinstance(answer.stream, AsyncIterable)
        return httpx.Response(
            status_code=answer.status,
            headers=answer.headers,
            stream=_Body(answer, recording),
            extensions=answer.extensions,
        )

    def _reach(self, url: httpx.URL) -> Reach:
        secure = url.scheme == "https"
        host, port = self._backend.where(url.host, url.port or (443 if secure else 80))
        address = authority(host, port)
        return self._tls.reach(address) if secure and self._tls else Reach(address=address)

    async def aclose(self) -> None:
        """Close every connection of the pool."""
        await self._pool.aclose()


class _Pool(httpcore.AsyncConnectionPool):
    """httpcore's pool, which forgets no place.

    A request that is given a connection and gives up before it hears of it leaves that connection
    for nobody: neither idle nor closed, it would keep its place for ever, and a hundred of them
    the whole pool (httpcore 1.0.9). Two hundred requests under one deadline are enough for that.
    """

    def _assign_requests_to_connections(self) -> list[AsyncConnectionInterface]:
        held = {id(one.connection) for one in self._requests if one.connection is not None}
        left = [
            one
            for one in self._connections
            if not (id(one) in held or one.is_idle() or one.is_closed())
        ]
        for one in left:
            self._connections.remove(one)
        return left + super()._assign_requests_to_connections()


def tls_of(response: httpx.Response) -> TlsInfo | None:
    """The TLS session that an answer came through."""
    stream = response.extensions.get("network_stream")
    return stream.tls if isinstance(stream, Stream) else None


class _Body(httpx.AsyncByteStream):
    """The body of an answer; its exchange is told when it ends, however it ends."""

    def __init__(self, answer: httpcore.Response, recording: _Recording) -> None:
        self._answer = answer
        self._recording = recording

    async def __aiter__(self) -> AsyncIterator[bytes]:
        assert isinstance(self._answer.stream, AsyncIterable)
        try:
            async for chunk in self._answer.stream:
                self._recording.received(chunk)
                yield chunk
        except httpcore.TimeoutException as error:
            raise self._recording.timed_out() from error
        except (httpcore.NetworkError, httpcore.RemoteProtocolError) as error:
            raise self._recording.cut(error) from error
        self._recording.tell(Outcome.ANSWERED)

    async def aclose(self) -> None:
        await self._answer.aclose()
        if self._recording.nothing_to_read:
            self._recording.tell(Outcome.ANSWERED)
        else:
            self._recording.tell(Outcome.ABORTED, reason="lecture abandonnée par le client")


class _Recording:
    """One request and its answer, as they pass. Tells once; nothing is kept for `ignore`."""

    def __init__(self, actor: str, observe: Observe, request: httpx.Request, reach: Reach) -> None:
        self.attempt = Attempt()
        self._actor = actor
        self._observe = observe
        self._request = request
        self._reach = reach
        self._utc, self._mono = stamp()
        self._told = observe is ignore
        self._sent = BodyRecorder(request.headers.get("content-type"))
        self._all_sent = False
        self._answer: httpcore.Response | None = None
        self._received: BodyRecorder | None = None

    async def sent(self, stream: httpx.AsyncByteStream) -> AsyncIterator[bytes]:
        """The request's body, seen as it leaves."""
        async for chunk in stream:
            if not self._told:
                self._sent.feed(chunk)
            yield chunk
        self._all_sent = True

    def begin_answer(self, answer: httpcore.Response) -> None:
        """Status and headers are there."""
        stream = answer.extensions.get("network_stream")
        if isinstance(stream, Stream):
            self.attempt.connection, self.attempt.tls = stream.connection, stream.tls
        self._answer = answer
        self._received = BodyRecorder(_header(answer, b"content-type"))

    def received(self, chunk: bytes) -> None:
        """One more piece of the answer's body."""
        if self._received is not None and not self._told:
            self._received.feed(chunk)

    @property
    def nothing_to_read(self) -> bool:
        """The answer has no body: not reading it is not abandoning it."""
        answer = self._answer
        return answer is not None and (
            self._request.method == "HEAD"
            or answer.status in (204, 304)
            or _header(answer, b"content-length") == "0"
        )

    def unanswered(self, error: Exception) -> HttpFailure:
        """Told, then raised: no answer, for a reason that the network knows."""
        attempt = self.attempt
        tls = attempt.tls
        if attempt.answering and (tls is None or tls.reason is None):
            return self.cut(error)
        # Without a connection, without a finished handshake, or with the late alert by which a
        # TLS 1.3 server refuses a client certificate, nothing was exchanged.
        refused = isinstance(error, httpcore.ConnectError) or (
            tls is not None and tls.reason is not None
        )
        # A first request that a new TLS connection leaves without answer may be such a refusal by
        # a server that drops its alerts: `closed`, which says no more than was seen.
        if tls is not None and tls.reason is None and not attempt.reused:
            attempt.tls = tls = replace(tls, reason=failure_reason(error))
        reason = str(error) or type(error).__name__
        if tls is not None and tls.reason is not None:
            reason = f"TLS {tls.reason}: {reason}"
        self.tell(Outcome.REFUSED if refused else Outcome.ABORTED, reason=reason)
        return Unreachable(reason, tls_reason=tls.reason if tls else None)

    def cut(self, error: Exception) -> HttpFailure:
        """Told, then raised: half an answer."""
        reason = str(error) or type(error).__name__
        self.tell(Outcome.ABORTED, reason=reason)
        return Interrupted(reason)

    def timed_out(self) -> HttpFailure:
        """Told, then raised: silence."""
        waited = time.monotonic() - self._mono
        reason = f"pas de réponse après {waited:.1f} s"
        self.tell(Outcome.TIMED_OUT, reason=reason)
        return TimedOut(reason)

    def tell(self, outcome: Outcome, *, reason: str = "") -> None:
        """Hand the exchange over, once."""
        if self._told:
            return
        self._told = True
        request, attempt = self._request, self.attempt
        naming: Naming = request.extensions.get("naming", Naming())
        self._observe(
            Exchange(
                protocol="HTTP",
                actor=self._actor,
                peer=naming.peer or request.url.netloc.decode("ascii"),
                direction=Direction.OUT,
                outcome=outcome,
                connection=attempt.connection,
                utc=self._utc,
                mono_start=self._mono,
                mono_end=time.monotonic(),
                transaction=naming.transaction,
                detail=naming.detail,
                reason=reason,
                request=self._sent.payload(
                    start_line=f"{request.method} {request.url.raw_path.decode('ascii')} HTTP/1.1",
                    head=_decoded(request.headers.raw),
                    incomplete=not self._all_sent,
                ),
                response=self._response(complete=outcome is Outcome.ANSWERED),
                tls=attempt.tls,
                keys=naming.keys,
                reach=self._reach,
            )
        )

    def _response(self, *, complete: bool) -> Payload | None:
        answer = self._answer
        if answer is None or self._received is None:
            return None
        version = answer.extensions.get("http_version", b"HTTP/1.1").decode("ascii")
        phrase = answer.extensions.get("reason_phrase", b"").decode("latin-1")
        return self._received.payload(
            start_line=f"{version} {answer.status} {phrase}".rstrip(),
            head=_decoded(answer.headers),
            incomplete=not complete,
        )


def _decoded(headers: list[tuple[bytes, bytes]]) -> tuple[tuple[str, str], ...]:
    return tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in headers)


def _header(answer: httpcore.Response, name: bytes) -> str | None:
    return next(
        (value.decode("latin-1") for key, value in answer.headers if key.lower() == name), None
    )
