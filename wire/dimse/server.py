"""The provider's side of DIMSE: a listener that hands requests to plain callables."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any

from pydicom.dataset import Dataset
from pynetdicom import AE, build_context, evt
from pynetdicom.dimse_primitives import C_GET, C_MOVE
from pynetdicom.transport import ThreadedAssociationServer

from protocols.dimse import Association, Role
from spec.dicom import (
    IMPLEMENTATION_CLASS_UID,
    IMPLEMENTATION_VERSION_NAME,
    QUERY_MODELS,
    UNCOMPRESSED_LITTLE_ENDIAN,
    VERIFICATION,
)
from wire.dimse.bounds import unread
from wire.dimse.client import store_upon
from wire.dimse.line import Line, tuned
from wire.dimse.messages import (
    AbortAssociation,
    AssociationInfo,
    AssociationRefusal,
    DimseRefusal,
    FindRequest,
    Handlers,
    MoveRequest,
    StoreRequest,
)
from wire.dimse.move import provide_get, provide_move
from wire.dimse.record import Live, Recorder
from wire.dimse.serving import (
    CROWDED,
    WITHOUT_MAXIMUM_LENGTH,
    Negotiate,
    Provider,
    Served,
    first_pdu,
    ours,
    requested,
)
from wire.dimse.tuning import MAXIMUM_PDU, adopt, heal, impair
from wire.exchange import Direction, Label, Observe, Outcome, ignore, new_connection_id
from wire.impairment import Link

__all__ = ["DimseServer", "serve_dimse"]

_MODEL_OF = {model.find: name for name, model in QUERY_MODELS.items()} | {
    uid: name for name, model in QUERY_MODELS.items() for uid in (model.move, model.get)
}
_POLL_S = 0.05
_COLLECT_S = 30.0
_IDLE_S = 60.0
_MOST_ASSOCIATIONS = 200
_UNABLE_TO_PROCESS = 0xC000
_MISMATCH = 0xA900
_RETRIEVALS = frozenset(uid for model in QUERY_MODELS.values() for uid in (model.move, model.get))
"""What pynetdicom serves."""


class DimseServer:
    """A running listener."""

    def __init__(self, server: _Server, thread: threading.Thread, ae_title: str) -> None:
        self.host: str = server.server_address[0]
        self.port: int = server.server_address[1]
        self.ae_title = ae_title
        self._server = server
        self._thread = thread

    def stop(self) -> None:
        """Close the listener, abort what is going on. The port is free on return. Idempotent."""
        if not self._thread.is_alive():
            return
        self._server.shutdown()
        self._server.shut_all()
        for association in self._server.active_associations:
            if association.is_established:
                association.abort()
            else:
                # Before its association request, pynetdicom's state machine knows no A-ABORT.
                with contextlib.suppress(OSError, AttributeError):
                    association.dul.socket.socket.shutdown(socket.SHUT_RDWR)
        self._thread.join(timeout=5)

    def wait_idle(self, seconds: float) -> bool:
        """Whether no association is going on any more, within that time."""
        return self._server.wait_idle(seconds)


def serve_dimse(
    handlers: Handlers,
    *,
    ae_title: str,
    actor: str,
    observe: Observe,
    label: Label | None = None,
    host: str = "127.0.0.1",
    port: int = 0,
    storage: Mapping[str, Sequence[str]] | None = None,
    calling_ae_titles: Collection[str] | None = None,
    check_called_ae: bool = False,
    relational: bool = False,
    peer_names: Mapping[str, str] | None = None,
    negotiate: Negotiate | None = None,
    association_timeout: float = 10.0,
    timeout: float = 15.0,
) -> DimseServer:
    """Listen for associations and serve them, each in its thread, until `stop()`.

    `storage` maps the SOP classes to receive to the transfer syntaxes accepted for each.
    `calling_ae_titles` rejects other callers, `check_called_ae` those who call another name.
    `relational` answers Yes to a relational-queries negotiation (PS3.4 C.5.1.1). `peer_names`
    gives journal names to AE titles. `negotiate` says, for each association, which of the storage
    syntaxes proposed are accepted and in which order they are preferred. `timeout` bounds each
    wait of a sub-operation, in seconds; an association idle for longer than 60 s more is aborted,
    and one that stops in the middle of a PDU closed (`wire.dimse.bounds`).

    Raises:
        OSError: the address cannot be bound.
    """
    entity = AE(ae_title=ae_title)
    entity.implementation_class_uid = IMPLEMENTATION_CLASS_UID
    entity.implementation_version_name = IMPLEMENTATION_VERSION_NAME
    entity.maximum_pdu_size = MAXIMUM_PDU
    entity.maximum_associations = _MOST_ASSOCIATIONS
    entity.acse_timeout = association_timeout
    entity.dimse_timeout = timeout
    entity.network_timeout = timeout + _IDLE_S
    entity.require_called_aet = check_called_ae
    if calling_ae_titles is not None:
        entity.require_calling_aet = sorted(calling_ae_titles)
    provider = Provider(
        handlers=handlers,
        ae_title=ae_title,
        actor=actor,
        observe=observe,
        label=label,
        storage=storage or {},
        calling_ae_titles=calling_ae_titles,
        check_called_ae=check_called_ae,
        peer_names=dict(peer_names or {}),
        negotiate=negotiate,
        idle=entity.network_timeout,
        crowded=lambda: server.count > entity.maximum_associations,
    )
    listener = _Listener(provider, timeout)
    bindings: list[tuple[Any, Any]] = [
        (evt.EVT_CONN_OPEN, listener.opened),
        (evt.EVT_REJECTED, listener.rejected),
        (evt.EVT_C_ECHO, listener.echo),
        (evt.EVT_C_FIND, listener.find),
        (evt.EVT_C_STORE, listener.store),
    ]
    if relational:
        bindings.append((evt.EVT_SOP_EXTENDED, _accept_relational))
    server = entity.make_server(
        (host, port),
        contexts=_contexts(handlers, storage or {}),
        evt_handlers=bindings,
        server_class=_Server,
    )
    server.contexts = _Supported(server.contexts)
    server.open_to(provider, listener.begun, association_timeout)
    # pynetdicom collects garbage every 59 polls: 30 s at its own pace, 3 s at ours, 0.1 s each.
    server._gc[1] = round(_COLLECT_S / _POLL_S)
    entity._servers.append(server)
    thread = threading.Thread(
        target=server.serve_forever, args=(_POLL_S,), name=f"dimse-{actor}", daemon=True
    )
    thread.start()
    return DimseServer(server, thread, ae_title)


def _contexts(handlers: Handlers, storage: Mapping[str, Sequence[str]]) -> list[Any]:
    query = list(UNCOMPRESSED_LITTLE_ENDIAN)
    contexts = [build_context(VERIFICATION, query)]
    for model in QUERY_MODELS.values():
        if handlers.find is not None:
            contexts.append(build_context(model.find, query))
        if handlers.move is not None:
            contexts.append(build_context(model.move, query))
        if handlers.get is not None:
            contexts.append(build_context(model.get, query))
    if handlers.store is not None:
        contexts.extend(
            _stored_here(name, syntaxes, sent=handlers.get is not None)
            for name, syntaxes in storage.items()
        )
    return contexts


class _Server(ThreadedAssociationServer):  # type: ignore[misc]
    """A listener that serves itself what is ours, and hands pynetdicom the rest.

    It lets more than five callers queue, whom the kernel would make wait 1 s.
    """

    request_queue_size = 128
    daemon_threads = True
    block_on_close = False

    def open_to(
        self, provider: Provider, begun: dict[Any, bytes], association_timeout: float
    ) -> None:
        """Before it serves: how, and where pynetdicom's side finds what was read of a connection.

        `association_timeout`: seconds for a connection to become an association.
        """
        self._provider = provider
        self._begun = begun
        self._association_timeout = association_timeout
        self._open: set[socket.socket] = set()
        self._stopped = False
        self._change = threading.Condition()

    @property
    def count(self) -> int:
        """How many connections there are, whoever serves them."""
        with self._change:
            return len(self._open) + len(self.active_associations)

    def finish_request(self, request: Any, client_address: Any) -> None:
        """One connection, in a thread of its own."""
        with self._change:
            self._open.add(request)
            if self._stopped:
                request.close()
        try:
            self._serve(tuned(request), client_address)
        finally:
            with self._change:
                self._open.discard(request)
                self._change.notify_all()

    def _serve(self, connection: socket.socket, address: Any) -> None:
        try:
            first = first_pdu(connection, self._association_timeout)
        except OSError:
            connection.close()
            return
        request = requested(first)
        if request is None or not ours(request, _RETRIEVALS):
            self._begun[address] = first
            with self._change:
                # From here on it is counted among pynetdicom's.
                self._open.discard(connection)
            super().finish_request(connection, address)
            return
        association = Association(Role.ACCEPTOR)
        association.feed(first)
        association.next_event()
        line = Line(connection, association, patience=self._provider.idle)
        Served(self._provider, request, line, address[:2]).run()
        line.close()

    def shut_all(self) -> None:
        """End the associations that are ours, and connections that are none yet."""
        with self._change:
            self._stopped = True
            for connection in self._open:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def wait_idle(self, seconds: float) -> bool:
        """Whether nothing is going on any more, within that time."""
        end = time.monotonic() + seconds
        with self._change:
            if not self._change.wait_for(lambda: not self._open, timeout=seconds):
                return False
        for thread in self.active_associations:
            thread.join(max(0.0, end - time.monotonic()))
        return not self.active_associations


class _Supported(list[Any]):
    """What a listener supports, the same for all its associations, which only read it.

    pynetdicom copies it for each, to the last transfer syntax: a third of the time that a
    storage listener takes to open an association.
    """

    def __deepcopy__(self, memo: dict[int, Any]) -> list[Any]:
        return list(self)


def _stored_here(name: str, syntaxes: Sequence[str], *, sent: bool) -> Any:
    """A storage context; with `sent`, also in the other role when a caller of C-GET takes ours."""
    context = build_context(name, list(syntaxes))
    if sent:
        context.scu_role = context.scp_role = True
    return context


def _accept_relational(event: Any) -> dict[Any, bytes]:
    """Echo the first byte (relational queries) of what the requestor asks, refuse the rest."""
    return {
        sop_class: info[:1] for sop_class, info in event.app_info.items() if sop_class in _MODEL_OF
    }


class _Listener:
    """pynetdicom's events on one side, handlers on the other."""

    def __init__(self, provider: Provider, timeout: float) -> None:
        self._provider = provider
        self._handlers = provider.handlers
        self._actor = provider.actor
        self._observe = provider.observe
        self._label = provider.label
        self._timeout = timeout
        self.begun: dict[Any, bytes] = {}
        """What was read of a connection, by the address of who opened it."""

    def opened(self, event: Any) -> None:
        association = event.assoc
        adopt(association)
        unread(association, self.begun.pop(event.address, b""))
        association.wire_connection = new_connection_id()
        if self._handlers.move is not None or self._handlers.get is not None:
            self._serve_retrievals(association)

        def requested(event: Any) -> None:
            # Only now is the caller's name known.
            association.wire_recorder = self._recorder(association)
            if self._observe is not ignore:
                association.wire_recorder.bind(association)
            if association.requestor.maximum_length is None:
                # Nothing could be answered: how long a fragment may be is not known.
                self._refuse(association, WITHOUT_MAXIMUM_LENGTH)
            elif self._provider.crowded():
                self._refuse(association, CROWDED)
            elif self._handlers.admit is not None:
                self._admit(association, self._handlers.admit)
            refused = association.is_rejected or association.is_aborted
            if self._provider.negotiate is not None and not refused:
                self._choose(association, self._provider.negotiate)

        association.bind(evt.EVT_REQUESTED, requested)

    def _admit(self, association: Any, admit: Callable[[AssociationInfo], None]) -> None:
        """Refuse or abort what the handler does not admit; pynetdicom then negotiates no more."""
        association.wire_link = None

        def impaired(link: Link) -> None:
            association.wire_link = link
            impair(association, link)

        title = str(association.requestor.primitive.calling_ae_title).strip()
        try:
            admit(_info(association, calling=title, impaired=impaired))
        except AssociationRefusal as refusal:
            self._refuse(association, refusal)
        except AbortAssociation:
            association.abort()
            association.kill()

    def _refuse(self, association: Any, refusal: AssociationRefusal) -> None:
        association.acse.send_reject(refusal.result, refusal.source, refusal.reason)
        evt.trigger(association, evt.EVT_REJECTED, {})
        association.kill()

    def _choose(self, association: Any, negotiate: Negotiate) -> None:
        """Support, for this association alone, what is preferred among what it proposes.

        pynetdicom accepts the first syntax of the acceptor's that the requestor proposes.
        """
        primitive = association.requestor.primitive
        proposed: dict[str, dict[str, None]] = {}
        for context in primitive.presentation_context_definition_list:
            name = str(context.abstract_syntax)
            known = self._provider.storage.get(name, ())
            syntaxes = proposed.setdefault(name, {}) if known else {}
            syntaxes.update(dict.fromkeys(one for one in context.transfer_syntax if one in known))
        calling = str(primitive.calling_ae_title).strip()
        chosen = negotiate(
            calling, {name: tuple(map(str, all_)) for name, all_ in proposed.items()}
        )
        if chosen is None:
            return
        sent = self._handlers.get is not None
        association.acceptor.supported_contexts = [
            context
            for context in association.acceptor.supported_contexts
            if str(context.abstract_syntax) not in proposed
        ] + [
            _stored_here(name, syntaxes, sent=sent) for name, syntaxes in chosen.items() if syntaxes
        ]

    def rejected(self, event: Any) -> None:
        reason = "association refusée"
        answer = event.assoc.acceptor.primitive
        if answer is not None:
            reason += f" : {answer.reason_str}"
        event.assoc.wire_recorder.association_failed(Outcome.REFUSED, reason)

    def echo(self, event: Any) -> Any:
        if self._handlers.echo is None:
            return 0x0000
        try:
            return self._handlers.echo(_info(event.assoc))
        except DimseRefusal as refusal:
            return _status(refusal)
        except AbortAssociation:
            event.assoc.abort()
            return _UNABLE_TO_PROCESS

    def find(self, event: Any) -> Iterator[tuple[Any, Any]]:
        handler = self._handlers.find
        if handler is None:
            yield _UNABLE_TO_PROCESS, None
            return
        try:
            identifier = event.identifier
        except Exception:
            # pynetdicom raises whatever its decoder met: the identifier is not one.
            yield _status(DimseRefusal(_MISMATCH, "identifiant illisible")), None
            return
        context = event.context
        request = FindRequest(
            identifier=identifier,
            raw=event.request.Identifier.getvalue(),
            transfer_syntax=str(context.transfer_syntax),
            model=_MODEL_OF[str(context.abstract_syntax)],
            message_id=event.message_id,
            association=_info(event.assoc),
            cancelled=lambda: event.is_cancelled,
        )
        try:
            for match in handler(request):
                if event.is_cancelled:
                    yield 0xFE00, None
                    return
                yield 0xFF00, match
        except DimseRefusal as refusal:
            yield _status(refusal), None
        except AbortAssociation:
            event.assoc.abort()

    def store(self, event: Any) -> Any:
        handler = self._handlers.store
        if handler is None:
            return _UNABLE_TO_PROCESS
        request = event.request
        originator_id = request.MoveOriginatorMessageID
        try:
            return handler(
                StoreRequest(
                    dataset=request.DataSet.getvalue() if request.DataSet is not None else b"",
                    transfer_syntax=str(event.context.transfer_syntax),
                    sop_class=str(request.AffectedSOPClassUID),
                    sop_instance=str(request.AffectedSOPInstanceUID),
                    message_id=int(request.MessageID),
                    move_originator_ae=str(
                        request.MoveOriginatorApplicationEntityTitle or ""
                    ).strip(),
                    move_originator_message_id=(
                        None if originator_id is None else int(originator_id)
                    ),
                    association=_info(event.assoc),
                )
            )
        except DimseRefusal as refusal:
            return _status(refusal)
        except AbortAssociation:
            event.assoc.abort()
            return _UNABLE_TO_PROCESS

    def _serve_retrievals(self, association: Any) -> None:
        """Take C-MOVE and C-GET requests before pynetdicom's own providers do.

        They re-encode each data set, and name themselves as the move's originator, where PS3.7
        9.1.1.1.7 asks for the AE that invoked the C-MOVE.
        """
        serve = association._serve_request
        move, get = self._handlers.move, self._handlers.get

        def serve_request(message: Any, context_id: int) -> None:
            context = association._accepted_cx.get(context_id)
            ours = (isinstance(message, C_MOVE) and move) or (isinstance(message, C_GET) and get)
            if not (ours and message.is_valid_request and context):
                serve(message, context_id)
                return
            association._is_paused = True

            def request_of(identifier: Any) -> MoveRequest:
                return MoveRequest(
                    identifier=identifier,
                    raw=message.Identifier.getvalue() if message.Identifier else b"",
                    transfer_syntax=str(context.transfer_syntax[0]),
                    model=_MODEL_OF.get(str(context.abstract_syntax), ""),
                    destination=str(getattr(message, "MoveDestination", "")).strip(),
                    message_id=int(message.MessageID),
                    association=_info(association),
                )

            if isinstance(message, C_GET):
                assert get is not None
                provide_get(
                    association,
                    message,
                    context,
                    lambda identifier: get(request_of(identifier)),
                    session=store_upon(association, association.wire_recorder, self._timeout),
                )
            else:
                assert move is not None
                provide_move(
                    association,
                    message,
                    context,
                    lambda identifier: move(request_of(identifier)),
                    actor=self._actor,
                    observe=self._observe,
                    label=self._label,
                    timeout=self._timeout,
                )
            # Not before: a C-CANCEL may be there as soon as its request.
            association.dimse.cancel_req = {}
            association._is_paused = False

        association._serve_request = serve_request

    def _recorder(self, association: Any) -> Recorder:
        title = str(association.requestor.primitive.calling_ae_title).strip()
        return Recorder(
            Live(association),
            actor=self._actor,
            observe=self._observe,
            label=self._label,
            direction=Direction.IN,
            peer=self._provider.peer_names.get(title, title),
            connection=association.wire_connection,
        )


def _info(
    association: Any, *, calling: str = "", impaired: Callable[[Link], None] | None = None
) -> AssociationInfo:
    """Who asks now. What the answer to the request before suffered is over."""
    if impaired is None:
        link = getattr(association, "wire_link", None)
        if link is None:
            heal(association)
        else:
            impair(association, link)
    requestor = association.requestor
    return AssociationInfo(
        calling_ae=calling or str(requestor.ae_title).strip(),
        called_ae=str(requestor.primitive.called_ae_title).strip(),
        address=str(requestor.address),
        port=int(requestor.port),
        connection=association.wire_connection,
        impair=impaired or (lambda link: impair(association, link)),
    )


def _status(refusal: DimseRefusal) -> Any:
    status = Dataset()
    status.Status = refusal.status
    if refusal.comment:
        # LO of at most 64 characters, in the default repertoire: a command set has no other.
        status.ErrorComment = refusal.comment.encode("ascii", "replace").decode()[:64]
    return status
