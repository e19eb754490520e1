"""HTTP services: any ASGI application on a socket of ours, in the running loop.

What a service may say about the exchange it is answering goes through `note`; what it may ask of
the connection goes through `peer_chain`, `tls_of` and `abort`. All take the ASGI scope, and all do
no harm on a scope that no server of ours made (an application called directly by a test).
"""

from __future__ import annotations

import asyncio
import functools
import ssl
from collections.abc import Callable, Iterable

from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.config import Config

from wire.exchange import Label, Observe, TlsInfo, ignore
from wire.http_protocol import MAX_HEAD_BYTES, SCOPE_KEY, Conversation, HttpProtocol, Service, State
from wire.impairment import Link
from wire.listening import authority, listening_socket
from wire.tls import (
    GOODBYE_TIMEOUT,
    HANDSHAKE_TIMEOUT,
    ServerTls,
    greet_handshakes,
    server_context,
    watch_handshakes,
)

__all__ = ["HttpServer", "abort", "impaired", "note", "peer_chain", "serve_http", "tls_of"]

KEEP_ALIVE = 75.0
"""Seconds that an idle connection is kept: longer than any client of ours keeps it in its pool."""


class HttpServer:
    """A running service."""

    def __init__(
        self, server: asyncio.Server, state: State, host: str, port: int, scheme: str
    ) -> None:
        self._server = server
        self._state = state
        self.host = host
        """As others are told."""
        self.port = port
        self.url = f"{scheme}://{authority(host, port)}"
        """Scheme, host and port, without a final slash."""

    def hang_up(self) -> None:
        """Close the connections that no answer is leaving by; the listener stays."""
        self._close_idle()

    async def stop(self, *, grace: float = 5.0) -> None:
        """Stop accepting, let current answers end for `grace` seconds, close everything.

        When this returns the port is free. `grace=0` is a kill: clients see a dropped connection.
        """
        self._state.closing = True
        self._server.close()
        if grace > 0:
            self._close_idle()
            if self._state.tasks:
                await asyncio.wait(self._state.tasks, timeout=grace)
            self._close_idle()
        for connection in list(self._state.connections):
            connection.transport.abort()
        tasks = list(self._state.tasks)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        for connection in list(self._state.connections):
            if isinstance(connection, HttpProtocol):
                await connection.closed.wait()

    def _close_idle(self) -> None:
        for connection in list(self._state.connections):
            if not connection.transport.is_closing():
                connection.shutdown()


async def serve_http(
    app: ASGIApp,
    *,
    actor: str,
    observe: Observe = ignore,
    label: Label | None = None,
    tls: ServerTls | None = None,
    host: str = "127.0.0.1",
    port: int = 0,
    announced: str = "",
    greet: Callable[[], ssl.SSLContext | int | None] | None = None,
) -> HttpServer:
    """Serve `app` in the running loop, over TLS when `tls` is given. Port 0 takes a free one.

    `host` is listened to; others are told `announced`, by default the same.

    `greet` is asked at each ClientHello: the TLS alert to end it by, the context (certificate and
    trust) to go on with instead of the server's own, or None to go on.

    Each request becomes one Exchange, each failed handshake too. With `observe=ignore` nothing
    is recorded and no byte is hashed.

    Raises:
        OSError: the port is taken, or a certificate file cannot be read.
    """
    config = Config(
        app,
        http=HttpProtocol,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=int(KEEP_ALIVE),
        h11_max_incomplete_event_size=MAX_HEAD_BYTES,
    )
    config.load()
    state = State()
    context = None
    if tls is not None:
        context = server_context(tls)
        watch_handshakes(context, actor=actor, observe=observe)
        if greet is not None:
            greet_handshakes(context, greet)
    listener = listening_socket(host, port)
    service = Service(actor, observe, label)
    server = await asyncio.get_running_loop().create_server(
        functools.partial(HttpProtocol, service, config, state),
        sock=listener,
        backlog=512,
        ssl=context,
        ssl_handshake_timeout=HANDSHAKE_TIMEOUT if context else None,
        ssl_shutdown_timeout=GOODBYE_TIMEOUT if context else None,
    )
    bound = listener.getsockname()[1]
    return HttpServer(server, state, announced or host, bound, "https" if context else "http")


def note(
    scope: Scope,
    *,
    transaction: str = "",
    detail: str = "",
    keys: Iterable[str] = (),
    peer: str = "",
) -> None:
    """Name the exchange being answered; empty values change nothing, keys add up."""
    conversation: Conversation | None = scope.get(SCOPE_KEY)
    if conversation is None:
        return
    conversation.transaction = transaction or conversation.transaction
    conversation.detail = detail or conversation.detail
    conversation.peer = peer or conversation.peer
    conversation.keys.update((key, None) for key in keys if key)


def abort(scope: Scope) -> None:
    """Drop the TCP connection now: no end of answer, no TLS close. What was sent has left."""
    conversation: Conversation | None = scope.get(SCOPE_KEY)
    if conversation is not None:
        conversation.abort()


def impaired(app: ASGIApp, link: Link) -> ASGIApp:
    """The application, whose answer's body leaves through the link; a cut drops the connection.

    A link that lets nothing pass does not let the head out either.
    """

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        gone = False

        async def through(message: Message) -> None:
            nonlocal gone
            if gone:
                return
            if link.cut:
                gone = True
                abort(scope)
                return
            body = message.get("body", b"")
            if message["type"] != "http.response.body" or not body:
                await send(message)
                return
            view = memoryview(body)
            while view:
                size, seconds = link.take(len(view))
                await link.pause(seconds)
                if size == 0:
                    gone = True
                    abort(scope)
                    return
                last = size == len(view) and not message.get("more_body", False)
                await send({**message, "body": bytes(view[:size]), "more_body": not last})
                view = view[size:]

        await app(scope, receive, through)
        # Return only when the server knows: it would else complain of an unfinished answer.
        while gone and (await receive())["type"] != "http.disconnect":
            pass

    return answer


def tls_of(scope: Scope) -> TlsInfo | None:
    """The TLS session that the request came through, None in clear."""
    conversation: Conversation | None = scope.get(SCOPE_KEY)
    return None if conversation is None else conversation.connection.tls


def peer_chain(scope: Scope) -> tuple[bytes, ...]:
    """The client's certificates in DER, leaf first, as TLS verified them; () when none."""
    tls = tls_of(scope)
    return () if tls is None else tls.peer_chain
