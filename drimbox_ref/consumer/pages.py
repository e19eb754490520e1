"""The pages that professionals see: French HTML, no script needed, nothing secret in them.

Semantic on purpose: forms have ids, results are a table, what went wrong is `role="alert"`.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import resources
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.responses import HTMLResponse

from drimbox_ref.consumer.config import EXPORT_USES
from drimbox_ref.consumer.consultation import consent_bar
from drimbox_ref.consumer.jobs import Job, JobState
from drimbox_ref.consumer.sessions import Context, Login
from drimbox_ref.consumer.values import Document, Exam, Search, Situation
from drimbox_ref.consumer.wording import (
    COMMON_MODALITIES,
    OTHER_MODALITIES,
    REGION_WORDS,
    modality_words,
)
from protocols.hl7types import DataTypeError, PatientInfo
from spec.oids import INS_AUTHORITIES
from spec.vihf import ModeAcces

__all__ = ["ASSETS", "HEADERS", "Pages", "dicom_date", "dmp_traits", "job_text"]

HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; "
    "frame-src 'self'; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; "
    "base-uri 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Strict-Transport-Security": "max-age=31536000",
}
"""On every page: patients' data is neither cached nor framed, and an address is a capability."""

_SYNTAXES = {
    "": "selon la configuration",
    "lossless": "sans perte",
    "lossy": "avec perte",
    "uncompressed": "sans compression",
}
"""What a form's `syntaxe` may be, for people (DB.CO.74)."""
_PACKAGE = "drimbox_ref.consumer"
_LIMIT = 64
_MODES = {
    ModeAcces.NORMAL.value: "accès normal",
    ModeAcces.BRIS_DE_GLACE.value: "bris de glace",
    ModeAcces.CENTRE_15.value: "centre 15",
}
_REGIONS = dict(REGION_WORDS)


def _asset(name: str) -> bytes:
    return resources.files(_PACKAGE).joinpath("templates", name).read_bytes()


ASSETS = {
    "style.css": ("text/css; charset=utf-8", _asset("style.css")),
    "page.js": ("text/javascript; charset=utf-8", _asset("page.js")),
}
"""File name to media type and bytes."""


