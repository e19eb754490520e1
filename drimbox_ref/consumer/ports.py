"""What the Consumer is made of: the protocols of its parts.

No concrete class lives here; `compose.py` chooses them, and a wrong box replaces one.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol
from uuid import UUID

from lxml import etree

from drimbox_ref.consumer.jobs import Job
from drimbox_ref.consumer.sessions import Login
from drimbox_ref.consumer.values import (
    Access,
    Authorization,
    Behalf,
    Call,
    Copy,
    CopyKey,
    Document,
    Exam,
    ExportFailed,
    Ins,
    Professional,
    Received,
    Ring,
    Search,
    Series,
    Situation,
    TrustVerdict,
    Use,
)
from drimbox_ref.credentials import Credentials
from drimbox_ref.psc_login import Ended, Grant
from drimbox_ref.trail import Alert, AuditEvent
from protocols.ebrim import DocumentEntry

__all__ = [
    "Alerts",
    "ApiTokens",
    "Audit",
    "Authorisations",
    "Calls",
    "Clock",
    "Copies",
    "Directory",
    "Fetch",
    "Documents",
    "IdentityCheck",
    "Images",
    "Library",
    "LocalPacs",
    "Localizer",
    "Manifests",
    "Psc",
    "Queue",
    "Registry",
    "Situations",
    "Tokens",
    "Trust",
    "Uids",
    "Vihf",
]


# The contextual call ---------------------------------------------------------------------------


class Calls(Protocol):
    """Reads contextual calls."""

    def read(self, content_type: str, query: str, body: bytes) -> Call:
        """What the RIS asks for.

        Raises:
            CallRefused: a parameter is unknown, absent, empty, repeated or unreadable.
        """
        ...


# The professional ------------------------------------------------------------------------------


class Psc(Protocol):
    """Speaks to Pro Santé Connect.

    Every method raises PscUnavailable when PSC gives no usable answer.
    """

    async def authorization_url(self, *, state: str, nonce: str, verifier: str) -> str:
        """Where to send the browser."""
        ...

    async def redeem(self, code: str, *, nonce: str, verifier: str, issuer: str) -> Grant:
        """The tokens of an authorization code, the ID token validated.

        `issuer` is the `iss` of the authorization response, "" when it has none.

        Raises:
            LoginRefused: the code or the ID token is refused.
        """
        ...

    async def ring(self, national_id: str, *, message: str) -> Ring:
        """Ask somebody on their telephone (CIBA); `message`: the two digits that it shows.

        Raises:
            LoginRefused: PSC does not know them, or asks nobody for us.
        """
        ...

    async def answered(self, ring: Ring) -> Grant | Ring:
        """The tokens of who accepted, else the ring to ask about next.

        Raises:
            LoginRefused: they refused, or did not answer in time.
        """
        ...

    async def renew(self, grant: Grant) -> Grant:
        """The same grant with a fresh access token.

        Raises:
            LoginExpired: the session at PSC is over.
        """
        ...

    async def userinfo(self, grant: Grant) -> Mapping[str, Any]:
        """The claims of userinfo, of the same subject.

        Raises:
            LoginRefused: the access token is refused there, or it is somebody else's.
        """
        ...

    async def ended(self, token: str) -> Ended:
        """Which session a logout token of PSC's ends.

        Raises:
            LoginRefused: it is not one, or not for us.
        """
        ...

    async def log_out(self, grant: Grant) -> None:
        """End the session at PSC."""
        ...


class Tokens(Protocol):
    """Hands out access tokens that will live long enough (DB.CO.65)."""

    async def access(self, login: Login) -> str:
        """An access token fit to leave now.

        Raises:
            LoginExpired: the session at PSC is over.
            PscUnavailable: PSC gives no usable answer.
        """
        ...

    async def replace(self, login: Login, refused: str) -> str:
        """Another access token than the one that a Source has just refused.

        Raises:
            LoginExpired, PscUnavailable: as `access`.
        """
        ...


class ApiTokens(Protocol):
    """What the DMP's API wants beside a VIHF, for whoever asks."""

    def authorize(
        self, login: Login, situation: Situation, credentials: Credentials, tokens: Tokens
    ) -> Authorization:
        """The tokens of that login in that situation, shown by these credentials.

        `tokens` hands out the PSC tokens that theirs are exchanged for.
        """
        ...

    async def close(self) -> None:
        """Close every connection."""
        ...


