"""The XDS attribute values of a KOS: codes, identifiers, people, as the Source decides them.

Réf.: DRIM-M_DATA publication samples, grade: sample; ActorPS, ActorSystem, AuthorInstitution,
SourcePatientInfo of IG-FHIR-PDSM4DMP-EEDS, grade: standard; value sets of the ANS terminology.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from drimbox_ref.config import Identity
from drimbox_ref.source.values import Coded, Exam, FoundStudy, Order, Patient, ReportOrder
from protocols.ebrim import Author, Code
from protocols.hl7types import CX, HD, XCN, XON, CXi, PatientInfo
from spec.dmp import (
    KOS_CLASS_CODE,
    KOS_FORMAT_CODE,
    KOS_TYPE_CODE,
    MASKING_SCHEME,
    SIGNATURE_CLASS_CODE,
    Masking,
)
from spec.oids import PROFESSIONAL_AUTHORITY, STRUCTURE_AUTHORITY
from spec.xds import ReferenceType

__all__ = [
    "CLASS",
    "FORMAT",
    "SIGNATURE_CLASS",
    "SIGNATURE_CONFIDENTIALITY",
    "SIGNATURE_FORMAT",
    "SIGNATURE_PURPOSE",
    "SIGNATURE_TYPE",
    "TYPE",
    "box_author",
    "coded",
    "content_type",
    "event_codes",
    "facility",
    "patient_id",
    "reference_ids",
    "sender",
    "setting",
    "source_patient_id",
    "source_patient_info",
    "validator",
    "with_modalities",
]

CLASS: Final = Code(*KOS_CLASS_CODE)
TYPE: Final = Code(*KOS_TYPE_CODE)
FORMAT: Final = Code(*KOS_FORMAT_CODE)

SIGNATURE_CLASS: Final = Code(SIGNATURE_CLASS_CODE, "URN", "Digital Signature")
SIGNATURE_TYPE: Final = Code("E1762", "ASTM", "Full Document")
SIGNATURE_FORMAT: Final = Code(
    "http://www.w3.org/2000/09/xmldsig#", "URN", "Default Signature Style"
)
SIGNATURE_PURPOSE: Final = Code("1.2.840.10065.1.12.1.14", "1.2.840.10065.1.12", "Source")
SIGNATURE_CONFIDENTIALITY: Final = (
    Code("N", "2.16.840.1.113883.5.25", "Normal"),
    Code(Masking.PROFESSIONALS, MASKING_SCHEME, "Masqué aux professionnels de santé"),
    Code(Masking.PATIENT, MASKING_SCHEME, "Non visible par le patient"),
)
"""Signature entry of DRIM-M_DATA publication samples, grade: sample."""

_FACILITY_SYSTEM = "1.2.250.1.71.4.2.4"
_SETTING_SYSTEM = "1.2.250.1.213.1.1.4.9"
_DEFAULT_SETTING = Code("AMBULATOIRE", _SETTING_SYSTEM, "Ambulatoire")
_DEFAULT_FACILITY = Code("SA08", _FACILITY_SYSTEM, "Cabinet de groupe")
"""For reports that name no facility: the example of TestContenuCDA-3-0, grade: sample."""
_MODALITIES = "1.2.250.1.213.1.1.5.618"
_REGIONS = "1.2.250.1.213.1.1.5.695"
"""JDV_ModaliteAcquisition_CISIS and JDV_RegionAnatomique_CISIS (ANS terminology)."""
_DCM = "1.2.840.10008.2.16.4"
_NOT_ACQUISITIONS = frozenset({"KO", "SR", "PR", "OT", "DOC"})
"""Modalities of the PACS that the value set does not hold."""

_ACTIVITY_SYSTEM = "1.2.250.1.213.2.2"
_INPATIENT = Code(
    "03", _ACTIVITY_SYSTEM, "Hospitalisation complète (non compris hospitalisation de semaine)"
)
_OUTPATIENT = Code("07", _ACTIVITY_SYSTEM, "Consultation Soins Externes")
_RECURRING = Code("19", _ACTIVITY_SYSTEM, "Traitement et Cure Ambulatoire")
_ANY_ACTIVITY = Code("97", _ACTIVITY_SYSTEM, "Type d'activité indifférencié")
_ACTIVITIES = {
    "I": _INPATIENT,
    "O": _OUTPATIENT,
    "E": _OUTPATIENT,
    "R": _RECURRING,
    "N": _ANY_ACTIVITY,
}
"""PV1-2 to contentTypeCode: mapping page of the CI-SIS HL7v2 IG, grade: standard; labels of
TRE_R209-TypeActivite (ANS terminology)."""

_SYSTEM_PREFIX = {"0": "1", "1": "3", "2": "4", "3": "5", "4": "6"}
"""Struct_IdNat prefix to the PS_IdNat prefix of a system of that structure (IdentifiantSysteme,
IG-FHIR-PDSM4DMP-EEDS)."""
_DEVICE = "DISPOSITIF^Dispositif^1.2.250.1.213.1.1.4.6"


def content_type(report: ReportOrder) -> Code:
    """contentTypeCode from the visit class, undifferentiated when the message has none."""
    return _ACTIVITIES.get(report.visit_class, _ANY_ACTIVITY)


def patient_id(report: ReportOrder) -> str:
    """`matricule^^^&OID&ISO^NH`."""
    return str(CX(report.patient.ins.value, HD(report.patient.ins.oid), "NH"))


def source_patient_id(report: ReportOrder) -> str:
    """The local identifier, of type PI; the INS when the report names no authority for it."""
    patient = report.patient
    if patient.ipp and patient.ipp_oid:
        return str(CX(patient.ipp, HD(patient.ipp_oid), "PI"))
    return patient_id(report)


def source_patient_info(patient: Patient) -> tuple[str, ...]:
    """Birth and used names, birth date, sex, birthplace as PID fields."""
    birth = f"{_hl7(patient.birth_family)}^{_hl7(patient.birth_given)}"
    birth += f"^{_hl7(patient.birth_givens)}^^^^L"
    fields = [("PID-5", birth)]
    if patient.used_family or patient.used_given:
        fields.append(("PID-5", f"{_hl7(patient.used_family)}^{_hl7(patient.used_given)}^^^^^D"))
    fields += [("PID-7", patient.birth_date), ("PID-8", patient.sex)]
    if patient.birthplace:
        fields.append(("PID-11", f"^^^^^^BDL^^{patient.birthplace}"))
    return PatientInfo(tuple((name, value) for name, value in fields if value)).values()


def validator(report: ReportOrder) -> str:
    """legalAuthenticator: the professional who validated the report."""
    person = report.professional
    return str(
        XCN(
            id=person.id,
            family=person.family,
            given=person.given,
            authority=HD(PROFESSIONAL_AUTHORITY) if person.id else None,
            name_type="D",
            id_type="IDNPS" if person.id else "",
        )
    )


def sender(report: ReportOrder) -> Author:
    """The professional and structure as author; the VIHF's structure is its institution.

    Réf.: EX_2.1-1140 (indirect mode: Identifiant_Structure is an authorInstitution), grade:
    demonstrator.
    """
    person = report.professional
    specialty = ""
    if person.profession:
        code = f"G15_{person.profession}" + (f"/{person.specialty}" if person.specialty else "")
        specialty = f"{code}^{_hl7(person.label)}^1.2.250.1.213.1.1.4.5"
    return Author(
        person=validator(report),
        institutions=(_institution(report),),
        specialties=(specialty,) if specialty else (),
    )


def box_author(report: ReportOrder, identity: Identity) -> Author:
    """The DRIMbox as author system, on behalf of the structure."""
    structure = report.structure.id
    prefix = _SYSTEM_PREFIX.get(structure[:1], structure[:1])
    return Author(
        person=str(
            XCN(
                id=f"{prefix}{structure[1:]}/{identity.lps_id}",
                family=identity.lps_name,
                given=identity.lps_version,
                authority=HD(PROFESSIONAL_AUTHORITY),
                name_type="U",
                id_type="EI",
            )
        ),
        institutions=(_institution(report),),
        specialties=(_DEVICE,),
    )


def facility(report: ReportOrder) -> Code:
    """healthcareFacilityTypeCode."""
    return _code(report.facility) if report.facility else _DEFAULT_FACILITY


def setting(report: ReportOrder) -> Code:
    """practiceSettingCode."""
    return _code(report.setting) if report.setting else _DEFAULT_SETTING


def coded(items: Sequence[Coded]) -> tuple[Code, ...]:
    """Codes as XDS writes them."""
    return tuple(_code(item) for item in items)


def event_codes(exam: Exam, study: FoundStudy, *, scheme: str) -> tuple[Code, ...]:
    """Distinct modalities of the report and of the series, then anatomic regions."""
    by_value_set = scheme == "value_set"
    modalities = {one.code: one.label for one in exam.modalities}
    for modality in _acquired(study):
        modalities.setdefault(modality, modality)
    codes = [
        Code(code, _MODALITIES if by_value_set else _DCM, label or code)
        for code, label in modalities.items()
    ]
    codes += [
        Code(one.code, _REGIONS if by_value_set else one.system, one.label or one.code)
        for one in exam.regions
    ]
    return tuple(codes)


def with_modalities(codes: Sequence[Code], study: FoundStudy, *, scheme: str) -> tuple[Code, ...]:
    """What was said of an exam, and the modalities that came into it since."""
    system = _MODALITIES if scheme == "value_set" else _DCM
    said = {one.code for one in codes}
    new = (Code(one, system, one) for one in _acquired(study) if one not in said)
    return (*codes, *new)


def _acquired(study: FoundStudy) -> tuple[str, ...]:
    """The distinct modalities of the series, those that acquire."""
    modalities = dict.fromkeys(series.modality for series in study.series if series.modality)
    return tuple(one for one in modalities if one not in _NOT_ACQUISITIONS)


def reference_ids(study_uid: str, orders: Sequence[Order], *, authority: str) -> tuple[str, ...]:
    """referenceIdList: accession numbers, study, order numbers (JDV_J231)."""
    accessions = [
        CXi(order.accession, HD(order.accession_oid), ReferenceType.ACCESSION) for order in orders
    ]
    placers = [
        CXi(order.placer, HD(order.placer_oid), ReferenceType.ORDER)
        for order in orders
        if order.placer
    ]
    study = CXi(study_uid, HD(authority) if authority else None, ReferenceType.STUDY_INSTANCE_UID)
    return tuple(dict.fromkeys(str(one) for one in (*accessions, study, *placers)))


def _institution(report: ReportOrder) -> str:
    return str(
        XON(
            name=report.structure.name or report.structure.id,
            authority=HD(STRUCTURE_AUTHORITY),
            id_type="IDNST",
            id=report.structure.id,
        )
    )


def _code(item: Coded) -> Code:
    return Code(item.code, item.system, item.label or item.code)


def _hl7(text: str) -> str:
    """A component, its delimiters escaped."""
    for char, escape in (("\\", "\\E\\"), ("^", "\\S\\"), ("&", "\\T\\"), ("|", "\\F\\")):
        text = text.replace(char, escape)
    return text
