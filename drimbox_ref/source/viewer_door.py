"""The viewer's address: `/IHEInvokeImageDisplay` answers, by a page of one sentence.

Its checks are whole (`viewer_link`); the viewer itself is not there, and a good link is told so.
"""

from __future__ import annotations

import asyncio
from html import escape
from http import HTTPStatus

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Route
from starlette.types import ASGIApp

from drimbox_ref.source.parts import Parts
from drimbox_ref.source.values import Denied
from drimbox_ref.source.viewer_link import LinkChecks
from drimbox_ref.trail import AuditEvent
from spec.viewer import PATH
from wire.http_server import note

__all__ = ["build_viewer"]

_PAGE = """<!doctype html>
<html lang="fr">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title}</title></head>
<body><main><h1>{title}</h1><p>{message}</p></main></body>
</html>
"""
_TITLES = {
    400: "Lien non compris",
    404: "Examen introuvable",
    410: "Images retirées",
    500: "Erreur du service",
    501: "Lien vérifié",
    503: "PACS indisponible",
}
_ABSENT = Denied(
    status=HTTPStatus.NOT_IMPLEMENTED,
    error="",
    message="Le lien et ses identifiants sont justes, mais ce service n'a pas encore de "
    "visionneuse : demander les images au service d'imagerie.",
)
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_RETRY_S = "5"


def build_viewer(parts: Parts) -> ASGIApp:
    """`GET /IHEInvokeImageDisplay?requestType=STUDY&studyUID=…&accessionNumber=…&idCDA=…`."""
    checks = LinkChecks(parts)

    async def invoke(request: Request) -> HTMLResponse:
        note(request.scope, transaction="IID")
        found = await checks.decide(request.url.query)
        answer, ins = (found, "") if isinstance(found, Denied) else (_ABSENT, found.ins.value)
        await asyncio.to_thread(
            parts.audit.record,
            AuditEvent(
                event="IID",
                outcome=0 if ins else 4,
                description="" if ins else answer.message,
                patient=ins,
                peer=f"{request.client.host}:{request.client.port}" if request.client else "",
                objects={"study": request.query_params.get("studyUID", "")[:64]},
            ),
            now=parts.clock.now(),
        )
        return _page(answer)

    return Starlette(routes=[Route(PATH, invoke, methods=["GET"])])


def _page(answer: Denied) -> HTMLResponse:
    content = _PAGE.format(
        title=_TITLES[answer.status], message=escape(answer.message, quote=False)
    )
    retry = {"Retry-After": _RETRY_S} if answer.status == HTTPStatus.SERVICE_UNAVAILABLE else {}
    return HTMLResponse(content, answer.status, {**_HEADERS, **retry})
