"""The Consumer's web application: contextual call, login, page, export, logout.

No step can be skipped: a page is only shown to the professional who logged in for its context,
and a context only exists because of a call. Cookies are SameSite=Lax and every address of a
context is unguessable, so that no other site can make a browser act on it.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Mapping
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from drimbox_ref.consumer.calls import MAX_BODY
from drimbox_ref.consumer.consultation import Consulting, consent_bar
from drimbox_ref.consumer.exporter import Exporter
from drimbox_ref.consumer.pages import ASSETS, HEADERS, Pages, job_text
from drimbox_ref.consumer.parts import Parts
from drimbox_ref.consumer.sessions import Context, Login
from drimbox_ref.consumer.values import CallRefused, LoginExpired, LoginRefused, Situation
from drimbox_ref.psc import PscUnavailable
from drimbox_ref.trail import AuditEvent
from wire.http_server import note

__all__ = ["ConsumerWeb"]

_log = logging.getLogger(__name__)

_LOGIN_COOKIE = "__Host-drimbox"
_BROWSER_COOKIE = "__Host-drimbox-navigateur"
"""Binds a login under way to the browser that began it; says nothing of who is logged in."""
_IDENTIFIER = re.compile(r"[A-Za-z0-9_-]{43}")
_NO_PSC = "Pro Santé Connect ne répond pas : réessayez dans un moment."
_EVENT = "UserAuthentication"
"""DICOM PS3.15 A.5.3.12 (DB.CO.80)."""


class ConsumerWeb:
    """The handlers; `app` is the ASGI application."""

    def __init__(
        self, parts: Parts, *, consulting: Consulting, exporter: Exporter, redirect: str
    ) -> None:
        self._parts = parts
        self._sessions = parts.sessions
        self._consulting = consulting
        self._exporter = exporter
        self._pages = Pages()
        self.app = Starlette(
            routes=[
                Route("/", self.home),
                Route("/drim", self.call, methods=["POST"]),
                Route(redirect, self.callback),
                Route("/session/{id}", self.page),
                Route("/session/{id}/exports", self.exports),
                Route("/session/{id}/situation", self.choose, methods=["POST"]),
                Route("/session/{id}/search", self.search, methods=["POST"]),
                Route("/session/{id}/export", self.export, methods=["POST"]),
                Route("/logout", self.logout, methods=["POST"]),
                Route("/assets/{name}", self.asset),
            ],
            exception_handlers={
                HTTPException: self._refused,
                ClientDisconnect: _gone,
                Exception: self._broken,
            },
        )

    # The call

    async def home(self, request: Request) -> Response:
        """Nothing can be done from here."""
        return self._pages.home()

    async def call(self, request: Request) -> Response:
        """A contextual call: a context of its own, and where to find it (DB.CO.48)."""
        note(request.scope, transaction="appel-contextuel", peer="ris")
        try:
            call = self._parts.calls.read(
                request.headers.get("content-type", ""),
                request.url.query,
                await _body(request),
            )
        except CallRefused as refused:
            await self._audit("appel-contextuel", str(refused))
            return self._pages.message(
                "Appel contextuel refusé", *refused.problems, status=refused.status
            )
        context = self._sessions.open(call)
        await self._audit("appel-contextuel", "")
        return _see_other(f"/session/{context.id}")

    # The login

    async def callback(self, request: Request) -> Response:
        """PSC sends the browser back (RFC 6749 4.1.2, OpenID Connect Core 3.1.2.5)."""
        given = request.query_params
        if len(given.multi_items()) != len(set(given)):
            raise HTTPException(400, "Retour de Pro Santé Connect illisible.")
        pending = self._sessions.come_back(
            given.get("state", ""), request.cookies.get(_BROWSER_COOKIE, "")
        )
        if pending is None:
            await self._audit(_EVENT, "retour de PSC inattendu")
            raise HTTPException(
                400, "Connexion inattendue ou trop ancienne : relancez l'appel depuis le RIS."
            )
        back = f"/session/{pending.context}"
        if given.get("error"):
            await self._audit(_EVENT, "PSC a refusé la connexion")
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
            await self._audit(_EVENT, str(refused))
            return self._pages.message("Connexion refusée", str(refused), status=403, back=back)
        except PscUnavailable as error:
            _log.warning("PSC : %s", error)
            return self._pages.message("Connexion impossible", _NO_PSC, status=503, back=back)
        login = self._sessions.log_in(professional, grant)
        await self._audit(_EVENT, "", subject=professional.id)
        answer = _see_other(back)
        _set_cookie(answer, _LOGIN_COOKIE, login.id)
        return answer

    async def _to_psc(self, request: Request, context: Context) -> Response:
        """Send the browser to log in."""
        browser = request.cookies.get(_BROWSER_COOKIE, "")
        if not _IDENTIFIER.fullmatch(browser):
            browser = self._sessions.new_browser()
        pending = self._sessions.send_away(browser, context.id)
        try:
            url = await self._parts.psc.authorization_url(
                state=pending.state, nonce=pending.nonce, verifier=pending.verifier
            )
        except PscUnavailable as error:
            _log.warning("PSC : %s", error)
            return self._pages.message(
                "Connexion impossible", _NO_PSC, status=503, back=f"/session/{context.id}"
            )
        answer = RedirectResponse(url, status_code=302, headers={"Cache-Control": "no-store"})
        _set_cookie(answer, _BROWSER_COOKIE, browser)
        return answer

    async def logout(self, request: Request) -> Response:
        """End everything, here and at PSC (DB.CO.64)."""
        form = await _form(request)
        login = self._login(request)
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
        await self._audit("UserLogout", "", subject=login.professional.id)
        return self._forget(self._pages.logged_out(at_psc=at_psc))

    # The page

    async def page(self, request: Request) -> Response:
        """What the patient's DMP holds, once the professional is known."""
        note(request.scope, transaction="consumer-page")
        context = self._context(request)
        login = self._login(request)
        if login is None:
            return await self._to_psc(request, context)
        self._claim(context, login)
        alert = ""
        try:
            # The user is active: the session at PSC is kept alive (DB.CO.65).
            await self._parts.tokens.access(login)
        except LoginExpired:
            self._sessions.expire(login)
            return await self._to_psc(request, context)
        except PscUnavailable as error:
            _log.warning("PSC : %s", error)
            alert = _NO_PSC
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
        context, login = self._entered(request)
        form = await _form(request)
        if login is not None and not consent_bar(context):
            chosen = [s for s in login.professional.situations if s.key == form.get("situation")]
            if not chosen:
                raise HTTPException(400, "Cette situation d'exercice n'est pas la vôtre.")
            async with context.lock:
                context.notice = ""
                context.choose(chosen[0])
                login.situation = chosen[0]
        return _see_other(f"/session/{context.id}")

    async def search(self, request: Request) -> Response:
        """Ask the DMP again."""
        note(request.scope, transaction="consumer-page")
        context, login = self._entered(request)
        if login is not None:
            async with context.lock:
                context.consultation = None
        return _see_other(f"/session/{context.id}")

    # Exports

    async def export(self, request: Request) -> Response:
        """Begin the export of one exam; the page tells how it goes."""
        note(request.scope, transaction="consumer-page")
        context, login = self._entered(request)
        form = await _form(request)
        if login is not None:
            number = form.get("exam", "")
            exams = context.consultation.exams if context.consultation else ()
            if not (number.isascii() and number.isdigit() and 1 <= int(number) <= len(exams)):
                raise HTTPException(400, "Cet examen n'est pas dans la liste.")
            self._exporter.start(context, login, exams[int(number) - 1])
        return _see_other(f"/session/{context.id}")

    async def exports(self, request: Request) -> Response:
        """The state of this context's exports, for the page that shows them."""
        note(request.scope, transaction="consumer-page")
        context = self._context(request)
        login = self._login(request, activity=False)
        if login is None:
            return JSONResponse({"message": "session terminée"}, 401, headers=HEADERS)
        self._claim(context, login)
        exams = context.consultation.exams if context.consultation else ()
        states = [
            {
                "exam": number,
                "study": exam.study_uid,
                "state": job.state.value,
                "fetched": job.fetched,
                "stored": job.stored,
                "total": exam.count,
                "failure": job.failure,
                "message": job.message,
                "text": job_text(job),
            }
            for number, exam in enumerate(exams, 1)
            if (job := context.jobs.get(exam.kos_uid)) is not None
        ]
        return JSONResponse({"exports": states}, headers=HEADERS)

    async def asset(self, request: Request) -> Response:
        """Style and script: no secret, no patient."""
        found = ASSETS.get(request.path_params["name"])
        if found is None:
            raise HTTPException(404, "Page inconnue.")
        return Response(found[1], headers={"Content-Type": found[0], "Cache-Control": "max-age=60"})

    # What handlers share

    def _context(self, request: Request) -> Context:
        context = self._sessions.context(request.path_params["id"])
        if context is None:
            raise HTTPException(404, "Cet appel est inconnu ou terminé : relancez-le dans le RIS.")
        return context

    def _login(self, request: Request, *, activity: bool = True) -> Login | None:
        return self._sessions.login(request.cookies.get(_LOGIN_COOKIE, ""), activity=activity)

    def _claim(self, context: Context, login: Login) -> None:
        if not self._sessions.claim(context, login):
            raise HTTPException(403, "Cet appel a été ouvert par un autre professionnel.")

    def _entered(self, request: Request) -> tuple[Context, Login | None]:
        """The context and who acts on it; without a login, the page will ask for one."""
        context = self._context(request)
        login = self._login(request)
        if login is not None:
            self._claim(context, login)
        return context, login

    async def _refused(self, request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        titles = {404: "Page inconnue", 405: "Méthode refusée", 403: "Accès refusé"}
        texts = {404: "Page inconnue.", 405: "Cette adresse ne se demande pas ainsi."}
        # Starlette's own refusals are in English, ours say what to do.
        own = error.detail if error.detail.endswith(".") else texts.get(error.status_code, "")
        answer = self._pages.message(
            titles.get(error.status_code, "Demande refusée"),
            own or "Demande refusée.",
            status=error.status_code,
        )
        for name, value in (error.headers or {}).items():
            answer.headers[name] = value
        return answer

    async def _broken(self, request: Request, error: Exception) -> Response:
        """An error of ours: logged by the server, not shown."""
        return self._pages.message(
            "Erreur", "Erreur interne de la DRIMbox : l'administrateur en est informé.", status=500
        )

    def _forget(self, answer: Response) -> Response:
        _set_cookie(answer, _LOGIN_COOKIE, "", max_age=0)
        return answer

    async def _audit(self, event: str, failure: str, *, subject: str = "") -> None:
        record = AuditEvent(
            event=event, outcome=4 if failure else 0, description=failure, subject=subject
        )
        await asyncio.to_thread(self._parts.audit.record, record, now=self._parts.clock.now())


def _see_other(path: str) -> Response:
    return RedirectResponse(path, status_code=303, headers={"Cache-Control": "no-store"})


def _set_cookie(answer: Response, name: str, value: str, *, max_age: int | None = None) -> None:
    answer.set_cookie(
        name, value, max_age=max_age, path="/", secure=True, httponly=True, samesite="lax"
    )


async def _body(request: Request) -> bytes:
    """The body of a request, whatever size the peer would send.

    Raises:
        CallRefused: too large.
    """
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY:
            raise CallRefused("appel contextuel démesuré", status=413)
    return bytes(body)


async def _form(request: Request) -> Mapping[str, str]:
    """The fields of one of our own forms."""
    try:
        text = (await _body(request)).decode("ascii")
        return dict(parse_qsl(text, max_num_fields=20))
    except (CallRefused, ValueError):
        raise HTTPException(400, "Formulaire illisible.") from None


async def _gone(request: Request, error: Exception) -> Response:
    """The browser left while it was sending: nobody reads this."""
    return Response(status_code=400)
