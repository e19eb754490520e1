"""Exports to the local PACS: beginning one, and how they all go."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from drimbox_ref.consumer.exporter import Exporter
from drimbox_ref.consumer.pages import HEADERS, job_text
from drimbox_ref.consumer.web.requests import read_form, see_other
from drimbox_ref.consumer.web.visits import Visits
from wire.http_server import note

__all__ = ["ExportsWeb"]


class ExportsWeb:
    """Begins exports and tells of them."""

    def __init__(self, *, visits: Visits, exporter: Exporter) -> None:
        self._visits = visits
        self._exporter = exporter

    @property
    def routes(self) -> Sequence[BaseRoute]:
        """The form of one export, the state of all."""
        return (
            Route("/session/{id}/exports", self.exports),
            Route("/session/{id}/export", self.export, methods=["POST"]),
        )

    async def export(self, request: Request) -> Response:
        """Begin the export of one exam; the page tells how it goes."""
        note(request.scope, transaction="consumer-page")
        context, login = self._visits.entered(request)
        form = await read_form(request)
        if login is not None:
            number = form.get("exam", "")
            exams = context.consultation.exams if context.consultation else ()
            if not (number.isascii() and number.isdigit() and 1 <= int(number) <= len(exams)):
                raise HTTPException(400, "Cet examen n'est pas dans la liste.")
            self._exporter.start(context, login, exams[int(number) - 1])
        return see_other(f"/session/{context.id}")

    async def exports(self, request: Request) -> Response:
        """The state of this context's exports, for the page that shows them."""
        note(request.scope, transaction="consumer-page")
        context = self._visits.context(request)
        login = self._visits.login(request, activity=False)
        if login is None:
            return JSONResponse({"message": "session terminée"}, 401, headers=HEADERS)
        self._visits.claim(context, login)
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
