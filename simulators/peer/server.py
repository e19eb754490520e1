"""A Source of the network, seen from a Consumer: it serves what it was given, right or rude.

It checks nothing but that a series was offered: what a Consumer sends to it is recorded by the
wire and judged elsewhere. Whether it is on the white list is not its affair.
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from simulators.peer.answers import answer, polite
from simulators.peer.faults import MENU, TLS, WADO
from simulators.peer.offers import Offer
from wire.exchange import Observe
from wire.faults import Faults
from wire.http_faults import CERTIFICATE, Shown
from wire.http_server import HttpServer, impaired, note, serve_http
from wire.listening import authority
from wire.tls import ServerTls, server_context

__all__ = ["PeerSource"]


class PeerSource:
    """The service. Change `offers` from any thread; it is read at each request.

    Its `faults` make it rude, handshake by handshake and request by request.

    Args:
        actor: the name under which its exchanges are recorded.
        elsewhere: the host that a redirection to another host names.
    """

    def __init__(self, actor: str = "voisin", *, elsewhere: str = "") -> None:
        self.actor = actor
        self.offers: dict[str, Offer] = {}
        self.faults = Faults(MENU)
        self._elsewhere = elsewhere
        self._wardrobe: dict[Shown, ssl.SSLContext] = {}
        self._server: HttpServer | None = None

    def offer(self, offer: Offer) -> None:
        """Serve one more exam."""
        self.offers[offer.study_uid] = offer

    async def start(
        self,
        *,
        observe: Observe,
        tls: ServerTls,
        wardrobe: Mapping[Shown, ServerTls] | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        announced: str = "",
    ) -> str:
        """Listen; returns `address:port`, as others are told. `wardrobe` holds the certificates
        that the fault `certificat` shows instead of the right one."""
        self._wardrobe = {name: server_context(one) for name, one in (wardrobe or {}).items()}
        self._server = await serve_http(
            self.build(),
            actor=self.actor,
            observe=observe,
            tls=tls,
            host=host,
            port=port,
            announced=announced,
            greet=self._greet,
        )
        return authority(self._server.host, self._server.port)

    async def stop(self) -> None:
        """Close the listener. Faults are over."""
        self.faults.clear()
        if self._server is not None:
            await self._server.stop()

    async def hang_up(self) -> None:
        """Close the connections that wait for a request: who asks again shakes hands again."""
        if self._server is not None:
            self._server.hang_up()

    def build(self) -> Starlette:
        """The ASGI application."""
        return Starlette(
            routes=[Route("/{root:path}/studies/{study}/series/{series}", _Retrieve(self))]
        )

    def _greet(self) -> ssl.SSLContext | None:
        struck = self.faults.strike(TLS)
        if struck is None or struck.kind != CERTIFICATE:
            return None
        return self._wardrobe[Shown(struck.text("montre"))]

    async def respond(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a retrieval of one series."""
        request = Request(scope)
        note(scope, transaction="WADO-RS")
        series = request.path_params["series"]
        offer = self.offers.get(request.path_params["study"])
        files = offer.series.get(series) if offer else None
        if offer is None or files is None:
            refused = PlainTextResponse("série inconnue", status_code=404)
            await refused(scope, receive, send)
            return
        struck = self.faults.strike(WADO)
        if struck is None:
            await polite(offer, files)(scope, receive, send)
            return
        await struck.release.pause(struck.delay_s)
        app = answer(struck, offer, files, elsewhere=self._elsewhere)
        link = struck.link()
        await (app if link is None else impaired(app, link))(scope, receive, send)


class _Retrieve:
    """An ASGI endpoint: Starlette takes a function for one of requests and responses."""

    def __init__(self, source: PeerSource) -> None:
        self._source = source

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._source.respond(scope, receive, send)
