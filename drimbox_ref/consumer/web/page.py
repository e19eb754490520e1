"""The page of a context: what the patient's DMP holds, once the professional is known."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from drimbox_ref.consumer.consultation import Consulting, consent_bar
from drimbox_ref.consumer.pages import Pages
from drimbox_ref.consumer.parts import Parts
from drimbox_ref.consumer.sessions import Context, Login
from drimbox_ref.consumer.values import LoginExpired, Situation
from drimbox_ref.consumer.web.login import NO_PSC, LoginWeb
from drimbox_ref.consumer.web.requests import read_form, see_other
from drimbox_ref.consumer.web.visits import Visits
from drimbox_ref.psc import PscUnavailable
from wire.http_server import note

__all__ = ["PageWeb"]

_log = logging.getLogger(__name__)


class PageWeb:
    """Shows a context, and takes what its forms say."""

    def __init__(
        self, parts: Parts, *, visits: Visits, pages: Pages, login: LoginWeb, consulting: Consulting
    ) -> None:
        self._parts = parts
        self._sessions = parts.sessions
        self._visits = visits
        self._pages = pages
        self._login = login
        self._consulting = consulting

    @property
    def routes(self) -> Sequence[BaseRoute]:
        """The page and its forms."""
        return (
            Route("/session/{id}", self.page),
            Route("/session/{id}/situation", self.choose, methods=["POST"]),
            Route("/session/{id}/search", self.search, methods=["POST"]),
        )

    async def page(self, request: Request) -> Response:
        """What the patient's DMP holds, once the professional is known."""
        note(request.scope, transaction="consumer-page")
        context = self._visits.context(request)
        login = self._visits.login(request)
        if login is None:
            return await self._login.to_psc(request, context)
        self._visits.claim(context, login)
        alert = ""
        try:
            # The user is active: the session at PSC is kept alive (DB.CO.65).
            await self._parts.tokens.access(login)
        except LoginExpired:
            self._sessions.expire(login)
            return await self._login.to_psc(request, context)
        except PscUnavailable as error:
            _log.warning("PSC : %s", error)
            alert = NO_PSC
        async with context.lock:
            choices = self._settle(context, login)
            consultation = context.consultation
            again = consultation is None or consultation.transient
            if context.situation is not None and again and not consent_bar(context):
                context.consultation = await self._consulting.consult(
                    context, login, context.situation
                )
        return self._pages.consultation(context, login, choices=choices, alert=alert)

    def _settle(self, context: Context, login: Login) -> tuple[Situation, ...]:
        """Choose the exercise situation when there is no choice, else say what the choice is."""
        everything = login.professional.situations
        if consent_bar(context):
            return ()
        if context.situation is not None:
            return everything if len(everything) > 1 else ()
        if not everything:
            context.notice = (
                "Pro Santé Connect ne vous connaît aucune situation d'exercice de professionnel "
                "de santé : le DMP ne peut être consulté."
            )
            return ()
        wanted = context.call.situation
        candidates = everything
        if wanted:
            candidates = self._parts.situations.match(login.professional, wanted)
        elif login.situation is not None:
            candidates = (login.situation,)
        if len(candidates) == 1:
            context.notice = ""
            context.choose(candidates[0])
            return everything if len(everything) > 1 else ()
        if not candidates:
            context.notice = (
                f"La situation d'exercice {wanted} de l'appel n'est pas parmi les vôtres : "
                "choisissez-en une."
            )
            return everything
        context.notice = "Choisissez votre situation d'exercice."
        return candidates

    async def choose(self, request: Request) -> Response:
        """The situation that the professional chose (DB.CO.49, DB.CO.50)."""
        note(request.scope, transaction="consumer-page")
        context, login = self._visits.entered(request)
        form = await read_form(request)
        if login is not None and not consent_bar(context):
            chosen = [s for s in login.professional.situations if s.key == form.get("situation")]
            if not chosen:
                raise HTTPException(400, "Cette situation d'exercice n'est pas la vôtre.")
            async with context.lock:
                context.notice = ""
                context.choose(chosen[0])
                login.situation = chosen[0]
        return see_other(f"/session/{context.id}")

    async def search(self, request: Request) -> Response:
        """Ask the DMP again."""
        note(request.scope, transaction="consumer-page")
        context, login = self._visits.entered(request)
        if login is not None:
            async with context.lock:
                context.consultation = None
        return see_other(f"/session/{context.id}")
