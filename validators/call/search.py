"""Which exams the call asks for: criteria of the set of 2024-07."""

from __future__ import annotations

import re

from spec.imaging_metadata import MODALITIES, REGIONS
from validators.call.reading import CallArtefact
from validators.call.rules import CALL, PROGRAMS, Findings
from validators.context import Context
from validators.examples import call as example
from validators.expect import same
from validators.finding import Severity
from validators.identifiers import is_dtm, is_uid
from validators.rule import Broken

__all__: list[str] = []

_SEPARATORS = re.compile(r"[\\,;]")


def _listed(value: str) -> list[str]:
    """One value, or several as DICOM or a form would separate them."""
    return [part.strip() for part in _SEPARATORS.split(value) if part.strip()]


@CALL.rule(
    "APPEL-040",
    "StudyInstanceUID est un UID DICOM légal",
    reference=PROGRAMS,
    good=example.older,
    bad=lambda: example.older({"StudyInstanceUID": "1.2.003"}),
)
def study(call: CallArtefact) -> Findings:
    value = call.value("StudyInstanceUID")
    if value and not is_uid(value):
        yield Broken(
            message="L'examen demandé n'a pas un UID légal.",
            expected="UID de 64 caractères au plus",
            actual=value[:80],
            where="StudyInstanceUID",
        )


@CALL.rule(
    "APPEL-041",
    "StudyDate est une date ou un intervalle de dates",
    reference=PROGRAMS,
    good=example.older,
    bad=lambda: example.older({"StudyDate": "20261122-20200101"}),
)
def study_date(call: CallArtefact) -> Findings:
    value = call.value("StudyDate")
    if not value:
        return
    days = value.split("-")
    written = [day for day in days if day]
    if (
        len(days) > 2
        or not written
        or not all(is_dtm(day, precision=8) for day in written)
        or written != sorted(written)
    ):
        yield Broken(
            message="La date demandée est illisible, ou l'intervalle est à l'envers.",
            expected="AAAAMMJJ | AAAAMMJJ-AAAAMMJJ",
            actual=value[:80],
            where="StudyDate",
        )


@CALL.rule(
    "APPEL-042",
    "Modality est une valeur du JDV_ModaliteAcquisition",
    reference=PROGRAMS,
    good=example.older,
    bad=lambda: example.older({"Modality": "RM"}),
)
def modality(call: CallArtefact) -> Findings:
    for code in _listed(call.value("Modality")):
        if code not in MODALITIES:
            yield Broken(
                message="La modalité n'est pas du jeu de valeurs.",
                expected="CT, MR, CR, US…",
                actual=code[:80],
                where="Modality",
            )


@CALL.rule(
    "APPEL-043",
    "AnatomicRegion est une valeur du JDV_RegionAnatomique",
    reference=PROGRAMS,
    severity=Severity.WARNING,
    good=example.older,
    bad=lambda: example.older({"AnatomicRegion": "TETE"}),
)
def region(call: CallArtefact) -> Findings:
    for code in _listed(call.value("AnatomicRegion")):
        if code not in REGIONS:
            yield Broken(
                message="La région n'est pas du jeu de valeurs.",
                expected=" | ".join(REGIONS),
                actual=code[:80],
                where="AnatomicRegion",
            )


@CALL.rule(
    "APPEL-044",
    "L'examen et l'Accession Number sont ceux du cas",
    reference=PROGRAMS,
    good=example.older,
    given=Context(accession="ACN900"),
    bad=lambda: example.older({"AccessionNumber": "ACN901"}),
)
def exam_of_case(call: CallArtefact) -> Findings:
    for name, expected in (
        ("StudyInstanceUID", call.context.study_uid),
        ("AccessionNumber", call.context.accession),
    ):
        value = call.value(name)
        if value and expected:
            yield from same(value, expected, name, "L'examen demandé")
