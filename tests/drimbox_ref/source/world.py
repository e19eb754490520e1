"""A Source whose outside world is made of fakes: a clock, a PACS, a DMP and a PKI in memory."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from lxml import etree

from drimbox_ref import names, trail
from drimbox_ref.config import Identity
from drimbox_ref.credentials import Credentials
from drimbox_ref.database import Database
from drimbox_ref.dmp import PeerUnavailable, Rejected
from drimbox_ref.names import SeededUids
from drimbox_ref.revocation import Standing
from drimbox_ref.source import tables
from drimbox_ref.source.acknowledger import Hl7Acknowledger
from drimbox_ref.source.archive import SqlArchive
from drimbox_ref.source.bearer import AuthorizationHeader
from drimbox_ref.source.capabilities import Capabilities
from drimbox_ref.source.catalogue import ArchiveCatalogue
from drimbox_ref.source.inbox import SqlInbox
from drimbox_ref.source.intake import MllpIntake
from drimbox_ref.source.key_notes import PacsKeyNotes
from drimbox_ref.source.kos import ImgKosBuilder
from drimbox_ref.source.matcher import CoherenceMatcher
from drimbox_ref.source.metadata import XdsMetadata
from drimbox_ref.source.negotiator import AcceptNegotiator
from drimbox_ref.source.notices import PacsNotices
from drimbox_ref.source.outbox import SqlOutbox
from drimbox_ref.source.parts import Parts
from drimbox_ref.source.paths import RetrievePaths
from drimbox_ref.source.reports import CisisReports
from drimbox_ref.source.stamper import InsStamper
from drimbox_ref.source.transcoder import PixelTranscoder
from drimbox_ref.source.values import (
    Accepted,
    Denied,
    FoundInstance,
    FoundSeries,
    FoundStudy,
    Operation,
    Order,
    RetrievalFailed,
    StoredObject,
    Submission,
    TrustVerdict,
    Wanted,
)
from drimbox_ref.source.versions import SqlVersions
from drimbox_ref.source.viewer_link import LinkChecks
from drimbox_ref.source.viewer_pages import FrenchPages
from drimbox_ref.source.viewer_people import KnownGuests
from drimbox_ref.source.vihf import IndirectVihf
from drimbox_ref.trail import SqlAlerts, SqlAudit
from drimbox_ref.vihf import VihfWriter
from protocols import cda
from protocols.hl7v2 import build, segment
from wire.tls import ServerTls

INS = "279035121518989"
INS_OID = "1.2.250.1.213.1.4.10"
IPP = "IPP-77"
IPP_OID = "1.2.250.1.999.3"
STRUCTURE = "1630013605"
STUDIES = ("1.2.250.1.999.1.101", "1.2.250.1.999.1.102", "1.2.250.1.999.1.103")
CT = "1.2.840.10008.5.1.4.1.1.2"


def cda_report(
    studies: Sequence[str] = STUDIES[:1],
    *,
    report_id: str = "1.2.250.1.999.5.1",
    accession: str = "ACC-1",
    placer: str = "OPN-1",
    ins: str = INS,
    structure: str = STRUCTURE,
    screening: bool = True,
) -> bytes:
    """A level 1 report on some studies, with a screening act that has no study."""
    organization = cda.Organization(
        ids=(cda.Id("1.2.250.1.71.4.2.2", structure),),
        name="Centre d'essai",
        industry=cda.Code(
            code="AMBULATOIRE", system="1.2.250.1.213.1.1.4.9", display="Ambulatoire"
        ),
    )
    doctor = cda.Professional(
        ids=(cda.Id("1.2.250.1.71.4.2.1", "899700000001"),),
        code=cda.Code(
            code="G15_10/SM44",
            system="1.2.250.1.213.1.1.4.5",
            display="Médecin - Radio-diagnostic (SM)",
        ),
        name=cda.PersonName((cda.NamePart("family", "RAYON"), cda.NamePart("given", "Hélène"))),
        organization=organization,
        time="20261120101500+0100",
        signature="S",
    )
    events = [
        cda.ServiceEvent(
            ids=(cda.Id(uid),),
            code=cda.Code(
                code="24727-0",
                system="2.16.840.1.113883.6.1",
                display="Scanner de la tête",
                translations=(
                    cda.Code(
                        code="CT",
                        system="1.2.840.10008.2.16.4",
                        display="Tomodensitométrie",
                        qualifier=cda.Code(code="121139", system="1.2.840.10008.2.16.4"),
                    ),
                    cda.Code(
                        code="774007",
                        system="2.16.840.1.113883.6.96",
                        display="Tête et cou",
                        qualifier=cda.Code(code="39111-0", system="2.16.840.1.113883.6.1"),
                    ),
                ),
            ),
            low="20261120093000+0100",
            high="20261120094500+0100",
        )
        for uid in studies
    ]
    if screening:
        events.append(cda.ServiceEvent(code=cda.Code(code="Z13.9", system="2.16.840.1.113883.6.3")))
    return cda.build(
        cda.ImagingReport(
            id=cda.Id(report_id),
            set_id=cda.Id("1.2.250.1.999.6.1"),
            version_number="1",
            code=cda.Code(code="18748-4", system="2.16.840.1.113883.6.1", display="CR"),
            title="CR",
            effective_time="20261120101500+0100",
            confidentiality=cda.Code(code="N", system="2.16.840.1.113883.5.25", display="Normal"),
            language="fr-FR",
            patients=(
                cda.Patient(
                    ids=(cda.Id(INS_OID, ins), cda.Id(IPP_OID, IPP)),
                    names=(
                        cda.PersonName(
                            (
                                cda.NamePart("family", "PAT-TROIS", "BR"),
                                cda.NamePart("given", "DOMINIQUE MARIE"),
                                cda.NamePart("given", "DOMINIQUE", "BR"),
                                cda.NamePart("family", "DURAND", "CL"),
                            )
                        ),
                    ),
                    birth_time="19790328",
                    sex=cda.Code(code="F", system="2.16.840.1.113883.5.1"),
                    birthplace_county="51215",
                ),
            ),
            authors=(doctor,),
            custodian=organization,
            legal_authenticators=(doctor,),
            orders=(
                cda.Order(
                    ids=(cda.Id("1.2.250.1.999.7", placer),),
                    accession_numbers=(cda.Id("1.2.250.1.999.8", accession),),
                ),
            ),
            service_events=tuple(events),
            encounter=cda.Encounter(
                facility_code=cda.Code(
                    code="SA08", system="1.2.250.1.71.4.2.4", display="Cabinet de groupe"
                )
            ),
            body=cda.Body(media_type="application/pdf", data=b"%PDF-1.4"),
        )
    )


def oru(
    document: bytes | None = None,
    *,
    control_id: str = "MSG-1",
    control: str = "NW",
    status: str = "F",
    identity: str | None = "VALI",
    ipp: str | None = IPP,
    ins: str | None = INS,
    version: str = "2.5",
    profile: tuple[str, str] = ("2.1", "CISIS_CDA_HL7_V2"),
    kind: tuple[str, str, str] = ("ORU", "R01", "ORU_R01"),
    masks: Sequence[str] = (),
    to_dmp: str = "Y",
) -> bytes:
    """An ORU^R01 of the volet; every argument is a way to make it wrong."""
    encoded = base64.b64encode(cda_report() if document is None else document).decode()
    identifiers = []
    if ins is not None:
        identifiers.append((ins, "", "", ("ASIP-SANTE-INS-NIR", INS_OID, "ISO"), "INS"))
    if ipp is not None:
        identifiers.insert(0, (ipp, "", "", ("RIS", IPP_OID, "ISO"), "PI"))
    code = ("18748-4", "CR", "LN")
    pid = {
        3: identifiers,
        5: [("PAT-TROIS", "DOMINIQUE", "DOMINIQUE MARIE", "", "", "", "L")],
        7: "19790328",
        8: "F",
        11: [("", "", "", "", "", "", "BDL", "", "51215")],
    }
    if identity is not None:
        pid[32] = identity
    metadata = [
        segment(
            "OBX",
            {
                1: str(number),
                2: "CE",
                3: (name, name, "MetaDMPMSS"),
                5: ("Y" if name in masks else "N", "", "expandedYes-NoIndicator"),
                11: "F",
            },
        )
        for number, name in enumerate(
            ("MASQUE_PS", "INVISIBLE_PATIENT", "INVISIBLE_REP_LEGAUX"), start=2
        )
    ]
    metadata.append(
        segment(
            "OBX",
            {
                1: "5",
                2: "CE",
                3: ("DESTDMP", "DESTDMP", "MetaDMPMSS"),
                5: (to_dmp, "", "expandedYes-NoIndicator"),
                11: "F",
            },
        )
    )
    return build(
        [
            segment(
                "MSH",
                {
                    3: "RIS",
                    4: "CLINIQUE",
                    5: "DRIMBOX",
                    6: "CLINIQUE",
                    7: "20261120101500+0100",
                    9: kind,
                    10: control_id,
                    11: "T",
                    12: version,
                    17: "FRA",
                    18: "UNICODE UTF-8",
                    21: profile,
                },
            ),
            segment("PID", pid),
            segment("PV1", {2: "O"}),
            segment("ORC", {1: control}),
            segment("OBR", {4: code}),
            segment(
                "OBX",
                {1: "1", 2: "ED", 3: code, 5: ("", "TEXT", "XML", "Base64", encoded), 11: status},
            ),
            *metadata,
        ]
    )


def found_study(
    uid: str = STUDIES[0],
    *,
    series: int = 2,
    instances: int = 3,
    ipp: str = IPP,
    accession: str = "ACC-1",
) -> FoundStudy:
    return FoundStudy(
        uid=uid,
        pacs="PACS",
        patient_ids=(ipp,),
        accessions=(accession,),
        date="20261120",
        time="093000",
        description="Scanner crânien",
        study_id="",
        referring="",
        series=tuple(
            FoundSeries(
                uid=f"{uid}.{number}",
                number=number,
                modality="CT",
                description=f"Série {number}",
                instances=tuple(
                    FoundInstance(
                        sop_class=CT,
                        sop_instance=f"{uid}.{number}.{rank}",
                        number=rank,
                        frames=None,
                    )
                    for rank in range(1, instances + 1)
                ),
            )
            for number in range(1, series + 1)
        ),
    )


class FakeClock:
    def __init__(self) -> None:
        self.moment = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)

    def now(self) -> datetime:
        return self.moment

    def advance(self, seconds: float) -> None:
        self.moment += timedelta(seconds=seconds)


class FakeExaminations:
    """A PACS: what it holds, what it was asked."""

    def __init__(self) -> None:
        self.studies: dict[str, FoundStudy] = {}
        self.down = False
        self.asked: list[str] = []

    def find(self, study_uid: str, orders: Sequence[Order]) -> FoundStudy | None:
        self.asked.append(study_uid)
        if self.down:
            raise PeerUnavailable("PACS injoignable")
        return self.studies.get(study_uid)


class Killed(BaseException):
    """The process dies here."""


class FakeDmp:
    """A DMP that keeps uniqueIds; `faults` are played once each, in order."""

    def __init__(self) -> None:
        self.documents: dict[str, str] = {}
        self.submissions: list[Submission] = []
        self.lookups: list[str] = []
        self.faults: list[str] = []
        self.deleted: list[str] = []

    async def submit(
        self, submission: Submission, *, credentials: Credentials, assertion: etree._Element
    ) -> None:
        fault = self.faults.pop(0) if self.faults else ""
        if fault == "down":
            raise PeerUnavailable("DMP injoignable")
        if fault == "killed-before":
            raise Killed
        if fault == "refused":
            raise Rejected("patient inconnu", ["XDSUnknownPatientId"])
        self.submissions.append(submission)
        if submission.operation is Operation.DELETE:
            self.deleted.append(submission.set_uid)
            return
        uid = kos_uid(submission)
        if uid in self.documents:
            raise Rejected("déjà là", ["XDSDuplicateUniqueIdInRegistry"])
        self.documents[uid] = f"urn:uuid:{len(self.documents):08d}"
        if fault == "half-answer":
            raise PeerUnavailable("réponse coupée")
        if fault == "killed-after":
            raise Killed

    async def reference(
        self, unique_id: str, *, credentials: Credentials, assertion: etree._Element
    ) -> str | None:
        self.lookups.append(unique_id)
        return self.documents.get(unique_id)


def kos_uid(submission: Submission) -> str:
    """The uniqueId of the KOS in a submission, read in its metadata."""
    root = etree.fromstring(submission.metadata)
    values = root.xpath(
        "//*[local-name()='ExtrinsicObject'][@mimeType='application/dicom']"
        "/*[local-name()='ExternalIdentifier']"
        "[@identificationScheme='urn:uuid:2e82c1f6-a085-4c72-9da3-8640a32e42ab']/@value"
    )
    assert len(values) == 1
    return str(values[0])


@dataclass
class FakeTrust:
    verdict: TrustVerdict = TrustVerdict.LISTED

    async def refresh(self) -> bool:
        return True

    def judge(self, certificate: bytes | None, *, now: datetime) -> TrustVerdict:
        return TrustVerdict.UNKNOWN if certificate is None else self.verdict


@dataclass
class FakeRevocation:
    standing: Standing = Standing.GOOD

    async def judge(self, certificate: bytes) -> Standing:
        return self.standing


class NoDoor:
    """No listener in these tests."""

    def tls(self) -> ServerTls:
        raise AssertionError("nobody listens here")


@dataclass
class FakeTokens:
    verdict: Accepted | Denied = field(
        default_factory=lambda: Accepted(subject="899700000009", professions=("10",))
    )
    seen: list[str] = field(default_factory=list)

    async def check(self, token: str, *, now: datetime) -> Accepted | Denied:
        self.seen.append(token)
        return self.verdict


class FakeImages:
    """Gives the objects it holds, then what `end` says."""

    def __init__(self) -> None:
        self.held: list[StoredObject] = []
        self.end: Exception | None = None
        self.wanted: list[Wanted] = []
        self.closed = 0

    async def open(self, wanted: Wanted) -> FakeImages:
        self.wanted.append(wanted)
        if isinstance(self.end, PeerUnavailable):
            raise self.end
        return self

    async def objects(self):
        for stored in self.held:
            yield stored
        if isinstance(self.end, RetrievalFailed):
            raise self.end

    async def close(self) -> None:
        self.closed += 1


class FakeDirectory:
    def __init__(self, credentials: Credentials) -> None:
        self.known = {credentials.structure: credentials}

    def of(self, structure: str) -> Credentials | None:
        return self.known.get(structure)


def make_credentials() -> Credentials:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "FR"),
            x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, STRUCTURE),
            x509.NameAttribute(NameOID.COMMON_NAME, "DRIMbox d'essai"),
        ]
    )
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(datetime(2026, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2029, 1, 1, tzinfo=UTC))
        .sign(key, hashes.SHA256())
    )
    return Credentials(
        structure=STRUCTURE,
        tls_certificate="",
        tls_key="",
        sign_key=key,
        sign_chain=(certificate,),
    )


IDENTITY = Identity(
    installation_oid="1.2.250.1.999.1",
    uid_root="1.2.250.1.999.1.9",
    lps_name="DRIMbox d'essai",
    lps_version="1.0",
    lps_id="KIT-1",
    lps_homologation="KIT-HOMO",
)


@dataclass
class World:
    """Parts on fakes, and the fakes."""

    parts: Parts
    clock: FakeClock
    pacs: FakeExaminations
    dmp: FakeDmp
    images: FakeImages
    trust: FakeTrust
    revocation: FakeRevocation
    tokens: FakeTokens
    state: Path
    url: str
    database: Database


def make_world(
    state: Path,
    credentials: Credentials,
    former: World | None = None,
    *,
    url: str = "",
    seed: int = 7,
) -> World:
    """A box on that state directory, and on that PostgreSQL database when a URL is given;
    `former` gives its outside world, and its database, to a restarted one."""
    url = former.url if former else url
    database = Database(url or state / "source.sqlite", tables.SCHEMA, names.SCHEMA, trail.SCHEMA)
    clock = former.clock if former else FakeClock()
    pacs = former.pacs if former else FakeExaminations()
    dmp = former.dmp if former else FakeDmp()
    uids = SeededUids(database, root=IDENTITY.uid_root, seed=seed, name="box")
    archive = SqlArchive(database)
    trust, tokens, images = FakeTrust(), FakeTokens(), FakeImages()
    revocation = FakeRevocation()
    parts = Parts(
        clock=clock,
        uids=uids,
        reports=CisisReports(without_dmp="stop"),
        intake=MllpIntake({}),
        versions=SqlVersions(database),
        acknowledger=Hl7Acknowledger(clock=clock),
        notices=PacsNotices(),
        examinations=pacs,
        key_notes=PacsKeyNotes(images, alerts=SqlAlerts(database), clock=clock, patience_s=5.0),
        matcher=CoherenceMatcher(),
        kos=ImgKosBuilder(
            uids=uids,
            uid_root=IDENTITY.uid_root,
            public_url="https://db1.drimbench.test/drimbox/rs",
            manufacturer="DRIMBENCH",
            transfer_syntax="1.2.840.10008.1.2.1",
            timezone="+0000",
        ),
        directory=FakeDirectory(credentials),
        metadata=XdsMetadata(
            IDENTITY,
            uids=uids,
            author="drimbox",
            study_uid_authority="",
            event_code_scheme="value_set",
            lot_algorithm="rsa-sha1",
        ),
        vihf=IndirectVihf(
            VihfWriter(
                IDENTITY,
                version="3.0",
                algorithm="rsa-sha256",
                mode_name="Authentification_Mode",
            ),
            uids=uids,
        ),
        registry=dmp,
        inbox=SqlInbox(database),
        outbox=SqlOutbox(database),
        archive=archive,
        alerts=SqlAlerts(database),
        audit=SqlAudit(database, key=b"k" * 32),
        door=NoDoor(),
        showcase=Capabilities("https://db1.drimbench.test/drimbox/rs"),
        trust=trust,
        revocation=revocation,
        bearer=AuthorizationHeader(),
        tokens=tokens,
        paths=RetrievePaths(),
        catalogue=ArchiveCatalogue(archive),
        images=images,
        stamper=InsStamper(),
        negotiator=AcceptNegotiator(),
        transcoder=PixelTranscoder(),
        links=LinkChecks(),
        guests=KnownGuests(),
        viewer_pages=FrenchPages(),
    )
    return World(parts, clock, pacs, dmp, images, trust, revocation, tokens, state, url, database)
