"""The values that travel between the parts of the Consumer.

Times are aware `datetime`s in UTC. Empty strings stand for what a peer did not say. Nothing here
that a browser sees holds a token.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from drimbox_ref.credentials import Credentials
from protocols.ebrim import DocumentEntry

__all__ = [
    "Access",
    "Behalf",
    "Call",
    "CallRefused",
    "Consent",
    "Copy",
    "CopyKey",
    "Exam",
    "ExamUnreadable",
    "ExportFailed",
    "Failure",
    "Grant",
    "Ins",
    "LoginExpired",
    "LoginRefused",
    "Professional",
    "Received",
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
class Grant:
    """What PSC gave for a login. Stays on the server: its repr says nothing."""

    access_token: str = field(repr=False)
    expires: datetime
    refresh_token: str = field(repr=False)
    id_token: str = field(repr=False)
    subject: str
    authenticated: datetime


class LoginRefused(Exception):
    """PSC's answer does not log anybody in. French, for the user."""


class LoginExpired(Exception):
    """The session at PSC is over: the user must log in again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Behalf:
    """On whose behalf a DMP transaction is made."""

    professional: Professional
    situation: Situation
    credentials: Credentials
    patient: Ins
    authenticated: datetime


# The DMP ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """What TD0.2 allows. `reason` is French and says why not."""

    granted: bool
    reason: str = ""


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

    @property
    def count(self) -> int:
        """How many instances it has."""
        return sum(len(series.instances) for series in self.series)


class ExamUnreadable(Exception):
    """A document that is not the manifest it should be. French."""


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
    INTERNAL = "erreur-interne"


class ExportFailed(Exception):
    """Images that cannot be had, or an export that cannot go on; the text is French, for the user.

    Attributes:
        again: seconds after which the same request may succeed; None when it would not.
    """

    def __init__(self, failure: Failure, message: str, *, again: float | None = None) -> None:
        super().__init__(message)
        self.failure = failure
        self.again = again
