"""The pages that professionals see: French HTML, no script needed, nothing secret in them.

Semantic on purpose: forms have ids, results are a table, what went wrong is `role="alert"`.
"""

from __future__ import annotations

from importlib import resources
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.responses import HTMLResponse

from drimbox_ref.consumer.consultation import consent_bar
from drimbox_ref.consumer.sessions import Context, Job, JobState, Login
from drimbox_ref.consumer.values import Exam, Search, Situation
from protocols.hl7types import DataTypeError, PatientInfo
from spec.dicom import MODALITIES
from spec.oids import INS_AUTHORITIES

__all__ = ["ASSETS", "HEADERS", "Pages", "job_text"]

HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; "
    "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Strict-Transport-Security": "max-age=31536000",
}
"""On every page: patients' data is neither cached nor framed, and an address is a capability."""

_PACKAGE = "drimbox_ref.consumer"
_LIMIT = 64


def _asset(name: str) -> bytes:
    return resources.files(_PACKAGE).joinpath("templates", name).read_bytes()


ASSETS = {
    "style.css": ("text/css; charset=utf-8", _asset("style.css")),
    "page.js": ("text/javascript; charset=utf-8", _asset("page.js")),
}
"""File name to media type and bytes."""


class Pages:
    """Renders pages."""

    def __init__(self) -> None:
        self._environment = Environment(
            loader=PackageLoader(_PACKAGE),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.filters["dicom_date"] = _date

    def consultation(
        self, context: Context, login: Login, *, choices: tuple[Situation, ...], alert: str
    ) -> HTMLResponse:
        """The page of one contextual call. `choices` are the situations to choose from now."""
        consultation = context.consultation
        alerts = [text for text in (alert, consent_bar(context), context.notice) if text]
        if consultation is not None and consultation.reason not in ("", *alerts):
            alerts.append(consultation.reason)
        return self._page(
            "consultation.html",
            context=context,
            call=context.call,
            login=login,
            professional=login.professional,
            rpps=_rpps(login.professional.id),
            choices=choices,
            alerts=alerts,
            consultation=consultation,
            criteria=_criteria(context.call.search),
            traits=_traits(context),
            authority=INS_AUTHORITIES.get(context.call.ins.oid, context.call.ins.oid),
            rows=[
                (number, exam, context.jobs.get(exam.kos_uid))
                for number, exam in enumerate(consultation.exams if consultation else (), 1)
            ],
            job_text=job_text,
        )

    def message(self, title: str, *alerts: str, status: int, back: str = "") -> HTMLResponse:
        """A page that only says what is wrong; `back` is where to try again."""
        return self._page("message.html", status=status, title=title, alerts=alerts, back=back)

    def logged_out(self, *, at_psc: bool) -> HTMLResponse:
        """After a logout; `at_psc` tells whether PSC confirmed it."""
        return self._page("logged_out.html", at_psc=at_psc)

    def confirm_logout(self, running: int) -> HTMLResponse:
        """Exports are running: does the user want to lose them? (DB.CO.76)"""
        return self._page("confirm_logout.html", status=409, running=running)

    def home(self) -> HTMLResponse:
        """Somebody came without a contextual call."""
        return self._page("home.html")

    def _page(self, template: str, *, status: int = 200, **values: Any) -> HTMLResponse:
        html = self._environment.get_template(template).render(**values)
        return HTMLResponse(html, status_code=status, headers=HEADERS)


def job_text(job: Job) -> str:
    """Where an export is, for people."""
    total = job.exam.count
    match job.state:
        case JobState.WAITING:
            return "Export en attente"
        case JobState.RUNNING if job.stored:
            return f"Export en cours : {job.stored}/{total} images rangées dans le PACS"
        case JobState.RUNNING:
            return f"Export en cours : {job.fetched}/{total} images reçues"
        case JobState.DONE:
            return f"Export terminé : {job.stored} images dans le PACS local"
        case JobState.FAILED:
            return f"Échec de l'export : {job.message}"


def _date(written: str) -> str:
    """`20240312` as 12/03/2024; anything else as it is."""
    if len(written) == 8 and written.isascii() and written.isdigit():
        return f"{written[6:]}/{written[4:6]}/{written[:4]}"
    return written


def _rpps(identifier: str) -> str:
    """The RPPS number of a national identifier: its digits after the `8` (PS_IdNat)."""
    if len(identifier) == 12 and identifier.isdigit() and identifier.startswith("8"):
        return identifier[1:]
    return identifier


def _criteria(search: Search) -> list[tuple[str, str]]:
    """The search criteria that are set (DB.CO.55)."""
    modalities = (f"{code} ({MODALITIES.get(code, '?')})" for code in search.modalities)
    dates = f"{_date(search.date_from) or '…'} – {_date(search.date_to) or '…'}"
    criteria = [
        ("Modalité", ", ".join(modalities)),
        ("Région anatomique", ", ".join(search.regions)),
        ("Dates", dates if search.date_from or search.date_to else ""),
        ("Examen", search.study_uid),
        ("Numéro d'accession", search.accession),
    ]
    return [(name, value) for name, value in criteria if value]


def _traits(context: Context) -> list[tuple[str, str]]:
    """Identity traits that only the DMP gives, from the first document (INS/va1.36, grade: faq)."""
    exams: tuple[Exam, ...] = context.consultation.exams if context.consultation else ()
    used_family = used_given = givens = ""
    for exam in exams[:1]:
        try:
            names = PatientInfo.parse(exam.entry.source_patient_info).all("PID-5")
        except DataTypeError:
            names = ()
        for name in (one.split("^") for field in names for one in field.split("~")):
            parts = [*name, *[""] * 7]
            if parts[6] == "D":
                used_family, used_given = parts[0][:_LIMIT], parts[1][:_LIMIT]
            elif parts[2] or not givens:
                givens = (parts[2] or parts[1])[:_LIMIT]
    return [
        ("Liste des prénoms de naissance", givens),
        ("Nom utilisé", used_family),
        ("Prénom utilisé", used_given),
    ]
