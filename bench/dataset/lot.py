"""What the DMP would be told about a KOS: METADATA.XML and the signature of the lot.

Réf.: METADATA.XML and lot of DRIM-M_DATA ("informatif/XDM"), grade: sample; cardinalities of
IG-FHIR-PDSM4DMP-EEDS, grade: standard.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from uuid import NAMESPACE_OID, uuid5

from lxml import etree

from bench.story import PlannedExam
from protocols.ebrim import (
    Association,
    Author,
    Code,
    DocumentEntry,
    Slot,
    SubmissionSet,
    build_submit,
)
from protocols.hl7types import CX, HD, XCN, XON, CXi, PatientInfo
from protocols.xml import NS, serialize
from protocols.xmlsig import LotReference, sign_lot
from simulators.igc import Credential
from simulators.ris.people import Patient, Professional, Structure
from spec.dmp import (
    KOS_CLASS_CODE,
    KOS_FORMAT_CODE,
    KOS_TYPE_CODE,
    MASKING_SCHEME,
    SIGNATURE_CLASS_CODE,
    Masking,
)
from spec.oids import PROFESSIONAL_AUTHORITY, STRUCTURE_AUTHORITY
from spec.xds import AssociationType, ReferenceType, SlotName

__all__ = ["KOS_FILE", "SIGNATURE_FILE", "Lot", "describe"]

KOS_FILE = "KOS_1_1.DCM"
SIGNATURE_FILE = "SIGN_1.XML"

_BOX = "KIT-DONNEES"
_SET, _KOS, _SIGNATURE = "SubmissionSet01", "DocumentKOS", "Signature01"
_ORIGINAL = (Slot(SlotName.SUBMISSION_SET_STATUS, ("Original",)),)
_NORMAL = Code("N", "2.16.840.1.113883.5.25", "Normal")
_RIM = f"{{{NS['rim']}}}"
_ENTRY_UUID_SCHEME = "1.2.3"
"""As the sample writes it: the standard has no scheme for an entryUUID."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lot:
    """One published KOS. `metadata` is METADATA.XML, `entry_uuid` what the DMP would have given."""

    kos_uid: str
    kos: bytes
    signature: bytes
    metadata: bytes
    entry_uuid: str


def describe(
    *,
    kos_uid: str,
    kos: bytes,
    exam: PlannedExam,
    patient: Patient,
    author: Professional,
    structure: Structure,
    installation: str,
    set_uid: str,
    signature_uid: str,
    folder: str,
    signer: Credential,
    moment: datetime,
    entry_uuid: str = "",
) -> Lot:
    """The lot of one KOS, as after a first publication.

    `folder` is that of the lot in the archive, `installation` the OID of the box, `entry_uuid` what
    the DMP gave; without one, it is made from the KOS.
    """
    signature = sign_lot(
        [LotReference(kos_uid, kos)],
        submission_set_uid=set_uid,
        signature_uid=f"ID-{signature_uid}",
        key=signer.key,
        certificates=(signer.certificate,),
        signing_time=moment,
        algorithm="sha256",
    )
    writer = _Writer(patient, author, structure, moment)
    entries = (
        writer.kos(kos_uid, kos, exam, f"{folder}/{KOS_FILE}"),
        writer.signature(signature_uid, signature, f"{folder}/{SIGNATURE_FILE}"),
    )
    links = (
        Association(type=AssociationType.HAS_MEMBER, source=_SET, target=_KOS, slots=_ORIGINAL),
        Association(
            type=AssociationType.HAS_MEMBER, source=_SET, target=_SIGNATURE, slots=_ORIGINAL
        ),
        Association(type=AssociationType.SIGNS, source=_SIGNATURE, target=_SET, slots=_ORIGINAL),
    )
    request = build_submit(writer.submission_set(set_uid, installation), entries, links)
    entry_uuid = entry_uuid or f"urn:uuid:{uuid5(NAMESPACE_OID, kos_uid)}"
    _keep_entry_uuid(request, entry_uuid)
    return Lot(
        kos_uid=kos_uid,
        kos=kos,
        signature=signature,
        metadata=serialize(request),
        entry_uuid=entry_uuid,
    )


