"""The proxy as a running service: `/connect`, `/send`, `/disconnect`, `/traces`, `/check/alive`.

Contract: ANS, psc-edc-proxy-esante, `openapi/API-Proxy-eSante.json` and README, grade: sample. One
session is one user of one software; tokens stay here, and the software holds a cookie.
"""

from __future__ import annotations

import asyncio
import json
import random
import uuid
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from simulators.proxy_esante.upstream import (
    Tokens,
    Upstream,
    UpstreamRefused,
    UpstreamUnavailable,
)
from spec.api_psc import PROXY_COOKIE, SCOPE
from spec.psc import CHANNELS
from wire.exchange import Observe, ignore
from wire.http_client import HttpClient, HttpFailure, TimedOut
from wire.http_server import HttpServer, note, serve_http
from wire.tls import ClientTls, ServerTls

__all__ = ["Backend", "ProxyConfig", "ProxyEsante", "build"]

_SESSION_S = 14_400
"""Seconds that a session lasts (ANS proxy e-santé)."""
_MARGIN_S = 30
_TIMEOUT_S = 60.0
_MAX_BODY = 100 * 1024 * 1024
_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]
_RELAYED = ("accept", "content-type", "soapaction")
"""Request headers that go on; cookie and address of the software do not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Backend:
    """An API Pro Santé Connectée: its root, and who gives its tokens."""

    url: str
    token_endpoint: str
    scope: str = SCOPE


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxyConfig:
    """How to build the service.

    `clients` maps each software's client_id to what is shown for it, to PSC and to APIs;
    `backends` is asked at each request: what is behind may start later.
    """

    tls: ServerTls | None
    clients: Mapping[str, ClientTls]
    psc_issuer: Callable[[], str]
    backends: Callable[[], Mapping[str, Backend]]
    clock: Callable[[], datetime]
    rng: random.Random = field(repr=False)
    connect_to: Mapping[str, str] = field(default_factory=dict)
    host: str = "127.0.0.1"
    port: int = 0
    announced: str = ""


@dataclass(slots=True)
class _Session:
    id: str
    person: str
    client_id: str
    tokens: Tokens
    opened: datetime
    api: dict[str, tuple[str, datetime]] = field(default_factory=dict, repr=False)
    """Backend -> API token and its end."""
    lock: asyncio.Lock = field(default_factory=asyncio.Lock, repr=False)


class ProxyEsante:
    """The service. `start` before anything else."""

    def __init__(self, config: ProxyConfig, observe: Observe) -> None:
        self._config = config
        self._observe = observe
        self._server: HttpServer | None = None
        self._port = config.port
        self._sessions: dict[str, _Session] = {}
        self._https: dict[str, HttpClient] = {}
        self._stopping = asyncio.Event()
        self.traces: list[dict[str, Any]] = []
        """What was done, oldest first, as `/traces` tells it."""
        self.app = Starlette(
            routes=[
                Route("/connect", self._connect, methods=["POST"]),
                Route("/disconnect", self._disconnect, methods=["DELETE"]),
                Route("/send/{backend}/{endpoint:path}", self._send, methods=_METHODS),
                Route("/traces", self._tell),
                Route("/check/alive", _alive),
            ]
        )

    # Life

    async def start(self) -> None:
        """Listen.

        Raises:
            OSError: the port is taken, or a certificate file cannot be read.
        """
        config = self._config
        self._stopping.clear()
        self._server = await serve_http(
            self.app,
            actor="proxy-esante",
            observe=self._observe,
            tls=config.tls,
            host=config.host,
            port=self._port,
            announced=config.announced,
        )
        self._port = self._server.port

    async def stop(self, *, grace: float = 5.0) -> None:
        """Close the listener and the connections; sessions are forgotten."""
        self._stopping.set()
        if self._server is not None:
            await self._server.stop(grace=grace)
            self._server = None
        for client in self._https.values():
            await client.aclose()
        self._https.clear()
        self._sessions.clear()

    @property
    def url(self) -> str:
        """Scheme, host and port of the listener.

        Raises:
            RuntimeError: not started.
        """
        if self._server is None:
            raise RuntimeError("the proxy is not started")
        return self._server.url

    # Requests

    async def _connect(self, request: Request) -> Response:
        note(request.scope, transaction="proxy-connect")
        asked = await _json(request)
        names = ("nationalId", "bindingMessage", "clientId", "channel")
        given = {name: said for name in names if isinstance(said := asked.get(name), str) and said}
        if given.keys() != set(names):
            return _problem(400, "Bad Request", given)
        person, client_id, channel = given["nationalId"], given["clientId"], given["channel"]
        note(request.scope, peer=client_id)
        if channel not in CHANNELS:
            return _problem(400, "Bad Request", given)
        held = self._held(request)
        if held is not None and (held.person, held.client_id) == (person, client_id):
            self._trace(request, "CONNECT_REPLAY", held)
            return Response(status_code=304)
        tls = self._config.clients.get(client_id)
        if tls is None:
            return _problem(404, "User National ID or Software Client ID Not Found.", given)
        try:
            session = await self._opened(person, client_id, given, tls)
        except UpstreamRefused as refused:
            self._trace(request, "CONNECT_FAILURE", None, client_id=client_id, person=person)
            status = 404 if "inconnu" in str(refused) else 401
            return _problem(status, str(refused), given)
        except UpstreamUnavailable as error:
            return _problem(503, str(error), given)
        self._trace(request, "CONNECT_SUCCESS", session)
        note(request.scope, keys=(session.tokens.session_state,))
        answer = JSONResponse(
            {PROXY_COOKIE: session.id, "session_state": session.tokens.session_state}
        )
        answer.set_cookie(PROXY_COOKIE, session.id, httponly=True, secure=True, samesite="strict")
        return answer

    async def _opened(
        self, person: str, client_id: str, given: Mapping[str, str], tls: ClientTls
    ) -> _Session:
        upstream = self._upstream(client_id, tls)
        tokens = await upstream.log_in(
            person,
            message=given["bindingMessage"],
            channel=given["channel"],
            pause=self._pause,
        )
        session = _Session(
            str(uuid.UUID(int=self._config.rng.getrandbits(128), version=4)),
            person,
            client_id,
            tokens,
            self._config.clock(),
        )
        for name in self._config.backends():
            await self._token(session, name)
        self._sessions[session.id] = session
        return session

    async def _send(self, request: Request) -> Response:
        note(request.scope, transaction="proxy-send")
        session = self._held(request)
        if session is None:
            return _problem(401, "No session found.", {})
        note(request.scope, peer=session.client_id, keys=(session.tokens.session_state,))
        name = request.path_params["backend"]
        backend = self._config.backends().get(name)
        if backend is None:
            return _problem(404, "Backend Not Found.", {"backend": name})
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > _MAX_BODY:
                return _problem(413, "Payload Too Large", {})
        path = request.path_params["endpoint"]
        self._trace(request, "SEND", session, api=(name, path))
        try:
            token = await self._token(session, name)
            query = f"?{request.url.query}" if request.url.query else ""
            answer = await self._http(session.client_id).request(
                request.method,
                f"{backend.url}/{path}{query}",
                headers=[
                    *((n, request.headers[n]) for n in _RELAYED if n in request.headers),
                    ("Authorization", f"Bearer {token}"),
                ],
                content=bytes(body),
            )
        except UpstreamRefused as refused:
            return _problem(401, str(refused), {})
        except TimedOut as error:
            return _problem(504, str(error), {})
        except (UpstreamUnavailable, HttpFailure) as error:
            return _problem(502, str(error), {})
        return Response(
            answer.body,
            answer.status,
            {"Content-Type": answer.headers.get("Content-Type", "application/octet-stream")},
        )

    async def _disconnect(self, request: Request) -> Response:
        note(request.scope, transaction="proxy-disconnect")
        session = self._held(request)
        if session is None:
            return _problem(401, "Session ID not found.", {})
        del self._sessions[session.id]
        self._trace(request, "DISCONNECT", session)
        tls = self._config.clients[session.client_id]
        await self._upstream(session.client_id, tls).log_out(session.tokens.id)
        answer = Response(status_code=200)
        answer.delete_cookie(PROXY_COOKIE)
        return answer

    async def _tell(self, request: Request) -> Response:
        """What was done between two instants (ISO 8601), both optional."""
        note(request.scope, transaction="proxy-traces")
        begin, end = request.query_params.get("start", ""), request.query_params.get("end", "~")
        return JSONResponse([one for one in self.traces if begin <= one["timestamp"] <= end])

    # What they share

    def _held(self, request: Request) -> _Session | None:
        session = self._sessions.get(request.cookies.get(PROXY_COOKIE, ""))
        if session is None:
            return None
        if self._config.clock() - session.opened >= timedelta(seconds=_SESSION_S):
            del self._sessions[session.id]
            return None
        return session

    async def _token(self, session: _Session, name: str) -> str:
        """The API token of a session, exchanged anew when little of it is left."""
        backend = self._config.backends()[name]
        async with session.lock:
            token, end = session.api.get(name, ("", self._config.clock()))
            if end - self._config.clock() <= timedelta(seconds=_MARGIN_S):
                tls = self._config.clients[session.client_id]
                token, seconds = await self._upstream(session.client_id, tls).exchange(
                    session.tokens.access,
                    token_endpoint=backend.token_endpoint,
                    scope=backend.scope,
                )
                session.api[name] = token, self._config.clock() + timedelta(seconds=seconds)
            return token

    def _upstream(self, client_id: str, tls: ClientTls) -> Upstream:
        return Upstream(self._config.psc_issuer(), tls, self._http(client_id))

    def _http(self, client_id: str) -> HttpClient:
        """What it sends is recorded by whoever answers."""
        client = self._https.get(client_id)
        if client is None:
            client = HttpClient(
                actor="proxy-esante",
                observe=ignore,
                tls=self._config.clients[client_id],
                connect_to=self._config.connect_to,
                timeout=_TIMEOUT_S,
            )
            self._https[client_id] = client
        return client

    async def _pause(self, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)
            raise UpstreamUnavailable("le proxy s'arrête")

    def _trace(
        self,
        request: Request,
        kind: str,
        session: _Session | None,
        *,
        client_id: str = "",
        person: str = "",
        api: tuple[str, str] | None = None,
    ) -> None:
        """A record as the ANS proxy keeps them; never a token."""
        forwarded = request.headers.get("x-forwarded-for", "").partition(",")[0].strip()
        here = request.client.host if request.client else ""
        record: dict[str, Any] = {
            "type": kind,
            "clientId": session.client_id if session else client_id,
            "IdRPPS": session.person if session else person,
            "ipAddress": forwarded or here,
            "proxy_id_session": session.id if session else "",
            "session_state": session.tokens.session_state if session else "",
            "timestamp": self._config.clock().isoformat(),
        }
        if api is not None:
            name, path = api
            record["apiRequest"] = {"nomApiPsc": name, "methode": request.method, "path": path}
        self.traces.append(record)


async def _alive(request: Request) -> Response:
    return PlainTextResponse("OK")


async def _json(request: Request) -> Mapping[str, Any]:
    try:
        value = json.loads(await request.body())
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _problem(status: int, message: str, metadata: Mapping[str, Any]) -> Response:
    said = {name: value for name, value in metadata.items() if name in ("nationalId", "clientId")}
    return JSONResponse({"code": str(status), "message": message, "metadata": said}, status)


def build(config: ProxyConfig, observe: Observe) -> ProxyEsante:
    """A service that is not listening yet."""
    return ProxyEsante(config, observe)
