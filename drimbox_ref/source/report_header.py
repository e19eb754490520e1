"""How the Source reads a CDA imaging report's header: exams, orders, people, structure.

Réf.: CI-SIS IMG-CR-IMG header (DICOM PS3.20), examples of TestContenuCDA-3-0 and DRIM-M_DATA,
grade: sample.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from drimbox_ref.source.values import (
    Coded,
    Exam,
    Ins,
    Order,
    Professional,
    ReportId,
    Structure,
)
from protocols import cda
from spec.oids import INS_AUTHORITIES, PROFESSIONAL_AUTHORITY, STRUCTURE_AUTHORITY

__all__ = [
    "Traits",
    "confidentiality",
    "exams",
    "facility",
    "orders",
    "professional",
    "replaced",
    "report_id",
    "set_id",
    "setting",
    "structure",
    "traits",
    "version",
    "written_ins",
]

_UID = re.compile(r"[0-2](?:\.\d+)+")
_UID_LENGTH = 64
_MODALITY = "121139"
"""DCM, qualifier of the modality translation."""
_REGION = "39111-0"
"""LOINC, qualifier of the region translation."""
_NORMAL = Coded(code="N", system="2.16.840.1.113883.5.25", label="Normal")
_PROFESSION = re.compile(r"(?:[A-Z]\d+_)?(?P<profession>\d+)(?:/(?P<specialty>\w+))?")
"""`G15_10/SM44` of 1.2.250.1.213.1.1.4.5 (JDV_J01): profession 10, know-how SM44."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Traits:
    """Identity traits written in the header, "" when absent."""

    birth_family: str
    birth_given: str
    birth_givens: str
    used_family: str
    used_given: str
    birth_date: str
    sex: str
    birthplace: str


def exams(report: cda.ImagingReport) -> tuple[Exam, ...]:
    """One exam per distinct StudyInstanceUID; acts without one (screening mark) are none.

    Several acts may share a study: their codes are gathered, dates are the widest.
    """
    found: dict[str, Exam] = {}
    for event in report.service_events:
        uid = next((one.root for one in event.ids if one.root and _is_uid(one.root)), None)
        if uid is None:
            continue
        exam = _exam(uid, event)
        former = found.get(uid)
        found[uid] = _merged(former, exam) if former else exam
    return tuple(found.values())


def orders(report: cda.ImagingReport) -> tuple[Order, ...]:
    """Each accession number with the placer order number written beside it."""
    found = []
    for order in report.orders:
        placer = order.ids[0] if order.ids else cda.Id()
        for number in order.accession_numbers:
            found.append(
                Order(
                    placer=placer.extension or "",
                    placer_oid=placer.root or "",
                    accession=(number.extension or "").strip(),
                    accession_oid=number.root or "",
                )
            )
    return tuple(found)


def written_ins(report: cda.ImagingReport) -> Ins | None:
    """The INS among the patient's identifiers."""
    found = report.patient.id_of(*INS_AUTHORITIES) if report.patient else None
    if found is None or not found.extension:
        return None
    return Ins(value=found.extension, oid=found.root or "")


def traits(report: cda.ImagingReport) -> Traits:
    """Identity traits: BR = birth names, no qualifier = all birth given names, CL = used names."""
    patient = report.patient or cda.Patient()

    def first(kind: str, qualifier: str | None) -> str:
        values = patient.values(kind, qualifier)
        return values[0] if values else ""

    givens = first("given", None)
    return Traits(
        birth_family=first("family", "BR") or first("family", None),
        birth_given=first("given", "BR") or givens.split(" ")[0],
        birth_givens=givens or first("given", "BR"),
        used_family=first("family", "CL"),
        used_given=first("given", "CL"),
        birth_date=(patient.birth_time or "")[:8],
        sex=(patient.sex.code or "") if patient.sex else "",
        birthplace=patient.birthplace_county or "",
    )


def professional(report: cda.ImagingReport) -> Professional:
    """Who validated the report; empty strings when nobody did."""
    person = report.legal_authenticator or cda.Professional()
    code = person.code or cda.Code()
    match = _PROFESSION.fullmatch(code.code or "")
    return Professional(
        id=_extension(person.ids, PROFESSIONAL_AUTHORITY),
        family=(person.name.family or "") if person.name else "",
        given=(person.name.given or "") if person.name else "",
        profession=match["profession"] if match else "",
        specialty=(match["specialty"] or "") if match else "",
        label=(code.display or "").strip(),
    )


