"""The PKI's plain HTTP face: CRLs and authority certificates, each signed, hence in clear.

One of the four clear flows that the ANS FAQ allows (control point C17; grade: faq).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from simulators.igc.pki import CRL_PATH, PUBLISHED, Pki
from wire.exchange import Observe
from wire.http_server import HttpServer, note, serve_http

__all__ = ["IgcServer", "build", "start"]

Resource = tuple[str, str, Callable[[Pki], bytes]]

_RESOURCES: dict[str, Resource] = {
    PUBLISHED["organisations-crl"]: ("CRL", "application/pkix-crl", lambda pki: pki.crl()),
    PUBLISHED["root-crl"]: ("CRL", "application/pkix-crl", lambda pki: pki.root_crl()),
    PUBLISHED["organisations"]: (
        "AC",
        "application/pkix-cert",
        lambda pki: pki.igc_intermediate.public_bytes(Encoding.DER),
    ),
    PUBLISHED["root"]: (
        "AC",
        "application/pkix-cert",
        lambda pki: pki.igc_root.public_bytes(Encoding.DER),
    ),
}


@dataclass(slots=True)
class _Shelf:
    """The PKI that the application serves; none until the listener's address is known."""

    pki: Pki | None = None


def build(pki: Pki) -> Starlette:
    """The ASGI application that publishes this PKI."""
    return _application(_Shelf(pki))


@dataclass(slots=True)
class IgcServer:
    """A running service and the PKI whose certificates point at it."""

    pki: Pki
    url: str
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
    shelf.pki = pki
    return IgcServer(pki, server.url, server)


def _application(shelf: _Shelf) -> Starlette:
    async def publish(request: Request) -> Response:
        transaction, media_type, render = _RESOURCES[request.url.path]
        note(request.scope, transaction=transaction)
        if shelf.pki is None:
            return Response(status_code=503)
        return Response(render(shelf.pki), media_type=media_type)

    return Starlette(routes=[Route(path, publish, methods=["GET"]) for path in _RESOURCES])
