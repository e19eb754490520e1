"""The HTTP client of every actor: pooled, its failures named, each exchange observed.

Built on httpx with its own network (`wire.http_backend`): a name can lead to any address while
the Host header, SNI and certificate check stay on the name of the URL. Nothing is read from the
environment. A failure is observed first, then raised.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http.cookiejar import CookieJar, DefaultCookiePolicy
from types import TracebackType
from typing import Any

import httpx

from protocols.errors import LocalProtocolError
from wire.exchange import Observe, TlsInfo, ignore
from wire.http_transport import (
    HttpFailure,
    Interrupted,
    Naming,
    TimedOut,
    Transport,
    Unreachable,
    tls_of,
)
from wire.tls import ClientTls

__all__ = [
    "Headers",
    "HttpClient",
    "HttpFailure",
    "Interrupted",
    "Response",
    "StreamedResponse",
    "TimedOut",
    "Unreachable",
]


class Headers:
    """Header lines in order; names compare case-insensitively."""

    __slots__ = ("items",)

    def __init__(self, items: Iterable[tuple[str, str]] = ()) -> None:
        self.items = tuple(items)

    def get(self, name: str, default: str = "") -> str:
        """The first value of that name."""
        return next(iter(self.get_all(name)), default)

    def get_all(self, name: str) -> tuple[str, ...]:
        """Every value of that name, in order."""
        wanted = name.lower()
        return tuple(value for key, value in self.items if key.lower() == wanted)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and bool(self.get_all(name))

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self.items)

    def __repr__(self) -> str:
        return f"Headers({list(self.items)!r})"


@dataclass(frozen=True, slots=True)
class Response:
    """A complete answer. `url` is where it came from, after redirects if they are followed."""

    status: int
    headers: Headers
    body: bytes
    tls: TlsInfo | None
    url: str = ""


class StreamedResponse:
    """An answer whose body is still on the wire."""

    def __init__(self, response: httpx.Response) -> None:
        self._response = response
        self.status = response.status_code
        self.headers = Headers(
            (name.decode("latin-1"), value.decode("latin-1"))
            for name, value in response.headers.raw
        )
        self.tls = tls_of(response)
        self.url = str(response.url)

    async def aiter(self) -> AsyncIterator[bytes]:
        """The body as it comes.

        Raises:
            Interrupted: cut before its end.
            TimedOut: the peer stopped sending.
        """
        async for chunk in self._response.aiter_raw():
            yield chunk

    async def read(self) -> bytes:
        """The whole body: only for answers known to be small."""
        return b"".join([chunk async for chunk in self.aiter()])


class HttpClient:
    """One pool of connections of one actor, an async context manager.

    `tls` and `connect_to` stay readable: what another client of the same actor starts from.

    Args:
        actor: who sends, as the journal names it.
        observe: receives each exchange, redirects and failures included.
        tls: whom to trust and what to show; without it https works for nobody.
        connect_to: `host` or `host:port` -> `address:port`, see the module's introduction.
        timeout: seconds of silence (connecting, writing, reading) that make `TimedOut`.
        follow_redirects: follow 3xx answers, each one an exchange of its own.
        cookies: keep and send cookies, as a browser does.
    """

    def __init__(
        self,
        *,
        actor: str,
        observe: Observe = ignore,
        tls: ClientTls | None = None,
        connect_to: Mapping[str, str] | None = None,
        timeout: float = 30.0,
        follow_redirects: bool = False,
        cookies: bool = False,
    ) -> None:
        self.tls = tls
        self.connect_to: Mapping[str, str] = connect_to or {}
        transport = Transport(actor, observe, tls, self.connect_to)
        self._client = httpx.AsyncClient(
            transport=transport,
            timeout=timeout,
            follow_redirects=follow_redirects,
            trust_env=False,
            cookies=None if cookies else CookieJar(_NoCookies()),
            headers={"accept-encoding": "identity", "user-agent": "drimbench"},
        )

    async def __aenter__(self) -> HttpClient:
        await self._client.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._client.__aexit__(kind, error, trace)

    async def aclose(self) -> None:
        """Close every connection."""
        await self._client.aclose()

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Iterable[tuple[str, str]] | Mapping[str, str] = (),
        content: bytes | AsyncIterator[bytes] = b"",
        transaction: str = "",
        detail: str = "",
        keys: Iterable[str] = (),
        peer: str = "",
    ) -> Response:
        """Send a request and read its answer whole.

        Raises:
            Unreachable: no answer began.
            Interrupted: the answer was cut.
            TimedOut: silence for longer than the client waits.
            LocalProtocolError: the URL or a header cannot be written.
        """
        async with self.stream(
            method,
            url,
            headers=headers,
            content=content,
            transaction=transaction,
            detail=detail,
            keys=keys,
            peer=peer,
        ) as answer:
            body = await answer.read()
        return Response(answer.status, answer.headers, body, answer.tls, answer.url)

    @asynccontextmanager
    async def stream(
        self,
        method: str,
        url: str,
        *,
        headers: Iterable[tuple[str, str]] | Mapping[str, str] = (),
        content: bytes | AsyncIterator[bytes] = b"",
        transaction: str = "",
        detail: str = "",
        keys: Iterable[str] = (),
        peer: str = "",
    ) -> AsyncIterator[StreamedResponse]:
        """Send a request and hand over its answer while the body arrives.

        Leaving the context before the end of the body closes the connection and is observed as
        an aborted exchange. Raises like `request`.
        """
        pairs = list(headers.items()) if isinstance(headers, Mapping) else list(headers)
        naming = Naming(transaction, detail, tuple(key for key in keys if key), peer)
        try:
            request = self._client.build_request(
                method,
                url,
                headers=[(name.encode(), value.encode()) for name, value in pairs],
                content=content or None,
                extensions={"naming": naming},
            )
            response = await self._client.send(request, stream=True)
        except (httpx.InvalidURL, httpx.UnsupportedProtocol, UnicodeError) as error:
            raise LocalProtocolError(f"cannot send {method} {url}: {error}") from error
        except (httpx.TooManyRedirects, httpx.RemoteProtocolError) as error:
            # Both concern redirects that httpx follows: a loop, or a Location it cannot read.
            raise Interrupted(str(error)) from error
        try:
            yield StreamedResponse(response)
        finally:
            await response.aclose()


class _NoCookies(DefaultCookiePolicy):
    """Accepts no cookie and sends none."""

    def set_ok(self, cookie: Any, request: Any) -> bool:
        return False

    def return_ok(self, cookie: Any, request: Any) -> bool:
        return False
