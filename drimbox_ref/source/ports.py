"""What the Source is made of: the protocols of its parts.

No concrete class lives here; `compose.py` chooses them, and a wrong box replaces one.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Protocol
from uuid import UUID

from lxml import etree

from drimbox_ref.credentials import Credentials
from drimbox_ref.revocation import Standing
from drimbox_ref.source.values import (
    ArchiveEntry,
    Denied,
    EntryChange,
    Exam,
    Fault,
    Follow,
    FoundStudy,
    InboxItem,
    Ins,
    Kos,
    Mismatch,
    Notice,
    Order,
    OutboxItem,
    Refusal,
    ReportOrder,
    Representation,
    Served,
    StoredObject,
    Submission,
    TokenVerdict,
    TrustVerdict,
    Wanted,
)
from drimbox_ref.trail import Alert, AuditEvent
from protocols.dicomweb import Resource
from protocols.kos import Manifest
from wire.mllp import Handler
from wire.tls import ServerTls

if TYPE_CHECKING:
    from starlette.responses import Response

    from drimbox_ref.source.viewer_link import Link, LinkRefused
    from drimbox_ref.source.viewer_people import People, Person
    from drimbox_ref.viewer.page import Opening

__all__ = [
    "Acknowledger",
    "Alerts",
    "Archive",
    "Audit",
    "Bearer",
    "Catalogue",
    "Clock",
    "Directory",
    "Door",
    "Examinations",
    "Guests",
    "Images",
    "Inbox",
    "Intake",
    "KosBuilder",
    "Links",
    "Matcher",
    "Metadata",
    "Negotiator",
    "Notices",
    "Outbox",
    "Paths",
    "Registry",
    "Reports",
    "Revocation",
    "Retrieval",
    "Showcase",
    "Stamper",
    "Tokens",
    "Transcoder",
    "Trust",
    "Uids",
    "Versions",
    "ViewerPages",
    "Vihf",
]


# Reading a report ------------------------------------------------------------------------------


class Intake(Protocol):
    """Where messages come in."""

    async def open(self, handler: Handler, *, port: Callable[[str, int], int]) -> Mapping[str, str]:
        """Listen, and give `handler` each message; the address of each door by its name.

        `port` says which one a door takes, by its name and the one configured.
        """
        ...

    async def close(self) -> None:
        """Stop listening. May be called without having opened."""
        ...


class Reports(Protocol):
    """Reads what the RIS sends."""

    def examine(self, message: bytes) -> tuple[Fault, ...]:
        """Faults that forbid to take responsibility for the message; empty when there is none."""
        ...

    def read(self, message: bytes) -> ReportOrder | Refusal:
        """What a taken message asks for."""
        ...


class Versions(Protocol):
    """Remembers what each message said of a report."""

    def note(self, inbox_id: int, report: ReportOrder) -> None:
        """A message is being worked on. Idempotent."""
        ...

    def overtaken(self, inbox_id: int, report: ReportOrder) -> bool:
        """A message about the same report came before, which this one would undo."""
        ...

    def known(self, inbox_id: int, report: ReportOrder) -> bool:
        """Another message gave the report that this one withdraws."""
        ...

    def others(self, report: ReportOrder, study_uid: str) -> bool:
        """Another report, in force, is about that exam as well."""
        ...


class Acknowledger(Protocol):
    """Writes the technical acknowledgement."""

    def accept(self, message: bytes) -> bytes | None:
        """AA: responsibility is taken. None sends nothing."""
        ...

    def refuse(self, message: bytes, code: str, faults: Sequence[Fault]) -> bytes | None:
        """`AE` (syntax) or `AR` (come back later)."""
        ...


class Notices(Protocol):
    """Reads what the PACS says of changed exams: IOCM notes and OMI^O23."""

    def concerns(self, message: bytes) -> bool:
        """Whether it is for this reader: an IOCM note, or a message of type OMI."""
        ...

    def examine(self, message: bytes) -> tuple[Fault, ...]:
        """Faults that forbid to take it; empty when there is none."""
        ...

    def read(self, message: bytes) -> Notice:
        """What a taken notice is about.

        Raises:
            RemoteProtocolError: it cannot be read.
        """
        ...


# The exam in the PACS --------------------------------------------------------------------------


class Examinations(Protocol):
    """Asks the PACS what it holds."""

    def find(self, study_uid: str, orders: Sequence[Order]) -> FoundStudy | None:
        """The study, or None when no PACS has it. Blocks: called from a thread.

        Raises:
            PeerUnavailable: the PACS cannot be reached or failed.
        """
        ...


class KeyNotes(Protocol):
    """Reads the key image notes of an exam."""

    async def read(self, study: FoundStudy) -> FoundStudy:
        """The study, its images knowing the notes that point at them; as it is when they cannot
        be read, the administrator being told."""
        ...


class Matcher(Protocol):
    """Compares the report with the exam found."""

    def match(self, report: ReportOrder, study: FoundStudy) -> tuple[Order, ...] | Mismatch:
        """The orders of the report that this study fulfils, at least one."""
        ...


# Publication -----------------------------------------------------------------------------------


class Directory(Protocol):
    """The certificates by structure (DB.SO.89)."""

    def of(self, structure: str) -> Credentials | None:
        """The credentials of a structure, or None when the box has none."""
        ...


class KosBuilder(Protocol):
    """Writes the IMG-KOS of one exam."""

    def build(
        self,
        report: ReportOrder,
        exam: Exam,
        study: FoundStudy,
        orders: Sequence[Order],
        *,
        version: int,
        now: datetime,
    ) -> Kos:
        """One KOS for one study; `version` is its InstanceNumber."""
        ...

    def renew(self, former: Manifest, study: FoundStudy, *, version: int, now: datetime) -> Kos:
        """The next KOS of a study whose content changed, the report being what it was."""
        ...


class Metadata(Protocol):
    """Describes and signs what is submitted."""

    def feed(
        self,
        report: ReportOrder,
        exam: Exam,
        kos: Kos,
        study: FoundStudy,
        orders: Sequence[Order],
        *,
        replaces: str | None,
        credentials: Credentials,
        now: datetime,
    ) -> Submission:
        """TD2.1a, or TD2.1b when `replaces` is the entryUUID of the KOS to replace."""
        ...

    def delete(
        self,
        report: ReportOrder,
        entry_uuid: str,
        *,
        credentials: Credentials,
        now: datetime,
    ) -> Submission:
        """TD3.3c of the entry."""
        ...

    def renew(
        self,
        former: ArchiveEntry,
        kos: Kos,
        study: FoundStudy,
        *,
        replaces: str,
        credentials: Credentials,
        now: datetime,
    ) -> Submission:
        """TD2.1b of the next KOS, described as the archived lot describes the former one.

        Raises:
            RemoteProtocolError: the archived lot cannot be read.
        """
        ...

    def withdraw(self, former: ArchiveEntry, entry_uuid: str, *, now: datetime) -> Submission:
        """TD3.3c of the entry, on behalf of whom the archived lot names. Raises as `renew`."""
        ...


class Vihf(Protocol):
    """Writes the identity assertion of a DMP transaction."""

    def assertion(
        self, follow: Follow, credentials: Credentials, *, now: datetime
    ) -> etree._Element:
        """A signed VIHF in mode INDIRECTE."""
        ...


class Registry(Protocol):
    """Speaks to the DMP."""

    async def submit(
        self, submission: Submission, *, credentials: Credentials, assertion: etree._Element
    ) -> None:
        """TD2.1a, TD2.1b or TD3.3c.

        Raises:
            Rejected: refused; `codes` says why.
            PeerUnavailable: no answer, half an answer, or a 5xx without a SOAP fault.
        """
        ...

    async def reference(
        self, unique_id: str, *, credentials: Credentials, assertion: etree._Element
    ) -> str | None:
        """TD3.1b: the entryUUID of a document by its uniqueId, None when the DMP has none.

        Raises:
            Rejected, PeerUnavailable: as `submit`.
        """
        ...


# What is kept ----------------------------------------------------------------------------------


class Inbox(Protocol):
    """Messages, on disk before they are acknowledged."""

    def put(self, control_id: str, raw: bytes, *, now: datetime) -> bool:
        """Keep a message durably; False when the same bytes are there already."""
        ...

    def due(self, now: datetime) -> tuple[InboxItem, ...]:
        """Messages to work on, oldest first."""
        ...

    def postpone(self, item: int, *, due: datetime, detail: str, studies: frozenset[str]) -> None:
        """Try again later; `studies` are those that later messages must not overtake."""
        ...

    def earlier(self, item: int) -> frozenset[str]:
        """The studies of messages that came before this one and still wait."""
        ...

    def close(self, item: int, *, state: str, detail: str) -> None:
        """Nothing more to do (`done`) or nothing more can be done (`stopped`)."""
        ...

    def next_due(self) -> datetime | None:
        """When the next message is due, None when none waits."""
        ...

    def everything(self, limit: int, state: str | None = None) -> tuple[InboxItem, ...]:
        """The latest messages, newest first; of that state only, when it is given."""
        ...


class Outbox(Protocol):
    """Submissions, on disk before they are sent."""

    def put(
        self,
        inbox_id: int,
        submission: Submission,
        follow: Follow,
        entry: ArchiveEntry,
        *,
        now: datetime,
    ) -> bool:
        """Keep a submission durably; False when this message already has one for this study."""
        ...

    def has(self, inbox_id: int, study_uid: str) -> bool:
        """This message already led to a submission for this study."""
        ...

    def pending(self, study_uid: str) -> bool:
        """Something is still to be confirmed for this study."""
        ...

    def due(self, now: datetime) -> tuple[OutboxItem, ...]:
        """Submissions to send, oldest first."""
        ...

    def attempt(self, item: int) -> None:
        """Note durably that an attempt begins: from now on the DMP may have it."""
        ...

    def postpone(self, item: int, *, due: datetime, detail: str) -> None:
        """Try again later."""
        ...

    def close(self, item: int, *, state: str, detail: str) -> None:
        """Confirmed (`done`) or refused for good (`refused`)."""
        ...

    def next_due(self) -> datetime | None:
        """When the next submission is due, None when none waits."""
        ...

    def everything(self, limit: int, state: str | None = None) -> tuple[OutboxItem, ...]:
        """The latest submissions, newest first; of that state only, when it is given."""
        ...


class Archive(Protocol):
    """The KOS that were published, and what became of them."""

    def current(self, study_uid: str) -> ArchiveEntry | None:
        """The latest entry of a study, whatever its state."""
        ...

    def by_kos(self, kos_uid: str) -> ArchiveEntry | None:
        """The entry of a KOS, current or not."""
        ...

    def record(self, entry: ArchiveEntry) -> None:
        """Add a published entry; the study's former one becomes replaced. Idempotent."""
        ...

    def depublish(self, kos_uid: str, *, now: datetime) -> None:
        """Mark a KOS depublished; its identification stays (FAQ: precise answer afterwards)."""
        ...

    def add_report(self, kos_uid: str, report: str, *, now: datetime) -> None:
        """One more report triggered this KOS."""
        ...

    def set_entry_uuid(self, kos_uid: str, entry_uuid: str) -> None:
        """The identifier that the DMP gave."""
        ...

    def history(self, study_uid: str) -> tuple[EntryChange, ...]:
        """What became of the KOS of a study, oldest first."""
        ...

    def everything(self, limit: int) -> tuple[ArchiveEntry, ...]:
        """The latest entries, newest first."""
        ...


