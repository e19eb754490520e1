"""The PKI's plain HTTP face: CRLs, OCSP, authorities, time stamps, each signed, hence in clear.

Three of the four clear flows that the ANS FAQ allows (control point C17; grade: faq).
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from protocols.timestamp import REPLY_TYPE
from simulators.igc.authorities import AUTHORITIES, CRL_LIFE, ROOTS, Authority
from simulators.igc.faults import CRL, MENU, OCSP, TSA
from simulators.igc.ocsp import Responder
from simulators.igc.pki import CRL_PATH, DAY, OCSP_PATH, TSA_PATH, Pki
from simulators.igc.signers import spoil
from simulators.igc.tsa import TimeStamper
from wire.exchange import Observe
from wire.faults import Faults, Struck
from wire.http_faults import refusal
from wire.http_server import HttpServer, impaired, note, serve_http

__all__ = ["IgcServer", "build", "start"]

_MEDIA = {CRL: "application/pkix-crl", OCSP: "application/ocsp-response", TSA: REPLY_TYPE}
_MOST = 64 * 1024
"""Octets of a request: one that asks for a status has a hundred, or for a time stamp."""


@dataclass(slots=True)
class _Shelf:
    """The PKI that the application serves, none until the listener's address is known, and what it
    does wrong."""

    pki: Pki | None = None
    faults: Faults = field(default_factory=lambda: Faults(MENU))
    responder: Responder | None = None
    stamper: TimeStamper | None = None

    def open(self, pki: Pki) -> None:
        """From now on this one is served."""
        self.pki, self.responder, self.stamper = pki, Responder(pki), TimeStamper(pki)

    def crl(self, authority: Authority, struck: Struck | None) -> bytes:
        """That authority's list, or what the fault makes of it."""
        assert self.pki is not None
        pki, now = self.pki, self.pki.clock()
        kind = "" if struck is None else struck.kind
        if struck is not None and kind in ("perimee", "future"):
            away = struck.number("jours") * DAY
            begin = now + away if kind == "future" else now - away - CRL_LIFE
            return pki.crl(authority=authority, this_update=begin, next_update=begin + CRL_LIFE)
        if kind == "sosie":
            pki = Pki.create(clock=pki.clock, crl_url=pki.crl_url)
        data = pki.crl(authority=authority)
        if kind == "alteree":
            return spoil(data, x509.load_der_x509_crl(data).signature)
        return data


def build(pki: Pki) -> Starlette:
    """The ASGI application that publishes this PKI."""
    shelf = _Shelf()
    shelf.open(pki)
    return _application(shelf)


@dataclass(slots=True)
class IgcServer:
    """A running service and the PKI whose certificates point at it."""

    pki: Pki
    url: str
    faults: Faults
    _server: HttpServer = field(repr=False)

    async def stop(self) -> None:
        """Close the listener."""
        await self._server.stop()


async def start(
    *,
    clock: Callable[[], datetime],
    observe: Observe,
    host: str = "127.0.0.1",
    port: int = 0,
    announced: str = "",
    keep: Path | None = None,
) -> IgcServer:
    """Listen in plain HTTP, then make a PKI whose addresses are those of the listener.

    `announced` is the host of these addresses, by default `host`; `keep` is the
    folder of its authorities, see `Pki.create`.
    """
    shelf = _Shelf()
    server = await serve_http(
        _application(shelf), actor="igc", observe=observe, host=host, port=port, announced=announced
    )
    pki = Pki.create(clock=clock, crl_url=server.url + CRL_PATH, keep=keep)
    shelf.open(pki)
    return IgcServer(pki, server.url, shelf.faults, server)


