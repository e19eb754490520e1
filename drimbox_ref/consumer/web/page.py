"""The page of a context: what the patient's DMP holds, once the professional is known.

The DMP is asked in a task of its own: a page waits a moment for its end, then is shown without it
and asks again by itself (DMP/UX.10).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from drimbox_ref.consumer.config import ConsumerConfig
from drimbox_ref.consumer.consultation import Consulting, consent_bar
from drimbox_ref.consumer.exporter import Exporter
from drimbox_ref.consumer.pages import HEADERS, Pages
from drimbox_ref.consumer.parts import Parts
from drimbox_ref.consumer.searching import SearchRefused, read_search
from drimbox_ref.consumer.sessions import Consultation, Context, Login
from drimbox_ref.consumer.values import Emergency, Situation
from drimbox_ref.consumer.web.login import NO_PSC, LoginWeb
from drimbox_ref.consumer.web.requests import read_fields, read_form, see_other
from drimbox_ref.consumer.web.visits import Visits
from drimbox_ref.psc import PscUnavailable
from drimbox_ref.psc_login import LoginExpired
from spec.vihf import ModeAcces
from wire.http_server import note

__all__ = ["PageWeb"]

_log = logging.getLogger(__name__)

_SHORTEST_REASON = 10
_LONGEST_REASON = 500
_LONG_POLL_S = 20.0
"""How long the page's script waits for the DMP before it asks again."""


