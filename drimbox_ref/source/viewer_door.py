"""The viewer of the Source, behind the links of reports: `/IHEInvokeImageDisplay` and what follows.

A link that is written wrong is told so at once; any other is answered by the question of the
profile, whatever it designates: only somebody who has logged in learns whether it leads anywhere.
How a patient would log in is an open point (the means of the draft are obsolete): their access is
closed, and they are told so.

Réf.: DB.VI_SO.07, .08, .09, .28, DB.VI-SO.33, draft REM, grade: draft.
"""

from __future__ import annotations

import asyncio
import logging

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from drimbox_ref.psc import PscUnavailable
from drimbox_ref.psc_login import Grant, LoginRefused, PscClient
from drimbox_ref.source.parts import Parts
from drimbox_ref.source.values import ArchiveEntry, Denied
from drimbox_ref.source.viewer_link import LinkRefused
from drimbox_ref.source.viewer_pages import (
    ASSETS,
    STYLE,
    exam_path,
    message_page,
    opening,
    style,
)
from drimbox_ref.source.viewer_people import People, Person
from drimbox_ref.source.viewer_shelf import ViewerShelf
from drimbox_ref.trail import AuditEvent
from drimbox_ref.viewer.facade import Facade
from drimbox_ref.viewer.page import ASSETS as VIEWER
from drimbox_ref.viewer.page import HEADERS
from drimbox_ref.viewer.ports import Arriving
from protocols.dicomweb import Resource
from spec.viewer import PATH
from wire.http_server import note

__all__ = ["ViewerDoor"]

_log = logging.getLogger(__name__)

_LOGIN = "__Host-drimbox-vi"
_BROWSER = "__Host-drimbox-vi-navigateur"
"""Binds a login under way to the browser that began it."""
_LOGIN_EVENT = "UserAuthentication"
"""DICOM PS3.15 A.5.3.12."""
_IID = "IID"
_NO_PSC = "Pro Santé Connect ne répond pas : réessayer dans un moment."
_NOBODY = "personne ne s'est encore authentifié"
_OVER = "Session terminée : suivre à nouveau le lien du compte rendu."


