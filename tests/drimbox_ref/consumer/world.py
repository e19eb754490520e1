"""A Consumer whose outside world is made of fakes: a clock, PSC, DMP, Sources, a PACS."""

from __future__ import annotations

import asyncio
import itertools
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from lxml import etree

from drimbox_ref.config import Identity
from drimbox_ref.consumer import copies, queue
from drimbox_ref.consumer.api_tokens import NoTokens
from drimbox_ref.consumer.copies import SqlCopies
from drimbox_ref.consumer.fetching import Fetcher
from drimbox_ref.consumer.identity import InsCheck
from drimbox_ref.consumer.library import SharedLibrary
from drimbox_ref.consumer.localizer import IppLocalizer
from drimbox_ref.consumer.manifests import KosManifests
from drimbox_ref.consumer.parts import Parts
from drimbox_ref.consumer.professionals import UserinfoSituations
from drimbox_ref.consumer.queue import SqlQueue
from drimbox_ref.consumer.sessions import Context, Login, Sessions
from drimbox_ref.consumer.tokens import FreshTokens
from drimbox_ref.consumer.values import (
    Access,
    Behalf,
    Call,
    Consent,
    Document,
    Exam,
    ExportFailed,
    Failure,
    Ins,
    Professional,
    Received,
    Search,
    Series,
    Situation,
    TrustVerdict,
    Use,
)
from drimbox_ref.consumer.vihf import AirVihf
from drimbox_ref.credentials import Credentials
from drimbox_ref.database import Database
from drimbox_ref.psc_login import Grant, LoginExpired
from drimbox_ref.trail import Alert, AuditEvent
from drimbox_ref.vihf import VihfWriter
from protocols.dicom import build_part10, encode_element, encode_sequence
from protocols.ebrim import DocumentEntry
from wire.http_client import HttpClient

INS = Ins(value="279035121518989", oid="1.2.250.1.213.1.4.10")
STRUCTURE = "10B9900015"
CT = "1.2.840.10008.5.1.4.1.1.2"
EXPLICIT = "1.2.840.10008.1.2.1"
HOST = "db4.drimbench.test"
STUDY = "1.2.250.1.999.1"

SITUATION = Situation(
    structure=STRUCTURE,
    aliases=frozenset({"F0B9900015"}),
    label="CENTRE HOSPITALIER KIT",
    sector="SA01",
    profession="10",
    specialty="SM44",
    family="KITRADIOLOGUE",
    given="RADIA",
)
PROFESSIONAL = Professional(
    id="899700990016", family="KITRADIOLOGUE", given="RADIA", situations=(SITUATION,)
)
IDENTITY = Identity(
    installation_oid="1.2.250.1.999.50",
    uid_root="1.2.250.1.999.50",
    lps_name="DRIMbox d'essai",
    lps_version="1",
    lps_id="KIT-1",
    lps_homologation="KIT-0",
)


def call(**changes: Any) -> Call:
    values: dict[str, Any] = {
        "ins": INS,
        "family": "PAT-TROIS",
        "given": "DOMINIQUE",
        "sex": "F",
        "birth_date": "19790328",
        "birthplace": "51215",
        "consent": Consent.GIVEN,
        "ipp": "LOCAL-77",
        "ipp_issuer": "CLINIQUE&1.2.250.1.999.9&ISO",
    }
    return Call(**{**values, **changes})


def make_credentials() -> Credentials:
    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "FR"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "CENTRE HOSPITALIER KIT"),
            x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, STRUCTURE),
            x509.NameAttribute(NameOID.COMMON_NAME, "KIT-DRIMBOX"),
        ]
    )
    start = datetime(2026, 1, 1, tzinfo=UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=3650))
        .sign(key, hashes.SHA256())
    )
    return Credentials(
        structure=STRUCTURE,
        tls_certificate="unused.pem",
        tls_key="unused.pem",
        sign_key=key,
        sign_chain=(certificate,),
    )


class FakeClock:
    def __init__(self) -> None:
        self.moment = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)

    def now(self) -> datetime:
        return self.moment

    def advance(self, seconds: float) -> None:
        self.moment += timedelta(seconds=seconds)


