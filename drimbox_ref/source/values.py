"""The values that travel between the parts of the Source.

Times are aware `datetime`s in UTC, except where a peer wrote them otherwise and the text says so.
Empty strings stand for what a peer did not say.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from protocols.kos import KeyObjectRef

__all__ = [
    "Accepted",
    "Action",
    "ArchiveEntry",
    "Ban",
    "Coded",
    "Denied",
    "EntryChange",
    "EntryState",
    "Exam",
    "Fault",
    "Form",
    "Follow",
    "FoundInstance",
    "FoundSeries",
    "FoundStudy",
    "InboxItem",
    "Ins",
    "Kos",
    "Mismatch",
    "NotTranscodable",
    "Notice",
    "Operation",
    "Order",
    "OutboxItem",
    "Patient",
    "Professional",
    "Refusal",
    "ReportId",
    "Representation",
    "ReportOrder",
    "RetrievalFailed",
    "Served",
    "StoredObject",
    "Structure",
    "Submission",
    "TokenVerdict",
    "TrustVerdict",
    "Wanted",
]


# Reading a report ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Coded:
    """A code, its system's OID and its label."""

    code: str
    system: str
    label: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ins:
    """A qualified national health identity: matricule and assigning authority OID."""

    value: str
    oid: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Patient:
    """The patient of a report: national identity, local identity, traits.

    Dates are `YYYYMMDD`, `sex` is `F`, `M` or another HL7 code, `birthplace` an INSEE code. Empty
    strings stand for what the report does not say.
    """

    ins: Ins
    ipp: str
    ipp_oid: str
    """The first local identifier of the message; `other_ipps` has those of other domains."""
    birth_family: str
    birth_given: str
    birth_givens: str
    used_family: str
    used_given: str
    birth_date: str
    sex: str
    birthplace: str
    other_ipps: tuple[tuple[str, str], ...] = ()
    """(value, OID of the domain)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Professional:
    """The professional who validated the report (CDA legalAuthenticator)."""

    id: str
    family: str
    given: str
    profession: str
    """`10` of `G15_10/SM44`."""
    specialty: str
    """`SM44` of `G15_10/SM44`, or ""."""
    label: str
    """How the report names profession and know-how."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Structure:
    """The structure on whose behalf the report was validated."""

    id: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """An `inFulfillmentOf/order` of the report: placer order number and accession number."""

    placer: str
    placer_oid: str
    accession: str
    accession_oid: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Exam:
    """One exam of the report: a serviceEvent that has a StudyInstanceUID.

    `start` and `stop` are HL7 timestamps as the CDA writes them, offset included, or "".
    """

    study_uid: str
    label: str
    acts: tuple[Coded, ...]
    modalities: tuple[Coded, ...]
    regions: tuple[Coded, ...]
    start: str
    stop: str


class Action(StrEnum):
    """What the RIS asks for (ORC-1 with OBX-11)."""

    CREATE = "create"
    REPLACE = "replace"
    DELETE = "delete"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportId:
    """A CDA document id."""

    root: str
    extension: str = ""

    def __str__(self) -> str:
        return f"{self.root}^{self.extension}" if self.extension else self.root


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportOrder:
    """What a report message asks the Source to do."""

    control_id: str
    action: Action
    report: ReportId
    set_id: ReportId | None
    replaces: tuple[ReportId, ...]
    patient: Patient
    professional: Professional
    structure: Structure
    facility: Coded | None
    """healthcareFacilityTypeCode (`SA08`...)."""
    setting: Coded | None
    """practiceSettingCode (`AMBULATOIRE`...)."""
    visit_class: str
    """PV1-2: E, I, O, R, N or ""."""
    confidentiality: tuple[Coded, ...]
    orders: tuple[Order, ...]
    exams: tuple[Exam, ...]
    version: int = 1
    """versionNumber of the document."""
    sent: str = ""
    """MSH-7, UTC digits as `times.utc_time`."""


