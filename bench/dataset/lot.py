"""What the DMP would be told about a KOS: METADATA.XML and the signature of the lot.

Réf.: METADATA.XML and lot of DRIM-M_DATA ("informatif/XDM"), grade: sample; cardinalities of
IG-FHIR-PDSM4DMP-EEDS, grade: standard.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import NAMESPACE_OID, uuid5

from lxml import etree

from bench.story import PlannedExam
from protocols.ebrim import Author, Code, DocumentEntry, SubmissionSet, build_submit
from protocols.hl7types import HD, XCN, CXi
from protocols.xml import NS, serialize
from protocols.xmlsig import LotReference, sign_lot
from simulators.igc import Credential
from simulators.ris import described
from simulators.ris.described import SET
from simulators.ris.people import Patient, Professional, Structure
from spec.dmp import KOS_CLASS_CODE, KOS_FORMAT_CODE, KOS_TYPE_CODE
from spec.oids import PROFESSIONAL_AUTHORITY
from spec.xds import ReferenceType

__all__ = ["KOS_FILE", "SIGNATURE_FILE", "Lot", "describe"]

KOS_FILE = "KOS_1_1.DCM"
SIGNATURE_FILE = "SIGN_1.XML"

_BOX = "KIT-DONNEES"
_KOS = "DocumentKOS"
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
    lot = writer.submission_set(set_uid, installation)
    entry = writer.kos(kos_uid, kos, exam, f"{folder}/{KOS_FILE}")
    signed = described.signature(
        entry, lot, signature_uid, signature, uri=(f"{folder}/{SIGNATURE_FILE}",)
    )
    request = build_submit(lot, (entry, signed), described.links(_KOS))
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
        self._patient, self._structure, self._author = patient, structure, author
        self._moment = f"{moment:%Y%m%d%H%M%S}"

    def submission_set(self, uid: str, installation: str) -> SubmissionSet:
        return SubmissionSet(
            id=SET,
            submission_time=self._moment,
            title="Jeu de données du banc",
            authors=(described.author(self._author, self._structure),),
            content_type=described.CONTENT_TYPE,
            patient_id=described.patient_id(self._patient),
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
            legal_authenticator=described.person(self._author),
            service_start_time=f"{exam.started:%Y%m%d%H%M%S}",
            service_stop_time=f"{reported.ended:%Y%m%d%H%M%S}",
            source_patient_id=described.local_id(self._patient),
            source_patient_info=described.traits(self._patient),
            hash=described.sha1(data),
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
            confidentiality_codes=(described.NORMAL,),
            event_codes=(
                Code(reported.modality.code, "1.2.250.1.213.1.1.5.618", reported.modality.display),
                *(
                    Code(one.code, "1.2.250.1.213.1.1.5.695", one.display)
                    for one in reported.regions
                ),
            ),
            patient_id=described.patient_id(self._patient),
            unique_id=uid,
            facility_type=described.code(self._structure.facility),
            practice_setting=described.code(self._structure.industry),
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
            institutions=(described.institution(self._structure),),
            specialties=("DISPOSITIF^Dispositif^1.2.250.1.213.1.1.4.6",),
        )


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