class FakeUids:
    def __init__(self) -> None:
        self._numbers = itertools.count(1)

    def uuid(self) -> uuid.UUID:
        return uuid.UUID(int=next(self._numbers))


class FakePsc:
    """Renews tokens, unless it is `over`."""

    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock
        self.renewed = 0
        self.over = False

    async def renew(self, grant: Grant) -> Grant:
        if self.over:
            raise LoginExpired
        self.renewed += 1
        return make_grant(self.clock, f"access-{self.renewed}")

    async def authorization_url(self, *, state: str, nonce: str, verifier: str) -> str:
        raise AssertionError("not asked for")

    async def redeem(self, code: str, *, nonce: str, verifier: str, issuer: str) -> Grant:
        raise AssertionError("not asked for")

    async def userinfo(self, grant: Grant) -> dict[str, Any]:
        raise AssertionError("not asked for")

    async def log_out(self, grant: Grant) -> None:
        raise AssertionError("not asked for")


def make_grant(clock: FakeClock, access: str = "access-0", life: float = 120) -> Grant:
    return Grant(
        access_token=access,
        expires=clock.now() + timedelta(seconds=life),
        refresh_token="refresh",
        id_token="id",
        subject="sub",
        authenticated=clock.now(),
    )


class FakeDmp:
    """A registry: what it says, what it was asked."""

    def __init__(self) -> None:
        self.answer = Access(granted=True)
        self.documents: dict[str, bytes] = {}
        self.entries: tuple[DocumentEntry, ...] = ()
        self.asked: list[str] = []
        self.fault: Exception | None = None
        self.fetch_fault: Exception | None = None

    async def access(self, behalf: Behalf, assertion: etree._Element, *, now: datetime) -> Access:
        self.asked.append("TD0.2")
        if self.fault:
            raise self.fault
        return self.answer

    async def find(
        self, behalf: Behalf, assertion: etree._Element, search: Search
    ) -> tuple[DocumentEntry, ...]:
        self.asked.append("TD3.1")
        return self.entries

    async def fetch(self, behalf: Behalf, assertion: etree._Element, entry: DocumentEntry) -> bytes:
        self.asked.append("TD3.2")
        if self.fetch_fault:
            raise self.fetch_fault
        return self.documents[entry.unique_id]


class FakeDocuments:
    """Reports beside the exams."""

    def __init__(self) -> None:
        self.found: tuple[Document, ...] = ()
        self.fault: Exception | None = None

    async def find(self, behalf: Behalf, assertion: etree._Element) -> tuple[Document, ...]:
        if self.fault:
            raise self.fault
        return self.found


class FakeAuthorisations:
    """TD0.3: for whom it was declared."""

    def __init__(self) -> None:
        self.declared: list[Behalf] = []
        self.fault: Exception | None = None

    async def declare(self, behalf: Behalf, assertion: etree._Element) -> None:
        if self.fault:
            raise self.fault
        self.declared.append(behalf)


@dataclass
class FakeTrust:
    listed: set[str] = field(default_factory=lambda: {HOST})
    has_list: bool = True
    refreshed: int = 0
    learns: str = ""

    async def refresh(self) -> bool:
        self.refreshed += 1
        if self.learns:
            self.listed.add(self.learns)
        return True

    def judge(self, host: str, *, now: datetime) -> TrustVerdict:
        if not self.has_list:
            return TrustVerdict.NO_LIST
        return TrustVerdict.LISTED if host in self.listed else TrustVerdict.UNLISTED