class Ban(StrEnum):
    """Why nothing can be published."""

    UNREADABLE = "message-illisible"
    INS = "ins-non-qualifiee"
    IDENTITY = "identite-incoherente"
    NO_DMP = "alimentation-refusee"
    NO_EXAM = "aucun-examen"
    ABSENT = "examen-absent"
    IPP = "ipp-different"
    ACCESSION = "accession-different"
    CERTIFICATE = "certificat-absent"
    DMP = "refus-dmp"
    UNKNOWN = "kos-inconnu"
    ADDRESS = "adresse-differente"
    KEY_NOTES = "notes-cles-non-lues"
    INTERNAL = "erreur-interne"


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A report that cannot be published; texts are French, `advice` says what to do."""

    ban: Ban
    message: str
    advice: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A reason not to take a message: HL7 code (table 0357), where (ERL), what."""

    code: str
    where: str
    text: str
    application: str = ""
    """ERR-5 (table 0533), when `code` is 207."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """The PACS says that exams changed: it is to be asked again (FAQ 8801). Or the administrator
    wants it asked.

    `transaction` is `RAD-66` (IOCM note), `OMI^O23`, `resync` or `readdress`; `studies` are
    StudyInstanceUIDs.
    """

    transaction: str
    studies: tuple[str, ...]
    address: str = ""
    """Where images are from now on: a KOS that says otherwise is replaced, unchanged or not."""


# The exam in the PACS --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundInstance:
    """One instance that the PACS holds."""

    sop_class: str
    sop_instance: str
    number: int | None
    frames: int | None
    key_notes: tuple[KeyObjectRef, ...] = ()
    """The key image notes that point at it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundSeries:
    """One series that the PACS holds; instances in the order of their numbers."""

    uid: str
    number: int | None
    modality: str
    description: str
    instances: tuple[FoundInstance, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundStudy:
    """What one C-FIND told about a study; DICOM strings as the PACS writes them."""

    uid: str
    pacs: str
    """AE title of the PACS that answered."""
    patient_ids: tuple[str, ...]
    accessions: tuple[str, ...]
    date: str
    time: str
    description: str
    study_id: str
    referring: str
    series: tuple[FoundSeries, ...]
    patient_domains: tuple[str, ...] = ()
    """Whose PatientIDs that PACS writes; none: anybody's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mismatch:
    """The exam is not the one of the report (DB.SO.16, DB.SO.17)."""

    ban: Ban
    message: str
    advice: str


# Publication -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Kos:
    """A manifest ready to publish.

    `fingerprint` is a digest of what it says apart from its own identity and date: equal
    fingerprints have nothing new to say.
    """

    uid: str
    data: bytes
    created: datetime
    fingerprint: str


class Operation(StrEnum):
    """What is done at the DMP."""

    CREATE = "TD2.1a"
    REPLACE = "TD2.1b"
    DELETE = "TD3.3c"


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """Bytes to send, the same at each attempt: only the envelope and its VIHF are made anew."""

    operation: Operation
    set_uid: str
    request: bytes
    """The SOAP body element."""
    attachments: tuple[tuple[str, str, bytes], ...]
    """(content id, media type, bytes)."""
    metadata: bytes
    """The SubmitObjectsRequest alone: METADATA.XML of the local archive."""
    fingerprint: str
    """Digest of the metadata apart from uids and dates."""

    @property
    def signature(self) -> bytes:
        """The lot's signature: the attachment that is XML; empty for a deletion."""
        return next((data for _, kind, data in self.attachments if kind == "text/xml"), b"")


@dataclass(frozen=True, slots=True, kw_only=True)
class Follow:
    """On whose behalf a transaction is made: what its VIHF says."""

    ins: Ins
    structure: str
    sector: str
    """`SA08^1.2.250.1.71.4.2.4`."""
    professional: str
    family: str
    given: str
    profession: str
    specialty: str
    specialty_label: str


# What is kept ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class InboxItem:
    """A message taken from the RIS, or a notice of the PACS; the note itself when it is IOCM.

    `control_id` is MSH-10, or the SOP Instance UID of the note.
    """

    id: int
    control_id: str
    raw: bytes
    received: datetime
    state: str
    """`waiting`, `done`, `stopped`."""
    detail: str
    attempts: int
    due: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxItem:
    """A submission not yet confirmed, with all that is needed to send it again."""

    id: int
    inbox_id: int
    submission: Submission
    follow: Follow
    entry: ArchiveEntry
    """What the archive will hold once it is confirmed."""
    attempts: int
    due: datetime
    state: str
    """`pending`, `done`, `refused`."""
    detail: str


class EntryState(StrEnum):
    """The life of a KOS."""

    PUBLISHED = "published"
    REPLACED = "replaced"
    DEPUBLISHED = "depublished"


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveEntry:
    """One KOS of the local archive (DB.SO.22).

    `series` maps each SeriesInstanceUID of the KOS to its SOPInstanceUIDs: what may be served.
    """

    kos_uid: str
    study_uid: str
    set_uid: str
    entry_uuid: str
    state: EntryState
    version: int
    fingerprint: str
    ins: Ins
    ipp: str
    pacs: str
    series: Mapping[str, tuple[str, ...]]
    kos: bytes
    metadata: bytes
    """METADATA.XML: the lot as it was described to the DMP."""
    signature: bytes = b""
    """The XAdES of the lot; empty when what was imported had none."""
    reports: tuple[str, ...]
    follow: Follow
    updated: datetime
    pacs_ipp: str = ""
    """PatientID of the exam in its PACS, which may be of another domain than `ipp`; empty when it
    was not seen there: imported."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryChange:
    """A KOS of an exam entered a state, at that time."""

    kos_uid: str
    state: EntryState
    utc: datetime


# Serving images --------------------------------------------------------------------------------


class TrustVerdict(StrEnum):
    """What the white list says of a peer."""

    LISTED = "listed"
    UNLISTED = "unlisted"
    NO_LIST = "no-list"
    UNKNOWN = "unknown"
    """It showed no certificate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """A token that PSC vouches for."""

    subject: str
    professions: tuple[str, ...]
    expires: datetime | None = None
    """`exp`; None when it is not known."""
    bound_to: str | None = None
    """`cnf.x5t#S256`, "" of a `cnf` without it; None when the token is bound to no certificate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Denied:
    """A token that is not accepted: HTTP status, RFC 6750 error, French text."""

    status: int
    error: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredObject:
    """One instance as the PACS sent it: a data set without file meta information."""

    sop_class: str
    sop_instance: str
    transfer_syntax: str
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """What may be served under one KOS: the entry, and the instances asked for that it lists."""

    entry: ArchiveEntry
    series_uid: str | None
    instance_uid: str | None
    instances: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is asked of a PACS: a study, one of its series, or one instance.

    Whatever comes that is not in `instances` is dropped.
    """

    pacs: str
    study_uid: str
    series_uid: str | None
    instance_uid: str | None
    instances: frozenset[str]
    syntaxes: tuple[str, ...] = ()
    """Transfer syntaxes that the client takes, best first; empty: no preference."""


class Form(StrEnum):
    """What is made of the instances of a resource."""

    INSTANCES = "instances"
    METADATA = "metadata"
    FRAMES = "frames"


@dataclass(frozen=True, slots=True)
class Representation:
    """What a client takes."""

    form: Form
    syntaxes: tuple[str, ...]
    """Transfer syntaxes, the best first; `*` for whatever there is. None for metadata."""
    refused: frozenset[str] = frozenset()
    """Those with q=0: never, even under `*`."""

    def takes(self, transfer_syntax: str) -> bool:
        """Whether an instance in that syntax may be sent."""
        if transfer_syntax in self.refused:
            return False
        return transfer_syntax in self.syntaxes or "*" in self.syntaxes


class NotTranscodable(Exception):
    """An image that cannot be had in the transfer syntax wanted."""


class RetrievalFailed(Exception):
    """The PACS did not give what was asked.

    Attributes:
        gone: the PACS works, but no longer has the images.
    """

    def __init__(self, message: str, *, gone: bool) -> None:
        super().__init__(message)
        self.gone = gone


TokenVerdict = Accepted | Denied
