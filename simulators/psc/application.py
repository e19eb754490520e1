"""From a path to the handler that answers it; faults come first.

Every path of PSC is fixed, so a dictionary does: a small request costs half of what a router of
patterns would add to it, and endpoints can be put out of order in one place.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from simulators.psc.oauth import Fault, OAuthError, play
from wire.http_server import note

__all__ = ["Application", "Endpoint"]

Handler = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One path below the host. `name` is what a scenario calls it to put it out of order."""

    path: str
    methods: tuple[str, ...]
    handler: Handler
    transaction: str
    name: str = ""


class Application:
    """An ASGI application of fixed paths."""

    def __init__(self, endpoints: Iterable[Endpoint]) -> None:
        self._endpoints = {endpoint.path: endpoint for endpoint in endpoints}
        self.faults: dict[str, Fault] = {}
        """Endpoints out of order now, by name."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive, send)
        try:
            response = await self._answer(request)
        except OAuthError as error:
            response = error.response()
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        endpoint = self._endpoints.get(request.scope["path"])
        if endpoint is None:
            return Response(status_code=404)
        if request.method not in endpoint.methods:
            return Response(status_code=405, headers={"allow": ", ".join(endpoint.methods)})
        note(request.scope, transaction=endpoint.transaction)
        fault = self.faults.get(endpoint.name)
        if fault is None:
            return await endpoint.handler(request)
        note(request.scope, detail="panne")
        if request.method == "POST":
            await request.body()
        return await play(fault, request)
