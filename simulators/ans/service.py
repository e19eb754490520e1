"""The agency's HTTPS face: one resource, the white list in force.

The address of the production list is not public: the path is ours, and a box learns it by its
configuration.
"""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from simulators.ans.publication import Ans
from wire.exchange import Observe
from wire.http_server import HttpServer, note, serve_http
from wire.tls import ServerTls

__all__ = ["WHITE_LIST_PATH", "build", "start"]

WHITE_LIST_PATH = "/liste-blanche/LISTEBLANCHE_DRIM-M.xml"


def build(ans: Ans) -> Starlette:
    """The ASGI application that publishes what `ans` holds at each request."""

    async def white_list(request: Request) -> Response:
        note(request.scope, transaction="liste-blanche")
        document = ans.document()
        if document is None:
            return Response(status_code=503)
        return Response(document, media_type="application/xml")

    return Starlette(routes=[Route(WHITE_LIST_PATH, white_list, methods=["GET"])])


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