class ViewerDoor:
    """What whoever follows a link speaks to; `app` is the ASGI application.

    Args:
        psc: the Source as a client of Pro Santé Connect.
        redirect: path where PSC sends browsers back.
        professions: those that may see images, as for WADO-RS.
    """

    def __init__(
        self,
        parts: Parts,
        *,
        psc: PscClient,
        people: People,
        shelf: ViewerShelf,
        redirect: str,
        professions: tuple[str, ...],
    ) -> None:
        self._parts = parts
        self._psc = psc
        self._people = people
        self._shelf = shelf
        self._professions = frozenset(professions)
        self._facade = Facade()
        series = "/examen/{kos}/series/{series}"
        self.app: ASGIApp = Starlette(
            routes=[
                Route(PATH, self.invoke, methods=["GET"]),
                Route("/connexion", self.to_psc, methods=["GET"]),
                Route(redirect, self.callback, methods=["GET"]),
                Route("/patient", self.patient, methods=["GET"]),
                Route("/deconnexion", self.logout, methods=["POST"]),
                Route("/examen/{kos}", self.exam, methods=["GET"]),
                Route("/examen/{kos}/images", self.images, methods=["GET"]),
                Route("/examen/{kos}/present", self.present, methods=["POST"]),
                Route(f"{series}/stream", self.stream, methods=["GET"]),
                Route(f"{series}/metadata", self.metadata, methods=["GET"]),
                Route(f"{series}/instances/{{instance}}/frames/{{number:int}}", self.frame),
                Route(STYLE, _style),
                Route(f"{ASSETS}/{{name}}", _asset),
            ],
            exception_handlers={HTTPException: _refused, Exception: _broken},
        )

    # From the link to the exam

    async def invoke(self, request: Request) -> Response:
        """`?requestType=STUDY&studyUID=…&accessionNumber=…&idCDA=…`."""
        note(request.scope, transaction=_IID)
        link = self._parts.links.read(request.url.query)
        if isinstance(link, LinkRefused):
            await self._audit(request, _IID, link.reason)
            return message_page(link.status, link.message)
        person = self._person(request)
        if person is None:
            # Whoever tries links leaves a trace, whether they ever log in or not.
            await self._audit(request, _IID, _NOBODY, study=link.study)
            return self._parts.viewer_pages.profile(link)
        found = await asyncio.to_thread(
            self._parts.links.decide,
            link,
            archive=self._parts.archive,
            examinations=self._parts.examinations,
        )
        failure = found.reason if isinstance(found, LinkRefused) else ""
        await self._audit(
            request,
            _IID,
            failure,
            subject=person.subject,
            patient="" if isinstance(found, LinkRefused) else found.ins.value,
            study=link.study,
        )
        if isinstance(found, LinkRefused):
            return message_page(found.status, found.message)
        person.exams[found.kos_uid] = found
        return _see_other(exam_path(found))

    async def to_psc(self, request: Request) -> Response:
        """Send a professional to Pro Santé Connect, the link kept here meanwhile."""
        note(request.scope, transaction=_IID)
        link = self._parts.links.read(request.url.query)
        if isinstance(link, LinkRefused):
            return message_page(link.status, link.message)
        browser = request.cookies.get(_BROWSER, "") or self._people.new_browser()
        leaving = self._people.send_away(browser, link.query)
        try:
            url = await self._psc.authorization_url(
                state=leaving.state, nonce=leaving.nonce, verifier=leaving.verifier
            )
        except PscUnavailable as error:
            _log.warning("PSC : %s", error)
            return message_page(503, _NO_PSC)
        answer = RedirectResponse(url, status_code=302, headers=HEADERS)
        _set_cookie(answer, _BROWSER, browser)
        return answer

    async def patient(self, request: Request) -> Response:
        """Somebody says to be a patient: traced, and told where to ask."""
        note(request.scope, transaction=_IID)
        link = self._parts.links.read(request.url.query)
        if isinstance(link, LinkRefused):
            return message_page(link.status, link.message)
        await self._audit(request, _IID, "accès des patients fermé", study=link.study)
        return self._parts.viewer_pages.patient(link)

    async def callback(self, request: Request) -> Response:
        """PSC sends the browser back (RFC 6749 4.1.2, OpenID Connect Core 3.1.2.5)."""
        given = request.query_params
        if len(given.multi_items()) != len(set(given)):
            raise HTTPException(400, "Retour de Pro Santé Connect illisible.")
        leaving = self._people.come_back(given.get("state", ""), request.cookies.get(_BROWSER, ""))
        if leaving is None:
            await self._audit(request, _LOGIN_EVENT, "retour de PSC inattendu")
            return message_page(
                400,
                "Connexion inattendue ou trop ancienne : suivre à nouveau le lien du compte rendu.",
                title="Connexion refusée",
            )
        try:
            if given.get("error"):
                raise LoginRefused("Pro Santé Connect n'a pas confirmé votre identité.")
            grant = await self._psc.redeem(
                given.get("code", ""),
                nonce=leaving.nonce,
                verifier=leaving.verifier,
                issuer=given.get("iss", ""),
            )
            person = await self._admit(grant)
        except LoginRefused as refused:
            await self._audit(request, _LOGIN_EVENT, str(refused))
            return message_page(403, str(refused), title="Connexion refusée")
        except PscUnavailable as error:
            _log.warning("PSC : %s", error)
            return message_page(503, _NO_PSC, title="Connexion impossible")
        await self._audit(request, _LOGIN_EVENT, "", subject=person.subject)
        answer = _see_other(f"{PATH}?{leaving.link}")
        _set_cookie(answer, _LOGIN, person.id)
        return answer

    async def _admit(self, grant: Grant) -> Person:
        """Who logged in, of a profession that may see images (DB.SO.34).

        Raises:
            LoginRefused: nobody who may.
            PscUnavailable: PSC does not say.
        """
        verdict = await self._parts.tokens.check(grant.access_token, now=self._parts.clock.now())
        if isinstance(verdict, Denied):
            if verdict.status == 503:
                raise PscUnavailable(verdict.message)
            raise LoginRefused(verdict.message)
        if not self._professions & set(verdict.professions):
            raise LoginRefused("Votre profession n'est pas autorisée à consulter ces images.")
        claims = await self._psc.userinfo(grant)
        names = (claims.get("given_name"), claims.get("family_name"))
        name = " ".join(one for one in names if isinstance(one, str))
        return self._people.welcome(verdict.subject, name, grant)

    async def logout(self, request: Request) -> Response:
        """End the session here and at PSC."""
        person = self._person(request)
        text = "Vous êtes déconnecté."
        if person is not None:
            self._people.leave(person)
            try:
                await self._psc.log_out(person.grant)
            except PscUnavailable as error:
                _log.warning("PSC : %s", error)
                text = "Vous êtes déconnecté d'ici ; Pro Santé Connect n'a pas répondu."
            await self._audit(request, "UserLogout", "", subject=person.subject)
        answer = message_page(200, text, title="Session terminée")
        _set_cookie(answer, _LOGIN, "", max_age=0)
        return answer

    # The exam

    async def exam(self, request: Request) -> Response:
        """The exam that a link led to."""
        person, entry = self._entered(request)
        return self._parts.viewer_pages.exam(person, entry)

    async def images(self, request: Request) -> Response:
        """The viewer, series tree and all (DB.VI_SO.05)."""
        note(request.scope, transaction="source-viewer")
        _, entry = self._entered(request)
        opened = opening(entry)
        if not opened.first:
            raise HTTPException(404, "Le manifeste de cet examen ne cite aucune image.")
        self._facade.warm()
        return self._parts.viewer_pages.images(opened)

    async def present(self, request: Request) -> Response:
        """Somebody is looking."""
        person = self._person(request)
        return _over() if person is None else Response(status_code=204, headers=HEADERS)

    async def stream(self, request: Request) -> Response:
        """Images of a series as they come."""
        series = await self._open(request)
        return series if isinstance(series, Response) else self._facade.stream(series)

    async def metadata(self, request: Request) -> Response:
        """Headers of a series in DICOM JSON."""
        series = await self._open(request)
        return series if isinstance(series, Response) else await self._facade.metadata(series)

    async def frame(self, request: Request) -> Response:
        """One frame again."""
        series = await self._open(request)
        if isinstance(series, Response):
            return series
        where = request.path_params
        return await self._facade.frame(series, where["instance"], where["number"])

    async def _open(self, request: Request) -> Arriving | Response:
        """The series of the address, if the KOS in force still lets it out."""
        note(request.scope, transaction="source-viewer")
        person = self._person(request)
        if person is None:
            return _over()
        entry = person.exams.get(request.path_params["kos"])
        if entry is None:
            return JSONResponse({"message": "Examen inconnu."}, 404, headers=HEADERS)
        resource = Resource(study=entry.study_uid, series=request.path_params["series"])
        served = await asyncio.to_thread(self._parts.catalogue.resolve, resource, entry.kos_uid)
        if isinstance(served, Denied):
            return JSONResponse({"message": served.message}, served.status, headers=HEADERS)
        return self._shelf.open(person.id, served)

    # Who comes

    def _person(self, request: Request) -> Person | None:
        cookie = request.cookies.get(_LOGIN, "")
        return self._parts.guests.recognise(cookie, self._people)

    def _entered(self, request: Request) -> tuple[Person, ArchiveEntry]:
        """Who is here, and the exam of the address.

        Raises:
            HTTPException: 403, nobody is logged in; 404, no link led this login there.
        """
        person = self._person(request)
        if person is None:
            raise HTTPException(403, _OVER)
        entry = person.exams.get(request.path_params["kos"])
        if entry is None:
            raise HTTPException(404, "Suivre le lien du compte rendu pour ouvrir cet examen.")
        return person, entry

    async def _audit(
        self,
        request: Request,
        event: str,
        failure: str,
        *,
        subject: str = "",
        patient: str = "",
        study: str = "",
    ) -> None:
        """Keep what happened at the door; `failure` is "" for a success."""
        record = AuditEvent(
            event=event,
            outcome=4 if failure else 0,
            description=failure,
            subject=subject,
            patient=patient,
            peer=f"{request.client.host}:{request.client.port}" if request.client else "",
            objects={"study": study} if study else {},
        )
        await asyncio.to_thread(self._parts.audit.record, record, now=self._parts.clock.now())