class Situations(Protocol):
    """Reads who a professional is and where they practise (DB.CO.49)."""

    def read(self, userinfo: Mapping[str, Any]) -> Professional:
        """The professional of a userinfo answer.

        Raises:
            LoginRefused: userinfo names nobody.
        """
        ...

    def match(self, professional: Professional, wanted: str) -> tuple[Situation, ...]:
        """The situations in that structure."""
        ...


class Directory(Protocol):
    """The certificates by structure (DB.CO.91)."""

    def of(self, structure: str) -> Credentials | None:
        """The credentials of a structure, or None when the box has none."""
        ...


# The DMP ---------------------------------------------------------------------------------------


class Vihf(Protocol):
    """Writes the identity assertion of a DMP transaction (DB.CO.67, DB.CO.92)."""

    def assertion(self, behalf: Behalf, *, now: datetime) -> etree._Element:
        """A signed VIHF in AIR mode."""
        ...


class Registry(Protocol):
    """Speaks to the DMP.

    Every method raises Rejected when the DMP refuses, PeerUnavailable when it does not answer.
    """

    async def access(self, behalf: Behalf, assertion: etree._Element, *, now: datetime) -> Access:
        """TD0.2: whether this patient's DMP is open to this professional."""
        ...

    async def find(
        self, behalf: Behalf, assertion: etree._Element, search: Search
    ) -> tuple[DocumentEntry, ...]:
        """TD3.1: the approved KOS of the patient.

        Raises:
            Partial: some of them.
        """
        ...

    async def fetch(self, behalf: Behalf, assertion: etree._Element, entry: DocumentEntry) -> bytes:
        """TD3.2: one document."""
        ...


class Documents(Protocol):
    """Searches the DMP for what is read beside exams. Raises as `Registry` does."""

    async def find(self, behalf: Behalf, assertion: etree._Element) -> tuple[Document, ...]:
        """TD3.1: reports, requests and whatever types are configured, newest first.

        Raises:
            Partial: some of them.
        """
        ...


class Authorisations(Protocol):
    """Declares a professional's access to a DMP. Raises as `Registry` does."""

    async def declare(self, behalf: Behalf, assertion: etree._Element) -> None:
        """TD0.3: the patient gave this professional access."""
        ...


class Manifests(Protocol):
    """Reads KOS."""

    def read(self, entry: DocumentEntry, data: bytes) -> Exam:
        """The exam that a KOS references.

        Raises:
            ExamUnreadable: not the document that the entry describes, or no manifest.
        """
        ...


# Images ----------------------------------------------------------------------------------------


class Trust(Protocol):
    """The trust space: a verified white list, kept fresh."""

    async def refresh(self) -> bool:
        """Fetch and verify the list; the last good one stays when that fails: False."""
        ...

    def judge(self, host: str, *, now: datetime) -> TrustVerdict:
        """Whether a host is the `db` access of a listed DRIMbox."""
        ...


class Images(Protocol):
    """Fetches series from Sources."""

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
        """WADO-RS of one series, each instance written in `into` then shown to `accept`.

        `use` chooses the transfer syntaxes to prefer. At most `limit` bytes are taken. What
        `accept` raises stops the retrieval.

        Raises:
            ExportFailed: refused, interrupted, or not what was asked.
        """
        ...


class IdentityCheck(Protocol):
    """Compares the INS of images with the one of the call (DB.CO.68)."""

    def check(self, image: Received, ins: Ins) -> str:
        """ "" when the image is this patient's, else what differs, in French."""
        ...


class Localizer(Protocol):
    """Prepares an instance for the local PACS (DB.CO.77)."""

    def localize(self, dataset: bytes, transfer_syntax: str, call: Call) -> bytes:
        """The data set with the local IPP as PatientID, nothing else altered.

        Raises:
            protocols.errors.RemoteProtocolError: the data set cannot be read.
        """
        ...


