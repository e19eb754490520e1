"""The RIS at the DMP: it publishes its own reports, replaces and deletes them (DB/RIS.09, .10).

The Source only ever gets a copy. Réf.: REM vague 2, DB/RIS.09 and DB/RIS.10, grade: draft; lot and
VIHF as in the GIE SESAM-Vitale messages TD2.1 and TD3.3c, grade: sample; codes of the report:
ASS_X16 and JDV_J60 of the ANS terminology, grade: standard.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self
from uuid import UUID

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from lxml import etree

from protocols import ebrim, mtom, saml, soap
from protocols.dn import dn
from protocols.ebrim import (
    AdhocQuery,
    Association,
    Author,
    Code,
    DocumentEntry,
    Parameter,
    Slot,
    SubmissionSet,
)
from protocols.errors import RemoteProtocolError
from protocols.hl7types import CX, HD, XCN, XON, CXi, PatientInfo
from protocols.saml import Attribute, CodedValue
from protocols.xmlsig import LotReference, sign_lot
from simulators.ris.people import Coded
from simulators.ris.report import LOINC, Exam, Report
from spec.dmp import KOS_CLASS_CODE, MASKING_SCHEME, SIGNATURE_CLASS_CODE, Masking
from spec.hl7v2 import IMAGING_REPORT
from spec.imaging_metadata import MODALITY_SYSTEMS, REGION_SYSTEMS
from spec.oids import PROFESSIONAL_AUTHORITY, STRUCTURE_AUTHORITY
from spec.vihf import (
    AUTHN_CONTEXTS,
    ISSUER_FORMAT,
    MODE_ACCES_SYSTEM,
    MODE_ACCES_SYSTEM_NAME,
    RESSOURCE_URN,
    AttributeName,
    AuthenticationMode,
    ModeAcces,
)
from spec.xds import Action, AssociationType, Query, ReferenceType, SlotName, Status
from wire.exchange import Observe
from wire.http_client import HttpClient, HttpFailure
from wire.tls import ClientTls

__all__ = ["Depositor", "NotDeposited", "Papers"]

_SET, _REPORT, _SIGNATURE = "SubmissionSet01", "DocumentCR", "Signature01"
_ORIGINAL = (Slot(SlotName.SUBMISSION_SET_STATUS, ("Original",)),)
_NORMAL = Code("N", "2.16.840.1.113883.5.25", "Normal")
_SOFTWARE, _VERSION, _HOMOLOGATION = "DRIMBENCH-RIS", "0.1", "KIT-0000"
_PROFESSIONS = "1.2.250.1.71.1.2.7"
_SPECIALTIES = "1.2.250.1.71.4.2.5"


class NotDeposited(Exception):
    """The DMP did not do what was asked; the text says why, in French."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Papers:
    """What the RIS shows and signs with, in the name of the structure: ORG AUTH_CLI and SIGN."""

    tls: ClientTls
    key: rsa.RSAPrivateKey
    certificates: tuple[x509.Certificate, ...]
    """The leaf first."""

    @classmethod
    def read(cls, tls: ClientTls, certificate: Path, key: Path) -> Self:
        """Those that sign from PEM files.

        Raises:
            OSError, ValueError: one cannot be read.
        """
        read = serialization.load_pem_private_key(key.read_bytes(), None)
        if not isinstance(read, rsa.RSAPrivateKey):
            raise ValueError(f"{key}: not an RSA key")
        chain = x509.load_pem_x509_certificates(certificate.read_bytes())
        return cls(tls=tls, key=read, certificates=tuple(chain))