class FakeImages:
    """Sources: the files of each series; `faults` are raised once each, in order."""

    def __init__(self) -> None:
        self.files: dict[str, list[tuple[str, bytes]]] = {}
        self.tokens: list[str] = []
        self.asked: list[tuple[str, Use]] = []
        self.begun = asyncio.Event()
        self.gate: asyncio.Event | None = None
        """Waited for before the last image of each series."""
        self.cut = 0
        """How many transfers are cut before their last image."""
        self.faults: list[Exception] = []
        self.sop_class = CT
        self.syntax = EXPLICIT

    async def retrieve(
        self,
        exam: Exam,
        series: Series,
        token: str,
        *,
        use: Use,
        into: Path,
        limit: int,
        accept: Callable[[Received], None],
    ) -> None:
        self.tokens.append(token)
        self.asked.append((series.uid, use))
        self.begun.set()
        if self.faults:
            raise self.faults.pop(0)
        for number, (uid, data) in enumerate(self.files[series.uid]):
            if number == len(self.files[series.uid]) - 1:
                if self.gate is not None:
                    await self.gate.wait()
                if self.cut:
                    self.cut -= 1
                    raise ExportFailed(Failure.RETRIEVAL, "coupé", again=0)
            path = into / f"{number}.dcm"
            path.write_bytes(data)
            accept(
                Received(
                    path=path,
                    sop_class=self.sop_class,
                    sop_instance=uid,
                    transfer_syntax=self.syntax,
                    size=len(data),
                )
            )


class FakePacs:
    def __init__(self) -> None:
        self.stored: list[bytes] = []
        self.uids: list[str] = []
        self.to: list[str] = []
        self.refuses = -1
        """How many images are stored before one is refused; never, below zero."""

    def store(
        self,
        images: Sequence[Received],
        load: Callable[[Received], bytes],
        stored: Callable[[Received], None],
        *,
        to: str,
    ) -> None:
        self.to.append(to)
        for image in images:
            if self.refuses == 0:
                raise ExportFailed(Failure.LOCAL_PACS, "Le PACS local n'a pas tout reçu.")
            self.refuses -= 1
            self.stored.append(load(image))
            self.uids.append(image.sop_instance)
            stored(image)


@dataclass
class FakeTrail:
    alerts: list[Alert] = field(default_factory=list)
    events: list[AuditEvent] = field(default_factory=list)

    def raise_(self, alert: Alert, *, now: datetime) -> bool:
        self.alerts.append(alert)
        return True

    def record(self, event: AuditEvent, *, now: datetime) -> None:
        self.events.append(event)

    def everything(self, limit: int) -> tuple[Any, ...]:
        return ()


class FakeDirectory:
    def __init__(self, credentials: Credentials) -> None:
        self.known = {credentials.structure: credentials}

    def of(self, structure: str) -> Credentials | None:
        return self.known.get(structure)


class FakeCalls:
    def read(self, content_type: str, query: str, body: bytes) -> Call:
        return call()


class World:
    """The parts of a Consumer and the fakes behind them."""

    def __init__(self, directory: Path, credentials: Credentials) -> None:
        self.directory = directory
        self.clock = FakeClock()
        self.psc = FakePsc(self.clock)
        self.dmp = FakeDmp()
        self.documents = FakeDocuments()
        self.authorisations = FakeAuthorisations()
        self.trust = FakeTrust()
        self.images = FakeImages()
        self.pacs = FakePacs()
        self.trail = FakeTrail()
        uids = FakeUids()
        numbers = itertools.count(1)
        self.parts = Parts(
            clock=self.clock,
            uids=uids,
            calls=FakeCalls(),
            sessions=Sessions(
                mint=lambda: f"{next(numbers):043d}", now=self.clock.now, idle_s=1800
            ),
            psc=self.psc,
            tokens=FreshTokens(self.psc, clock=self.clock, margin_s=30),
            api=NoTokens(),
            situations=UserinfoSituations(),
            directory=FakeDirectory(credentials),
            vihf=AirVihf(
                VihfWriter(
                    IDENTITY,
                    version="3.0",
                    algorithm="rsa-sha256",
                    mode_name="Authentification_Mode",
                ),
                uids=uids,
                context="TLSClient",
                declaration="APP_BROWSER_AUTH",
            ),
            registry=self.dmp,
            documents=self.documents,
            authorisations=self.authorisations,
            manifests=KosManifests(),
            trust=self.trust,
            network=HttpClient(actor="consumer"),
            images=self.images,
            copies=make_copies(directory),
            identity=InsCheck(),
            localizer=IppLocalizer(issuer=False),
            pacs=self.pacs,
            queue=make_queue(directory),
            alerts=self.trail,
            audit=self.trail,
        )

    def context(self, **changes: Any) -> Context:
        return self.parts.sessions.open(call(**changes))

    def login(self, *, life: float = 120) -> Login:
        return self.parts.sessions.log_in(PROFESSIONAL, make_grant(self.clock, life=life))

    def exam(
        self, *, host: str = HOST, series: int = 2, count: int = 3, ins: Ins | None = INS
    ) -> Exam:
        """An exam, its images at the Source."""
        made = []
        for number in range(1, series + 1):
            uid = f"{STUDY}.{number}"
            instances = [f"{uid}.{rank}" for rank in range(1, count + 1)]
            self.images.files[uid] = [(one, image(one, ins)) for one in instances]
            made.append(
                Series(
                    uid=uid,
                    retrieve_url=f"https://{host}/rs/studies/{STUDY}/series/{uid}",
                    modality="CT",
                    region="",
                    description="",
                    instances=frozenset(instances),
                )
            )
        return Exam(
            kos_uid=f"{STUDY}.999",
            study_uid=STUDY,
            date="20261120",
            time="",
            description="Scanner",
            modalities=("CT",),
            institution="",
            accessions=("ACC-1",),
            series=tuple(made),
            entry=DocumentEntry(id="urn:uuid:1"),
        )


