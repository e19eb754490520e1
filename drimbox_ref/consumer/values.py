"""The values that travel between the parts of the Consumer.

Times are aware `datetime`s in UTC. Empty strings stand for what a peer did not say. Nothing here
that a browser sees holds a token.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

from drimbox_ref.credentials import Credentials
from protocols.ebrim import DocumentEntry
from spec.imaging_metadata import REGION_SYSTEMS, REGIONS
from spec.vihf import ModeAcces

__all__ = [
    "Access",
    "Authorization",
    "Behalf",
    "Call",
    "CallRefused",
    "Consent",
    "Copy",
    "CopyKey",
    "Document",
    "DocumentType",
    "Emergency",
    "Exam",
    "ExamUnreadable",
    "ExportFailed",
    "Failure",
    "Ins",
    "Partial",
    "Professional",
    "Received",
    "Ring",
    "Search",
    "Series",
    "Situation",
    "TrustVerdict",
    "Use",
]


# The contextual call ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Ins:
    """A national health identity: matricule and assigning authority OID."""

    value: str
    oid: str


class Consent(StrEnum):
    """What the RIS says of the patient's information and consent (DB.CO.93, DB.CO.94)."""

    GIVEN = "given"
    REFUSED = "refused"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """What the call narrows the search to. Dates are `YYYYMMDD`; empty means no limit."""

    modalities: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    date_from: str = ""
    date_to: str = ""
    study_uid: str = ""
    accession: str = ""
    accession_issuer: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One contextual call: whom it is about, and what may be done."""

    ins: Ins
    family: str
    given: str
    sex: str
    birth_date: str
    """`YYYYMMDD`."""
    birthplace: str
    consent: Consent
    ipp: str
    ipp_issuer: str
    situation: str = ""
    """National identifier of the structure the professional calls from, "" when not said."""
    search: Search = Search()


class CallRefused(Exception):
    """A contextual call that cannot be taken.

    Attributes:
        problems: French sentences, each naming a parameter.
        status: the HTTP status to answer.
    """

    def __init__(self, *problems: str, status: int = 400) -> None:
        super().__init__(" ; ".join(problems))
        self.problems = problems
        self.status = status


# The professional ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """One exercise situation: a profession practised in a structure."""

    structure: str
    """National identifier (`ancienIdentifiantDeLaStructure`): OU of its certificates."""
    aliases: frozenset[str]
    """Other identifiers of the same structure."""
    label: str
    sector: str
    """`SA01`."""
    profession: str
    """`10`."""
    specialty: str
    """`SM44`, or ""."""
    family: str
    given: str

    @property
    def key(self) -> str:
        """Tells the situations of one professional apart."""
        return f"{self.structure}/{self.profession}/{self.specialty}/{self.sector}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Professional:
    """Who logged in, as PSC userinfo says."""

    id: str
    """SubjectNameID: the national identifier."""
    family: str
    given: str
    situations: tuple[Situation, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ring:
    """A CIBA request that waits for a professional's answer. Stays on the server."""

    id: str = field(repr=False)
    message: str
    """The two digits that both screens show."""
    asked: datetime
    """When PSC was asked about it last."""
    expires: datetime
    interval: timedelta

    def due(self, now: datetime) -> bool:
        """Whether PSC may be asked again."""
        return now - self.asked >= self.interval

    def waited(self, now: datetime, interval: timedelta | None = None) -> Ring:
        """The same, asked now; PSC may want to be asked less often."""
        return replace(self, asked=now, interval=interval or self.interval)


class Authorization(Protocol):
    """What opens the DMP's door beside the VIHF, for one professional in one situation."""

    async def token(self) -> str:
        """A token fit to leave now; "" where the door wants none.

        Raises:
            Rejected, PeerUnavailable: none is to be had, as for the request that it is for.
        """
        ...

    async def replace(self, refused: str) -> str:
        """Another token than the one that the DMP has just refused.

        Raises:
            Rejected, PeerUnavailable: as `token`.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Behalf:
    """On whose behalf a DMP transaction is made."""

    professional: Professional
    situation: Situation
    credentials: Credentials
    patient: Ins
    authenticated: datetime
    authorization: Authorization = field(repr=False)
    mode: ModeAcces = ModeAcces.NORMAL


@dataclass(frozen=True, slots=True, kw_only=True)
class Emergency:
    """An access without the patient's authorisation, and why: it is written in the trail."""

    mode: ModeAcces
    reason: str


