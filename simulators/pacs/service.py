"""The PACS: answers queries, moves what it holds, receives what it is sent, fails on demand.

It also withdraws images by IOCM notes, and forwards them.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

from protocols import kos
from protocols.dicom import DicomSyntaxError
from simulators.pacs import query
from simulators.pacs.archive import Archive, Instance
from simulators.pacs.decompression import DECOMPRESSED, decompressed
from simulators.pacs.dicomweb import build_web
from simulators.pacs.faults import (
    ASSOCIATION,
    MENU,
    NEGOTIATION,
    begin,
    excess_of,
    interrupt,
    misreport,
    missing_of,
)
from spec.dicom import (
    EXPLICIT_VR_BIG_ENDIAN,
    EXPLICIT_VR_LITTLE_ENDIAN,
    REJECTION_TITLES,
    STORAGE_SOP_CLASSES,
    TRANSFER_SYNTAX_NAMES,
    UNCOMPRESSED_LITTLE_ENDIAN,
)
from wire.dimse import (
    AssociationInfo,
    DimseClient,
    DimsePeer,
    DimseRefusal,
    DimseServer,
    FindRequest,
    GetPlan,
    Handlers,
    MovePlan,
    MoveRequest,
    Outgoing,
    StoreRequest,
    serve_dimse,
)
from wire.exchange import Label, Observe
from wire.faults import Faults, Struck
from wire.http_server import HttpServer, serve_http
from wire.tls import ServerTls

__all__ = ["STORED_TRANSFER_SYNTAXES", "Pacs", "PacsConfig", "Received", "build"]

STORED_TRANSFER_SYNTAXES = tuple(
    uid
    for uid in TRANSFER_SYNTAX_NAMES
    if uid not in (EXPLICIT_VR_BIG_ENDIAN, "1.2.840.10008.1.2.1.99")
)
"""Little endian, compressed or not: what imaging departments archive today."""

_CANNOT_UNDERSTAND = 0xC000
_UNKNOWN_DESTINATION = 0xA801
_QUALITY, _EXPIRED = "113001", "113039"


@dataclass(frozen=True, slots=True, kw_only=True)
class PacsConfig:
    """What an installer sets."""

    ae_title: str = "PACS"
    actor: str = "pacs"
    """Its name in the journal."""
    host: str = "127.0.0.1"
    port: int = 0
    announced: str = ""
    """The host that others are told; by default `host`."""
    destinations: Mapping[str, tuple[str, int]] = field(default_factory=dict)
    """AE title to `(host, port)`: where C-MOVE may send."""
    calling_ae_titles: frozenset[str] | None = None
    """Who may associate; None for anybody."""
    relational: bool = True
    """Whether queries may leave out the unique keys of the levels above."""
    sop_classes: tuple[str, ...] = STORAGE_SOP_CLASSES
    transfer_syntaxes: tuple[str, ...] = STORED_TRANSFER_SYNTAXES
    """Accepted in C-STORE."""
    replace: bool = True
    """Whether an instance received twice replaces the first."""
    peer_names: Mapping[str, str] = field(default_factory=dict)
    """AE title to the name used in the journal."""
    timeout: float = 15.0
    """Seconds that one sub-operation may last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """An instance that came by C-STORE, whatever was answered."""

    instance: Instance
    status: int
    calling_ae: str
    move_originator_ae: str
    move_originator_message_id: int | None
    new: bool
    """False when the PACS already held that SOP instance."""


