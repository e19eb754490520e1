"""The network under the HTTP client: where a name leads, and TLS that says why it failed.

httpcore's async streams are anyio's, whose TLS drops the alert of a failed handshake and lets a
bare `ssl.SSLError` through when a TLS 1.3 server refuses the client certificate (that refusal
comes with the first read). The streams here send the alert, and keep what was learnt.
"""

from __future__ import annotations

import contextlib
import errno
import selectors
import socket
import ssl
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextvars import ContextVar
from typing import Any, TypeVar, TypeVarTuple, Unpack

import anyio
import anyio.abc
import httpcore
from anyio.streams.tls import TLSAttribute, TLSStream

from wire.exchange import TlsInfo, new_connection_id
from wire.tls import failure_reason, tls_info

__all__ = ["ATTEMPT", "Attempt", "Backend", "Stream"]

_WIDE = 262_144
"""Bytes that are read at once, where there are as many."""

_T = TypeVar("_T")
_Arguments = TypeVarTuple("_Arguments")


class Attempt:
    """What became known of the connection of one request, for when the request fails."""

    __slots__ = ("answering", "connection", "reused", "tls")

    def __init__(self) -> None:
        self.connection = ""
        self.tls: TlsInfo | None = None
        self.answering = False
        """Some byte of an answer came."""
        self.reused = False
        """The connection had answered before: its peer was accepted."""


ATTEMPT: ContextVar[Attempt | None] = ContextVar("wire.http_backend.attempt", default=None)
"""The attempt of the request that the current task is sending."""


