"""Reports, requests and biology reports: a page around each, and the frame that it is shown in.

The frame's content is another's. Its own policy, not the page's attributes, keeps it harmless: no
script, no network, no form, an origin of its own (CSP `sandbox`), opened alone as well as framed.
A PDF is shown by the browser's own reader, which `sandbox` would switch off.
"""

from __future__ import annotations

from collections.abc import Sequence

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from drimbox_ref.consumer.consultation import consent_bar
from drimbox_ref.consumer.pages import HEADERS, Pages
from drimbox_ref.consumer.reports import Reading, ReportUnreadable
from drimbox_ref.consumer.sessions import Context, Login
from drimbox_ref.consumer.values import Document
from drimbox_ref.consumer.web.login import LoginWeb
from drimbox_ref.consumer.web.visits import Visits
from wire.http_server import note

__all__ = ["DocumentsWeb"]

_ISOLATED = (
    "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; "
    "frame-ancestors 'self'; base-uri 'none'; form-action 'none'"
)
_PDF = "default-src 'none'; style-src 'unsafe-inline'; object-src 'self'; frame-ancestors 'self'"


class DocumentsWeb:
    """Shows the documents of a context."""

    def __init__(self, *, visits: Visits, pages: Pages, login: LoginWeb, reading: Reading) -> None:
        self._visits = visits
        self._pages = pages
        self._login = login
        self._reading = reading

    @property
    def routes(self) -> Sequence[BaseRoute]:
        """The page of a document, and its content."""
        return (
            Route("/session/{id}/documents/{key}", self.page),
            Route("/session/{id}/documents/{key}/content", self.content),
        )

    async def page(self, request: Request) -> Response:
        """The page around a document: it waits for nothing."""
        note(request.scope, transaction="consumer-page")
        context, login = self._visits.entered(request)
        if login is None:
            return await self._login.to_psc(request, context)
        return self._pages.document(context, login, self._document(request, context))

    async def content(self, request: Request) -> Response:
        """The document itself, fetched now, on behalf of who asks."""
        note(request.scope, transaction="consumer-page")
        context, login = self._visits.entered(request)
        if login is None:
            raise HTTPException(401, "Votre session est finie : revenez à la liste des examens.")
        return await self._content(context, login, self._document(request, context))

    async def _content(self, context: Context, login: Login, document: Document) -> Response:
        try:
            shown = await self._reading.open(context, login, document)
        except ReportUnreadable as error:
            answer = self._pages.message("Document non affiché", str(error), status=502)
            answer.headers["Content-Security-Policy"] = _framed(HEADERS["Content-Security-Policy"])
            return answer
        pdf = shown.media_type == "application/pdf"
        headers = {
            **HEADERS,
            "Content-Security-Policy": _PDF if pdf else _ISOLATED,
            "Content-Type": shown.media_type if pdf else f"{shown.media_type}; charset=utf-8",
            "Content-Disposition": 'inline; filename="compte-rendu.pdf"' if pdf else "inline",
        }
        return Response(shown.body, headers=headers)

    def _document(self, request: Request, context: Context) -> Document:
        found = context.consultation.documents if context.consultation else ()
        key = request.path_params["key"]
        document = next((one for one in found if one.key == key), None)
        if document is None or consent_bar(context):
            raise HTTPException(404, "Ce document n'est pas dans la liste : relancez la recherche.")
        return document


def _framed(policy: str) -> str:
    return policy.replace("frame-ancestors 'none'", "frame-ancestors 'self'")