class Pacs:
    """A picture archive with a DIMSE listener.

    `start()` and `stop()` block shortly; all methods may be called from any thread.
    """

    def __init__(self, config: PacsConfig, observe: Observe, label: Label | None = None) -> None:
        self.config = config
        self.archive = Archive()
        self.faults = Faults(MENU)
        """How it misbehaves, association by association and request by request."""
        self._observe = observe
        self._label = label
        self._destinations = {
            title: DimsePeer(host, port, title, config.peer_names.get(title, ""))
            for title, (host, port) in config.destinations.items()
        }
        self._server: DimseServer | None = None
        self._web: HttpServer | None = None
        self._port = config.port
        self._received: list[Received] = []
        self._arrival = threading.Condition()

    @property
    def ae_title(self) -> str:
        """Its application entity title."""
        return self.config.ae_title

    @property
    def host(self) -> str:
        """Where others reach it."""
        return self.config.announced or self.config.host

    @property
    def port(self) -> int:
        """The port that it listens on, or will again; 0 before the first `start()` when none is
        configured."""
        return self._port

    def start(self) -> Pacs:
        """Listen. Returns itself.

        Raises:
            OSError: the address is taken.
        """
        config = self.config
        self._server = serve_dimse(
            Handlers(
                find=self._find,
                move=self._move,
                get=self._get,
                store=self._store,
                echo=self._echo,
                admit=self._admit,
            ),
            ae_title=config.ae_title,
            actor=config.actor,
            observe=self._observe,
            label=self._label,
            host=config.host,
            port=self._port,
            storage=dict.fromkeys(config.sop_classes, config.transfer_syntaxes),
            calling_ae_titles=config.calling_ae_titles,
            relational=config.relational,
            peer_names=config.peer_names,
            negotiate=self._negotiate,
            timeout=config.timeout,
        )
        self._port = self._server.port
        return self

    async def start_web(self, *, port: int = 0, tls: ServerTls | None = None) -> str:
        """Serve DICOMweb too (QIDO-RS, WADO-RS, STOW-RS): the root of the service.

        Raises:
            OSError: the address is taken.
        """
        config = self.config
        self._web = await serve_http(
            build_web(self.archive, ae_title=config.ae_title, faults=self.faults),
            actor=config.actor,
            observe=self._observe,
            label=self._label,
            host=config.host,
            port=port,
            tls=tls,
            announced=config.announced,
        )
        return f"{self._web.url}/dicom-web"

    async def stop_web(self) -> None:
        """Close that door. What is stored stays."""
        if self._web is not None:
            await self._web.stop()
            self._web = None

    def stop(self) -> None:
        """Stop listening and abort what is going on. What is stored stays, faults do not."""
        self.faults.clear()
        if self._server is not None:
            self._server.stop()
            self._server = None

    def __enter__(self) -> Pacs:
        return self.start()

    def __exit__(self, *exc: object) -> None:
        self.stop()

    def add_destination(self, ae_title: str, host: str, port: int, name: str = "") -> None:
        """Let C-MOVE send to that application entity."""
        self._destinations[ae_title] = DimsePeer(
            host, port, ae_title, name or self.config.peer_names.get(ae_title, "")
        )

    def load(self, source: bytes | Path | Any) -> Instance:
        """Put an instance in the archive: a Part 10 file, its path, or a pydicom data set.

        Raises:
            DicomSyntaxError: not a readable instance.
            OSError: the path cannot be read.
        """
        if isinstance(source, Path):
            source = source.read_bytes()
        elif not isinstance(source, bytes):
            buffer = BytesIO()
            source.save_as(buffer, enforce_file_format=True)
            source = buffer.getvalue()
        return self.archive.add_file(source)

    def count(self, study: str | None = None) -> int:
        """How many instances it holds, of one study or of all."""
        return len(self.archive.instances(study=study))

    def instances(
        self, study: str | None = None, series: str | None = None
    ) -> tuple[Instance, ...]:
        """What it holds, in the order stored."""
        return self.archive.instances(study=study, series=series)

    def stored(self, sop_instance: str) -> Instance | None:
        """The instance of that UID, or None."""
        return self.archive.get(sop_instance)

    def remove(self, study: str | None = None, instance: str | None = None) -> int:
        """Forget a study, an instance, or everything: how many."""
        return self.archive.remove(study=study, instance=instance)

    def reject(self, note: bytes, *, regular_use: bool = False) -> int:
        """Apply an IOCM note (a Part 10 file) as an archive does: how many instances it hides.

        The note is in the exam like any object, and shown as such, unless it says that retention
        expired (113039): then it is hidden too. With `regular_use` what is rejected for quality
        (113001) goes on being shown: archives can be configured so.

        Réf.: IHE RAD TF Vol. 2, 4.66.4.1.3, grade: standard; which notes a query shows follows the
        default view of dcm4chee-arc, grade: inferred.

        Raises:
            KosSyntaxError: not a readable key object.
            ValueError: its title is no reason for rejection.
        """
        manifest = kos.decode(note)
        title = next((one.value or "" for one in manifest.title or ()), "")
        if title not in REJECTION_TITLES:
            raise ValueError(f"titre qui n'est pas un motif de rejet : {title}")
        kept = self.load(note)
        if title == _QUALITY and regular_use:
            return 0
        hidden = self.archive.hide(one.sop_instance for one in manifest.instances())
        if title == _EXPIRED:
            self.archive.hide((kept.sop_instance,))
        return hidden

    def forward(self, file: bytes, to: DimsePeer) -> int:
        """Send a Part 10 file by C-STORE, in its own name; the status answered.

        Raises:
            DimseFailure: no association, or no answer.
        """
        client = DimseClient(
            self.ae_title,
            actor=self.config.actor,
            observe=self._observe,
            timeout=self.config.timeout,
        )
        return client.store(to, [file])[0]

    @property
    def received(self) -> tuple[Received, ...]:
        """Everything that came by C-STORE, in order."""
        with self._arrival:
            return tuple(self._received)

    def wait_received(
        self,
        count: int = 1,
        *,
        timeout: float,
        where: Callable[[Received], bool] = lambda _: True,
    ) -> tuple[Received, ...]:
        """What came by C-STORE and satisfies `where`: `count` of them, or less at the deadline."""
        with self._arrival:
            self._arrival.wait_for(
                lambda: sum(map(where, self._received)) >= count, timeout=timeout
            )
            return tuple(filter(where, self._received))

    def _negotiate(
        self, calling_ae: str, proposed: Mapping[str, Sequence[str]]
    ) -> Mapping[str, Sequence[str]] | None:
        """What is configured, unless a fault leaves out what is compressed."""
        if not proposed or self.faults.strike(NEGOTIATION) is None:
            return None
        return dict.fromkeys(proposed, UNCOMPRESSED_LITTLE_ENDIAN)

    def _admit(self, association: AssociationInfo) -> None:
        interrupt(begin(self.faults, ASSOCIATION, association))

    def _echo(self, association: AssociationInfo) -> int:
        interrupt(begin(self.faults, "C-ECHO", association))
        return 0x0000

    def _find(self, request: FindRequest) -> Iterator[Any]:
        struck = begin(self.faults, "C-FIND", request.association)
        interrupt(struck, 0)
        responses = query.find(
            self.archive,
            request.identifier,
            model=request.model,
            relational=self.config.relational,
            ae_title=self.config.ae_title,
        )
        for sent, response in enumerate(_without(responses, struck), 1):
            misreport(response, excess_of(struck))
            yield response
            interrupt(struck, sent)
        interrupt(struck)

    def _move(self, request: MoveRequest) -> MovePlan:
        struck = begin(self.faults, "C-MOVE", request.association)
        interrupt(struck, 0)
        destination = self._destinations.get(request.destination)
        if destination is None:
            raise DimseRefusal(_UNKNOWN_DESTINATION, f"inconnu : {request.destination}")
        instances = self._selected(request)
        link = struck.link() if struck else None
        if link is not None:
            # The instances and the responses share one line: what cuts it cuts both.
            request.association.impair(link)
        return MovePlan(
            destination=destination,
            count=len(instances),
            instances=_outgoing(instances, struck),
            contexts=_contexts(instances),
            excess=excess_of(struck),
            link=link,
        )

    def _get(self, request: MoveRequest) -> GetPlan:
        struck = begin(self.faults, "C-GET", request.association)
        interrupt(struck, 0)
        instances = self._selected(request)
        return GetPlan(
            count=len(instances),
            instances=_outgoing(instances, struck),
            excess=excess_of(struck),
        )

    def _selected(self, request: MoveRequest) -> list[Instance]:
        return query.select(
            self.archive,
            request.identifier,
            model=request.model,
            relational=self.config.relational,
        )

    def _store(self, request: StoreRequest) -> int:
        status = 0x0000
        try:
            interrupt(begin(self.faults, "C-STORE", request.association))
        except DimseRefusal as refusal:
            status = refusal.status
        new = self.archive.get(request.sop_instance) is None
        try:
            archive = self.archive if status == 0 or status >> 12 == 0xB else Archive()
            instance = archive.add(
                request.dataset,
                transfer_syntax=request.transfer_syntax,
                replace=self.config.replace,
            )
        except DicomSyntaxError as error:
            raise DimseRefusal(_CANNOT_UNDERSTAND, str(error)) from None
        with self._arrival:
            self._received.append(
                Received(
                    instance=instance,
                    status=status,
                    calling_ae=request.calling_ae,
                    move_originator_ae=request.move_originator_ae,
                    move_originator_message_id=request.move_originator_message_id,
                    new=new,
                )
            )
            self._arrival.notify_all()
        return status


