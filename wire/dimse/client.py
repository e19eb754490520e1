"""The user's side of DIMSE: echo, find, move and store, synchronous, each one observed."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from io import BytesIO
from typing import Any

from pynetdicom import AE, build_context, build_role, evt
from pynetdicom.dimse_primitives import C_STORE
from pynetdicom.pdu_primitives import A_ASSOCIATE

from protocols.dicom import split_part10
from protocols.errors import LocalProtocolError
from spec.dicom import (
    IMPLEMENTATION_CLASS_UID,
    IMPLEMENTATION_VERSION_NAME,
    QUERY_MODELS,
    UNCOMPRESSED_LITTLE_ENDIAN,
    VERIFICATION,
)
from wire.dimse.messages import (
    PENDING,
    AssociationInfo,
    Cancellation,
    DimseFailure,
    DimsePeer,
    MoveResult,
    StoreRequest,
    is_failure,
)
from wire.dimse.record import Association, Live, Recorder
from wire.dimse.store import StoreSession, stored_by_ours
from wire.dimse.tuning import MAXIMUM_PDU, adopt, impair
from wire.exchange import Direction, Label, Observe, Outcome, Reach, ignore
from wire.impairment import Link
from wire.listening import authority

__all__ = ["DimseClient", "store_upon"]

_MAX_CONTEXTS = 128
_PENDING = (PENDING, 0xFF01)
_CANCEL_GRACE_S = 2.0
_REJECTED = (0x01, 0x02)
"""Results of an A-ASSOCIATE answer: refused for good, refused for now (PS3.8 9.3.4)."""


class DimseClient:
    """An application entity that calls others. Each call opens an association of its own.

    `timeout` is how long one response may take, `connect_timeout` the connection and the
    association, in seconds. Every method blocks: call it from a thread of its own. Every failure
    raises `DimseFailure` after it was observed.
    """

    def __init__(
        self,
        ae_title: str,
        *,
        actor: str,
        observe: Observe,
        label: Label | None = None,
        timeout: float = 15.0,
        connect_timeout: float = 5.0,
    ) -> None:
        if not 0 < len(ae_title.strip()) <= 16:
            raise LocalProtocolError(f"AE title illégal : {ae_title!r}")
        self.ae_title = ae_title
        self._actor = actor
        self._observe = observe
        self._label = label
        self._timeout = timeout
        self._connect_timeout = connect_timeout

    def echo(self, peer: DimsePeer) -> None:
        """C-ECHO.

        Raises:
            DimseFailure: no association, no answer, or a failure status.
        """
        contexts = [(VERIFICATION, UNCOMPRESSED_LITTLE_ENDIAN)]
        with self._associated(peer, contexts, "C-ECHO") as association:
            status = association.association.send_c_echo()
            association.check(status)

    def find(
        self, peer: DimsePeer, identifier: Any, *, model: str = "STUDY", message_id: int = 1
    ) -> list[Any]:
        """C-FIND: the identifiers that match, in the order received.

        `model` is `STUDY` or `PATIENT`.

        Raises:
            DimseFailure: also when a failure status follows partial results.
        """
        sop_class = QUERY_MODELS[model].find
        contexts = [(sop_class, UNCOMPRESSED_LITTLE_ENDIAN)]
        matches: list[Any] = []
        with self._associated(peer, contexts, "C-FIND") as association:
            responses = association.association.send_c_find(
                identifier, sop_class, msg_id=message_id
            )
            for status, match in responses:
                if association.check(status) in _PENDING and match is not None:
                    matches.append(match)
        return matches

    def move(
        self,
        peer: DimsePeer,
        identifier: Any,
        *,
        destination: str,
        model: str = "STUDY",
        message_id: int = 1,
        progress: Callable[[MoveResult], None] | None = None,
        cancellation: Cancellation | None = None,
    ) -> MoveResult:
        """C-MOVE to the AE title `destination`; returns once the provider gives a final status.

        The sub-operations carry `message_id` as Move Originator Message ID: choose one per
        concurrent move. `progress` is called with each pending response. A warning (0xB000: some
        sub-operations failed) is a result, not a failure. `cancellation` sends C-CANCEL; a provider
        that has not ended 2 s later is left by A-ABORT.

        Raises:
            DimseFailure: with `result` when the provider gave counters; cancelled, its status is
                0xFE00, or it is aborted.
        """
        sop_class = QUERY_MODELS[model].move
        contexts = [(sop_class, UNCOMPRESSED_LITTLE_ENDIAN)]
        with self._associated(peer, contexts, "C-MOVE") as association:
            responses = association.association.send_c_move(
                identifier, destination, sop_class, msg_id=message_id
            )
            ending = _Ending(association.association, sop_class, message_id, cancellation)
            return association.retrieved(responses, ending, progress)

    def get(
        self,
        peer: DimsePeer,
        identifier: Any,
        *,
        storage: Mapping[str, Sequence[str]],
        store: Callable[[StoreRequest], int],
        model: str = "STUDY",
        message_id: int = 1,
        cancellation: Cancellation | None = None,
    ) -> MoveResult:
        """C-GET: what matches comes back on the same association, each instance to `store`.

        `storage` maps the SOP classes to expect to the transfer syntaxes wanted for each, every
        one proposed in a context of its own, in that order. `store` returns a status; it runs in
        the calling thread and the provider waits for it.

        Raises:
            DimseFailure: as `move`.
            LocalProtocolError: more pairs than an association can propose (127).
        """
        sop_class = QUERY_MODELS[model].get
        pairs = [(name, (syntax,)) for name, all_ in storage.items() for syntax in all_]
        if len(pairs) >= _MAX_CONTEXTS:
            raise LocalProtocolError(f"{len(pairs)} contextes de présentation à proposer")
        contexts = [(sop_class, UNCOMPRESSED_LITTLE_ENDIAN), *pairs]
        with self._associated(peer, contexts, "C-GET", storing=(storage, store)) as association:
            responses = association.association.send_c_get(identifier, sop_class, msg_id=message_id)
            ending = _Ending(association.association, sop_class, message_id, cancellation)
            return association.retrieved(responses, ending)

    def store(self, peer: DimsePeer, files: Sequence[bytes]) -> list[int]:
        """C-STORE of Part 10 files over one association: the status of each.

        Raises:
            DimseFailure: no association, no presentation context for one, no answer. A failure
                status is returned, not raised.
            DicomSyntaxError: one of `files` is no Part 10 file.
        """
        parts = [split_part10(data) for data in files]
        contexts = dict.fromkeys((part.sop_class, part.transfer_syntax) for part in parts)
        with self.open_store(peer, list(contexts)) as session:
            return [
                session.send(
                    part.dataset,
                    sop_class=part.sop_class,
                    sop_instance=part.sop_instance,
                    transfer_syntax=part.transfer_syntax,
                )
                for part in parts
            ]

    @contextmanager
    def open_store(
        self,
        peer: DimsePeer,
        contexts: Iterable[tuple[str, str]],
        *,
        also: Iterable[tuple[str, str]] = (),
    ) -> Iterator[StoreSession]:
        """An association to store instances of these `(SOP class, transfer syntax)` pairs.

        Each pair is proposed in a presentation context of its own, so that the peer cannot choose
        another syntax; uncompressed little endian ones are also proposed in the other VR form.
        Those of `also` are proposed as long as there is room.

        Raises:
            DimseFailure: no association.
            LocalProtocolError: more pairs than an association can propose (128).
        """
        proposed = _in_each_form(contexts)
        if len(proposed) > _MAX_CONTEXTS:
            raise LocalProtocolError(f"{len(proposed)} contextes de présentation à proposer")
        for pair in also:
            more = proposed | _in_each_form([pair])
            if len(more) <= _MAX_CONTEXTS:
                proposed = more
        pairs = [(sop_class, (syntax,)) for sop_class, syntax in proposed]
        with stored_by_ours(
            peer,
            pairs,
            calling_ae=self.ae_title,
            timeout=self._timeout,
            connect_timeout=self._connect_timeout,
            recorder_of=lambda association: self._recorder(association, peer),
            recorded=self._observe is not ignore,
        ) as session:
            yield session

    @contextmanager
    def _associated(
        self,
        peer: DimsePeer,
        contexts: Iterable[tuple[str, Sequence[str]]],
        operation: str,
        *,
        storing: tuple[Iterable[str], Callable[[StoreRequest], int]] | None = None,
    ) -> Iterator[_Associated]:
        """An association; with `storing` also a receiver of those SOP classes."""
        entity = AE(ae_title=self.ae_title)
        entity.implementation_class_uid = IMPLEMENTATION_CLASS_UID
        entity.implementation_version_name = IMPLEMENTATION_VERSION_NAME
        entity.acse_timeout = self._connect_timeout
        entity.connection_timeout = self._connect_timeout
        entity.dimse_timeout = self._timeout
        entity.network_timeout = self._timeout + 60
        recorders: list[Recorder] = []
        connected = threading.Event()

        def opened(event: Any) -> None:
            connected.set()
            adopt(event.assoc)
            if self._observe is not ignore:
                recorder = self._recorder(Live(event.assoc), peer)
                recorder.bind(event.assoc)
                recorders.append(recorder)

        handlers: list[tuple[Any, Any]] = [(evt.EVT_CONN_OPEN, opened)]
        roles = []
        if storing is not None:
            classes, store = storing
            roles = [build_role(name, scp_role=True) for name in classes]
            handlers.append((evt.EVT_C_STORE, lambda event: store(_received(event, peer))))
        started = time.monotonic()
        association = entity.associate(
            peer.host,
            peer.port,
            contexts=[build_context(name, list(syntaxes)) for name, syntaxes in contexts],
            ae_title=peer.ae_title,
            max_pdu=MAXIMUM_PDU,
            ext_neg=roles,
            evt_handlers=handlers,
        )
        recorder = recorders[0] if recorders else self._recorder(Live(association), peer)
        if not association.is_established:
            late = time.monotonic() - started >= self._connect_timeout
            kind, reason = _why_not(association, connected=connected.is_set(), late=late)
            outcome = {
                "refused": Outcome.REFUSED, "timeout": Outcome.TIMED_OUT,
            }.get(kind, Outcome.ABORTED)  # fmt: skip
            recorder.association_failed(outcome, reason, transaction=operation)
            raise DimseFailure(kind, reason)  # type: ignore[arg-type]
        try:
            yield _Associated(association, recorder, self._timeout)
        finally:
            if association.is_established:
                association.release()
            association.join(timeout=self._connect_timeout)

    def _recorder(self, association: Association, peer: DimsePeer) -> Recorder:
        return Recorder(
            association,
            actor=self._actor,
            observe=self._observe,
            label=self._label,
            direction=Direction.OUT,
            peer=peer.name or peer.ae_title,
            reach=Reach(address=authority(peer.host, peer.port)),
        )


class _Ending:
    """C-CANCEL, then A-ABORT for a provider that goes on."""

    def __init__(
        self,
        association: Any,
        sop_class: str,
        message_id: int,
        cancellation: Cancellation | None,
    ) -> None:
        self._association = association
        self._sop_class = sop_class
        self._message_id = message_id
        self._asked: float | None = None
        if cancellation is not None:
            cancellation.by(self.ask)

    def ask(self) -> None:
        """From any thread."""
        self._asked = time.monotonic()
        # Over already, or not begun: there is nothing to cancel then.
        with contextlib.suppress(RuntimeError, ValueError):
            self._association.send_c_cancel(self._message_id, query_model=self._sop_class)

    def check(self) -> None:
        """At each response: raises `DimseFailure` when the provider was patient for too long."""
        if self._asked is not None and time.monotonic() - self._asked > _CANCEL_GRACE_S:
            self._association.abort()
            raise DimseFailure("aborted", "annulation ignorée par le pair")


class _Associated:
    """An established association and what to make of its silences."""

    def __init__(self, association: Any, recorder: Recorder, timeout: float) -> None:
        self.association = association
        self.recorder = recorder
        self._timeout = timeout
        self._asked = time.monotonic()

    def asking(self) -> None:
        """A request leaves now."""
        self._asked = time.monotonic()

    def check_answered(self, status: Any) -> int:
        """The status of a response; raises `DimseFailure` when there was none."""
        if "Status" in status:
            self._asked = time.monotonic()
            return int(status.Status)
        # Also covers what the recorder has not closed: a no-op when it has.
        if time.monotonic() - self._asked >= self._timeout * 0.98:
            self.recorder.close(Outcome.TIMED_OUT, "pas de réponse à temps")
            raise DimseFailure("timeout", f"pas de réponse en {self._timeout:g} s")
        self.recorder.close(Outcome.ABORTED, "association interrompue")
        raise DimseFailure("aborted", "association interrompue par le pair")

    def check(self, status: Any) -> int:
        """The same, raising `DimseFailure` for a failure status too."""
        code = self.check_answered(status)
        if is_failure(code):
            raise DimseFailure("status", str(status.get("ErrorComment", "")), status=code)
        return code

    def retrieved(
        self,
        responses: Iterable[tuple[Any, Any]],
        ending: _Ending,
        progress: Callable[[MoveResult], None] | None = None,
    ) -> MoveResult:
        """What the last response to a C-MOVE or a C-GET says; `progress` hears of the others.

        Raises `DimseFailure`, with the counters given, for a failure status.
        """
        result, comment = MoveResult(status=PENDING), ""
        for status, failed in responses:
            self.check_answered(status)
            ending.check()
            result = _move_result(status, failed)
            comment = str(status.get("ErrorComment", ""))
            if result.status in _PENDING and progress is not None:
                progress(result)
        if is_failure(result.status):
            raise DimseFailure("status", comment, status=result.status, result=result)
        return result


def _in_each_form(contexts: Iterable[tuple[str, str]]) -> dict[tuple[str, str], None]:
    """These pairs, and the other VR form of those that are not compressed."""
    proposed: dict[tuple[str, str], None] = dict.fromkeys(contexts)
    for sop_class, syntax in list(proposed):
        if syntax in UNCOMPRESSED_LITTLE_ENDIAN:
            for other in UNCOMPRESSED_LITTLE_ENDIAN:
                proposed.setdefault((sop_class, other))
    return proposed


class _Borrowed:
    """`Carrier` on an association of pynetdicom's."""

    def __init__(self, associated: _Associated) -> None:
        self.recorder = associated.recorder
        self.contexts: Mapping[tuple[str, str], int] = {
            (str(context.abstract_syntax), str(context.transfer_syntax[0])): context.context_id
            for context in associated.association.accepted_contexts
            if context.as_scu
        }
        self._associated = associated

    def impair(self, link: Link) -> None:
        """Let what is sent leave through that link."""
        impair(self._associated.association, link)

    def store(
        self,
        dataset: bytes,
        context_id: int,
        *,
        sop_class: str,
        sop_instance: str,
        message_id: int,
        originator: tuple[str, int] | None,
    ) -> int:
        """C-STORE, and the status of its response."""
        association = self._associated.association
        request = C_STORE()
        request.MessageID = message_id
        request.Priority = 0x0002
        request.AffectedSOPClassUID = sop_class
        request.AffectedSOPInstanceUID = sop_instance
        if originator is not None:
            request.MoveOriginatorApplicationEntityTitle = originator[0]
            request.MoveOriginatorMessageID = originator[1]
        request.DataSet = BytesIO(dataset)
        if not association.is_established:
            reason = "association déjà interrompue"
            self.recorder.association_failed(Outcome.ABORTED, reason, transaction="C-STORE")
            raise DimseFailure("aborted", reason)
        self._associated.asking()
        # The reactor must be paused before the request leaves, as pynetdicom's own senders do.
        association._reactor_checkpoint.clear()
        try:
            while not association._is_paused:
                time.sleep(0.0001)
            association.dimse.send_msg(request, context_id)
            _, response = association.dimse.get_msg(block=True)
        finally:
            association._reactor_checkpoint.set()
        if response is None:
            association._handle_no_response()
            self._associated.check_answered({})
        return int(response.Status)