class Copies(Protocol):
    """Keeps whole series on disk from one use to the next (DB.CO.69, DB.CO.70). Blocks.

    One caller at a time.
    """

    def directory(self) -> Path:
        """Where to put the files of another series; not made yet."""
        ...

    def find(self, key: CopyKey, use: Use, *, now: datetime) -> Copy | None:
        """A copy fit for that use, each of its files there; it counts as used now."""
        ...

    def keep(self, key: CopyKey, use: Use, copy: Copy, *, now: datetime) -> None:
        """Remember a copy that is whole. What is not, a restart deletes."""
        ...

    def trim(self, open_: Collection[Path], *, now: datetime) -> None:
        """Delete what is too old or too much, the longest unused first; never what is open."""
        ...

    def delete(self, directory: Path) -> None:
        """Delete the files there, and forget them."""
        ...


class Fetch(Protocol):
    """One reader's hold on a series that is being fetched, or that is here already."""

    @property
    def total(self) -> int:
        """How many instances the KOS announces."""
        ...

    @property
    def received(self) -> Sequence[Received]:
        """The instances here, in the order they came, each known to be this patient's.

        Their files stay until `close`. Empty again when one of the series proved to be another
        patient's: nothing of it may be shown any more.
        """
        ...

    @property
    def ended(self) -> bool:
        """Nothing more will come: all is here, or `failure` says why not."""
        ...

    @property
    def failure(self) -> ExportFailed | None:
        """Why the series is not whole; None while it comes and when it is."""
        ...

    async def changed(self, seen: int) -> None:
        """Wait until more than `seen` instances are here, or it ended."""
        ...

    def close(self) -> None:
        """This reader needs nothing more; closing twice is harmless."""
        ...


class Library(Protocol):
    """Gives series, fetched once for all their readers.

    Not a field of `Parts`: it is made of them, by `compose.assemble`.
    """

    def open(self, call: Call, login: Login, exam: Exam, series: Series, *, use: Use) -> Fetch:
        """A series as this professional may see it, for the patient of this call.

        Never raises: what goes wrong is the fetch's `failure`. What another professional, or the
        call of another patient, obtained is never given. The files carry the local IPP (DB.CO.77).
        """
        ...


class LocalPacs(Protocol):
    """Stores instances in the local PACS (DB.CO.60)."""

    def store(
        self,
        images: Sequence[Received],
        load: Callable[[Received], bytes],
        stored: Callable[[Received], None],
        *,
        to: str,
    ) -> None:
        """C-STORE of what `load` gives for each image to the PACS of that name; blocks.

        `stored` is told of each success.

        Raises:
            ExportFailed: the PACS is unreachable or refuses.
        """
        ...


class Queue(Protocol):
    """Keeps exports: a restart goes on with them, and nobody exports twice unawares. Blocks."""

    def save(self, job: Job) -> None:
        """Keep an export as it is now; durable when it returns."""
        ...

    def unfinished(self) -> Sequence[Job]:
        """What the former process was doing, in the order it was asked for."""
        ...

    def of_patient(self, ins: Ins) -> Sequence[Job]:
        """Every export for this patient, whoever asked for it, the latest first."""
        ...

    def destination(self, owner: str) -> str:
        """Where this professional exported last, "" for the first time (DB.CO.62)."""
        ...

    def forget(self, *, now: datetime) -> None:
        """Drop what is too old to matter."""
        ...

    def stored(self, id: str) -> Collection[str]:
        """The SOPInstanceUID of the images of an export that the PACS acknowledged."""
        ...

    def storing(self, id: str) -> AbstractContextManager[Callable[[Received], None]]:
        """Give a function to call with each image that the PACS acknowledged."""
        ...


# What is kept ----------------------------------------------------------------------------------


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


# Time and names --------------------------------------------------------------------------------


class Clock(Protocol):
    """What time it is."""

    def now(self) -> datetime:
        """Aware, UTC."""
        ...


class Uids(Protocol):
    """Mints identifiers that are never minted twice, restarts included."""

    def uuid(self) -> UUID:
        """A fresh UUID."""
        ...
