"""The agency's HTTPS face: the list in force, its copy without signature, and what it published.

The address of the production list is not public: paths are ours, and a box learns the first by its
configuration. The agency's test lists are kept under dated names too (DRIM-M_DATA, grade `sample`).
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from simulators.ans.faults import LIST
from simulators.ans.publication import Ans
from wire.exchange import Observe
from wire.http_server import HttpServer, impaired, note, serve_http
from wire.tls import ServerTls

__all__ = ["HISTORY_PATH", "UNSIGNED_PATH", "WHITE_LIST_PATH", "build", "start"]

WHITE_LIST_PATH = "/liste-blanche/LISTEBLANCHE_DRIM-M.xml"
UNSIGNED_PATH = "/liste-blanche/non-signee/LISTEBLANCHE_DRIM-M.xml"
HISTORY_PATH = "/liste-blanche/historique"
_XML = "application/xml"


class _InForce:
    """The list in force, or what a fault makes of it."""

    def __init__(self, ans: Ans) -> None:
        self._ans = ans

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        note(scope, transaction="liste-blanche")
        struck = self._ans.faults.strike(LIST)
        if struck is None:
            await Response(self._ans.document(), media_type=_XML)(scope, receive, send)
            return
        if struck.delay_s:
            await struck.release.pause(struck.delay_s)
        if struck.kind == "http":
            app: Response = PlainTextResponse("panne simulée", struck.number("code"))
        else:
            data = await asyncio.to_thread(self._ans.document, struck)
            app = Response(data, media_type="text/html" if struck.kind == "page" else _XML)
        link = struck.link()
        await (app if link is None else impaired(app, link))(scope, receive, send)


def build(ans: Ans) -> Starlette:
    """The ASGI application that publishes what `ans` holds at each request."""

    async def unsigned(request: Request) -> Response:
        note(request.scope, transaction="liste-blanche non signée")
        return Response(ans.unsigned(), media_type=_XML)

    async def history(request: Request) -> Response:
        note(request.scope, transaction="historique de la liste blanche")
        names = (f"{HISTORY_PATH}/{_dated(generated)}" for generated, _ in ans.history)
        return PlainTextResponse("".join(f"{one}\n" for one in names))

    async def former(request: Request) -> Response:
        note(request.scope, transaction="historique de la liste blanche")
        for generated, data in reversed(ans.history):
            if _dated(generated) == request.path_params["name"]:
                return Response(data, media_type=_XML)
        return Response(status_code=404)

    return Starlette(
        routes=[
            Route(WHITE_LIST_PATH, _InForce(ans), methods=["GET"]),
            Route(UNSIGNED_PATH, unsigned, methods=["GET"]),
            Route(HISTORY_PATH, history, methods=["GET"]),
            Route(HISTORY_PATH + "/{name}", former, methods=["GET"]),
        ]
    )


def _dated(generated: datetime) -> str:
    """The agency dates its files to the day; a bench publishes more often."""
    return f"LISTEBLANCHE_DRIM-M_{generated.astimezone(UTC):%Y.%m.%dT%H%M%S.%fZ}.xml"


async def start(
    ans: Ans,
    *,
    observe: Observe,
    tls: ServerTls,
    host: str = "127.0.0.1",
    port: int = 0,
    announced: str = "",
) -> HttpServer:
    """Serve the list over TLS; its address is `server.url + WHITE_LIST_PATH`."""
    return await serve_http(
        build(ans), actor="ans", observe=observe, tls=tls, host=host, port=port, announced=announced
    )