class Alerts(Protocol):
    """Tells the administrator."""

    def raise_(self, alert: Alert, *, now: datetime) -> bool:
        """Keep an alert; False when the same one about the same thing is there already."""
        ...

    def everything(self, limit: int) -> tuple[Mapping[str, object], ...]:
        """The latest alerts, newest first."""
        ...


class Audit(Protocol):
    """Keeps the audit trail."""

    def record(self, event: AuditEvent, *, now: datetime) -> None:
        """Keep an event. Never holds a token."""
        ...

    def everything(self, limit: int) -> tuple[Mapping[str, object], ...]:
        """The latest events, newest first."""
        ...


# Serving images --------------------------------------------------------------------------------


class Door(Protocol):
    """Who may speak to the image service at all."""

    def tls(self) -> ServerTls:
        """What the listener shows, and of whom it wants a certificate (DB.SO.90, .98)."""
        ...


class Showcase(Protocol):
    """What the image service says it can do."""

    def describe(self, *, as_json: bool) -> tuple[str, bytes]:
        """Media type and body (DICOM PS3.18 8.9)."""
        ...


class Trust(Protocol):
    """The trust space: a verified white list, kept fresh."""

    async def refresh(self) -> bool:
        """Fetch and verify the list; the last good one stays when that fails: False."""
        ...

    def judge(self, certificate: bytes | None, *, now: datetime) -> TrustVerdict:
        """Whether the DN of this DER certificate is on the list; None when none was shown."""
        ...


