"""Logging in at Pro Santé Connect and logging out (OpenID Connect, DB.CO.64, DB.CO.80)."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from drimbox_ref.consumer.pages import Pages
from drimbox_ref.consumer.parts import Parts
from drimbox_ref.consumer.sessions import Context
from drimbox_ref.consumer.web.ciba import CibaWeb
from drimbox_ref.consumer.web.requests import read_form, see_other, set_cookie
from drimbox_ref.consumer.web.visits import BROWSER_COOKIE, LOGIN_COOKIE, LOGIN_EVENT, Visits
from drimbox_ref.psc import PscUnavailable
from drimbox_ref.psc_login import LoginRefused

__all__ = ["LoginWeb", "NO_PSC"]

_log = logging.getLogger(__name__)

NO_PSC = "Pro Santé Connect ne répond pas : réessayez dans un moment."


class LoginWeb:
    """Sends browsers to PSC, takes them back, ends their sessions.

    With `ciba`, professionals are asked on their telephone instead.
    """

    def __init__(
        self,
        parts: Parts,
        *,
        visits: Visits,
        pages: Pages,
        redirect: str,
        ciba: CibaWeb | None = None,
    ) -> None:
        self._ciba = ciba
        self._parts = parts
        self._sessions = parts.sessions
        self._visits = visits
        self._pages = pages
        self._redirect = redirect

    @property
    def routes(self) -> Sequence[BaseRoute]:
        """Where PSC sends browsers back, and the way out."""
        return (
            *(self._ciba.routes if self._ciba else ()),
            Route(self._redirect, self.callback),
            Route("/logout", self.logout, methods=["POST"]),
        )

    async def callback(self, request: Request) -> Response:
        """PSC sends the browser back (RFC 6749 4.1.2, OpenID Connect Core 3.1.2.5)."""
        given = request.query_params
        if len(given.multi_items()) != len(set(given)):
            raise HTTPException(400, "Retour de Pro Santé Connect illisible.")
        pending = self._sessions.come_back(
            given.get("state", ""), request.cookies.get(BROWSER_COOKIE, "")
        )
        if pending is None:
            await self._visits.audit(LOGIN_EVENT, "retour de PSC inattendu")
            raise HTTPException(
                400, "Connexion inattendue ou trop ancienne : relancez l'appel depuis le RIS."
            )
        back = f"/session/{pending.context}"
        if given.get("error"):
            await self._visits.audit(LOGIN_EVENT, "PSC a refusé la connexion")
            return self._pages.message(
                "Connexion refusée",
                "Pro Santé Connect n'a pas confirmé votre identité.",
                status=403,
                back=back,
            )
        psc = self._parts.psc
        try:
            grant = await psc.redeem(
                given.get("code", ""),
                nonce=pending.nonce,
                verifier=pending.verifier,
                issuer=given.get("iss", ""),
            )
            professional = self._parts.situations.read(await psc.userinfo(grant))
        except LoginRefused as refused:
            await self._visits.audit(LOGIN_EVENT, str(refused))
            return self._pages.message("Connexion refusée", str(refused), status=403, back=back)
        except PscUnavailable as error:
            _log.warning("PSC : %s", error)
            return self._pages.message("Connexion impossible", NO_PSC, status=503, back=back)
        login = self._sessions.log_in(professional, grant)
        await self._visits.audit(LOGIN_EVENT, "", subject=professional.id)
        answer = see_other(back)
        set_cookie(answer, LOGIN_COOKIE, login.id)
        return answer

    async def to_psc(self, request: Request, context: Context) -> Response:
        """Send the browser to log in."""
        if self._ciba is not None:
            return await self._ciba.page(request, context)
        browser = self._visits.browser(request) or self._sessions.new_browser()
        pending = self._sessions.send_away(browser, context.id)
        try:
            url = await self._parts.psc.authorization_url(
                state=pending.state, nonce=pending.nonce, verifier=pending.verifier
            )
        except PscUnavailable as error:
            _log.warning("PSC : %s", error)
            return self._pages.message(
                "Connexion impossible", NO_PSC, status=503, back=f"/session/{context.id}"
            )
        answer = RedirectResponse(url, status_code=302, headers={"Cache-Control": "no-store"})
        set_cookie(answer, BROWSER_COOKIE, browser)
        return answer

    async def logout(self, request: Request) -> Response:
        """End everything, here and at PSC (DB.CO.64)."""
        form = await read_form(request)
        login = self._visits.login(request)
        if login is None:
            return self._forget(self._pages.logged_out(at_psc=True))
        running = sum(
            job.active
            for context in self._sessions.contexts_of(login)
            for job in context.jobs.values()
        )
        if running and form.get("confirm") != "oui":
            return self._pages.confirm_logout(running)
        self._sessions.log_out(login)
        try:
            await self._parts.psc.log_out(login.grant)
            at_psc = True
        except PscUnavailable as error:
            _log.warning("PSC : %s", error)
            at_psc = False
        await self._visits.audit("UserLogout", "", subject=login.professional.id)
        return self._forget(self._pages.logged_out(at_psc=at_psc))

    def _forget(self, answer: Response) -> Response:
        set_cookie(answer, LOGIN_COOKIE, "", max_age=0)
        return answer