class Depositor:
    """A client of one DMP for one structure. An async context manager.

    Args:
        url: the root of the DMP's services.
        installation: OID of the RIS, sourceId of its lots.
        uuid: mints message ids and the uniqueIds of lots and signatures.
    """

    def __init__(
        self,
        url: str,
        *,
        papers: Papers,
        installation: str,
        observe: Observe,
        clock: Callable[[], datetime],
        uuid: Callable[[], UUID],
        connect_to: Mapping[str, str] | None = None,
        timeout: float = 30.0,
    ) -> None:
        self._url = url.rstrip("/")
        self._papers = papers
        self._installation = installation
        self._clock = clock
        self._uuid = uuid
        self._client = HttpClient(
            actor="ris", observe=observe, tls=papers.tls, connect_to=connect_to, timeout=timeout
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._client.aclose()

    async def deposit(self, report: Report, masks: tuple[Masking, ...] = ()) -> None:
        """TD2.1a; TD2.1b when the report replaces a version that the DMP holds.

        Raises:
            NotDeposited: refused, no answer, or the version to replace is unknown.
        """
        former = await self._reference(report, report.replaces) if report.replaces else None
        document, moment = report.document(), self._clock()
        lot = self._lot(report, moment)
        signature_uid = self._oid()
        signature = sign_lot(
            [LotReference(report.id, document)],
            submission_set_uid=lot.unique_id,
            signature_uid=f"ID-{signature_uid}",
            key=self._papers.key,
            certificates=self._papers.certificates,
            signing_time=moment,
            algorithm="sha256",
        )
        entry = _entry(report, document, masks)
        links = [
            Association(
                type=AssociationType.HAS_MEMBER, source=_SET, target=_REPORT, slots=_ORIGINAL
            ),
            Association(
                type=AssociationType.HAS_MEMBER, source=_SET, target=_SIGNATURE, slots=_ORIGINAL
            ),
            Association(
                type=AssociationType.SIGNS, source=_SIGNATURE, target=_SET, slots=_ORIGINAL
            ),
        ]
        if former:
            links.append(Association(type=AssociationType.REPLACE, source=_REPORT, target=former))
        cids = {_REPORT: f"cr.{report.id}@ris", _SIGNATURE: f"sign.{signature_uid}@ris"}
        await self._write(
            report,
            "repository",
            Action.PROVIDE_AND_REGISTER,
            ebrim.build_provide(
                lot,
                (entry, _signature(entry, lot, signature_uid, signature, moment)),
                links,
                cids,
            ),
            {
                cids[_REPORT]: (document, "text/xml"),
                cids[_SIGNATURE]: (signature, "text/xml"),
            },
        )

    async def delete(self, report: Report) -> None:
        """TD3.3c of that version, found by TD3.1b. Raises as `deposit`."""
        change = Association(
            type=AssociationType.UPDATE_AVAILABILITY_STATUS,
            source=_SET,
            target=await self._reference(report, report.id),
            slots=(
                Slot(SlotName.ORIGINAL_STATUS, (Status.APPROVED.value,)),
                Slot(SlotName.NEW_STATUS, (Status.DELETED.value,)),
            ),
        )
        lot = self._lot(report, self._clock())
        await self._write(
            report, "registry", Action.UPDATE, ebrim.build_submit(lot, (), (change,)), {}
        )

    # -- how ---------------------------------------------------------------------------------

    async def _reference(self, report: Report, unique_id: str) -> str:
        query = AdhocQuery(
            id=Query.GET_DOCUMENTS,
            parameters=(Parameter("$XDSDocumentEntryUniqueId", (unique_id,), is_list=True),),
            return_type="ObjectRef",
        )
        body = await self._call(
            report, "registry", Action.STORED_QUERY, ebrim.build_query(query), {}
        )
        answer = ebrim.parse_query_response(body)
        found = (*answer.refs, *(entry.id for entry in answer.entries))
        if len(found) != 1:
            raise NotDeposited(f"{len(found)} document(s) {unique_id} dans le DMP")
        return found[0]

    async def _write(
        self,
        report: Report,
        service: str,
        action: Action,
        element: etree._Element,
        attachments: Mapping[str, tuple[bytes, str]],
    ) -> None:
        body = await self._call(report, service, action, element, attachments)
        answer = ebrim.parse_registry_response(body)
        if not answer.succeeded:
            said = "; ".join(f"{one.code} : {one.context}" for one in answer.errors)
            raise NotDeposited(said or "refus sans explication")

    async def _call(
        self,
        report: Report,
        service: str,
        action: Action,
        element: etree._Element,
        attachments: Mapping[str, tuple[bytes, str]],
    ) -> etree._Element:
        url = f"{self._url}/{service}"
        envelope = soap.build(
            soap.Envelope(
                action=action.value,
                message_id=self._uuid().urn,
                to=url,
                reply_to=soap.ANONYMOUS,
                security=self._assertion(report),
                body=element,
            )
        )
        kind, content = "application/soap+xml; charset=UTF-8", envelope
        if attachments:
            boundary = f"ris-{self._uuid()}"
            kind, content = mtom.pack(envelope, attachments, boundary, action=action.value)
        try:
            response = await self._client.request(
                "POST", url, headers=(("Content-Type", kind),), content=content, peer="dmp"
            )
            answer = mtom.unpack(response.headers.get("Content-Type"), response.body)
            body = soap.parse(answer.envelope).body
            fault = soap.parse_fault(body)
        except (HttpFailure, RemoteProtocolError) as error:
            raise NotDeposited(f"le DMP ne répond pas lisiblement : {error}") from error
        if fault is not None:
            raise NotDeposited(f"{fault.subcode or fault.code} : {fault.reason}")
        if body is None:
            raise NotDeposited(f"HTTP {response.status} sans réponse")
        return body

    def _oid(self) -> str:
        return f"2.25.{self._uuid().int}"

    def _lot(self, report: Report, moment: datetime) -> SubmissionSet:
        return SubmissionSet(
            id=_SET,
            submission_time=_time(moment),
            title="Compte rendu d'imagerie",
            authors=(_author(report),),
            content_type=Code("07", "1.2.250.1.213.2.2", "Consultation Soins Externes"),
            patient_id=_patient_id(report),
            source_id=self._installation,
            unique_id=self._oid(),
        )

    def _assertion(self, report: Report) -> etree._Element:
        """A VIHF of indirect authentication, of now, in the author's name."""
        now, author, structure = self._clock(), report.author, report.structure
        facility = structure.facility
        texts = {
            AttributeName.VIHF_VERSION: "3.0",
            AttributeName.SECTEUR_ACTIVITE: f"{facility.code}^{facility.system}",
            AttributeName.RESSOURCE_URN: RESSOURCE_URN,
            AttributeName.SUBJECT_ID: f"{author.family} {author.given}",
            AttributeName.IDENTIFIANT_STRUCTURE: structure.id,
            AttributeName.LPS_ID: _SOFTWARE,
            AttributeName.LPS_NOM: _SOFTWARE,
            AttributeName.LPS_ID_HOMOLOGATION_DMP: _HOMOLOGATION,
            AttributeName.LPS_VERSION: _VERSION,
            AttributeName.RESOURCE_ID: _patient_id(report),
            AttributeName.AUTHENTIFICATION_MODE: AuthenticationMode.INDIRECTE.value,
        }
        purpose = CodedValue(
            "PurposeOfUse",
            ModeAcces.NORMAL.value,
            MODE_ACCES_SYSTEM,
            MODE_ACCES_SYSTEM_NAME,
            "Accès normal",
        )
        return saml.build(
            saml.Assertion(
                id=f"_{self._uuid()}",
                issue_instant=now,
                issuer=dn(self._papers.certificates[0]),
                issuer_format=ISSUER_FORMAT,
                name_id=author.id,
                authn_instant=now,
                authn_context_class=AUTHN_CONTEXTS["TLSClient"],
                attributes=(
                    *(Attribute(name.value, (value,)) for name, value in texts.items()),
                    Attribute(AttributeName.PURPOSE_OF_USE.value, (purpose,)),
                    Attribute(AttributeName.ROLE.value, _roles(author.profession)),
                ),
            ),
            key=self._papers.key,
            certificate=self._papers.certificates[0],
        )


def _entry(report: Report, document: bytes, masks: tuple[Masking, ...]) -> DocumentEntry:
    """What the DMP is told of a report: every order, accession number, study, modality and region
    of its exams (DB/RIS.09)."""
    exams = tuple(exam for exam in report.exams if exam.study_uid)
    patient, structure = report.patient, report.structure
    assert patient.ipp is not None
    starts = [exam.started for exam in exams if exam.started]
    ends = [exam.ended for exam in exams if exam.ended]
    return DocumentEntry(
        id=_REPORT,
        mime_type="text/xml",
        creation_time=_time(report.created),
        language_code="fr-FR",
        legal_authenticator=_person(report),
        service_start_time=_time(min(starts)) if starts else _time(report.created),
        service_stop_time=_time(max(ends)) if ends else "",
        source_patient_id=str(CX(patient.ipp.value, HD(patient.ipp.oid), "PI")),
        source_patient_info=_traits(report),
        hash=_sha1(document),
        size=str(len(document)),
        reference_ids=_references(exams),
        title=report.title,
        authors=(_author(report),),
        class_code=Code(*KOS_CLASS_CODE),
        type_code=Code(IMAGING_REPORT, LOINC, "CR d'imagerie médicale"),
        format_code=Code(
            "urn:ihe:iti:xds-sd:pdf:2008",
            "1.3.6.1.4.1.19376.1.2.3",
            "Document à corps non structuré en format Pdf",
        ),
        confidentiality_codes=(
            _NORMAL,
            *(Code(mask.value, MASKING_SCHEME, mask.value) for mask in masks),
        ),
        event_codes=_events(exams),
        patient_id=_patient_id(report),
        unique_id=report.id,
        facility_type=_code(structure.facility),
        practice_setting=_code(structure.industry),
    )


def _signature(
    entry: DocumentEntry, lot: SubmissionSet, uid: str, data: bytes, moment: datetime
) -> DocumentEntry:
    return DocumentEntry(
        id=_SIGNATURE,
        mime_type="text/xml",
        creation_time=_time(moment),
        language_code="art",
        legal_authenticator=entry.legal_authenticator,
        service_start_time=_time(moment),
        service_stop_time=_time(moment),
        source_patient_id=lot.patient_id,
        hash=_sha1(data),
        size=str(len(data)),
        title="Source",
        authors=lot.authors,
        class_code=Code(SIGNATURE_CLASS_CODE, "URN", "Digital Signature"),
        type_code=Code("E1762", "ASTM", "Full Document"),
        format_code=Code("http://www.w3.org/2000/09/xmldsig#", "URN", "Default Signature Style"),
        confidentiality_codes=(
            _NORMAL,
            Code(Masking.PROFESSIONALS, MASKING_SCHEME, "Masqué aux professionnels de santé"),
            Code(Masking.PATIENT, MASKING_SCHEME, "Non visible par le patient"),
        ),
        event_codes=(Code("1.2.840.10065.1.12.1.14", "1.2.840.10065.1.12", "Source"),),
        patient_id=lot.patient_id,
        unique_id=uid,
        facility_type=entry.facility_type,
        practice_setting=entry.practice_setting,
    )


def _references(exams: tuple[Exam, ...]) -> tuple[str, ...]:
    found: list[CXi] = []
    for exam in exams:
        if exam.order is not None:
            accession, placer = exam.order.accession, exam.order.placer
            found.append(CXi(accession.value, HD(accession.oid), ReferenceType.ACCESSION))
            found.append(CXi(placer.value, HD(placer.oid), ReferenceType.ORDER))
        found.append(CXi(exam.study_uid or "", None, ReferenceType.STUDY_INSTANCE_UID))
    return tuple(dict.fromkeys(str(one) for one in found))


def _events(exams: tuple[Exam, ...]) -> tuple[Code, ...]:
    modalities = (exam.modality for exam in exams if exam.modality)
    regions = (region for exam in exams for region in exam.regions)
    codes = (
        *(Code(one.code, MODALITY_SYSTEMS[0], one.display) for one in modalities),
        *(Code(one.code, REGION_SYSTEMS[0], one.display) for one in regions),
    )
    return tuple(dict.fromkeys(codes))


def _person(report: Report) -> str:
    author = report.author
    return str(
        XCN(
            id=author.id,
            family=author.family,
            given=author.given,
            authority=HD(PROFESSIONAL_AUTHORITY),
            name_type="D",
            id_type="IDNPS",
        )
    )


def _author(report: Report) -> Author:
    structure, profession = report.structure, report.author.profession
    institution = XON(
        name=structure.name, authority=HD(STRUCTURE_AUTHORITY), id_type="IDNST", id=structure.id
    )
    return Author(
        person=_person(report),
        institutions=(str(institution),),
        specialties=(f"{profession.code}^{profession.display}^{profession.system}",),
    )


def _roles(profession: Coded) -> tuple[CodedValue, ...]:
    """`G15_10/SM44`: profession 10, know-how SM44."""
    held, _, specialty = profession.code.rpartition("_")[2].partition("/")
    roles = [CodedValue("Role", held, _PROFESSIONS, "", profession.display)]
    if specialty:
        roles.append(CodedValue("Role", specialty, _SPECIALTIES, "", profession.display))
    return tuple(roles)


def _traits(report: Report) -> tuple[str, ...]:
    one = report.patient
    fields = [("PID-5", f"{one.family}^{one.given}^{one.givens}^^^^L")]
    if one.used_family or one.used_given:
        fields.append(("PID-5", f"{one.used_family}^{one.used_given}^^^^^D"))
    fields += [("PID-7", one.birth_date), ("PID-8", one.sex)]
    if one.birthplace_code:
        fields.append(("PID-11", f"^^^^^^BDL^^{one.birthplace_code}"))
    return PatientInfo(tuple(fields)).values()


def _patient_id(report: Report) -> str:
    ins = report.patient.ins
    assert ins is not None
    return str(CX(ins.value, HD(ins.oid), "NH"))


def _code(one: Coded) -> Code:
    return Code(one.code, one.system, one.display)


def _sha1(data: bytes) -> str:
    return hashlib.sha1(data, usedforsecurity=False).hexdigest()


def _time(moment: datetime) -> str:
    """XDS times are UTC."""
    return f"{moment.astimezone(UTC):%Y%m%d%H%M%S}"
