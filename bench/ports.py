"""What the bench asks of each neighbour of a box, whoever plays it.

The simulators do all of it. A real neighbour is stood in for by `bench.real`: what only a
simulator can do is then `CannotVerify`, with its reason.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Protocol

from protocols.ebrim import DocumentEntry
from protocols.whitelist import Domain
from simulators.dmp import Patient as DmpPatient
from simulators.dmp import Stored
from simulators.pacs import Instance
from simulators.psc import Professional
from simulators.psc.realm import Lifetimes, TokenType
from simulators.ris.messages import Options
from simulators.ris.report import Report
from simulators.ris.service import Ack, Link
from spec.dmp import Masking
from wire.dimse import DimsePeer
from wire.faults import Faults

__all__ = ["Ans", "Dmp", "Pacs", "Psc", "Ris"]


class Dmp(Protocol):
    """The DMP."""

    @property
    def url(self) -> str:
        """The root of its services."""

    @property
    def faults(self) -> Faults:
        """How it misbehaves, on demand."""

    async def kill(self) -> None:
        """Down, abruptly."""

    async def restart(self) -> None:
        """Up again."""

    def register_patient(self, patient: DmpPatient) -> None:
        """Know a patient."""

    def documents(self, matricule: str = "", oid: str = "") -> tuple[Stored, ...]:
        """What it holds."""

    def deposit(self, entry: DocumentEntry, content: bytes, matricule: str, oid: str) -> str:
        """Hold a document published before the run; its entryUUID."""

    def hide(self, unique_id: str, mask: Masking) -> str:
        """Somebody masks a document by its own pages; the new entryUUID."""


class Psc(Protocol):
    """Pro Santé Connect."""

    @property
    def url(self) -> str:
        """Scheme, host and port."""

    @property
    def issuer(self) -> str:
        """What a box is configured with."""

    @property
    def lifetimes(self) -> Lifetimes:
        """How long tokens live; a scenario may shorten them."""

    def professional(self, id: str) -> Professional:
        """Somebody who can log in."""

    def issue(
        self,
        professional: Professional,
        client_id: str,
        *,
        typ: TokenType = "Bearer",
        expired: bool = False,
        forged: bool = False,
        nonce: str = "",
    ) -> str:
        """A token of theirs."""


class Pacs(Protocol):
    """A PACS: the site's, or the local one that receives exports."""

    @property
    def ae_title(self) -> str:
        """Its application entity title."""

    @property
    def host(self) -> str:
        """Where a box reaches it."""

    @property
    def port(self) -> int:
        """Where a box reaches it."""

    @property
    def faults(self) -> Faults:
        """How it misbehaves, on demand."""

    def add_destination(self, ae_title: str, host: str, port: int, name: str = "") -> None:
        """Let C-MOVE send there."""

    def load(self, source: bytes | Path) -> Instance:
        """Hold an instance."""

    def count(self, study: str | None = None) -> int:
        """How many instances it holds."""

    def instances(
        self, study: str | None = None, series: str | None = None
    ) -> tuple[Instance, ...]:
        """What it holds."""

    def remove(self, study: str | None = None, instance: str | None = None) -> int:
        """Forget a study or an instance: how many."""

    def reject(self, note: bytes, *, regular_use: bool = False) -> int:
        """Apply an IOCM note: how many instances it hides; with `regular_use`, none that is
        rejected for its quality."""

    def forward(self, file: bytes, to: DimsePeer) -> int:
        """Send an object by C-STORE; the status answered."""

    def stored(self, sop_instance: str) -> Instance | None:
        """An instance as a box would get it, byte for byte."""


class Ris(Protocol):
    """The RIS."""

    def message(self, report: Report, options: Options | None = None, *, event: str = "") -> bytes:
        """The ORU^R01 of a report, or its MDM of that event."""

    def wrap(self, document: bytes, options: Options | None = None) -> bytes:
        """The message of a document that we did not write."""

    async def send(
        self,
        message: bytes,
        to: tuple[str, int],
        timeout: float = 30.0,  # noqa: ASYNC109
    ) -> Ack:
        """Send it."""

    async def send_each(
        self,
        messages: Sequence[bytes],
        to: tuple[str, int],
        timeout: float = 30.0,  # noqa: ASYNC109
        *,
        link: Link | None = None,
    ) -> list[Ack]:
        """Send them on one connection, one after the other."""


class Ans(Protocol):
    """The agency that publishes the white list."""

    def publish(self, domains: Iterable[Domain]) -> None:
        """Put a list in force."""

    def lists(self, operator_dn: str) -> bool:
        """Whether the list in force names that operator."""
