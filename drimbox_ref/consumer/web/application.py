"""The ASGI application: the routes of every subject, the assets, and what errors look like."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from drimbox_ref.consumer.config import ConsumerConfig
from drimbox_ref.consumer.consultation import Consulting
from drimbox_ref.consumer.exporter import Exporter
from drimbox_ref.consumer.pages import ASSETS, Pages
from drimbox_ref.consumer.parts import Parts
from drimbox_ref.consumer.pdi import PortableMedia
from drimbox_ref.consumer.ports import Library
from drimbox_ref.consumer.reports import Reading
from drimbox_ref.consumer.web.call import CallWeb
from drimbox_ref.consumer.web.ciba import CibaWeb
from drimbox_ref.consumer.web.dicomweb import DicomWebWeb
from drimbox_ref.consumer.web.documents import DocumentsWeb
from drimbox_ref.consumer.web.ended import EndedWeb
from drimbox_ref.consumer.web.exports import ExportsWeb
from drimbox_ref.consumer.web.login import LoginWeb
from drimbox_ref.consumer.web.media import MediaWeb
from drimbox_ref.consumer.web.ohif import OhifWeb
from drimbox_ref.consumer.web.page import PageWeb
from drimbox_ref.consumer.web.viewer import ViewerWeb
from drimbox_ref.consumer.web.visits import Visits
from drimbox_ref.limits import Limited, Limiter
from drimbox_ref.viewer.ohif import Ohif

__all__ = ["ConsumerWeb"]


class ConsumerWeb:
    """What professionals' browsers and the RIS speak to; `app` is the ASGI application."""

    def __init__(
        self,
        parts: Parts,
        *,
        consulting: Consulting,
        exporter: Exporter,
        library: Library,
        config: ConsumerConfig,
    ) -> None:
        media = None
        if config.options.zip_export:
            limit = config.options.max_exam_mib * 1024 * 1024
            media = PortableMedia(parts, library, spool=config.box.state / "zip", limit=limit)
        self._pages = pages = Pages(ohif=config.viewer is not None, zips=media is not None)
        visits = Visits(parts)
        ciba = None
        if config.options.login_mode == "ciba":
            ciba = CibaWeb(parts, visits=visits, pages=pages)
        login = LoginWeb(parts, visits=visits, pages=pages, redirect=config.psc.redirect, ciba=ciba)
        calls = CallWeb(parts, visits=visits, pages=pages)
        # What anybody may ask before he has said who he is.
        entries = {one.path for one in (*calls.routes, *login.routes) if isinstance(one, Route)}
        self.app = Starlette(
            middleware=[
                Middleware(Limited, Limiter(config.limits.per_minute), paths=entries),
            ],
            routes=[
                *calls.routes,
                *login.routes,
                *EndedWeb(parts, visits=visits, path=config.psc.logout).routes,
                *PageWeb(
                    parts,
                    visits=visits,
                    pages=pages,
                    login=login,
                    consulting=consulting,
                    config=config,
                    exporter=exporter,
                ).routes,
                *DocumentsWeb(
                    visits=visits,
                    pages=pages,
                    login=login,
                    reading=Reading(parts, consulting=consulting),
                ).routes,
                *ExportsWeb(visits=visits, exporter=exporter).routes,
                *MediaWeb(visits=visits, pages=pages, media=media).routes,
                *ViewerWeb(parts, visits=visits, login=login, library=library).routes,
                *_ohif(config, visits=visits, login=login, library=library),
                Route("/assets/{name}", _asset),
            ],
            exception_handlers={
                HTTPException: self._refused,
                ClientDisconnect: _gone,
                Exception: self._broken,
            },
        )

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


def _ohif(
    config: ConsumerConfig, *, visits: Visits, login: LoginWeb, library: Library
) -> Sequence[BaseRoute]:
    """The viewer that was installed, and the DICOMweb that it speaks; nothing without it."""
    if config.viewer is None:
        return ()
    page = OhifWeb(Ohif(config.viewer), visits=visits, login=login)
    return *page.routes, *DicomWebWeb(visits=visits, library=library).routes


async def _asset(request: Request) -> Response:
    """Style and script: no secret, no patient."""
    found = ASSETS.get(request.path_params["name"])
    if found is None:
        raise HTTPException(404, "Page inconnue.")
    return Response(found[1], headers={"Content-Type": found[0], "Cache-Control": "max-age=60"})


async def _gone(request: Request, error: Exception) -> Response:
    """The browser left while it was sending: nobody reads this."""
    return Response(status_code=400)