async def _style(request: Request) -> Response:
    return _static("text/css; charset=utf-8", style)


async def _asset(request: Request) -> Response:
    found = VIEWER.get(request.path_params["name"])
    if found is None:
        raise HTTPException(404)
    return _static(*found)


def _static(kind: str, content: bytes) -> Response:
    """No secret, no patient."""
    headers = {"Cache-Control": "max-age=60", "X-Content-Type-Options": "nosniff"}
    return Response(content, headers={**headers, "Content-Type": kind})


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    # Starlette's own refusals are in English, ours are sentences.
    ours = error.detail.endswith(".")
    title = "" if ours else "Page inconnue"
    text = error.detail if ours else "Cette adresse ne se demande pas ainsi."
    answer = message_page(error.status_code, text, title=title)
    for name, value in (error.headers or {}).items():
        answer.headers[name] = value
    return answer


async def _broken(request: Request, error: Exception) -> Response:
    """An error of ours: logged by the server, not shown."""
    return message_page(500, "Erreur interne : l'administrateur en est informé.")


def _over() -> Response:
    return JSONResponse({"message": _OVER}, 401, headers=HEADERS)


def _see_other(path: str) -> Response:
    return RedirectResponse(path, status_code=303, headers={"Cache-Control": "no-store"})


def _set_cookie(answer: Response, name: str, value: str, *, max_age: int | None = None) -> None:
    """A cookie that scripts and other sites do not get."""
    answer.set_cookie(
        name, value, max_age=max_age, path="/", secure=True, httponly=True, samesite="lax"
    )