class Backend(httpcore.AsyncNetworkBackend):
    """Connects to where `connect_to` says, for names that no DNS knows.

    Keys are `host` or `host:port` (the latter wins), values `address:port` or `address`.
    """

    def __init__(self, connect_to: Mapping[str, str]) -> None:
        self._connect_to = {key.lower(): value for key, value in connect_to.items()}

    def where(self, host: str, port: int) -> tuple[str, int]:
        """Where a connection for that name and port goes."""
        name = host.lower()
        target = self._connect_to.get(f"{name}:{port}") or self._connect_to.get(name)
        if target is None:
            return host, port
        address, colon, other = target.rpartition(":")
        return (address.strip("[]"), int(other)) if colon else (target, port)

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109  (httpcore's interface)
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """A connected clear stream.

        Raises:
            httpcore.ConnectError: refused, unreachable, unknown name.
            httpcore.ConnectTimeout: nobody answered in `timeout` seconds.
        """
        address, target_port = self.where(host, port)
        with _mapped(httpcore.ConnectTimeout, httpcore.ConnectError), anyio.fail_after(timeout):
            try:
                stream = await anyio.connect_tcp(address, target_port, local_host=local_address)
            except OSError as error:
                raise OSError(f"{_why(error)} ({address}:{target_port})") from error
        return Stream(stream)

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,  # noqa: ASYNC109  (httpcore's interface)
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Not for us: no service of the field listens there.

        Raises:
            httpcore.ConnectError: always.
        """
        raise httpcore.ConnectError("no UNIX sockets here")

    async def sleep(self, seconds: float) -> None:
        """Wait between httpcore's retries."""
        await anyio.sleep(seconds)


class Stream(httpcore.AsyncNetworkStream):
    """One connection, clear or TLS."""

    def __init__(self, stream: anyio.abc.ByteStream, *, connection: str = "") -> None:
        self._stream = stream
        self.connection = connection or new_connection_id()
        self.tls: TlsInfo | None = None
        self._answered = False

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109
        """Some bytes, b"" at the end."""
        attempt = self._attempt()
        with _mapped(httpcore.ReadTimeout, httpcore.ReadError), anyio.fail_after(timeout):
            try:
                data = await self._stream.receive(max_bytes)
            except anyio.EndOfStream:
                return b""
        if data:
            self._answered = True
            if attempt is not None:
                attempt.answering = True
        return data

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109
        """Send everything."""
        self._attempt()
        if not buffer:
            return
        with _mapped(httpcore.WriteTimeout, httpcore.WriteError), anyio.fail_after(timeout):
            await self._stream.send(buffer)

    async def aclose(self) -> None:
        """Close, sending the TLS close but not waiting for the peer's."""
        await self._stream.aclose()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109  (httpcore's interface)
    ) -> httpcore.AsyncNetworkStream:
        """The same connection after a TLS handshake.

        Raises:
            httpcore.ConnectError: the handshake failed; `failure_reason` tells why.
        """
        attempt = self._attempt()
        try:
            with _mapped(httpcore.ConnectTimeout, httpcore.ConnectError), anyio.fail_after(timeout):
                secure = await _AlertingStream.wrap(
                    _Wide(self._stream),
                    ssl_context=ssl_context,
                    hostname=server_hostname,
                    standard_compatible=False,
                    server_side=False,
                )
        except BaseException as error:
            if attempt is not None and attempt.tls is None:
                attempt.tls = TlsInfo(server_name=server_hostname, reason=failure_reason(error))
            with anyio.CancelScope(shield=True), contextlib.suppress(OSError):
                await anyio.aclose_forcefully(self._stream)
            raise
        wrapped = Stream(secure, connection=self.connection)
        wrapped.tls = tls_info(secure._ssl_object, server_name=server_hostname)
        wrapped._attempt()
        return wrapped

    def get_extra_info(self, info: str) -> Any:
        """httpcore's window on the stream: `ssl_object`, `is_readable`..."""
        if info == "ssl_object":
            return self._stream.extra(TLSAttribute.ssl_object, None)
        if info == "is_readable":
            raw = self._stream.extra(anyio.abc.SocketAttribute.raw_socket, None)
            return _is_readable(raw)
        return None

    def _attempt(self) -> Attempt | None:
        """The attempt of the calling task, told which connection it uses."""
        attempt = ATTEMPT.get()
        if attempt is not None and attempt.connection != self.connection:
            attempt.connection = self.connection
            attempt.reused = self._answered
        if attempt is not None:
            attempt.tls = self.tls or attempt.tls
        return attempt


class _Wide(anyio.abc.ByteStream):
    """A stream of which as much is read at once as asyncio gives, where TLS asks for 64 KiB."""

    def __init__(self, inner: anyio.abc.ByteStream) -> None:
        self._inner = inner

    @property
    def extra_attributes(self) -> Mapping[Any, Callable[[], Any]]:
        return self._inner.extra_attributes

    async def receive(self, max_bytes: int = _WIDE) -> bytes:
        return await self._inner.receive(max_bytes)

    async def send(self, item: bytes) -> None:
        await self._inner.send(item)

    async def send_eof(self) -> None:
        await self._inner.send_eof()

    async def aclose(self) -> None:
        await self._inner.aclose()


class _AlertingStream(TLSStream):
    """anyio's TLS stream, whose last word reaches the peer when OpenSSL gives up.

    It also gives all the records that have come, where anyio's gives one (16 KiB) at a time, each
    through every layer above.
    """

    _late: ssl.SSLError | None = None
    """What ended the records after some that were given."""

    async def receive(self, max_bytes: int = _WIDE) -> bytes:
        """Decrypted bytes, whatever their records; raises as anyio's does."""
        data = await self._call_sslobject_method(self._read_records, max(max_bytes, _WIDE))
        if not data:
            raise anyio.EndOfStream
        return data

    def _read_records(self, most: int) -> bytes:
        if self._late is not None:
            error, self._late = self._late, None
            raise error
        read = self._ssl_object.read
        data = read(most)
        if not data or not self._read_bio.pending:
            return data
        pieces, size = [data], len(data)
        while size < most:
            try:
                data = read(most - size)
            except ssl.SSLWantReadError:
                break
            except ssl.SSLError as error:
                self._late = error
                break
            if not data:
                break
            pieces.append(data)
            size += len(data)
        return b"".join(pieces)

    async def _call_sslobject_method(
        self, func: Callable[[Unpack[_Arguments]], _T], *args: *_Arguments
    ) -> _T:
        try:
            return await super()._call_sslobject_method(func, *args)
        except ssl.SSLError as error:
            attempt = ATTEMPT.get()
            if attempt is not None:
                attempt.tls = tls_info(self._ssl_object, reason=failure_reason(error))
            alert = self._write_bio.read()
            if alert:
                with contextlib.suppress(OSError, anyio.BrokenResourceError):
                    await self.transport_stream.send(alert)
            raise


_REASONS = {
    errno.ECONNREFUSED: "connexion refusée",
    errno.EHOSTUNREACH: "machine injoignable",
    errno.ENETUNREACH: "réseau injoignable",
    errno.ETIMEDOUT: "pas de réponse à la connexion",
}


def _why(error: OSError) -> str:
    """Why no connection was made; anyio keeps the error of each address as the cause."""
    cause = error.__cause__
    if isinstance(cause, BaseExceptionGroup):
        cause = cause.exceptions[0]
    found = cause if isinstance(cause, OSError) else error
    if isinstance(found, socket.gaierror):
        return "nom inconnu"
    return _REASONS.get(found.errno or 0) or str(found)


@contextlib.contextmanager
def _mapped(timed_out: type[Exception], failed: type[Exception]) -> Iterator[None]:
    """anyio's and OpenSSL's errors as httpcore's, the cause kept."""
    try:
        yield
    except TimeoutError as error:
        raise timed_out(str(error)) from error
    except (
        OSError,  # ssl.SSLError is one
        anyio.BrokenResourceError,
        anyio.ClosedResourceError,
        anyio.EndOfStream,
    ) as error:
        raise failed(str(error)) from error


def _is_readable(sock: Any) -> bool:
    """Whether an idle socket has something to say, that is: was closed by the peer."""
    if sock is None or sock.fileno() < 0:
        return True
    with _Selector() as selector:
        selector.register(sock, selectors.EVENT_READ)
        return bool(selector.select(0))


# No file descriptor of its own, which the default one would open at each look.
_Selector: type[selectors.BaseSelector] = getattr(
    selectors, "PollSelector", selectors.SelectSelector
)