class Pages:
    """Renders pages.

    `ohif`: that viewer is installed; `zips`: exams may be taken away as portable media.
    """

    def __init__(self, *, ohif: bool = False, zips: bool = False) -> None:
        self._ohif = ohif
        self._environment = Environment(
            loader=PackageLoader(_PACKAGE),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.globals["zips"] = zips
        self._environment.filters["dicom_date"] = dicom_date
        self._environment.filters["iso_date"] = _iso_date
        self._environment.filters["modality"] = modality_words
        self._environment.filters["mode_words"] = _MODES.__getitem__

    def consultation(
        self,
        context: Context,
        login: Login,
        *,
        choices: tuple[Situation, ...],
        alert: str,
        destinations: Sequence[str],
        destination: str,
        modes: tuple[str, ...] = (),
        authorisable: bool = False,
    ) -> HTMLResponse:
        """The page of one contextual call.

        Args:
            choices: the situations to choose from now.
            alert: what is wrong besides what the context knows.
            destinations: the local PACS; `destination` is this professional's.
            modes: the emergency accesses to offer.
            authorisable: whether a missing authorisation may be declared here.
        """
        consultation = context.consultation
        barred = consent_bar(context)
        alerts = [text for text in (alert, barred, context.notice) if text]
        if consultation is not None and consultation.reason not in ("", *alerts):
            alerts.append(consultation.reason)
        documents = consultation.documents if consultation else ()
        exams = consultation.exams if consultation else ()
        search = context.criteria
        return self._page(
            "consultation.html",
            **self._people(context, login),
            choices=choices,
            alerts=alerts,
            barred=bool(barred),
            consultation=consultation,
            search=search,
            criteria=_criteria(search),
            modalities=COMMON_MODALITIES,
            other_modalities=OTHER_MODALITIES,
            others_chosen=not set(OTHER_MODALITIES).isdisjoint(search.modalities),
            regions=REGION_WORDS,
            modes=modes,
            authorisable=authorisable,
            rows=[
                (
                    number,
                    exam,
                    context.jobs.get(exam.kos_uid),
                    [document for document in documents if document.about(exam)],
                    context.exported.get(exam.kos_uid, ()),
                )
                for number, exam in enumerate(exams, 1)
            ],
            papers=_by_type(documents),
            job_text=job_text,
            destinations=destinations,
            destination=destination,
            syntaxes=_SYNTAXES,
            words={use: word for word, use in EXPORT_USES.items()},
            ohif=self._ohif,
        )

    @staticmethod
    def _people(context: Context, login: Login) -> dict[str, Any]:
        """What the headers of a context's pages show: the patient and the professional."""
        return {
            "context": context,
            "call": context.call,
            "login": login,
            "professional": login.professional,
            "rpps": _rpps(login.professional.id),
            "traits": dmp_traits(context),
            "authority": INS_AUTHORITIES.get(context.call.ins.oid, context.call.ins.oid),
        }

    def document(self, context: Context, login: Login, document: Document) -> HTMLResponse:
        """The page around one document, which its frame asks for by itself."""
        exams = context.consultation.exams if context.consultation else ()
        about = [(n, exam) for n, exam in enumerate(exams, 1) if document.about(exam)]
        return self._page(
            "document.html", **self._people(context, login), document=document, about=about
        )

    def message(self, title: str, *alerts: str, status: int, back: str = "") -> HTMLResponse:
        """A page that only says what is wrong; `back` is where to try again."""
        return self._page("message.html", status=status, title=title, alerts=alerts, back=back)

    def ciba(self, context_id: str, digits: str) -> HTMLResponse:
        """Somebody says who they are, or waits for their telephone, which shows `digits`."""
        return self._page("ciba.html", context_id=context_id, digits=digits)

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
            return f"Export terminé : {job.stored} images dans le PACS local {job.destination}"
        case JobState.SUSPENDED:
            return f"Export suspendu : {job.message}"
        case JobState.PARTIAL:
            return f"Export incomplet (échec en partie) : {job.message}"
        case JobState.FAILED:
            return f"Échec de l'export : {job.message}"


def dicom_date(written: str) -> str:
    """`20240312` as 12/03/2024; anything else as it is."""
    if len(written) == 8 and written.isascii() and written.isdigit():
        return f"{written[6:]}/{written[4:6]}/{written[:4]}"
    return written


def _iso_date(written: str) -> str:
    """`20240312` as a `date` field wants it."""
    return f"{written[:4]}-{written[4:6]}-{written[6:]}" if len(written) == 8 else ""


def _rpps(identifier: str) -> str:
    """The RPPS number of a national identifier: its digits after the `8` (PS_IdNat)."""
    if len(identifier) == 12 and identifier.isdigit() and identifier.startswith("8"):
        return identifier[1:]
    return identifier


def _by_type(documents: Sequence[Document]) -> list[tuple[str, list[Document]]]:
    """The documents under the name of their type."""
    groups: dict[str, list[Document]] = {}
    for document in documents:
        groups.setdefault(document.type.label, []).append(document)
    return list(groups.items())


def _criteria(search: Search) -> list[tuple[str, str]]:
    """The search criteria that are set (DB.CO.55)."""
    regions = (_REGIONS.get(code, code) for code in search.regions)
    dates = f"{dicom_date(search.date_from) or '…'} – {dicom_date(search.date_to) or '…'}"
    criteria = [
        ("Modalité", ", ".join(map(modality_words, search.modalities))),
        ("Région anatomique", ", ".join(regions)),
        ("Dates", dates if search.date_from or search.date_to else ""),
        ("Examen", search.study_uid),
        ("Numéro d'accession", search.accession),
    ]
    return [(name, value) for name, value in criteria if value]


def dmp_traits(context: Context) -> list[tuple[str, str]]:
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
