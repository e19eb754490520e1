"""The KOS that a Source must publish for an exam: our reading of IMG-KOS, to compare with its own.

Réf.: DICOM PS3.3 A.35.4, grade: standard; accepted KOS of DRIM-M_DATA ("informatif/KIN", "test a
blanc"), grade: sample.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from bench.story import PlannedExam
from protocols.kos import (
    Code,
    ContentItem,
    Description,
    InstanceRef,
    Issuer,
    Manifest,
    OtherPatientId,
    Request,
    SeriesEvidence,
    SeriesLine,
    StudyEvidence,
    Template,
    encode,
    format_description,
)
from simulators.ris.people import Identifier, Patient, Structure
from spec.dicom import (
    KEY_OBJECT_DESCRIPTION,
    KEY_OBJECT_TEMPLATE,
    MANIFEST,
    REJECTION_TITLES,
    value_type_of,
)

__all__ = ["Instances", "Subject", "expected_kos", "key_image_note", "rejection_note"]

Instances = Mapping[str, tuple[InstanceRef, ...]]
"""SeriesInstanceUID -> what the PACS holds of it, in the order of instance numbers."""

_ISSUER = "ASIP-SANTE-INS-NIR"
_MANUFACTURER = "DRIMBENCH"
_KOS_SERIES = "59"
_NOTE_SERIES = "99"
_OF_INTEREST = ("113000", "DCM", "Of Interest")
"""CID 7010."""
_CHARACTER_SET = "ISO_IR 100"
"""That of the samples; every name that the bench mints can be written in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """Whose exam it is, and the identity of the object to write."""

    patient: Patient
    structure: Structure
    exam: PlannedExam
    uid: str
    series_uid: str
    written: datetime


def expected_kos(about: Subject, instances: Instances, *, base_url: str, version: int = 1) -> bytes:
    """The manifest of the images that the PACS holds, for `base_url`/studies/.../series/...

    `version` is its InstanceNumber.
    """
    exam, patient, ins = about.exam, about.patient, about.patient.ins
    assert ins is not None
    region = exam.reported().regions[0].display
    held = tuple(series for series in exam.series if instances.get(series.uid))
    evidence = tuple(
        SeriesEvidence(
            series_uid=series.uid,
            retrieve_url=f"{base_url}/studies/{exam.study_uid}/series/{series.uid}",
            series_number=str(exam.series.index(series) + 1),
            instances=instances[series.uid],
        )
        for series in held
    )
    text = Description(
        exam=_label(exam),
        acts=(exam.reported().act.display,),
        series=tuple(SeriesLine(s.uid, exam.modality, region, s.description) for s in held),
    )
    description = ContentItem(
        value_type="TEXT", concept=Code(*KEY_OBJECT_DESCRIPTION), text=format_description(text)
    )
    manifest = replace(
        _document(about, evidence, title=Code(*MANIFEST), number=_KOS_SERIES, version=version),
        content=(description, *_references(evidence)),
        patient_id=ins.value,
        issuer_of_patient_id=_ISSUER,
        patient_id_qualifiers=(Issuer(ins.oid),),
        other_patient_names=_other_names(patient),
        other_patient_ids=(_other_id(ins),),
        patient_comments=patient.birthplace_code or None,
    )
    return encode(manifest)


def rejection_note(about: Subject, instances: Instances, *, title: str = "113001") -> bytes:
    """What a PACS sends when it withdraws images: an IOCM note, under the local identifier.

    `title` is a code of CID 7031. Réf.: IHE RAD TF Vol. 2, 4.66, grade: standard.
    """
    return _note(about, instances, Code(*REJECTION_TITLES[title]))


def key_image_note(about: Subject, instances: Instances) -> bytes:
    """What a radiologist keeps of an exam: a key image note (PS3.3 A.35.4), as a PACS holds it."""
    return _note(about, instances, Code(*_OF_INTEREST))


def _note(about: Subject, instances: Instances, title: Code) -> bytes:
    exam, ipp = about.exam, about.patient.ipp
    assert ipp is not None
    evidence = tuple(
        SeriesEvidence(series_uid=uid, instances=references)
        for uid, references in instances.items()
    )
    manifest = replace(
        _document(about, evidence, title=title, number=_NOTE_SERIES, version=1),
        accession_number=exam.accession.value,
        patient_id=ipp.value,
        issuer_of_patient_id=ipp.authority or None,
        patient_id_qualifiers=(Issuer(ipp.oid),),
    )
    return encode(manifest)


def _document(
    about: Subject,
    evidence: tuple[SeriesEvidence, ...],
    *,
    title: Code,
    number: str,
    version: int,
) -> Manifest:
    """What both kinds of document say of themselves, of the patient and of the exam."""
    exam, patient, moment = about.exam, about.patient, about.written
    day, hour = f"{moment:%Y%m%d}", f"{moment:%H%M%S}"
    institution = f"{about.structure.name}^^^^^^^^^{about.structure.id}"
    return Manifest(
        sop_instance=about.uid,
        series_uid=about.series_uid,
        study_uid=exam.study_uid,
        specific_character_set=_CHARACTER_SET,
        instance_creation_date=day,
        instance_creation_time=hour,
        study_date=f"{exam.started:%Y%m%d}",
        study_time=f"{exam.started:%H%M%S}",
        series_date=day,
        series_time=hour,
        content_date=day,
        content_time=hour,
        timezone_offset=f"{moment:%z}",
        manufacturer=_MANUFACTURER,
        institution_name=institution,
        study_description=_label(exam),
        patient_name=f"{patient.family}^{patient.given}",
        birth_date=patient.birth_date,
        sex=patient.sex if patient.sex in ("M", "F", "O") else "",
        series_number=number,
        instance_number=str(version),
        title=(title,),
        template=(Template(*KEY_OBJECT_TEMPLATE),),
        requests=(_request(exam),),
        studies=(StudyEvidence(exam.study_uid, evidence),),
        content=_references(evidence),
    )


def _label(exam: PlannedExam) -> str:
    return f"{exam.modality} de test"


def _references(evidence: tuple[SeriesEvidence, ...]) -> tuple[ContentItem, ...]:
    return tuple(
        ContentItem(
            value_type=value_type_of(one.sop_class),
            references=((one.sop_class, one.sop_instance),),
        )
        for series in evidence
        for one in series.instances
    )


def _other_names(patient: Patient) -> tuple[str, ...]:
    """The birth given names, then the used names when there are any (DRIM-M_DATA, sample)."""
    first = f"^{patient.givens or patient.given}"
    if not (patient.used_family or patient.used_given):
        return (first,)
    return (first, f"{patient.used_family}^{patient.used_given}")


def _other_id(ins: Identifier) -> OtherPatientId:
    return OtherPatientId(
        patient_id=ins.value, issuer=_ISSUER, type="TEXT", qualifiers=(Issuer(ins.oid),)
    )


def _request(exam: PlannedExam) -> Request:
    return Request(
        study_uid=exam.study_uid,
        accession_number=exam.accession.value,
        accession_issuer=(Issuer(exam.accession.oid),),
        referenced_studies=(),
        description=exam.reported().act.display,
        procedure_codes=(),
        procedure_id="",
        placer_order_number=exam.placer.value,
        placer_issuer=(Issuer(exam.placer.oid),),
        filler_order_number="",
    )