class _Impaired:
    """A service of the authority, which faults strike: `answer` is its right body, or theirs."""

    def __init__(
        self,
        shelf: _Shelf,
        service: str,
        answer: Callable[[Request, Struck | None], Awaitable[bytes]],
    ) -> None:
        self._shelf = shelf
        self._service = service
        self._answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        note(scope, transaction=self._service)
        if self._shelf.pki is None:
            await Response(status_code=503)(scope, receive, send)
            return
        struck = self._shelf.faults.strike(self._service)
        if struck is None:
            app = await self._right(Request(scope, receive), None)
            await app(scope, receive, send)
            return
        if struck.delay_s:
            await struck.release.pause(struck.delay_s)
        if struck.kind == "http":
            app = refusal(struck)
        elif struck.kind == "boucle":
            app = _next_turn(Request(scope, receive))
        elif struck.kind == "page":
            app = Response("<html><body>Portail d'accès</body></html>", media_type="text/html")
        else:
            app = await self._right(Request(scope, receive), struck)
        link = struck.link()
        await (app if link is None else impaired(app, link))(scope, receive, send)

    async def _right(self, request: Request, struck: Struck | None) -> Response:
        data = await self._answer(request, struck)
        if struck is not None and struck.kind == "tronquee":
            data = data[: len(data) // 2]
        if struck is not None and struck.kind == "enorme":
            return StreamingResponse(
                _followed(data, int(struck.number("mio"))), media_type=_MEDIA[self._service]
            )
        return Response(data, media_type=_MEDIA[self._service])


async def _followed(data: bytes, mebibytes: int) -> AsyncIterator[bytes]:
    """Never held whole: whoever stops reading stops it."""
    yield data
    zeros = bytes(1 << 20)
    for _ in range(mebibytes):
        yield zeros


def _next_turn(request: Request) -> Response:
    """To the same address, one turn further."""
    turn = request.query_params.get("tour", "0")
    further = int(turn) + 1 if turn.isascii() and turn.isdigit() and len(turn) < 9 else 1
    return RedirectResponse(f"{request.url.path}?tour={further}", status_code=302)


def _application(shelf: _Shelf) -> Starlette:
    listing = {one.crl_path: one for one in (*AUTHORITIES, *ROOTS)}
    certified = {one.certificate_path: one for one in (*AUTHORITIES, *ROOTS)}

    async def crl(request: Request, struck: Struck | None) -> bytes:
        return await asyncio.to_thread(shelf.crl, listing[request.url.path], struck)

    async def certificate(request: Request) -> Response:
        note(request.scope, transaction="AC")
        if shelf.pki is None:
            return Response(status_code=503)
        which = certified[request.url.path]
        made = await asyncio.to_thread(shelf.pki.authority, which)
        data = made.certificate.public_bytes(Encoding.DER)
        return Response(data, media_type="application/pkix-cert")

    async def status(request: Request, struck: Struck | None) -> bytes:
        assert shelf.responder is not None
        return await asyncio.to_thread(shelf.responder.answer, await _asked(request), struck)

    async def stamp(request: Request, struck: Struck | None) -> bytes:
        assert shelf.stamper is not None
        return await asyncio.to_thread(shelf.stamper.answer, await _asked(request), struck)

    stamper = _Impaired(shelf, TSA, stamp)
    listed, responder = _Impaired(shelf, CRL, crl), _Impaired(shelf, OCSP, status)
    return Starlette(
        routes=[
            *(Route(path, listed, methods=["GET"]) for path in listing),
            *(Route(path, certificate, methods=["GET"]) for path in certified),
            Route(TSA_PATH, stamper, methods=["POST"]),
            Route(OCSP_PATH, responder, methods=["POST"]),
            Route(OCSP_PATH + "/{asked:path}", responder, methods=["GET"]),
        ]
    )


async def _asked(request: Request) -> bytes:
    """A request as HTTP carries it: RFC 6960 A.1, RFC 3161 3.4. What is none is empty, hence
    malformed."""
    if request.method == "GET":
        try:
            return base64.b64decode(request.path_params["asked"], validate=True)
        except ValueError:
            return b""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _MOST:
            return b""
    return bytes(body)