def make_copies(directory: Path, *, quota: int = 10**6) -> SqlCopies:
    """Local copies; made again over the same directory, they are those of a box that restarts."""
    database = Database(directory / "state.sqlite", copies.SCHEMA)
    return SqlCopies(database, directory / "images", quota=quota, days=1)


def make_queue(directory: Path) -> SqlQueue:
    """The export queue; made again over the same directory, it is that of a box that restarts."""
    return SqlQueue(Database(directory / "state.sqlite", queue.SCHEMA), directory / "exports")


def make_library(world: World, *, parallel: int = 1, retries: int = 2) -> SharedLibrary:
    """The right library over the fakes; it never waits before it tries again."""
    fetcher = Fetcher(world.parts, limit=10**6, retries=retries, wait_s=0)
    return SharedLibrary(world.parts, fetcher, parallel=parallel)


def ins_item(
    value: str, oid: str | None, *, issuer: str = "ASIP-SANTE-INS-NIR", implicit: bool = False
) -> bytes:
    """An item of OtherPatientIDsSequence."""
    item = encode_element(0x00100020, "LO", value.encode(), implicit=implicit)
    item += encode_element(0x00100021, "LO", issuer.encode(), implicit=implicit)
    if oid is None:
        return item
    qualifier = encode_element(0x00400032, "UT", oid.encode(), implicit=implicit)
    return item + encode_sequence(0x00100024, [qualifier], implicit=implicit)


def dataset(uid: str, items: Sequence[bytes], *, implicit: bool = False) -> bytes:
    """A small CT slice; `items` are those of OtherPatientIDsSequence, none leaves it out."""

    def element(tag: int, vr: str, value: bytes) -> bytes:
        return encode_element(tag, vr, value, implicit=implicit)

    others = encode_sequence(0x00101002, items, implicit=implicit) if items else b""
    return b"".join(
        (
            element(0x00080016, "UI", CT.encode()),
            element(0x00080018, "UI", uid.encode()),
            element(0x00100010, "PN", b"PAT-TROIS^DOMINIQUE"),
            element(0x00100020, "LO", b"AILLEURS-1"),
            element(0x00100021, "LO", b"AILLEURS"),
            others,
            element(0x0020000D, "UI", STUDY.encode()),
            element(0x7FE00010, "OW", bytes(range(256)) * 4),
        )
    )


def image(uid: str, ins: Ins | None) -> bytes:
    """The same as a file."""
    items = [ins_item(ins.value, ins.oid)] if ins else []
    return build_part10(
        sop_class=CT, sop_instance=uid, transfer_syntax=EXPLICIT, dataset=dataset(uid, items)
    )
