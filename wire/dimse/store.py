"""Storing instances one after the other, on an association of our own or on one of pynetdicom's."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Protocol

from protocols.dicom import explicit_from_implicit, implicit_from_explicit
from protocols.dimse import (
    WITH_DATA_SET,
    Abort,
    AssociateAccept,
    AssociateReject,
    AssociateRequest,
    Association,
    Command,
    CommandReceived,
    Operation,
    ProposedContext,
    Role,
)
from protocols.errors import RemoteProtocolError
from spec.dicom import (
    EXPLICIT_VR_LITTLE_ENDIAN,
    IMPLICIT_VR_LITTLE_ENDIAN,
    UNCOMPRESSED_LITTLE_ENDIAN,
)
from wire.dimse.line import Line, LineClosedError, tuned
from wire.dimse.messages import DimseFailure, DimsePeer, Outgoing
from wire.dimse.record import Recorder
from wire.exchange import Outcome
from wire.impairment import Link

__all__ = ["Carrier", "Spoken", "StoreSession", "stored_by_ours"]

_TRANSACTION = "C-STORE"
_LEAVING_S = 60.0
"""How much longer than a response a peer may leave what we send unread."""


class Carrier(Protocol):
    """An association with room for one C-STORE at a time."""

    recorder: Recorder
    contexts: Mapping[tuple[str, str], int]
    """`(SOP class, transfer syntax)` accepted to the id of its context."""

    def impair(self, link: Link) -> None:
        """Let what is sent leave through that link."""

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
        """The status of the response; raises `DimseFailure` when there was none."""


class StoreSession:
    """An association on which instances are stored one after the other."""

    def __init__(self, carrier: Carrier) -> None:
        self._carrier = carrier
        self._next_id = 1

    def impair(self, link: Link) -> None:
        """Let what is sent leave through that link."""
        self._carrier.impair(link)

    def accepts(self, sop_class: str, transfer_syntax: str) -> bool:
        """Whether the peer accepted that pair as it is."""
        return (sop_class, transfer_syntax) in self._carrier.contexts

    def can_send(self, sop_class: str, transfer_syntax: str) -> bool:
        """Whether `send` would find a context: that syntax, or the other uncompressed VR form."""
        if transfer_syntax not in UNCOMPRESSED_LITTLE_ENDIAN:
            return self.accepts(sop_class, transfer_syntax)
        return any(self.accepts(sop_class, one) for one in UNCOMPRESSED_LITTLE_ENDIAN)

    def send_one(
        self, outgoing: Outgoing, *, message_id: int, originator: tuple[str, int] | None = None
    ) -> int:
        """C-STORE of an instance in the first of its syntaxes that the peer accepted: the status.

        Raises:
            DimseFailure: as `send`.
        """
        syntax, data = outgoing.transfer_syntax, outgoing.dataset
        if not self.can_send(outgoing.sop_class, syntax):
            for other, made in outgoing.also.items():
                if self.can_send(outgoing.sop_class, other):
                    syntax, data = other, made
                    break
        return self.send(
            data(),
            sop_class=outgoing.sop_class,
            sop_instance=outgoing.sop_instance,
            transfer_syntax=syntax,
            message_id=message_id,
            originator=originator,
        )

    def send(
        self,
        dataset: bytes,
        *,
        sop_class: str,
        sop_instance: str,
        transfer_syntax: str,
        message_id: int | None = None,
        originator: tuple[str, int] | None = None,
    ) -> int:
        """C-STORE of an encoded data set: the status of the response.

        The bytes leave unchanged when the peer accepted `transfer_syntax`. An uncompressed little
        endian data set is rewritten in the other VR form when only that was accepted.
        `originator` is `(AE title, message ID)` of the C-MOVE that this serves.

        Raises:
            DimseFailure: no presentation context, no answer.
        """
        context_id, encoded = self._choose(dataset, sop_class, transfer_syntax)
        number = self._next_id if message_id is None else message_id
        self._next_id = self._next_id % 0xFFFF + 1
        return self._carrier.store(
            encoded,
            context_id,
            sop_class=sop_class,
            sop_instance=sop_instance,
            message_id=number,
            originator=originator,
        )

    def _choose(self, dataset: bytes, sop_class: str, transfer_syntax: str) -> tuple[int, bytes]:
        contexts = self._carrier.contexts
        context_id = contexts.get((sop_class, transfer_syntax))
        if context_id is not None:
            return context_id, dataset
        if transfer_syntax == IMPLICIT_VR_LITTLE_ENDIAN:
            context_id = contexts.get((sop_class, EXPLICIT_VR_LITTLE_ENDIAN))
            if context_id is not None:
                return context_id, explicit_from_implicit(dataset)
        elif transfer_syntax == EXPLICIT_VR_LITTLE_ENDIAN:
            context_id = contexts.get((sop_class, IMPLICIT_VR_LITTLE_ENDIAN))
            if context_id is not None:
                return context_id, implicit_from_explicit(dataset)
        reason = f"aucun contexte accepté pour {sop_class} en {transfer_syntax}"
        self._carrier.recorder.association_failed(Outcome.REFUSED, reason, transaction=_TRANSACTION)
        raise DimseFailure("refused", reason)


class Spoken:
    """The association that we ask for, as a recorder wants to know it."""

    def __init__(self, calling_ae: str, called_ae: str, association: Association) -> None:
        self.calling_ae = calling_ae
        self.called_ae = called_ae
        self.address = ""
        self._association = association

    def transfer_syntax(self, context_id: int) -> str:
        """Of an accepted context."""
        context = self._association.contexts.get(context_id)
        return "" if context is None else context.transfer_syntax


@contextmanager
def stored_by_ours(
    peer: DimsePeer,
    proposed: Iterable[tuple[str, Sequence[str]]],
    *,
    calling_ae: str,
    timeout: float,
    connect_timeout: float,
    recorder_of: Callable[[Spoken], Recorder],
    recorded: bool,
) -> Iterator[StoreSession]:
    """An association of our own with that peer, released in the end.

    Raises:
        DimseFailure: no association, after that was observed.
    """
    request = AssociateRequest(
        calling_ae=calling_ae,
        called_ae=peer.ae_title,
        contexts=tuple(
            ProposedContext(2 * rank + 1, name, tuple(syntaxes))
            for rank, (name, syntaxes) in enumerate(proposed)
        ),
        maximum_length=(association := Association(Role.REQUESTOR)).maximum_length,
    )
    spoken = Spoken(calling_ae, peer.ae_title, association)
    recorder = recorder_of(spoken)

    def failed(kind: str, reason: str) -> DimseFailure:
        outcome = {"refused": Outcome.REFUSED, "timeout": Outcome.TIMED_OUT}.get(
            kind, Outcome.ABORTED
        )
        recorder.association_failed(outcome, reason, transaction=_TRANSACTION)
        return DimseFailure(kind, reason)  # type: ignore[arg-type]

    try:
        connection = socket.create_connection((peer.host, peer.port), timeout=connect_timeout)
    except TimeoutError:
        raise failed("timeout", "pas de réponse à la demande d'association") from None
    except OSError:
        raise failed("refused", "connexion refusée") from None
    line = Line(tuned(connection), association, patience=timeout + _LEAVING_S)
    try:
        refused = _associate(line, request, connect_timeout)
        if refused is not None:
            raise failed(*refused)
        carrier = _OwnCarrier(line, recorder, timeout, recorded=recorded)
        try:
            yield StoreSession(carrier)
        finally:
            carrier.end(connect_timeout)
    finally:
        line.close()


def _associate(line: Line, request: AssociateRequest, seconds: float) -> tuple[str, str] | None:
    """Ask for the association; kind and reason when it is not established."""
    association = line.association
    try:
        line.send([association.send(request)])
        answer = line.receive(seconds)
    except TimeoutError:
        line.abort()
        return "timeout", "pas de réponse à la demande d'association"
    except LineClosedError:
        return "aborted", "association interrompue par le pair"
    except RemoteProtocolError as error:
        line.abort(unreadable=True)
        return "aborted", f"réponse illisible à la demande d'association : {error}"
    if isinstance(answer, AssociateReject):
        return "refused", f"association refusée : {answer.words}"
    if not isinstance(answer, AssociateAccept):
        return "aborted", "association interrompue par le pair"
    if not association.contexts:
        line.release(seconds)
        return "refused", "aucun contexte de présentation accepté"
    return None


class _OwnCarrier:
    """`Carrier` on a line of ours."""

    def __init__(self, line: Line, recorder: Recorder, timeout: float, *, recorded: bool) -> None:
        self.recorder = recorder
        self.contexts: Mapping[tuple[str, str], int] = {
            (one.abstract_syntax, one.transfer_syntax): one.id
            for one in line.association.contexts.values()
        }
        self._line = line
        self._timeout = timeout
        self._recorded = recorded
        self._over = False

    def impair(self, link: Link) -> None:
        """Let what is sent leave through that link."""
        self._line.impair(link)

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
        if self._over:
            reason = "association déjà interrompue"
            self.recorder.association_failed(Outcome.ABORTED, reason, transaction=_TRANSACTION)
            raise DimseFailure("aborted", reason)
        values: dict[str, int | str] = {
            "AffectedSOPClassUID": sop_class,
            "CommandField": Operation.C_STORE,
            "MessageID": message_id,
            "Priority": 0x0002,
            "CommandDataSetType": WITH_DATA_SET,
            "AffectedSOPInstanceUID": sop_instance,
        }
        if originator is not None:
            values["MoveOriginatorApplicationEntityTitle"] = originator[0]
            values["MoveOriginatorMessageID"] = originator[1]
        request = Command(values)
        if self._recorded:
            self.recorder.message(request, dataset, context_id, sent=True)
        line = self._line
        try:
            line.send(line.association.message(context_id, request, dataset))
            answered = line.receive(self._timeout)
            if isinstance(answered, CommandReceived):
                return self._status(answered, message_id)
        except TimeoutError:
            self._ended(Outcome.TIMED_OUT, "pas de réponse à temps")
            line.abort()
            raise DimseFailure("timeout", f"pas de réponse en {self._timeout:g} s") from None
        except LineClosedError:
            self._ended(Outcome.ABORTED, "connexion fermée")
        except RemoteProtocolError as error:
            self._ended(Outcome.ABORTED, f"réponse illisible : {error}")
            line.abort(unreadable=True)
        else:
            told = "A-ABORT reçu" if isinstance(answered, Abort) else "réponse inattendue"
            self._ended(Outcome.ABORTED, told)
            line.abort()
        raise DimseFailure("aborted", "association interrompue par le pair")

    def _status(self, answered: CommandReceived, message_id: int) -> int:
        command = answered.command
        if command.field != Operation.C_STORE | Operation.RESPONSE:
            raise RemoteProtocolError(f"opération {command.field:04X} en réponse à un C-STORE")
        if command.number("MessageIDBeingRespondedTo") != message_id:
            # An answer to another request acknowledges nothing of this one.
            raise RemoteProtocolError("réponse à un autre message", where="MessageID")
        status = command.number("Status")
        if self._recorded:
            self.recorder.message(command, b"", answered.context_id, sent=False)
        return status

    def _ended(self, outcome: Outcome, reason: str) -> None:
        self._over = True
        self.recorder.close(outcome, reason)

    def end(self, seconds: float) -> None:
        """Release the association, unless it is over."""
        if not self._over:
            self._over = True
            self._line.release(seconds)
