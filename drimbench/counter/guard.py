"""Who may use the page: a browser of this machine, on a form that we made.

A page of another site can send requests to 127.0.0.1, and by DNS rebinding even read answers: the
Host must be ours, and what changes anything needs our token and no other Origin.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["Guard", "Token"]

_HEADERS = {
    "cache-control": "no-store",
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "cross-origin-resource-policy": "same-origin",
}


class Token:
    """What every form of ours carries: nobody else can read it."""

    def __init__(self) -> None:
        self.value = secrets.token_urlsafe(32)

    def proves(self, form: Mapping[str, object]) -> bool:
        """Whether a form is ours."""
        given = form.get("jeton-page")
        return isinstance(given, str) and secrets.compare_digest(
            given.encode("utf-8", "replace"), self.value.encode()
        )


class Guard:
    """An ASGI application that answers for another one to browsers of this machine alone."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.port = 0
        """Known once the listener is."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if refusal := self._refusal(scope):
            await refusal(scope, receive, send)
            return

        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start":
                pairs = [(name.encode(), value.encode()) for name, value in _HEADERS.items()]
                message["headers"] = [*message["headers"], *pairs]
            await send(message)

        await self._app(scope, receive, sent)

    def _refusal(self, scope: Scope) -> Response | None:
        headers = Headers(scope=scope)
        hosts = {f"{name}:{self.port}" for name in ("127.0.0.1", "localhost")}
        host = headers.get("host", "").lower()
        if host not in hosts:
            return PlainTextResponse("Cette page n'est servie qu'à cette machine.", 421)
        origin = headers.get("origin", f"http://{host}").lower()
        if scope["method"] not in ("GET", "HEAD") and origin != f"http://{host}":
            return PlainTextResponse("Un autre site ne commande pas le banc.", 403)
        return None
