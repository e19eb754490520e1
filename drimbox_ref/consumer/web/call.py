"""The door that a RIS knocks at: a contextual call opens a context of its own (DB.CO.48)."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from drimbox_ref.consumer.pages import Pages
from drimbox_ref.consumer.parts import Parts
from drimbox_ref.consumer.values import CallRefused
from drimbox_ref.consumer.web.requests import read_body, see_other
from drimbox_ref.consumer.web.visits import Visits
from wire.http_server import note

__all__ = ["CallWeb"]

_EVENT = "appel-contextuel"


class CallWeb:
    """Takes contextual calls."""

    def __init__(self, parts: Parts, *, visits: Visits, pages: Pages) -> None:
        self._parts = parts
        self._visits = visits
        self._pages = pages

    @property
    def routes(self) -> Sequence[BaseRoute]:
        """Where calls come, and what is there for somebody who came without one."""
        return Route("/", self.home), Route("/drim", self.call, methods=["POST"])

    async def home(self, request: Request) -> Response:
        """Nothing can be done from here."""
        return self._pages.home()

    async def call(self, request: Request) -> Response:
        """A contextual call: a context of its own, and where to find it."""
        note(request.scope, transaction=_EVENT, peer="ris")
        try:
            call = self._parts.calls.read(
                request.headers.get("content-type", ""),
                request.url.query,
                await read_body(request),
            )
        except CallRefused as refused:
            await self._visits.audit(_EVENT, str(refused))
            return self._pages.message(
                "Appel contextuel refusé", *refused.problems, status=refused.status
            )
        context = self._parts.sessions.open(call)
        await self._visits.audit(_EVENT, "")
        return see_other(f"/session/{context.id}")
