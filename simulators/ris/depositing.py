"""The RIS at the DMP: it publishes its own reports, replaces and deletes them (DB/RIS.09, .10).

The Source only ever gets a copy. Réf.: REM vague 2, DB/RIS.09 and DB/RIS.10, grade: draft; lot and
VIHF as in the GIE SESAM-Vitale messages TD2.1 and TD3.3c, grade: sample; codes of the report:
ASS_X16 and JDV_J60 of the ANS terminology, grade: standard.
"""

from __future__ import annotations

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

from protocols import ebrim, saml
from protocols.dn import dn
from protocols.ebrim import Association, Code, DocumentEntry, SubmissionSet
from protocols.hl7types import HD, CXi
from protocols.saml import Attribute, CodedValue
from protocols.xmlsig import LotReference, sign_lot
from simulators.ris import described
from simulators.ris.described import SET, SIGNATURE
from simulators.ris.dmp_client import DmpClient
from simulators.ris.people import Coded
from simulators.ris.report import LOINC, Exam, Report
from spec.dmp import KOS_CLASS_CODE, MASKING_SCHEME, Masking
from spec.hl7v2 import IMAGING_REPORT
from spec.imaging_metadata import MODALITY_SYSTEMS, REGION_SYSTEMS
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
from spec.xds import AssociationType, ReferenceType
from wire.exchange import Observe
from wire.tls import ClientTls

__all__ = ["REPORT", "Depositor", "Papers", "entry_of", "lot_of"]

REPORT = "DocumentCR"
"""The id of the report within a submission."""
_SOFTWARE, _VERSION, _HOMOLOGATION = "DRIMBENCH-RIS", "0.1", "KIT-0000"
_PROFESSIONS = "1.2.250.1.71.1.2.7"
_SPECIALTIES = "1.2.250.1.71.4.2.5"


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
        self._papers = papers
        self._installation = installation
        self._clock = clock
        self._uuid = uuid
        self._dmp = DmpClient(
            url, actor="ris", observe=observe, tls=papers.tls, uuid=uuid, named=False,
            connect_to=connect_to, timeout=timeout,
        )  # fmt: skip

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._dmp.aclose()

    async def deposit(self, report: Report, masks: tuple[Masking, ...] = ()) -> None:
        """TD2.1a; TD2.1b when the report replaces a version that the DMP holds.

        Raises:
            DmpRefusal: refused, no answer, or the version to replace is unknown.
        """

        def assertion() -> etree._Element:
            return self._assertion(report)

        former = await self._dmp.find(report.replaces, assertion) if report.replaces else None
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
        entry = entry_of(report, document, masks)
        links = [*described.links(REPORT)]
        if former:
            links.append(Association(type=AssociationType.REPLACE, source=REPORT, target=former))
        cids = {REPORT: f"cr.{report.id}@ris", SIGNATURE: f"sign.{signature_uid}@ris"}
        signed = described.signature(entry, lot, signature_uid, signature)
        await self._dmp.provide(
            ebrim.build_provide(lot, (entry, signed), links, cids),
            {cids[REPORT]: (document, "text/xml"), cids[SIGNATURE]: (signature, "text/xml")},
            assertion,
            report.id,
        )

    async def delete(self, report: Report) -> None:
        """TD3.3c of that version, found by TD3.1b. Raises as `deposit`."""

        def assertion() -> etree._Element:
            return self._assertion(report)

        held = await self._dmp.find(report.id, assertion)
        await self._dmp.delete(self._lot(report, self._clock()), held, assertion, report.id)

    def _oid(self) -> str:
        return f"2.25.{self._uuid().int}"

    def _lot(self, report: Report, moment: datetime) -> SubmissionSet:
        return lot_of(report, moment, installation=self._installation, unique_id=self._oid())

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
            AttributeName.RESOURCE_ID: described.patient_id(report.patient),
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


def lot_of(report: Report, moment: datetime, *, installation: str, unique_id: str) -> SubmissionSet:
    """The lot that a report is sent in; `installation` is the OID of the RIS."""
    return SubmissionSet(
        id=SET,
        submission_time=_time(moment),
        title="Compte rendu d'imagerie",
        authors=(described.author(report.author, report.structure),),
        content_type=described.CONTENT_TYPE,
        patient_id=described.patient_id(report.patient),
        source_id=installation,
        unique_id=unique_id,
    )


def entry_of(
    report: Report,
    document: bytes,
    masks: tuple[Masking, ...] = (),
    *,
    uri: tuple[str, ...] = (),
) -> DocumentEntry:
    """What is told of a report: every order, accession number, study, modality and region of its
    exams (DB/RIS.09). `uri`: where an archive has it."""
    exams = tuple(exam for exam in report.exams if exam.study_uid)
    patient, structure = report.patient, report.structure
    starts = [exam.started for exam in exams if exam.started]
    ends = [exam.ended for exam in exams if exam.ended]
    return DocumentEntry(
        id=REPORT,
        mime_type="text/xml",
        creation_time=_time(report.created),
        language_code="fr-FR",
        legal_authenticator=described.person(report.author),
        service_start_time=_time(min(starts)) if starts else _time(report.created),
        service_stop_time=_time(max(ends)) if ends else "",
        source_patient_id=described.local_id(patient),
        source_patient_info=described.traits(patient),
        hash=described.sha1(document),
        size=str(len(document)),
        reference_ids=_references(exams),
        title=report.title,
        authors=(described.author(report.author, structure),),
        class_code=Code(*KOS_CLASS_CODE),
        type_code=Code(IMAGING_REPORT, LOINC, "CR d'imagerie médicale"),
        format_code=Code(
            "urn:ihe:iti:xds-sd:pdf:2008",
            "1.3.6.1.4.1.19376.1.2.3",
            "Document à corps non structuré en format Pdf",
        ),
        confidentiality_codes=(
            described.NORMAL,
            *(Code(mask.value, MASKING_SCHEME, mask.value) for mask in masks),
        ),
        event_codes=_events(exams),
        patient_id=described.patient_id(patient),
        unique_id=report.id,
        uri=uri,
        facility_type=described.code(structure.facility),
        practice_setting=described.code(structure.industry),
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


def _roles(profession: Coded) -> tuple[CodedValue, ...]:
    """`G15_10/SM44`: profession 10, know-how SM44."""
    held, _, specialty = profession.code.rpartition("_")[2].partition("/")
    roles = [CodedValue("Role", held, _PROFESSIONS, "", profession.display)]
    if specialty:
        roles.append(CodedValue("Role", specialty, _SPECIALTIES, "", profession.display))
    return tuple(roles)


def _time(moment: datetime) -> str:
    """XDS times are UTC."""
    return f"{moment.astimezone(UTC):%Y%m%d%H%M%S}"
