"""Real neighbours, stood in for: what a person or a site must do cannot be verified by a step.

Each does what its port asks as far as a real one lets it be done from outside; the rest raises
`CannotVerify` and the scenario is skipped with that reason.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NoReturn
from urllib.parse import urlsplit

from bench.archives import Reader, Sender
from bench.changes import Changes
from bench.neighbours import Manner, Neighbour
from bench.outcomes import CannotVerify
from protocols import kos
from protocols.dicom import DicomSyntaxError
from protocols.ebrim import DocumentEntry
from protocols.errors import RemoteProtocolError
from protocols.whitelist import Domain
from simulators.dmp import Patient as DmpPatient
from simulators.dmp import Stored
from simulators.pacs import Archive, Instance
from simulators.psc import Professional
from simulators.psc.realm import Lifetimes, TokenType
from simulators.ris.messages import Options
from simulators.ris.report import Report
from simulators.ris.service import Ack, Link, Ris
from spec.dmp import Masking
from wire.dimse import DimseFailure, DimsePeer
from wire.dimse.messages import SUCCESS
from wire.tap import Stored as Passed

__all__ = ["RealAns", "RealDmp", "RealLocalPacs", "RealPacs", "RealPsc", "RealRis"]

_QUALITY = "113001"
"""Rejected for quality reasons (PS3.16 CID 7031): archives may go on showing it."""


class _Real:
    """A neighbour that the bench does not play."""

    def __init__(self, neighbour: Neighbour) -> None:
        self.neighbour = neighbour

    @property
    def faults(self) -> NoReturn:
        """It fails when it does, and not on demand."""
        self._faultless()

    def _faultless(self) -> NoReturn:
        raise CannotVerify(self.neighbour.faultless)

    def _cannot(self, what: str) -> NoReturn:
        raise CannotVerify(self.neighbour.cannot(what))


class RealDmp(_Real):
    """A test environment of the DMP."""

    @property
    def url(self) -> str:
        """The root of its services."""
        return self.neighbour.url

    async def kill(self) -> None:
        """Never."""
        self._faultless()

    async def restart(self) -> None:
        """Never."""
        self._faultless()

    def register_patient(self, patient: DmpPatient) -> None:
        """Its patients are its own."""
        self._cannot("ne sait pas y créer de patient")

    def documents(self, matricule: str = "", oid: str = "") -> tuple[Stored, ...]:
        """Only a professional may read them."""
        self._cannot("ne sait pas ce qu'il détient")

    def deposit(self, entry: DocumentEntry, content: bytes, matricule: str, oid: str) -> str:
        """Only a Source may publish there."""
        self._cannot("ne sait pas y déposer de document")

    def hide(self, unique_id: str, mask: Masking) -> str:
        """Only a patient or a professional may."""
        self._cannot("ne sait pas y masquer de document")


class RealPsc(_Real):
    """PSC BAS, or another provider that the bench does not play."""

    @property
    def url(self) -> str:
        """Scheme, host and port."""
        parts = urlsplit(self.neighbour.url)
        return f"https://{parts.netloc}"

    @property
    def issuer(self) -> str:
        """What a box is configured with."""
        return self.neighbour.url

    @property
    def lifetimes(self) -> Lifetimes:
        """Its own."""
        self._faultless()

    def professional(self, id: str) -> Professional:
        """Nobody of ours."""
        self._cannot("n'y a personne qui s'authentifie")

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
        """Only by a login."""
        self._cannot("ne sait pas en obtenir de jeton")


class RealPacs(_Real):
    """A site's PACS: exams are stored in it, and it is believed to hold what it took.

    `at` is where a box reaches it: its own address, or a tap. `ask` reads what it made of what it
    took; `changes`, when the site has a program for it, takes images out and has it send.
    """

    def __init__(
        self,
        neighbour: Neighbour,
        at: tuple[str, int],
        send: Sender,
        ask: Reader,
        changes: Changes | None = None,
    ) -> None:
        super().__init__(neighbour)
        self.host, self.port = at
        self._taken = Archive()
        self._send = send
        self._ask = ask
        self._changes = changes

    @property
    def ae_title(self) -> str:
        """Its application entity title."""
        return self.neighbour.ae_title

    def add_destination(self, ae_title: str, host: str, port: int, name: str = "") -> None:
        """Configured in it by its own people."""

    def load(self, source: bytes | Path) -> Instance:
        """Send it an instance, as a modality would.

        Raises:
            CannotVerify: it cannot be reached, or does not take it.
            DicomSyntaxError: not a readable instance.
        """
        data = source.read_bytes() if isinstance(source, Path) else source
        for why in self._send([data]).values():
            self._cannot(f"ne sait pas y ranger d'image ({why})")
        return self._taken.add_file(data)

    def count(self, study: str | None = None) -> int:
        """How many instances it took from us."""
        return len(self.instances(study))

    def instances(
        self, study: str | None = None, series: str | None = None
    ) -> tuple[Instance, ...]:
        """What it took from us."""
        return self._taken.instances(study=study, series=series)

    def remove(self, study: str | None = None, instance: str | None = None) -> int:
        """The site's program does.

        Raises:
            CannotVerify, NotSendable: there is none, or it did not.
        """
        changes = self._program("n'y retire rien")
        if study is not None and instance is None:
            changes("remove-study", (study,))
        else:
            for one in self._taken.instances(study=study, instance=instance):
                changes("remove-instance", (one.study_uid, one.series_uid, one.sop_instance))
        return self._taken.remove(study=study, instance=instance)

    def reject(self, note: bytes, *, regular_use: bool = False) -> int:
        """It takes the note as any object, and the site's program takes out what it rejects: one
        that knows nothing of IOCM then shows what one that applies it would.

        Raises:
            CannotVerify, NotSendable: as `remove`, and as `load`.
        """
        self._program("n'y rejette rien")
        manifest = kos.decode(note)
        self.load(note)
        if regular_use and [one.value for one in manifest.title or ()] == [_QUALITY]:
            return 0
        return sum(self.remove(instance=one.sop_instance) for one in manifest.instances())

    def forward(self, file: bytes, to: DimsePeer) -> int:
        """The site's program has it send an object that it holds: SUCCESS once it says so.

        Raises:
            CannotVerify, NotSendable: as `remove`. That the Source refuses it is not told apart.
        """
        changes = self._program("n'envoie rien à sa place")
        one = Archive().add_file(file)
        changes("send", (one.study_uid, one.series_uid, one.sop_instance, to.ae_title))
        return SUCCESS

    def stored(self, sop_instance: str) -> Instance | None:
        """It may coerce what it takes (PS3.4 B.4.1.3): it is asked what it holds.

        Raises:
            CannotVerify: it does not give it, or took it from somebody else.
        """
        unknown = "ne sait pas ce qu'il a changé aux images en les rangeant"
        sent = self._taken.get(sop_instance)
        if sent is None:
            self._cannot(f"{unknown} (image qu'il ne tient pas du banc)")
        try:
            return self._ask(sent)
        except (DimseFailure, RemoteProtocolError) as error:
            self._cannot(f"{unknown} (C-GET : {error})")

    def _program(self, what: str) -> Changes:
        if self._changes is None:
            self._cannot(f"{what} ; source.pacs_changes le ferait")
        return self._changes


class RealLocalPacs(_Real):
    """The PACS that receives exports: known by what passes through the tap, if there is one."""

    def __init__(self, neighbour: Neighbour, at: tuple[str, int]) -> None:
        super().__init__(neighbour)
        self.host, self.port = at
        self._passed = Archive()

    @property
    def ae_title(self) -> str:
        """Its application entity title."""
        return self.neighbour.ae_title

    def passed(self, stored: Passed) -> None:
        """An instance that it took, through the tap."""
        try:
            self._passed.add(stored.dataset, transfer_syntax=stored.transfer_syntax)
        except DicomSyntaxError:
            return  # it took what nobody can read: the exchange is recorded, and judged

    def add_destination(self, ae_title: str, host: str, port: int, name: str = "") -> None:
        """Configured in it by its own people."""

    def load(self, source: bytes | Path) -> Instance:
        """Only a Consumer exports there."""
        self._cannot("n'y range rien lui-même")

    def count(self, study: str | None = None) -> int:
        """How many instances it took."""
        return len(self.instances(study))

    def instances(
        self, study: str | None = None, series: str | None = None
    ) -> tuple[Instance, ...]:
        """What it took."""
        if self.neighbour.manner is Manner.EXTERNAL:
            raise CannotVerify(self.neighbour.unseen)
        return self._passed.instances(study=study, series=series)

    def remove(self, study: str | None = None, instance: str | None = None) -> int:
        """Only its own people do."""
        self._cannot("n'y retire rien")

    def reject(self, note: bytes, *, regular_use: bool = False) -> int:
        """Only its own people do."""
        self._cannot("n'y rejette rien")

    def forward(self, file: bytes, to: DimsePeer) -> int:
        """Only it does."""
        self._cannot("n'envoie rien à sa place")

    def stored(self, sop_instance: str) -> Instance | None:
        """An instance as it was sent."""
        return next((one for one in self.instances() if one.sop_instance == sop_instance), None)


class RealRis(_Real):
    """A site's RIS: the bench writes messages as any, and sends none in its place."""

    def __init__(self, neighbour: Neighbour, writer: Ris) -> None:
        super().__init__(neighbour)
        self._writer = writer

    def message(self, report: Report, options: Options | None = None, *, event: str = "") -> bytes:
        """The message of a report."""
        return self._writer.message(report, options, event=event)

    def wrap(self, document: bytes, options: Options | None = None) -> bytes:
        """The message of a document that we did not write."""
        return self._writer.wrap(document, options)

    async def send(
        self,
        message: bytes,
        to: tuple[str, int],
        timeout: float = 30.0,  # noqa: ASYNC109
    ) -> Ack:
        """Only its users do."""
        self._cannot("n'envoie pas de compte rendu à sa place")

    async def send_each(
        self,
        messages: Sequence[bytes],
        to: tuple[str, int],
        timeout: float = 30.0,  # noqa: ASYNC109
        *,
        link: Link | None = None,
    ) -> list[Ack]:
        """Only its users do."""
        self._cannot("n'envoie pas de compte rendu à sa place")


class RealAns(_Real):
    """The agency's own list: who is on it is decided there."""

    def publish(self, domains: Iterable[Domain]) -> None:
        """Nothing of ours is published."""

    def lists(self, operator_dn: str) -> bool:
        """Not for the bench to say."""
        self._cannot("ne sait pas y inscrire ses DRIMbox")
