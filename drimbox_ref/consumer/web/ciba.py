"""Logging in by CIBA: the professional says who they are here, and accepts on their telephone.

No token and no identifier of the request reaches the browser: it only asks for its page again, and
is bound to the request by its cookie. PSC is asked when the page is, never more often than it
wants; a page that is closed asks no more, and the request ends by itself.
"""

from __future__ import annotations

import logging
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from drimbox_ref.consumer.ciba import TOO_LATE
from drimbox_ref.consumer.pages import Pages
from drimbox_ref.consumer.parts import Parts
from drimbox_ref.consumer.sessions import Context
from drimbox_ref.consumer.values import Ring
from drimbox_ref.consumer.web.requests import read_form, see_other, set_cookie
from drimbox_ref.consumer.web.visits import BROWSER_COOKIE, LOGIN_COOKIE, LOGIN_EVENT, Visits
from drimbox_ref.psc import PscUnavailable
from drimbox_ref.psc_login import Grant, LoginRefused
from wire.http_server import note

__all__ = ["CibaWeb"]

_log = logging.getLogger(__name__)

_NATIONAL_ID = re.compile(r"[A-Za-z0-9/]{6,40}")
_NO_PSC = "Pro Santé Connect ne répond pas : réessayez dans un moment."
_MOST = 1000


@dataclass(frozen=True, slots=True)
class _Waiting:
    """Who is asked, and the request."""

    person: str
    ring: Ring


class CibaWeb:
    """Asks professionals on their telephone."""

    def __init__(self, parts: Parts, *, visits: Visits, pages: Pages) -> None:
        self._parts = parts
        self._visits = visits
        self._pages = pages
        self._waiting: dict[tuple[str, str], _Waiting] = {}
        """(browser, context) -> the request under way."""

    @property
    def routes(self) -> Sequence[BaseRoute]:
        """The form by which a professional says who they are."""
        return (Route("/session/{id}/ciba", self.begin, methods=["POST"]),)

    async def begin(self, request: Request) -> Response:
        """Have PSC ask, or give up what was asked."""
        note(request.scope, transaction="consumer-page")
        context = self._visits.context(request)
        browser, form = self._visits.browser(request), await read_form(request)
        person = form.get("identifiant", "").strip()
        at = browser, context.id
        if form.get("action") == "abandonner":
            self._waiting.pop(at, None)
            return see_other(f"/session/{context.id}")
        if not browser or not _NATIONAL_ID.fullmatch(person):
            raise HTTPException(400, "Saisissez votre identifiant national.")
        try:
            ring = await self._parts.psc.ring(person, message=f"{secrets.randbelow(100):02d}")
        except LoginRefused as refused:
            return await self._refused(context, str(refused))
        except PscUnavailable as error:
            return self._unavailable(context, error)
        self._forget_old()
        self._waiting[at] = _Waiting(person, ring)
        return see_other(f"/session/{context.id}")

    async def page(self, request: Request, context: Context) -> Response:
        """What somebody who is not logged in sees: the form, the wait, or the way in."""
        browser = self._visits.browser(request)
        waiting = self._waiting.get((browser, context.id))
        if waiting is None:
            answer: Response = self._pages.ciba(context.id, "")
            if not browser:
                set_cookie(answer, BROWSER_COOKIE, self._parts.sessions.new_browser())
            return answer
        now = self._parts.clock.now()
        if now >= waiting.ring.expires:
            # PSC said how long it would wait: nobody waits for longer, whatever it answers.
            del self._waiting[browser, context.id]
            return await self._refused(context, TOO_LATE)
        if not waiting.ring.due(now):
            return self._pages.ciba(context.id, waiting.ring.message)
        # The page may be asked twice at once, PSC must not.
        self._waiting[browser, context.id] = _Waiting(waiting.person, waiting.ring.waited(now))
        try:
            found = await self._parts.psc.answered(waiting.ring)
            if isinstance(found, Ring):
                self._waiting[browser, context.id] = _Waiting(waiting.person, found)
                return self._pages.ciba(context.id, found.message)
            del self._waiting[browser, context.id]
            return await self._enter(context, waiting.person, found)
        except LoginRefused as refused:
            self._waiting.pop((browser, context.id), None)
            return await self._refused(context, str(refused))
        except PscUnavailable as error:
            return self._unavailable(context, error)

    async def _enter(self, context: Context, person: str, grant: Grant) -> Response:
        professional = self._parts.situations.read(await self._parts.psc.userinfo(grant))
        if professional.id != person:
            raise LoginRefused("Pro Santé Connect a donné l'identité de quelqu'un d'autre.")
        login = self._parts.sessions.log_in(professional, grant)
        await self._visits.audit(LOGIN_EVENT, "", subject=professional.id)
        answer = see_other(f"/session/{context.id}")
        set_cookie(answer, LOGIN_COOKIE, login.id)
        return answer

    async def _refused(self, context: Context, said: str) -> Response:
        await self._visits.audit(LOGIN_EVENT, said)
        return self._pages.message(
            "Connexion refusée", said, status=403, back=f"/session/{context.id}"
        )

    def _unavailable(self, context: Context, error: PscUnavailable) -> Response:
        _log.warning("PSC : %s", error)
        return self._pages.message(
            "Connexion impossible", _NO_PSC, status=503, back=f"/session/{context.id}"
        )

    def _forget_old(self) -> None:
        now = self._parts.clock.now()
        for at, one in list(self._waiting.items()):
            if now > one.ring.expires or len(self._waiting) >= _MOST:
                del self._waiting[at]
