"""The viewer of a context: its page, and the images of the exams that the DMP gave (DB.CO.57).

Images are fetched by the box and decoded here: the browser never holds a token (DB.VI-CO.12).
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from drimbox_ref.consumer.pages import dicom_date, dmp_traits
from drimbox_ref.consumer.parts import Parts
from drimbox_ref.consumer.ports import Library
from drimbox_ref.consumer.sessions import Context
from drimbox_ref.consumer.shelf import Shelf
from drimbox_ref.consumer.values import Call, Exam
from drimbox_ref.consumer.web.login import LoginWeb
from drimbox_ref.consumer.web.visits import Visits
from drimbox_ref.psc import PscUnavailable
from drimbox_ref.psc_login import LoginExpired
from drimbox_ref.viewer.facade import Facade
from drimbox_ref.viewer.page import ASSETS, HEADERS, Opening, ShownExam, ShownSeries, page
from drimbox_ref.viewer.ports import Arriving
from spec.oids import INS_AUTHORITIES
from wire.http_server import note

__all__ = ["ViewerWeb"]

_log = logging.getLogger(__name__)

_TRANSACTION = "consumer-viewer"


class ViewerWeb:
    """Shows images of the exams of a context."""

    def __init__(self, parts: Parts, *, visits: Visits, login: LoginWeb, library: Library) -> None:
        self._tokens = parts.tokens
        self._sessions = parts.sessions
        self._visits = visits
        self._login = login
        self._shelf = Shelf(library)
        self._facade = Facade()

    @property
    def routes(self) -> Sequence[BaseRoute]:
        """The page, its assets, the façade of each series."""
        series = "/session/{id}/viewer/{kos}/studies/{study}/series/{series}"
        return (
            Route("/session/{id}/viewer", self.page),
            Route("/session/{id}/viewer/alive", self.alive, methods=["POST"]),
            Route(f"{series}/stream", self.stream),
            Route(f"{series}/metadata", self.metadata),
            Route(f"{series}/instances/{{instance}}/frames/{{number:int}}", self.frame),
            Route("/viewer/{name}", _asset),
        )

    async def page(self, request: Request) -> Response:
        """The viewer, on an exam or one of its series."""
        note(request.scope, transaction=_TRANSACTION)
        context, login = self._visits.entered(request)
        if login is None:
            return await self._login.to_psc(request, context)
        exams = context.consultation.exams if context.consultation else ()
        wanted = request.query_params.get("exam", "")
        exam = next((one for one in exams if one.kos_uid == wanted), None)
        if exam is None or not exam.series:
            raise HTTPException(404, "Cet examen n'est plus dans la liste : revenez aux examens.")
        first = request.query_params.get("series", exam.series[0].uid)
        if first not in {series.uid for series in exam.series}:
            raise HTTPException(404, "Cette série n'est pas dans l'examen.")
        self._facade.warm()
        return page(
            Opening(
                patient=f"{context.call.family} {context.call.given}",
                traits=_traits(context.call),
                details=(*_details(context.call), *dmp_traits(context)),
                exams=tuple(_shown(context, one) for one in exams if one.series),
                first=first,
                exam=exam.kos_uid,
                back=f"/session/{context.id}",
                assets="/viewer",
                alive=f"/session/{context.id}/viewer/alive",
            )
        )

    async def alive(self, request: Request) -> Response:
        """Somebody is looking at images: their session is kept alive (DB.CO.65)."""
        note(request.scope, transaction=_TRANSACTION)
        _, login = self._visits.entered(request)
        if login is None:
            return _over()
        try:
            await self._tokens.access(login)
        except LoginExpired:
            self._sessions.expire(login)
            return _over()
        except PscUnavailable as error:
            _log.warning("PSC : %s", error)
        return Response(status_code=204, headers=HEADERS)

    async def stream(self, request: Request) -> Response:
        """Images of a series as they come."""
        series = self._open(request)
        return series if isinstance(series, Response) else self._facade.stream(series)

    async def metadata(self, request: Request) -> Response:
        """Headers of a series in DICOM JSON."""
        series = self._open(request)
        return series if isinstance(series, Response) else await self._facade.metadata(series)

    async def frame(self, request: Request) -> Response:
        """One frame again."""
        series = self._open(request)
        if isinstance(series, Response):
            return series
        where = request.path_params
        return await self._facade.frame(series, where["instance"], where["number"])

    def _open(self, request: Request) -> Arriving | Response:
        """The series of the address, for the professional of the cookie.

        Raises:
            HTTPException: 403 or 404, somebody else's context or nothing of it.
        """
        note(request.scope, transaction=_TRANSACTION)
        context, login = self._visits.entered(request)
        if login is None:
            return _over()
        where = request.path_params
        for exam in context.consultation.exams if context.consultation else ():
            if (exam.kos_uid, exam.study_uid) == (where["kos"], where["study"]):
                for series in exam.series:
                    if series.uid == where["series"]:
                        return self._shelf.open(context, login, exam, series)
        return JSONResponse(
            {"message": "Cette série n'est plus dans la liste : revenez aux examens."},
            404,
            headers=HEADERS,
        )


def _over() -> Response:
    return JSONResponse({"message": "Session terminée."}, 401, headers=HEADERS)


def _shown(context: Context, exam: Exam) -> ShownExam:
    root = f"/session/{context.id}/viewer/{exam.kos_uid}/studies/{exam.study_uid}/series"
    return ShownExam(
        key=exam.kos_uid,
        title=exam.description or ", ".join(exam.modalities) or "Examen",
        date=dicom_date(exam.date) or "date inconnue",
        origin=" · ".join(filter(None, (exam.institution, *exam.hosts))),
        series=tuple(
            ShownSeries(
                uid=series.uid,
                label=" · ".join(filter(None, (series.modality, series.region, series.description)))
                or f"Série {number}",
                modality=series.modality,
                count=len(series.instances),
                address=f"{root}/{series.uid}",
            )
            for number, series in enumerate(exam.series, 1)
        ),
    )


def _traits(call: Call) -> tuple[tuple[str, str], ...]:
    """The five traits that are always shown (DB.VI-CS.29, INS/va1.36)."""
    return (
        ("Nom de naissance", call.family),
        ("Premier prénom de naissance", call.given),
        ("Date de naissance", dicom_date(call.birth_date)),
        ("Sexe", call.sex),
        ("Lieu de naissance", call.birthplace),
    )


def _details(call: Call) -> tuple[tuple[str, str], ...]:
    authority = INS_AUTHORITIES.get(call.ins.oid, call.ins.oid)
    return (
        ("Matricule INS", call.ins.value),
        ("Nature du matricule", f"{authority} ({call.ins.oid})"),
        ("IPP local", call.ipp),
    )


async def _asset(request: Request) -> Response:
    """Style and modules: no secret, no patient."""
    found = ASSETS.get(request.path_params["name"])
    if found is None:
        raise HTTPException(404, "Page inconnue.")
    headers = {"Cache-Control": "max-age=60", "X-Content-Type-Options": "nosniff"}
    return Response(found[1], headers={**headers, "Content-Type": found[0]})