def store_upon(association: Any, recorder: Recorder, timeout: float) -> StoreSession:
    """What stores on an association that a peer has opened for a C-GET."""
    return StoreSession(_Borrowed(_Associated(association, recorder, timeout)))


def _why_not(association: Any, *, connected: bool, late: bool) -> tuple[str, str]:
    """Kind and reason of an association that was not established."""
    answer = association.acceptor.primitive
    if not association.is_rejected and connected:
        # An acceptor that refuses and closes at once may be quicker than pynetdicom, which then
        # takes the connection for one that never opened, and leaves the answer unread.
        unread = association.dul.peek_next_pdu()
        answer = unread if isinstance(unread, A_ASSOCIATE) else answer
    if answer is not None and answer.result in _REJECTED:
        return "refused", f"association refusée : {answer.reason_str}"
    if late:
        return "timeout", "pas de réponse à la demande d'association"
    if answer is not None and not association.accepted_contexts:
        return "refused", "aucun contexte de présentation accepté"
    if not connected:
        return "refused", "connexion refusée"
    return "aborted", "association interrompue par le pair"


def _received(event: Any, peer: DimsePeer) -> StoreRequest:
    """A C-STORE sub-operation of a C-GET of ours."""
    request = event.request
    return StoreRequest(
        dataset=request.DataSet.getvalue() if request.DataSet is not None else b"",
        transfer_syntax=str(event.context.transfer_syntax),
        sop_class=str(request.AffectedSOPClassUID),
        sop_instance=str(request.AffectedSOPInstanceUID),
        message_id=int(request.MessageID),
        move_originator_ae="",
        move_originator_message_id=None,
        association=AssociationInfo(
            calling_ae=str(event.assoc.requestor.ae_title).strip(),
            called_ae=peer.ae_title,
            address=peer.host,
            port=peer.port,
            connection="",
        ),
    )


def _move_result(status: Any, failed: Any) -> MoveResult:
    instances: tuple[str, ...] = ()
    if failed is not None and "FailedSOPInstanceUIDList" in failed:
        value = failed.FailedSOPInstanceUIDList
        values = [value] if isinstance(value, str) else list(value or ())
        instances = tuple(str(uid) for uid in values if uid)
    return MoveResult(
        status=int(status.Status),
        completed=int(status.get("NumberOfCompletedSuboperations", 0) or 0),
        failed=int(status.get("NumberOfFailedSuboperations", 0) or 0),
        warning=int(status.get("NumberOfWarningSuboperations", 0) or 0),
        remaining=int(status.get("NumberOfRemainingSuboperations", 0) or 0),
        failed_instances=instances,
    )