class Revocation(Protocol):
    """Knows which certificates were taken back."""

    async def judge(self, certificate: bytes) -> Standing:
        """Where this DER certificate, whose chain TLS has verified once, stands now."""
        ...


class Bearer(Protocol):
    """Finds the token that a request shows."""

    def read(self, authorization: Sequence[str]) -> str | Denied:
        """The token in these Authorization headers, or why there is none."""
        ...


class Tokens(Protocol):
    """Asks Pro Santé Connect about a bearer token."""

    async def check(self, token: str, *, now: datetime) -> TokenVerdict:
        """Introspection (DB.SO.33), then the professions by userinfo."""
        ...


class Paths(Protocol):
    """Reads which resource a request is for."""

    def read(self, path: str) -> Resource:
        """What a path below the service root names.

        Raises:
            RemoteProtocolError: nothing that can be retrieved.
        """
        ...


class Catalogue(Protocol):
    """Says what may be served under a KOS."""

    def resolve(self, resource: Resource, kos_uid: str) -> Served | Denied:
        """The instances of a resource that this KOS lets out (DB.SO.37, DB.SO.38)."""
        ...


class Retrieval(Protocol):
    """A transfer from the PACS, under way."""

    def objects(self) -> AsyncIterator[StoredObject]:
        """Instances as they come; ends when all that were wanted came.

        Raises:
            RetrievalFailed: some did not come.
        """
        ...

    async def close(self) -> None:
        """Have done with it: a transfer that is not over is cancelled."""
        ...


