"""From a path to the handler that answers it; faults come first.

Every path of PSC is fixed, so a dictionary does: a small request costs half of what a router of
patterns would add to it, and endpoints can be put out of order in one place.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from simulators.psc.misbehaviour import alter, instead
from simulators.psc.oauth import OAuthError
from simulators.psc.realm import Realm
from wire.faults import Faults, Struck
from wire.http_server import impaired, note

__all__ = ["Application", "Endpoint", "fault_of", "struck_by"]

Handler = Callable[[Request], Awaitable[Response]]

_STRUCK = "psc.fault"
"""In the scope of a request, the fault that strikes it."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One path below the host. `name` is what a scenario calls it to put it out of order."""

    path: str
    methods: tuple[str, ...]
    handler: Handler
    transaction: str
    name: str = ""


class Application:
    """An ASGI application of fixed paths.

    Args:
        elsewhere: the host that a redirection to another one names.
    """

    def __init__(
        self, endpoints: Iterable[Endpoint], *, realm: Realm, faults: Faults, elsewhere: str
    ) -> None:
        self._endpoints = {endpoint.path: endpoint for endpoint in endpoints}
        self._realm = realm
        self._faults = faults
        self._elsewhere = elsewhere

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive, send)
        try:
            answer = await self._answer(request)
        except OAuthError as error:
            answer = error.response()
        await answer(scope, receive, send)

    async def _answer(self, request: Request) -> ASGIApp:
        endpoint = self._endpoints.get(request.scope["path"])
        if endpoint is None:
            return Response(status_code=404)
        if request.method not in endpoint.methods:
            return Response(status_code=405, headers={"allow": ", ".join(endpoint.methods)})
        note(request.scope, transaction=endpoint.transaction)
        struck = self._faults.strike(endpoint.name) if endpoint.name else None
        if struck is None:
            return await endpoint.handler(request)
        request.scope[_STRUCK] = struck
        if struck.delay_s:
            await struck.release.pause(struck.delay_s)
        app = instead(struck, self._elsewhere)
        if app is not None:
            await request.body()
        else:
            app = alter(struck, await endpoint.handler(request), self._realm)
        note(request.scope, detail=f"panne {struck.kind}")
        link = struck.link()
        return app if link is None else impaired(app, link)


def struck_by(request: Request) -> str:
    """The name of the fault that strikes a request, "" of none: for a handler that it concerns."""
    struck = fault_of(request)
    return struck.kind if struck else ""


def fault_of(request: Request) -> Struck | None:
    """The fault that strikes a request, if one does."""
    found: Struck | None = request.scope.get(_STRUCK)
    return found
