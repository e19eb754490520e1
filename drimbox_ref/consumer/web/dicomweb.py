"""DICOMweb of a context, for viewers that speak it: the exams that its DMP gave, nothing else.

Studies and series are told from their KOS before any image is here; images are fetched by the box,
and no token reaches the browser (DB.VI-CO.12).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from drimbox_ref.consumer.ports import Library
from drimbox_ref.consumer.sessions import Context, Login
from drimbox_ref.consumer.shelf import Shelf
from drimbox_ref.consumer.values import Call, Exam, ExportFailed, Failure, Series
from drimbox_ref.consumer.web.visits import Visits
from drimbox_ref.viewer import qido
from drimbox_ref.viewer.dicomweb import HEADERS, DicomWeb, refusal
from drimbox_ref.viewer.ports import Arriving
from wire.http_server import note

__all__ = ["DicomWebWeb", "root_of"]

_TRANSACTION = "consumer-viewer"
_STATUS = {
    Failure.TOKEN: 403,
    Failure.PROFESSION: 403,
    Failure.UNTRUSTED: 403,
    Failure.LOGIN: 403,
    Failure.IDENTITY: 409,
    Failure.SOP_CLASS: 406,
    Failure.TRANSFER_SYNTAX: 406,
    Failure.INTERNAL: 500,
}
"""Of an answer, by why there are no images; 401 is kept for who is not logged in here."""
_SAME = frozenset({404, 410, 503})
"""Answers of a Source that mean the same here."""


def root_of(context: Context) -> str:
    """The path of a context's service."""
    return f"/session/{context.id}/dicomweb"


class DicomWebWeb:
    """QIDO-RS and WADO-RS over the exams of a context."""

    def __init__(self, *, visits: Visits, library: Library) -> None:
        self._visits = visits
        self._shelf = Shelf(library)
        self._answers = DicomWeb(status_of=_status)

    @property
    def routes(self) -> Sequence[BaseRoute]:
        """Searches at three levels, then what is retrieved of a series."""
        studies = "/session/{id}/dicomweb/studies"
        series = f"{studies}/{{study}}/series/{{series}}"
        instance = f"{series}/instances/{{instance}}"
        return (
            Route(studies, self.studies),
            Route(f"{studies}/{{study}}/series", self.series),
            Route(f"{series}/instances", self.instances),
            Route(f"{series}/metadata", self._serving(self.metadata)),
            Route(f"{instance}/metadata", self._serving(self.instance_metadata)),
            Route(f"{instance}/frames/{{numbers}}", self._serving(self.frames)),
            Route(f"{instance}/bulkdata/{{path:path}}", self._serving(self.bulk)),
        )

    # Searches

    async def studies(self, request: Request) -> Response:
        """The studies of the context."""
        entered = self._entered(request)
        if isinstance(entered, Response):
            return entered
        context, _ = entered
        return _found(request, qido.studies(_known(context).values(), root=root_of(context)))

    async def series(self, request: Request) -> Response:
        """The series of one of them."""
        entered = self._entered(request)
        if isinstance(entered, Response):
            return entered
        context, _ = entered
        study = _known(context).get(request.path_params["study"])
        found = [] if study is None else qido.series(study, root=root_of(context))
        return _found(request, found)

    async def instances(self, request: Request) -> Response:
        """The instances that the KOS references in one series."""
        entered = self._entered(request)
        if isinstance(entered, Response):
            return entered
        context, _ = entered
        where = request.path_params
        study = _known(context).get(where["study"])
        found = [
            model
            for one in (study.series if study else ())
            if study and one.uid == where["series"]
            for model in qido.instances(study, one, root=root_of(context))
        ]
        return _found(request, found)

    # Retrieval

    async def metadata(self, request: Request, series: Arriving) -> Response:
        """Headers of a series."""
        return await self._answers.metadata(series, root=_series_root(request))

    async def instance_metadata(self, request: Request, series: Arriving) -> Response:
        """Header of one instance."""
        uid = request.path_params["instance"]
        return await self._answers.instance_metadata(series, uid, root=_series_root(request))

    async def frames(self, request: Request, series: Arriving) -> Response:
        """Frames of one instance."""
        written = request.path_params["numbers"].split(",")
        if not all(one.isascii() and one.isdigit() and len(one) < 8 for one in written):
            series.close()
            return refusal(400, "Numéros de vues illisibles.")
        return await self._answers.frames(
            series,
            request.path_params["instance"],
            [int(one) for one in written],
            request.headers.getlist("accept"),
        )

    async def bulk(self, request: Request, series: Arriving) -> Response:
        """A long value of one instance."""
        where = request.path_params
        return await self._answers.bulk(series, where["instance"], where["path"])

    def _serving(
        self, answer: Callable[[Request, Arriving], Awaitable[Response]]
    ) -> Callable[[Request], Awaitable[Response]]:
        """An endpoint that gives `answer` the series of the address, when there is one."""

        async def endpoint(request: Request) -> Response:
            entered = self._entered(request)
            if isinstance(entered, Response):
                return entered
            context, login = entered
            where = request.path_params
            for exam, series in _series(context, where["study"]):
                if series.uid == where["series"]:
                    return await answer(request, self._shelf.open(context, login, exam, series))
            return refusal(404, "Cette série n'est plus dans la liste : revenez aux examens.")

        return endpoint

    def _entered(self, request: Request) -> tuple[Context, Login] | Response:
        """The context of the address and the professional of the cookie.

        Raises:
            HTTPException: 403 or 404, somebody else's context or none.
        """
        note(request.scope, transaction=_TRANSACTION)
        context, login = self._visits.entered(request)
        if login is None:
            return refusal(401, "Session terminée : revenez à la page des examens.")
        return context, login


