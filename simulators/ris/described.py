"""How a lot's people and its signature are described in XDS metadata, whoever publishes it.

Réf.: IHE ITI TF Vol. 3, 4.2, grade: standard; GIE SESAM-Vitale TD2.1 messages and METADATA.XML of
DRIM-M_DATA, grade: sample.
"""

from __future__ import annotations

import hashlib

from protocols.ebrim import Association, Author, Code, DocumentEntry, Slot, SubmissionSet
from protocols.hl7types import CX, HD, XCN, XON, PatientInfo
from simulators.ris.people import Coded, Patient, Professional, Structure
from spec.dmp import MASKING_SCHEME, SIGNATURE_CLASS_CODE, Masking
from spec.oids import PROFESSIONAL_AUTHORITY, STRUCTURE_AUTHORITY
from spec.xds import AssociationType, SlotName

__all__ = [
    "CONTENT_TYPE",
    "NORMAL",
    "SET",
    "SIGNATURE",
    "author",
    "code",
    "institution",
    "links",
    "local_id",
    "patient_id",
    "person",
    "sha1",
    "signature",
    "traits",
]

SET, SIGNATURE = "SubmissionSet01", "Signature01"
"""The ids of the lot and of its signature within a submission."""

NORMAL = Code("N", "2.16.840.1.113883.5.25", "Normal")
"""The confidentiality of every document."""

CONTENT_TYPE = Code("07", "1.2.250.1.213.2.2", "Consultation Soins Externes")
"""contentTypeCode of a lot."""

_ORIGINAL = (Slot(SlotName.SUBMISSION_SET_STATUS, ("Original",)),)


def code(one: Coded) -> Code:
    """A coded value of a report, as XDS writes it."""
    return Code(one.code, one.system, one.display)


def patient_id(patient: Patient) -> str:
    """The INS of a qualified patient."""
    assert patient.ins is not None
    return str(CX(patient.ins.value, HD(patient.ins.oid), "NH"))


def local_id(patient: Patient) -> str:
    """The IPP of a patient who has one."""
    assert patient.ipp is not None
    return str(CX(patient.ipp.value, HD(patient.ipp.oid), "PI"))


def traits(patient: Patient) -> tuple[str, ...]:
    """sourcePatientInfo."""
    fields = [("PID-5", f"{patient.family}^{patient.given}^{patient.givens}^^^^L")]
    if patient.used_family or patient.used_given:
        fields.append(("PID-5", f"{patient.used_family}^{patient.used_given}^^^^^D"))
    fields += [("PID-7", patient.birth_date), ("PID-8", patient.sex)]
    if patient.birthplace_code:
        fields.append(("PID-11", f"^^^^^^BDL^^{patient.birthplace_code}"))
    return PatientInfo(tuple(fields)).values()


def institution(structure: Structure) -> str:
    """authorInstitution."""
    return str(
        XON(
            name=structure.name,
            authority=HD(STRUCTURE_AUTHORITY),
            id_type="IDNST",
            id=structure.id,
        )
    )


def person(professional: Professional) -> str:
    """authorPerson, legalAuthenticator."""
    return str(
        XCN(
            id=professional.id,
            family=professional.family,
            given=professional.given,
            authority=HD(PROFESSIONAL_AUTHORITY),
            name_type="D",
            id_type="IDNPS",
        )
    )


def author(professional: Professional, structure: Structure) -> Author:
    """A professional of a structure."""
    profession = professional.profession
    return Author(
        person=person(professional),
        institutions=(institution(structure),),
        specialties=(f"{profession.code}^{profession.display}^{profession.system}",),
    )


def signature(
    entry: DocumentEntry, lot: SubmissionSet, uid: str, data: bytes, *, uri: tuple[str, ...] = ()
) -> DocumentEntry:
    """The signature of a lot, beside `entry`, its document: of the lot's time and authors."""
    return DocumentEntry(
        id=SIGNATURE,
        mime_type="text/xml",
        creation_time=lot.submission_time,
        language_code="art",
        legal_authenticator=entry.legal_authenticator,
        service_start_time=lot.submission_time,
        service_stop_time=lot.submission_time,
        source_patient_id=lot.patient_id,
        hash=sha1(data),
        size=str(len(data)),
        uri=uri,
        title="Source",
        authors=lot.authors,
        class_code=Code(SIGNATURE_CLASS_CODE, "URN", "Digital Signature"),
        type_code=Code("E1762", "ASTM", "Full Document"),
        format_code=Code("http://www.w3.org/2000/09/xmldsig#", "URN", "Default Signature Style"),
        confidentiality_codes=(
            NORMAL,
            Code(Masking.PROFESSIONALS, MASKING_SCHEME, "Masqué aux professionnels de santé"),
            Code(Masking.PATIENT, MASKING_SCHEME, "Non visible par le patient"),
        ),
        event_codes=(Code("1.2.840.10065.1.12.1.14", "1.2.840.10065.1.12", "Source"),),
        patient_id=lot.patient_id,
        unique_id=uid,
        facility_type=entry.facility_type,
        practice_setting=entry.practice_setting,
    )


def links(document: str) -> tuple[Association, ...]:
    """What holds a lot together: its document, its signature, and what that signs."""
    return (
        Association(type=AssociationType.HAS_MEMBER, source=SET, target=document, slots=_ORIGINAL),
        Association(type=AssociationType.HAS_MEMBER, source=SET, target=SIGNATURE, slots=_ORIGINAL),
        Association(type=AssociationType.SIGNS, source=SIGNATURE, target=SET, slots=_ORIGINAL),
    )


def sha1(data: bytes) -> str:
    """`hash` of a DocumentEntry."""
    return hashlib.sha1(data, usedforsecurity=False).hexdigest()
