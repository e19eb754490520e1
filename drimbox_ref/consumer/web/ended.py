"""Where Pro Santé Connect says that a session is over (OpenID Connect Back-Channel Logout 1.0)."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from drimbox_ref.consumer.parts import Parts
from drimbox_ref.consumer.web.requests import read_form
from drimbox_ref.consumer.web.visits import Visits
from drimbox_ref.psc import PscUnavailable
from drimbox_ref.psc_login import LoginRefused
from wire.http_server import note

__all__ = ["EndedWeb"]

_log = logging.getLogger(__name__)

_NO_STORE = {"Cache-Control": "no-store"}


class EndedWeb:
    """Ends logins whose session PSC ended."""

    def __init__(self, parts: Parts, *, visits: Visits, path: str) -> None:
        self._parts = parts
        self._visits = visits
        self._path = path

    @property
    def routes(self) -> Sequence[BaseRoute]:
        """The address that is registered at PSC."""
        return (Route(self._path, self.end, methods=["POST"]),)

    async def end(self, request: Request) -> Response:
        """A logout token: 200 when it is understood, even if nobody was logged in by it (2.8)."""
        note(request.scope, transaction="PSC-logout-token", peer="psc")
        try:
            token = (await read_form(request)).get("logout_token", "")
            ended = await self._parts.psc.ended(token)
        except (HTTPException, LoginRefused) as error:
            said = str(error.detail if isinstance(error, HTTPException) else error)
            _log.warning("PSC : %s", said)
            return _refused(said, 400)
        except PscUnavailable as error:
            _log.warning("PSC : %s", error)
            return _refused("clés de Pro Santé Connect indisponibles", 503)
        for login in self._parts.sessions.ended_at_psc(ended):
            await self._visits.audit("UserLogout", "", subject=login.professional.id)
        return Response(status_code=200, headers=_NO_STORE)


def _refused(description: str, status: int) -> Response:
    said = {"error": "invalid_request", "error_description": description}
    return JSONResponse(said, status, headers=_NO_STORE)
