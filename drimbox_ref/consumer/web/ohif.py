"""The OHIF viewer of a context, where an administrator has put one (`[viewer]`)."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from drimbox_ref.consumer.pages import dicom_date
from drimbox_ref.consumer.sessions import Context
from drimbox_ref.consumer.web.dicomweb import root_of
from drimbox_ref.consumer.web.login import LoginWeb
from drimbox_ref.consumer.web.requests import see_other
from drimbox_ref.consumer.web.visits import Visits
from drimbox_ref.viewer.dicomweb import refusal
from drimbox_ref.viewer.ohif import ADDRESS, Ohif, OhifOpening
from wire.http_server import note

__all__ = ["OhifWeb"]

_TRANSACTION = "consumer-viewer"


class OhifWeb:
    """Serves the viewer's page to who may see the context, and its files to anybody."""

    def __init__(self, ohif: Ohif, *, visits: Visits, login: LoginWeb) -> None:
        self._ohif = ohif
        self._visits = visits
        self._login = login

    @property
    def routes(self) -> Sequence[BaseRoute]:
        """The page, what it is told, its files; other addresses lead back to the exams."""
        return (
            Route("/session/{id}/ohif/viewer", self.page),
            Route("/session/{id}/ohif/app-config.js", self.configuration),
            Route("/session/{id}/ohif/{rest:path}", self.back),
            Route(ADDRESS + "{name:path}", self.file),
        )

    async def page(self, request: Request) -> Response:
        """The viewer on the studies of the query, each one of this context's."""
        note(request.scope, transaction=_TRANSACTION)
        context, login = self._visits.entered(request)
        if login is None:
            return await self._login.to_psc(request, context)
        wanted = request.query_params.getlist("StudyInstanceUIDs")
        exams = context.consultation.exams if context.consultation else ()
        if not wanted or not set(wanted) <= {exam.study_uid for exam in exams}:
            raise HTTPException(404, "Cet examen n'est plus dans la liste : revenez aux examens.")
        return self._ohif.page(_opening(context))

    async def configuration(self, request: Request) -> Response:
        """Read by the page when it opens."""
        note(request.scope, transaction=_TRANSACTION)
        context, login = self._visits.entered(request)
        if login is None:
            return refusal(401, "Session terminée : revenez à la page des examens.")
        return self._ohif.configuration(_opening(context))

    async def back(self, request: Request) -> Response:
        """The viewer's other pages are not served."""
        return see_other(f"/session/{request.path_params['id']}")

    async def file(self, request: Request) -> Response:
        """Scripts, styles, codecs: no secret, no patient."""
        taken = request.headers.get("accept-encoding", "")
        encodings = [one.split(";")[0].strip() for one in taken.split(",")]
        found = self._ohif.file(request.path_params["name"], encodings=encodings)
        if found is None:
            raise HTTPException(404, "Page inconnue.")
        return found


def _opening(context: Context) -> OhifOpening:
    call = context.call
    # The five traits and the use that is not allowed (DB.VI-CS.26, DB.VI-CS.29).
    traits = (dicom_date(call.birth_date), call.sex, call.birthplace)
    lines = (f"{call.family} {call.given}", " · ".join(traits), "Usage non diagnostique")
    return OhifOpening(
        base=f"/session/{context.id}/ohif",
        dicomweb=root_of(context),
        mention="\n".join(lines),
    )
