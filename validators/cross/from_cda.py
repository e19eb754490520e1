"""What the header of an imaging report says of an exam."""

from __future__ import annotations

from collections.abc import Iterable

from protocols.cda import Id, ImagingReport, Patient, Professional, ServiceEvent
from spec.imaging_metadata import MODALITIES
from spec.oids import INS_AUTHORITIES, STRUCTURE_AUTHORITY
from validators.cross.fact import Facts, Speaker, Subject, Voice
from validators.cross.forms import day, fold, gender, moment, structure, used_name
from validators.identifiers import is_uid

__all__ = ["facts", "report_id"]

_MODALITY, _REGION = "121139", "39111-0"
"""Names of the qualifiers that say what a translation of an act is about."""


def facts(report: ImagingReport, name: str) -> Facts:
    """Everything that a header says."""
    cda = Speaker(Voice.REPORT, name)
    yield cda.says(Subject.REPORT_ID, report_id(report.id), "ClinicalDocument/id")
    for patient in report.patients:
        yield from _patient(patient, cda)
    for order in report.orders:
        for placer in order.ids:
            where = "inFulfillmentOf/order/id"
            yield cda.says(Subject.ORDER, placer.extension, where)
            yield cda.says(Subject.ORDER_ISSUER, placer.root, where, placer.extension or "")
        for accession in order.accession_numbers:
            where = "inFulfillmentOf/order/accessionNumber"
            number = accession.extension or ""
            yield cda.says(Subject.ACCESSION, number, where)
            yield cda.says(Subject.ACCESSION_ISSUER, accession.root, where, number)
    for rank, event in enumerate(report.service_events, start=1):
        yield from _event(event, cda, f"documentationOf[{rank}]/serviceEvent")
    yield from _people(report, cda)


def report_id(id: Id | None) -> str:
    """The uniqueId that a registry gives to a report: root, then extension if any."""
    if id is None or not id.root:
        return ""
    return f"{id.root}^{id.extension}" if id.extension else id.root


def _patient(patient: Patient, cda: Speaker) -> Facts:
    for rank, id in enumerate(patient.ids, start=1):
        where, value = f"recordTarget/patientRole/id[{rank}]", id.extension or ""
        if id.root in INS_AUTHORITIES:
            yield cda.says(Subject.INS, value, where)
            yield cda.says(Subject.INS_AUTHORITY, id.root, where, value)
        else:
            yield cda.says(Subject.IPP, value, where)
            yield cda.says(Subject.IPP_AUTHORITY, id.root, where, value)
    here = "recordTarget/patientRole/patient"
    for subject, kind in ((Subject.BIRTH_FAMILY, "family"), (Subject.BIRTH_GIVEN, "given")):
        for value in patient.values(kind, "BR"):
            yield cda.says(subject, fold(value), f"{here}/name/{kind}[@qualifier='BR']")
    givens = patient.values("given")
    yield cda.says(Subject.BIRTH_GIVENS, fold(" ".join(givens)), f"{here}/name/given")
    if any(name.parts for name in patient.names):
        used = used_name(*(" ".join(patient.values(kind, "CL")) for kind in ("family", "given")))
        yield cda.says(Subject.USED_NAME, used, f"{here}/name/*[@qualifier='CL']")
    yield cda.says(Subject.BIRTH_DATE, day(patient.birth_time or ""), f"{here}/birthTime")
    sex = "" if patient.sex is None else gender(patient.sex.code or "")
    yield cda.says(Subject.SEX, sex, f"{here}/administrativeGenderCode")
    place = (patient.birthplace_county or "").strip()
    yield cda.says(Subject.BIRTH_PLACE, place, f"{here}/birthplace/place/addr/county")


def _event(event: ServiceEvent, cda: Speaker, here: str) -> Facts:
    # An act that names no study has no images: a screening context, for one.
    study = next((id.root for id in event.ids if id.root and is_uid(id.root)), "")
    if not study:
        return
    yield cda.says(Subject.STUDY, study, f"{here}/id/@root")
    yield cda.says(Subject.START, moment(event.low or ""), f"{here}/effectiveTime/low", study)
    yield cda.says(Subject.STOP, moment(event.high or ""), f"{here}/effectiveTime/high", study)
    if event.code is None:
        return
    for code in event.code.translated(_MODALITY):
        if code.code in MODALITIES:
            yield cda.says(Subject.MODALITY, code.code, f"{here}/code/translation", study)
    for code in event.code.translated(_REGION):
        yield cda.says(Subject.REGION, code.code, f"{here}/code/translation", study)


def _people(report: ImagingReport, cda: Speaker) -> Facts:
    for signer in report.legal_authenticators:
        where = "legalAuthenticator/assignedEntity"
        for id in signer.ids:
            yield cda.says(Subject.VALIDATOR, id.extension, f"{where}/id")
        for value in _structures([signer]):
            yield cda.says(Subject.STRUCTURE, value, f"{where}/representedOrganization/id")
    performers = [one for event in report.service_events for one in event.performers]
    everyone = [*report.legal_authenticators, *report.authors, *performers]
    for value in dict.fromkeys(_structures(everyone)):
        yield cda.says(Subject.SITE, value, "//representedOrganization/id")


def _structures(people: Iterable[Professional]) -> list[str]:
    return [
        structure(id.extension)
        for person in people
        if person.organization is not None
        for id in person.organization.ids
        if id.root == STRUCTURE_AUTHORITY and id.extension
    ]