def _found(request: Request, models: Sequence[qido.Model]) -> Response:
    try:
        kept = qido.kept(models, request.query_params.multi_items())
    except qido.BadQuery as error:
        return refusal(400, f"Recherche illisible, {error}.")
    return JSONResponse(kept, headers=HEADERS, media_type="application/dicom+json")


def _series_root(request: Request) -> str:
    return request.url.path.partition("/metadata")[0].partition("/instances/")[0]


def _status(failure: Exception) -> int:
    if not isinstance(failure, ExportFailed):
        return 500
    if failure.status in _SAME:
        return failure.status
    return _STATUS.get(failure.failure, 502)


def _exams(context: Context) -> tuple[Exam, ...]:
    return context.consultation.exams if context.consultation else ()


def _series(context: Context, study: str) -> Iterable[tuple[Exam, Series]]:
    """The series of a study; the first KOS that references one gives it."""
    seen = set()
    for exam in _exams(context):
        for series in exam.series if exam.study_uid == study else ():
            if series.uid not in seen:
                seen.add(series.uid)
                yield exam, series


def _known(context: Context) -> dict[str, qido.KnownStudy]:
    """The studies by UID: several KOS of one are one study."""
    first = {exam.study_uid: exam for exam in reversed(_exams(context))}
    return {uid: _study(context.call, first[uid], _series(context, uid)) for uid in first}


def _study(call: Call, exam: Exam, series: Iterable[tuple[Exam, Series]]) -> qido.KnownStudy:
    """What a viewer is told before the images say it: the patient is the call's (DB.CO.77)."""
    known = tuple(
        qido.KnownSeries(
            uid=one.uid,
            modality=one.modality,
            description=one.description,
            body_part=one.region,
            instances=one.instances,
        )
        for _, one in series
    )
    modalities = dict.fromkeys((*exam.modalities, *(one.modality for one in known)))
    return qido.KnownStudy(
        uid=exam.study_uid,
        date=exam.date,
        time=exam.time,
        description=exam.description,
        accession=exam.accessions[0] if exam.accessions else "",
        modalities=tuple(one for one in modalities if one),
        patient_name=f"{call.family}^{call.given}",
        patient_id=call.ipp,
        birth_date=call.birth_date,
        sex=call.sex if call.sex in ("M", "F") else "O",
        series=known,
    )