class _Writer:
    """Writes the registry objects of one lot."""

    def __init__(
        self, patient: Patient, author: Professional, structure: Structure, moment: datetime
    ) -> None:
        assert patient.ins is not None
        assert patient.ipp is not None
        self._patient, self._structure, self._author = patient, structure, author
        self._moment = f"{moment:%Y%m%d%H%M%S}"
        self._ins = str(CX(patient.ins.value, HD(patient.ins.oid), "NH"))
        self._ipp = str(CX(patient.ipp.value, HD(patient.ipp.oid), "PI"))
        facility, setting = structure.facility, structure.industry
        self._facility = Code(facility.code, facility.system, facility.display)
        self._setting = Code(setting.code, setting.system, setting.display)
        self._institution = str(
            XON(
                name=structure.name,
                authority=HD(STRUCTURE_AUTHORITY),
                id_type="IDNST",
                id=structure.id,
            )
        )
        self._person = str(
            XCN(
                id=author.id,
                family=author.family,
                given=author.given,
                authority=HD(PROFESSIONAL_AUTHORITY),
                name_type="D",
                id_type="IDNPS",
            )
        )

    def submission_set(self, uid: str, installation: str) -> SubmissionSet:
        return SubmissionSet(
            id=_SET,
            submission_time=self._moment,
            title="Jeu de données du banc",
            authors=(self._authored(),),
            content_type=Code("07", "1.2.250.1.213.2.2", "Consultation Soins Externes"),
            patient_id=self._ins,
            source_id=installation,
            unique_id=uid,
        )

    def kos(self, uid: str, data: bytes, exam: PlannedExam, uri: str) -> DocumentEntry:
        reported = exam.reported()
        assert reported.modality is not None
        return DocumentEntry(
            id=_KOS,
            mime_type="application/dicom",
            creation_time=self._moment,
            language_code="fr-FR",
            legal_authenticator=self._person,
            service_start_time=f"{exam.started:%Y%m%d%H%M%S}",
            service_stop_time=f"{reported.ended:%Y%m%d%H%M%S}",
            source_patient_id=self._ipp,
            source_patient_info=self._traits(),
            hash=hashlib.sha1(data, usedforsecurity=False).hexdigest(),
            size=str(len(data)),
            uri=(uri,),
            reference_ids=(
                str(CXi(exam.accession.value, HD(exam.accession.oid), ReferenceType.ACCESSION)),
                str(CXi(exam.study_uid, None, ReferenceType.STUDY_INSTANCE_UID)),
                str(CXi(exam.placer.value, HD(exam.placer.oid), ReferenceType.ORDER)),
            ),
            title="Référence d'objets d'un examen d'imagerie",
            comments="KOS",
            authors=(self._made(),),
            class_code=Code(*KOS_CLASS_CODE),
            type_code=Code(*KOS_TYPE_CODE),
            format_code=Code(*KOS_FORMAT_CODE),
            confidentiality_codes=(_NORMAL,),
            event_codes=(
                Code(reported.modality.code, "1.2.250.1.213.1.1.5.618", reported.modality.display),
                *(
                    Code(one.code, "1.2.250.1.213.1.1.5.695", one.display)
                    for one in reported.regions
                ),
            ),
            patient_id=self._ins,
            unique_id=uid,
            facility_type=self._facility,
            practice_setting=self._setting,
        )

    def signature(self, uid: str, data: bytes, uri: str) -> DocumentEntry:
        return DocumentEntry(
            id=_SIGNATURE,
            mime_type="text/xml",
            creation_time=self._moment,
            language_code="art",
            legal_authenticator=self._person,
            service_start_time=self._moment,
            service_stop_time=self._moment,
            source_patient_id=self._ins,
            hash=hashlib.sha1(data, usedforsecurity=False).hexdigest(),
            size=str(len(data)),
            uri=(uri,),
            title="Source",
            authors=(self._authored(),),
            class_code=Code(SIGNATURE_CLASS_CODE, "URN", "Digital Signature"),
            type_code=Code("E1762", "ASTM", "Full Document"),
            format_code=Code(
                "http://www.w3.org/2000/09/xmldsig#", "URN", "Default Signature Style"
            ),
            confidentiality_codes=(
                _NORMAL,
                Code(Masking.PROFESSIONALS, MASKING_SCHEME, "Masqué aux professionnels de santé"),
                Code(Masking.PATIENT, MASKING_SCHEME, "Non visible par le patient"),
            ),
            event_codes=(Code("1.2.840.10065.1.12.1.14", "1.2.840.10065.1.12", "Source"),),
            patient_id=self._ins,
            unique_id=uid,
            facility_type=self._facility,
            practice_setting=self._setting,
        )

    def _authored(self) -> Author:
        """The professional, for the lot and its signature."""
        profession = self._author.profession
        return Author(
            person=self._person,
            institutions=(self._institution,),
            specialties=(f"{profession.code}^{profession.display}^{profession.system}",),
        )

    def _made(self) -> Author:
        """The box, for the KOS (ActorSystem, IG-FHIR-PDSM4DMP-EEDS)."""
        return Author(
            person=str(
                XCN(
                    id=f"{self._structure.id}/{_BOX}",
                    family=_BOX,
                    given="1",
                    authority=HD(PROFESSIONAL_AUTHORITY),
                    name_type="U",
                    id_type="EI",
                )
            ),
            institutions=(self._institution,),
            specialties=("DISPOSITIF^Dispositif^1.2.250.1.213.1.1.4.6",),
        )

    def _traits(self) -> tuple[str, ...]:
        one = self._patient
        fields = [("PID-5", f"{one.family}^{one.given}^{one.givens}^^^^L")]
        if one.used_family or one.used_given:
            fields.append(("PID-5", f"{one.used_family}^{one.used_given}^^^^^D"))
        fields += [("PID-7", one.birth_date), ("PID-8", one.sex)]
        if one.birthplace_code:
            fields.append(("PID-11", f"^^^^^^BDL^^{one.birthplace_code}"))
        return PatientInfo(tuple(fields)).values()


def _keep_entry_uuid(request: etree._Element, entry_uuid: str) -> None:
    """The identifier that the DMP gave, beside the KOS's own (DRIM-M_DATA, sample)."""
    for entry in request.iter(f"{_RIM}ExtrinsicObject"):
        if entry.get("id") == _KOS:
            holder = etree.SubElement(
                entry,
                f"{_RIM}ExternalIdentifier",
                {
                    "id": "entryUUID01",
                    "registryObject": _KOS,
                    "identificationScheme": _ENTRY_UUID_SCHEME,
                    "value": entry_uuid,
                },
            )
            name = etree.SubElement(holder, f"{_RIM}Name")
            label = {"value": "XDSDocumentEntry.EntryUUID"}
            etree.SubElement(name, f"{_RIM}LocalizedString", label)
