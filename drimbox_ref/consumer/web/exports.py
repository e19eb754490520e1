"""Exports to the local PACS: beginning one, and how they all go."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from drimbox_ref.consumer.config import EXPORT_USES
from drimbox_ref.consumer.exporter import Exporter
from drimbox_ref.consumer.pages import HEADERS, job_text
from drimbox_ref.consumer.sessions import Context, Login
from drimbox_ref.consumer.values import Exam
from drimbox_ref.consumer.web.requests import read_form, see_other
from drimbox_ref.consumer.web.visits import Visits
from wire.http_server import note

__all__ = ["ExportsWeb"]


class ExportsWeb:
    """Begins exports, of one exam or of several, and tells of them."""

    def __init__(self, *, visits: Visits, exporter: Exporter) -> None:
        self._visits = visits
        self._exporter = exporter

    @property
    def routes(self) -> Sequence[BaseRoute]:
        """The forms of one export and of several, the state of all."""
        return (
            Route("/session/{id}/exports", self.exports),
            Route("/session/{id}/export", self.export, methods=["POST"]),
            Route("/session/{id}/export-selection", self.selection, methods=["POST"]),
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
            await self._start(context, login, [exams[int(number) - 1]], form)
        return see_other(f"/session/{context.id}")

    async def selection(self, request: Request) -> Response:
        """Begin the exports of the exams whose boxes are ticked (DB.CO.78)."""
        note(request.scope, transaction="consumer-page")
        context, login = self._visits.entered(request)
        form = await read_form(request)
        if login is not None:
            exams = context.consultation.exams if context.consultation else ()
            chosen = [exam for number, exam in enumerate(exams, 1) if f"choix-{number}" in form]
            if not chosen:
                raise HTTPException(400, "Cochez au moins un examen.")
            await self._start(context, login, chosen, form)
        return see_other(f"/session/{context.id}")

    async def _start(
        self, context: Context, login: Login, exams: Sequence[Exam], form: Mapping[str, str]
    ) -> None:
        """What the form does not say is as it was last time, or as configured."""
        word = form.get("syntaxe", "")
        if word and word not in EXPORT_USES:
            raise HTTPException(400, "Cette syntaxe de transfert n'est pas proposée.")
        destination = form.get("destination") or await self._exporter.destination(login)
        if destination not in self._exporter.destinations:
            raise HTTPException(400, "Ce PACS n'est pas dans la liste.")
        for exam in exams:
            self._exporter.start(
                context, login, exam, destination=destination, use=EXPORT_USES.get(word)
            )

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
                "destination": job.destination,
                "total": exam.count,
                "failure": job.failure,
                "message": job.message,
                "text": job_text(job),
            }
            for number, exam in enumerate(exams, 1)
            if (job := context.jobs.get(exam.kos_uid)) is not None
        ]
        return JSONResponse({"exports": states}, headers=HEADERS)