def _without(responses: Iterator[Any], struck: Struck | None) -> Iterable[Any]:
    """The responses to a query, but those that a fault leaves out."""
    if struck is not None and struck.kind == "vide":
        return ()
    missing = missing_of(struck)
    return list(responses)[:-missing] if missing else responses


def _outgoing(instances: Sequence[Instance], struck: Struck | None) -> Iterator[Outgoing]:
    sendable = len(instances) - missing_of(struck)
    for rank, one in enumerate(instances):
        interrupt(struck, rank)
        yield Outgoing(
            sop_class=one.sop_class,
            sop_instance=one.sop_instance,
            transfer_syntax=one.transfer_syntax,
            dataset=one.dataset,
            also=_otherwise(one),
            fails=rank >= sendable,
        )
    interrupt(struck)


def _contexts(instances: Sequence[Instance]) -> list[tuple[str, str]]:
    """What is proposed to a destination: each as stored, and uncompressed where that can be had."""
    pairs = [
        (one.sop_class, syntax)
        for one in instances
        for syntax in (one.transfer_syntax, *_otherwise(one))
    ]
    return list(dict.fromkeys(pairs))


def _otherwise(instance: Instance) -> dict[str, Callable[[], bytes]]:
    if instance.transfer_syntax not in DECOMPRESSED:
        return {}
    return {EXPLICIT_VR_LITTLE_ENDIAN: lambda: decompressed(instance)}


def build(config: PacsConfig, observe: Observe, label: Label | None = None) -> Pacs:
    """A PACS that is not started yet."""
    return Pacs(config, observe, label)