def structure(report: cda.ImagingReport, *, fallback: tuple[str, str]) -> Structure:
    """The structure that decides the certificate: legalAuthenticator's, then the sender's.

    Réf.: ANS FAQ 9313 (representedOrganization preferred, PRT-8 may be used), grade: faq.
    """
    person = report.legal_authenticator
    organization = person.organization if person else None
    number = _extension(organization.ids, STRUCTURE_AUTHORITY) if organization else ""
    if organization and number:
        return Structure(id=number, name=(organization.name or "").strip())
    return Structure(id=fallback[0], name=fallback[1])


def facility(report: cda.ImagingReport) -> Coded | None:
    """healthCareFacility/code."""
    return _coded(report.encounter.facility_code) if report.encounter else None


def setting(report: cda.ImagingReport) -> Coded | None:
    """standardIndustryClassCode of the legal authenticator's organisation, else the author's."""
    for person in (*report.legal_authenticators, *report.authors):
        if person.organization and person.organization.industry:
            return _coded(person.organization.industry)
    return None


def confidentiality(report: cda.ImagingReport) -> Coded:
    """The document's own code, normal when it writes none."""
    return _coded(report.confidentiality) or _NORMAL


def report_id(report: cda.ImagingReport) -> ReportId:
    """The document's id; empty root when it has none."""
    return _report_id(report.id) or ReportId(root="")


def set_id(report: cda.ImagingReport) -> ReportId | None:
    """The id shared by all versions of the document."""
    return _report_id(report.set_id)


def version(report: cda.ImagingReport) -> int:
    """versionNumber, 1 when it is absent or no number."""
    written = (report.version_number or "").strip()
    return int(written) if written.isascii() and written.isdigit() and len(written) < 10 else 1


def replaced(report: cda.ImagingReport) -> tuple[ReportId, ...]:
    """The documents that this one replaces (RPLC)."""
    return tuple(
        found
        for related in report.related_documents
        if related.type_code == "RPLC"
        for one in related.ids
        if (found := _report_id(one))
    )


def _exam(uid: str, event: cda.ServiceEvent) -> Exam:
    code = event.code or cda.Code()
    acts = [code, *(one for one in code.translations if one.qualifier is None)]
    return Exam(
        study_uid=uid,
        label=(code.display or "").strip(),
        acts=_all_coded(acts),
        modalities=_all_coded(code.translated(_MODALITY)),
        regions=_all_coded(code.translated(_REGION)),
        start=event.low or "",
        stop=event.high or "",
    )


def _merged(first: Exam, second: Exam) -> Exam:
    starts = sorted(value for value in (first.start, second.start) if value)
    stops = sorted(value for value in (first.stop, second.stop) if value)
    labels = dict.fromkeys(label for label in (first.label, second.label) if label)
    return Exam(
        study_uid=first.study_uid,
        label=" + ".join(labels),
        acts=tuple(dict.fromkeys(first.acts + second.acts)),
        modalities=tuple(dict.fromkeys(first.modalities + second.modalities)),
        regions=tuple(dict.fromkeys(first.regions + second.regions)),
        start=starts[0] if starts else "",
        stop=stops[-1] if stops else "",
    )


def _is_uid(value: str) -> bool:
    return len(value) <= _UID_LENGTH and _UID.fullmatch(value) is not None


def _extension(ids: tuple[cda.Id, ...], root: str) -> str:
    return next((one.extension for one in ids if one.root == root and one.extension), "")


def _report_id(found: cda.Id | None) -> ReportId | None:
    if found is None or not found.root:
        return None
    return ReportId(root=found.root, extension=found.extension or "")


def _coded(code: cda.Code | None) -> Coded | None:
    if code is None or not code.code:
        return None
    return Coded(code=code.code, system=code.system or "", label=(code.display or "").strip())


def _all_coded(codes: list[cda.Code] | tuple[cda.Code, ...]) -> tuple[Coded, ...]:
    return tuple(coded for code in codes if (coded := _coded(code)))
