"""The pages around the Source's viewer: who are you, which exam, why not. French, no script."""

from __future__ import annotations

from importlib import resources
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.responses import HTMLResponse, Response

from drimbox_ref.source.values import ArchiveEntry
from drimbox_ref.source.viewer_link import Link
from drimbox_ref.source.viewer_people import Person
from drimbox_ref.viewer.page import HEADERS, Opening, ShownExam, ShownSeries, page
from protocols import kos
from spec.dicom import KEY_OBJECT_SELECTION_STORAGE
from spec.oids import INS_AUTHORITIES

__all__ = ["ASSETS", "STYLE", "FrenchPages", "exam_path", "message_page", "opening"]

STYLE = "/style.css"
ASSETS = "/viewer"
_PACKAGE = "drimbox_ref.source"
_RETRY_S = "5"
_TITLES = {
    400: "Lien non compris",
    403: "Accès refusé",
    404: "Examen introuvable",
    405: "Méthode refusée",
    410: "Images retirées",
    500: "Erreur du service",
    503: "Service indisponible",
}

style = resources.files(_PACKAGE).joinpath("templates", "style.css").read_bytes()


def message_page(status: int, message: str, *, title: str = "") -> HTMLResponse:
    """One sentence, and nothing of any patient."""
    answer = _page(
        "message.html", status, title=title or _TITLES.get(status, "Demande refusée"), text=message
    )
    if status == 503:
        answer.headers["Retry-After"] = _RETRY_S
    return answer


class FrenchPages:
    """`ViewerPages`, without script but the viewer's own."""

    def profile(self, link: Link) -> HTMLResponse:
        """Professional or patient (DB.VI_SO.08), and Pro Santé Connect for the former
        (DB.VI_SO.09)."""
        return _page("profile.html", 200, query=link.query)

    def patient(self, link: Link) -> HTMLResponse:
        """Closed: the means by which patients were to log in are obsolete (DB/VI_SO.10)."""
        return message_page(
            403,
            "L'accès des patients n'est pas ouvert : le moyen de les authentifier n'est pas encore "
            "fixé. Demander les images au service d'imagerie.",
        )

    def exam(self, person: Person, entry: ArchiveEntry) -> HTMLResponse:
        """Who is logged in since when (DB.CS.53), and the way to the images."""
        manifest = kos.decode(entry.kos)
        return _page(
            "exam.html",
            200,
            person=person,
            patient=_name(manifest),
            exam=_shown(entry, manifest),
            images=f"{exam_path(entry)}/images",
        )

    def images(self, opening: Opening) -> Response:
        """The viewer, series tree and all (DB.VI_SO.05)."""
        return page(opening)


def exam_path(entry: ArchiveEntry) -> str:
    """The address of an exam; only a login that followed its link finds it."""
    return f"/examen/{entry.kos_uid}"


def opening(entry: ArchiveEntry) -> Opening:
    """What the viewer opens with."""
    manifest = kos.decode(entry.kos)
    family, _, given = (manifest.patient_name or "").partition("^")
    exam = _shown(entry, manifest)
    return Opening(
        patient=_name(manifest),
        traits=(
            ("Nom de naissance", family),
            ("Premier prénom de naissance", given.partition("^")[0]),
            ("Date de naissance", _date(manifest.birth_date)),
            ("Sexe", manifest.sex or ""),
            ("Lieu de naissance", ""),
        ),
        details=(
            ("Matricule INS", entry.ins.value),
            ("Nature du matricule", INS_AUTHORITIES.get(entry.ins.oid, entry.ins.oid)),
            ("IPP local", entry.ipp),
        ),
        exams=(exam,),
        first=exam.series[0].uid if exam.series else "",
        exam=exam.key,
        back=exam_path(entry),
        assets=ASSETS,
        alive=f"{exam_path(entry)}/present",
    )


def _shown(entry: ArchiveEntry, manifest: kos.Manifest) -> ShownExam:
    series = []
    for number, one in enumerate(manifest.series(), 1):
        images = [i for i in one.instances if i.sop_class != KEY_OBJECT_SELECTION_STORAGE]
        if not images:
            continue
        series.append(
            ShownSeries(
                uid=one.series_uid,
                label=" · ".join(filter(None, (f"Série {number}", one.modality))),
                modality=one.modality or "",
                count=len(images),
                address=f"{exam_path(entry)}/series/{one.series_uid}",
            )
        )
    return ShownExam(
        key=entry.kos_uid,
        title=manifest.study_description or "Examen",
        date=_date(manifest.study_date) or "date inconnue",
        origin=(manifest.institution_name or "").partition("^")[0],
        series=tuple(series),
    )


def _name(manifest: kos.Manifest) -> str:
    return " ".join(filter(None, (manifest.patient_name or "").split("^")))


def _date(written: str | None) -> str:
    """`20240312` as 12/03/2024; anything else as it is."""
    text = written or ""
    if len(text) == 8 and text.isascii() and text.isdigit():
        return f"{text[6:]}/{text[4:6]}/{text[:4]}"
    return text


def _page(template: str, status: int, **values: Any) -> HTMLResponse:
    content = _ENVIRONMENT.get_template(template).render(style=STYLE, **values)
    return HTMLResponse(content, status, HEADERS)


_ENVIRONMENT = Environment(
    loader=PackageLoader(_PACKAGE),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