class PageWeb:
    """Shows a context, and takes what its forms say."""

    def __init__(
        self,
        parts: Parts,
        *,
        visits: Visits,
        pages: Pages,
        login: LoginWeb,
        consulting: Consulting,
        config: ConsumerConfig,
        exporter: Exporter,
    ) -> None:
        self._parts = parts
        self._sessions = parts.sessions
        self._visits = visits
        self._pages = pages
        self._login = login
        self._consulting = consulting
        self._wait_s = config.timing.page_wait_s
        self._modes = config.options.emergency_modes
        self._declares = config.options.declare_authorisation
        self._exporter = exporter

    @property
    def routes(self) -> Sequence[BaseRoute]:
        """The page and its forms."""
        return (
            Route("/session/{id}", self.page),
            Route("/session/{id}/state", self.state),
            Route("/session/{id}/situation", self.choose, methods=["POST"]),
            Route("/session/{id}/search", self.search, methods=["POST"]),
            Route("/session/{id}/traits", self.traits, methods=["POST"]),
            Route("/session/{id}/emergency", self.emergency, methods=["POST"]),
            Route("/session/{id}/authorisation", self.authorise, methods=["POST"]),
        )

    async def page(self, request: Request) -> Response:
        """What the patient's DMP holds, as far as it is known."""
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
            self._begin(context, login)
        if context.asking is not None:
            await asyncio.wait({context.asking}, timeout=self._wait_s)
        if context.consultation is not None and not context.searching:
            context.consultation.told = True
        await self._exporter.recall(context)
        return self._pages.consultation(
            context,
            login,
            choices=choices,
            alert=alert,
            destinations=self._exporter.destinations,
            destination=await self._exporter.destination(login),
            modes=self._modes,
            authorisable=self._declares,
        )

    async def state(self, request: Request) -> Response:
        """Whether the DMP is still being asked; waits for a change, so that a script can follow."""
        note(request.scope, transaction="consumer-page")
        context, login = self._visits.entered(request, activity=False)
        if login is None:
            return JSONResponse({"message": "session terminée"}, 401, headers=HEADERS)
        if context.asking is not None:
            await asyncio.wait({context.asking}, timeout=_LONG_POLL_S)
        return JSONResponse({"searching": context.searching}, headers=HEADERS)

    def _begin(self, context: Context, login: Login) -> None:
        """Ask the DMP, unless it was asked already or must not be."""
        situation = context.situation
        found = context.consultation
        # What a page that refreshes by itself has not shown yet is no reason to ask again.
        known = found is not None and not (found.transient and found.told)
        if known or context.searching or situation is None or consent_bar(context):
            return
        context.asking = asyncio.create_task(self._ask(context, login, situation))

    async def _ask(self, context: Context, login: Login, situation: Situation) -> None:
        try:
            found = await self._consulting.consult(context, login, situation)
        except LoginExpired:
            found = Consultation(
                reason="Votre session Pro Santé Connect est finie : relancez la recherche pour "
                "vous reconnecter.",
                transient=True,
            )
        except PscUnavailable as error:
            _log.warning("PSC : %s", error)
            found = Consultation(reason=NO_PSC, transient=True)
        except Exception:
            # Nobody waits for this task: what it raises would be lost, and the page never end.
            _log.exception("consultation du DMP")
            found = Consultation(
                reason="Erreur interne de la DRIMbox : l'administrateur en est informé.",
                transient=True,
            )
        context.keep(found)

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
        """Ask the DMP again, with the criteria of the form or those of the call (DB.CO.55)."""
        note(request.scope, transaction="consumer-page")
        context, login = self._visits.entered(request)
        fields = await read_fields(request)
        if login is not None:
            search = context.search
            match fields.get("criteria"):
                case ["form"]:
                    try:
                        search = read_search(fields)
                    except SearchRefused as refused:
                        return self._pages.message(
                            "Recherche refusée",
                            *(f"{problem}." for problem in refused.problems),
                            status=400,
                            back=f"/session/{context.id}",
                        )
                case ["call"]:
                    search = None
            async with context.lock:
                context.search = search
                context.forget()
        return see_other(f"/session/{context.id}")

    async def traits(self, request: Request) -> Response:
        """All ten identity traits, or five (INS/va1.36), for as long as the login lasts."""
        note(request.scope, transaction="consumer-page")
        context, login = self._visits.entered(request)
        form = await read_form(request)
        if login is not None:
            login.all_traits = form.get("traits") == "tous"
        return see_other(f"/session/{context.id}")

    async def emergency(self, request: Request) -> Response:
        """Go on without the patient's authorisation, in writing; or come back to normal."""
        note(request.scope, transaction="consumer-page")
        context, login = self._visits.entered(request)
        form = await read_form(request)
        mode, reason = form.get("mode", ""), " ".join(form.get("reason", "").split())
        back = f"/session/{context.id}"
        if login is None or consent_bar(context):
            return see_other(back)
        emergency = None
        if mode != ModeAcces.NORMAL:
            if mode not in self._modes:
                raise HTTPException(400, "Ce mode d'accès n'est pas proposé.")
            if not _SHORTEST_REASON <= len(reason) <= _LONGEST_REASON:
                return self._pages.message(
                    "Motif demandé",
                    f"Motif de l'accès : entre {_SHORTEST_REASON} et {_LONGEST_REASON} caractères.",
                    status=400,
                    back=back,
                )
            emergency = Emergency(mode=ModeAcces(mode), reason=reason)
        async with context.lock:
            context.emergency = emergency
            context.forget()
        await self._visits.audit(
            "acces-urgence",
            "",
            subject=login.professional.id,
            patient=context.call.ins.value,
            objects={"mode": mode, "motif": reason},
        )
        return see_other(back)

    async def authorise(self, request: Request) -> Response:
        """The patient gave access: declare it (TD0.3), then ask again."""
        note(request.scope, transaction="consumer-page")
        context, login = self._visits.entered(request)
        form = await read_form(request)
        situation = context.situation
        if not self._declares:
            raise HTTPException(404, "Page inconnue.")
        if login is None or situation is None or consent_bar(context):
            return see_other(f"/session/{context.id}")
        if form.get("consent") != "oui":
            raise HTTPException(400, "Cochez le consentement du patient pour le déclarer.")
        failure = await self._consulting.declare(context, login, situation)
        if failure:
            return self._pages.message(
                "Autorisation non déclarée", failure, status=502, back=f"/session/{context.id}"
            )
        async with context.lock:
            context.forget()
        return see_other(f"/session/{context.id}")