# The DMP ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """What TD0.2 allows. `reason` is French and says why not."""

    granted: bool
    reason: str = ""
    authorisable: bool = False
    """Nothing is wanting but an authorisation that the professional may declare (TD0.3)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One series of an exam, as its KOS references it."""

    uid: str
    retrieve_url: str
    modality: str
    region: str
    description: str
    instances: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Exam:
    """One exam: what a KOS of the DMP points at."""

    kos_uid: str
    """SOP Instance UID of the KOS, which the Source wants to hear (DB.VI-CO.14)."""
    study_uid: str
    date: str
    """`YYYYMMDD`, "" when unknown."""
    time: str
    description: str
    modalities: tuple[str, ...]
    institution: str
    accessions: tuple[str, ...]
    series: tuple[Series, ...]
    entry: DocumentEntry
    author: str = ""
    """Who published it, as the DMP says."""

    @property
    def hosts(self) -> tuple[str, ...]:
        """The hosts that its images are at: several for an exam of several Sources."""
        hosts = (_host(series.retrieve_url) for series in self.series)
        return tuple(dict.fromkeys(host for host in hosts if host))

    @property
    def regions(self) -> tuple[str, ...]:
        """The regions that the KOS or its metadata name, in French where they are known."""
        written = (series.region for series in self.series)
        coded = (
            code.display or code.code
            for code in self.entry.event_codes
            if code.code in REGIONS or code.scheme in REGION_SYSTEMS
        )
        return tuple(dict.fromkeys(region for region in (*written, *coded) if region))

    @property
    def count(self) -> int:
        """How many instances it has."""
        return sum(len(series.instances) for series in self.series)


@dataclass(frozen=True, slots=True)
class DocumentType:
    """A type of documents to show beside the exams: its typeCode, and what it is called here."""

    code: str
    scheme: str
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A document of the DMP that is no exam: a report, a request, a biology report."""

    type: DocumentType
    title: str
    date: str
    """`YYYYMMDD` of the act, of the document when the act's is unknown, "" when neither is."""
    author: str
    institution: str
    studies: frozenset[str]
    """The studies that it refers to."""
    accessions: frozenset[str]
    entry: DocumentEntry

    @property
    def key(self) -> str:
        """Its name in addresses: the same after another search, unlike a rank."""
        return hashlib.sha256(self.entry.unique_id.encode()).hexdigest()[:20]

    def about(self, exam: Exam) -> bool:
        """Whether it refers to that exam."""
        return exam.study_uid in self.studies or not self.accessions.isdisjoint(exam.accessions)


class ExamUnreadable(Exception):
    """A document that is not the manifest it should be. French."""


class Partial(Exception):
    """The DMP gave a part of what it found, and says so; the text is what it said.

    `found` is that part: DocumentEntry or Document, as the search was for. Réf.: PartialSuccess,
    ITI Vol. 3 table 4.2.4.2-3, grade: standard.
    """

    def __init__(self, found: tuple[Any, ...], said: str) -> None:
        super().__init__(said)
        self.found = found


# Images ----------------------------------------------------------------------------------------


class Use(StrEnum):
    """What images are asked for: it decides the transfer syntaxes preferred (DB.CO.73)."""

    VIEW = "view"
    """To be seen at once: lossy ones first (DB.VI-CO.15)."""
    EXPORT = "export"
    """An exact copy: lossless ones first."""
    EXPORT_LOSSY = "export-lossy"
    EXPORT_UNCOMPRESSED = "export-uncompressed"


class TrustVerdict(StrEnum):
    """What the white list says of a host."""

    LISTED = "listed"
    UNLISTED = "unlisted"
    NO_LIST = "no-list"


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """One instance received, on disk, its data set not yet altered."""

    path: Path
    sop_class: str
    sop_instance: str
    transfer_syntax: str
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyKey:
    """Whose copy of what: two requests that differ in any of this share nothing."""

    owner: str
    """National identifier of the professional whose rights obtained it."""
    ins: Ins
    ipp: str
    """The local IPP that its files bear."""
    kos_uid: str
    series_uid: str
    instances: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """A whole series on disk."""

    directory: Path
    images: tuple[Received, ...]
    """In the order they came."""


class Failure(StrEnum):
    """Why images cannot be had or stored. The first six are those of DB.VI-CO.27."""

    CONNECTION = "connexion"
    RETRIEVAL = "recuperation"
    SOP_CLASS = "sop-class"
    TRANSFER_SYNTAX = "syntaxe-de-transfert"
    TOKEN = "jeton"
    PROFESSION = "profession"
    UNTRUSTED = "liste-blanche"
    IDENTITY = "identite"
    LOGIN = "connexion-psc"
    LOCAL_PACS = "pacs-local"
    INTERRUPTED = "interrompu"
    INTERNAL = "erreur-interne"


class ExportFailed(Exception):
    """Images that cannot be had, or an export that cannot go on; the text is French, for the user.

    Attributes:
        again: seconds after which the same request may succeed; None when it would not.
        status: the HTTP status that the Source answered; 0 when it is not about that.
    """

    def __init__(
        self, failure: Failure, message: str, *, again: float | None = None, status: int = 0
    ) -> None:
        super().__init__(message)
        self.failure = failure
        self.again = again
        self.status = status


def _host(url: str) -> str:
    """The host of an address that a peer wrote, "" when it cannot be read."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""