class Images(Protocol):
    """Fetches images from the PACS."""

    async def open(self, wanted: Wanted) -> Retrieval:
        """Begin a retrieval.

        Raises:
            PeerUnavailable: no such PACS.
        """
        ...


class Negotiator(Protocol):
    """Reads what a request accepts."""

    def read(self, resource: Resource, accept: Sequence[str]) -> Representation | Denied:
        """The form and the transfer syntaxes that these Accept header lines take, best first."""
        ...


class Transcoder(Protocol):
    """Changes the transfer syntax of what the PACS gave."""

    def transcode(self, stored: StoredObject, wanted: Sequence[str]) -> StoredObject:
        """The instance in one of the syntaxes wanted, the best that can be produced.

        Raises:
            NotTranscodable: none can.
        """
        ...

    def frame(self, stored: StoredObject, number: int, wanted: Sequence[str]) -> tuple[str, bytes]:
        """Transfer syntax and bytes of one frame, numbered from 1.

        Raises:
            IndexError: no such frame.
            NotTranscodable: in none of the syntaxes wanted.
        """
        ...


class Stamper(Protocol):
    """Prepares one instance for delivery (DB.SO.39, DB.SO.41)."""

    def stamp(self, stored: StoredObject, ins: Ins) -> StoredObject:
        """Explicit VR, the INS in OtherPatientIDsSequence, nothing else altered.

        Raises:
            protocols.errors.RemoteProtocolError: the data set cannot be read.
        """
        ...


# Time and names --------------------------------------------------------------------------------


class Clock(Protocol):
    """What time it is."""

    def now(self) -> datetime:
        """Aware, UTC."""
        ...


class Uids(Protocol):
    """Mints identifiers that are never minted twice, restarts included."""

    def oid(self) -> str:
        """A fresh OID under the installation's root, 64 characters at most."""
        ...

    def uuid(self) -> UUID:
        """A fresh UUID."""
        ...


class Links(Protocol):
    """Where the link of a report leads."""

    def read(self, query: str) -> Link | LinkRefused:
        """The link of a query string, its grammar checked and nothing else."""
        ...

    def decide(
        self, link: Link, *, archive: Archive, examinations: Examinations
    ) -> ArchiveEntry | LinkRefused:
        """The exam in force that a link designates, or what to answer instead. Blocks while the
        PACS is asked."""
        ...


class Guests(Protocol):
    """Who is in front of the Source's viewer."""

    def recognise(self, cookie: str, people: People) -> Person | None:
        """Whose login that cookie is; None: nobody's, and nothing is shown."""
        ...


class ViewerPages(Protocol):
    """What whoever follows a link is shown."""

    def profile(self, link: Link) -> Response:
        """Who are you?"""
        ...

    def patient(self, link: Link) -> Response:
        """The way of patients."""
        ...

    def exam(self, person: Person, entry: ArchiveEntry) -> Response:
        """The exam that the link led to."""
        ...

    def images(self, opening: Opening) -> Response:
        """The viewer."""
        ...
