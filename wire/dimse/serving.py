"""The provider's side of our own upper layer: one association of C-STORE and C-ECHO, in its thread.

What it does not serve (queries, retrievals, roles, identities) is told apart by `ours` before
anything is answered, and goes to pynetdicom.
"""

from __future__ import annotations

import logging
import socket
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from io import BytesIO

from protocols.dimse import (
    APPLICATION_CONTEXT,
    HEAD,
    LONGEST_PDU,
    NO_DATA_SET,
    Abort,
    AssociateAccept,
    AssociateReject,
    AssociateRequest,
    Command,
    CommandReceived,
    DataReceived,
    Operation,
    PduType,
    ReleaseReply,
    ReleaseRequest,
    UserItem,
    negotiated,
)
from protocols.errors import RemoteProtocolError
from spec.dicom import UNCOMPRESSED_LITTLE_ENDIAN, VERIFICATION
from wire.dimse.line import Line, LineClosedError
from wire.dimse.messages import (
    SUCCESS,
    AbortAssociation,
    AssociationInfo,
    AssociationRefusal,
    DimseRefusal,
    Handlers,
    StoreRequest,
)
from wire.dimse.record import Recorder
from wire.exchange import Direction, Label, Observe, Outcome, ignore, new_connection_id
from wire.impairment import Link

__all__ = ["Negotiate", "Provider", "Served", "first_pdu", "ours", "requested"]

Negotiate = Callable[[str, Mapping[str, Sequence[str]]], Mapping[str, Sequence[str]] | None]
"""From the calling AE title, and the transfer syntaxes proposed for each storage SOP class that is
supported: those to accept, best first. A class left out is refused; None for what is usual."""

_UNABLE_TO_PROCESS = 0xC000
_NOT_SUPPORTED, _UNRECOGNIZED = 0x0122, 0x0211
"""SOP class not supported, unrecognized operation (PS3.7 annex C)."""
WITHOUT_MAXIMUM_LENGTH = AssociationRefusal(1, 1, 1)
"""For good, by the user, no reason given: PS3.8 D.1 wants the sub-item in every request."""
CALLING_UNKNOWN, CALLED_UNKNOWN = AssociationRefusal(1, 1, 3), AssociationRefusal(1, 1, 7)
CROWDED = AssociationRefusal(2, 3, 2)
_LINGER_S = 2.0
_UNDERSTOOD = frozenset({UserItem.ASYNCHRONOUS_OPERATIONS})
"""Sub-items that may go unanswered: one operation at a time is then agreed (PS3.7 D.3.3.3)."""

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """What a listener is, the same for all its associations."""

    handlers: Handlers
    ae_title: str
    actor: str
    observe: Observe
    label: Label | None
    storage: Mapping[str, Sequence[str]]
    calling_ae_titles: Collection[str] | None
    check_called_ae: bool
    peer_names: Mapping[str, str]
    negotiate: Negotiate | None
    idle: float
    """Seconds that an association may say nothing."""
    crowded: Callable[[], bool] = field(default=lambda: False)
    """Whether there are more associations than may be."""

    def supported(self, request: AssociateRequest) -> dict[str, Sequence[str]]:
        """Abstract syntaxes to the transfer syntaxes accepted of that caller, best first."""
        stored = self.storage if self.handlers.store is not None else {}
        found: dict[str, Sequence[str]] = {VERIFICATION: UNCOMPRESSED_LITTLE_ENDIAN, **stored}
        if self.negotiate is None:
            return found
        proposed: dict[str, dict[str, None]] = {}
        for context in request.contexts:
            known = stored.get(context.abstract_syntax, ())
            syntaxes = proposed.setdefault(context.abstract_syntax, {}) if known else {}
            syntaxes.update(dict.fromkeys(s for s in context.transfer_syntaxes if s in known))
        chosen = self.negotiate(
            request.calling_ae, {name: tuple(all_) for name, all_ in proposed.items()}
        )
        if chosen is None:
            return found
        others = {name: syntaxes for name, syntaxes in found.items() if name not in proposed}
        return others | {name: syntaxes for name, syntaxes in chosen.items() if syntaxes}


def first_pdu(connection: socket.socket, seconds: float) -> bytes:
    """The first PDU of a connection; less when it is no request for an association.

    Raises:
        TimeoutError: it did not come whole in that time.
        OSError: the connection ended before.
    """
    end = time.monotonic() + seconds
    got = bytearray()
    wanted = HEAD.size
    while len(got) < wanted:
        left = end - time.monotonic()
        if left <= 0:
            raise TimeoutError
        connection.settimeout(left)
        data = connection.recv(wanted - len(got))
        if not data:
            raise ConnectionError("connexion fermée")
        got += data
        if len(got) == HEAD.size:
            kind, length = HEAD.unpack(got)
            if kind != PduType.REQUEST or length > LONGEST_PDU:
                break
            wanted += length
    return bytes(got)


def requested(first: bytes) -> AssociateRequest | None:
    """The request that a first PDU is, None when it cannot be read as one."""
    if first[:1] != bytes((PduType.REQUEST,)) or len(first) <= HEAD.size:
        return None
    try:
        return AssociateRequest.decode(first[HEAD.size :])
    except RemoteProtocolError:
        return None


def ours(request: AssociateRequest, others: Collection[str]) -> bool:
    """Whether that association can be served here: none of the abstract syntaxes of `others`, and
    nothing to negotiate but contexts and lengths."""
    return (
        request.protocol_version & 1 == 1
        and request.application_context == APPLICATION_CONTEXT
        and bool(request.contexts)
        and all(kind in _UNDERSTOOD for kind, _ in request.others)
        and not any(one.abstract_syntax in others for one in request.contexts)
    )


class _EndedError(Exception):
    """The association is over, and all is said."""


class Served:
    """One association, from its request to its end. It is its own `record.Association`."""

    def __init__(
        self, provider: Provider, request: AssociateRequest, line: Line, address: tuple[str, int]
    ) -> None:
        self._provider = provider
        self._handlers = provider.handlers
        self._request = request
        self._line = line
        self._host, self._port = address
        self._connection = new_connection_id()
        self._link: Link | None = None
        self._admitted = False
        self._recorded = provider.observe is not ignore
        self._recorder = Recorder(
            self,
            actor=provider.actor,
            observe=provider.observe,
            label=provider.label,
            direction=Direction.IN,
            peer=provider.peer_names.get(request.calling_ae, request.calling_ae),
            connection=self._connection,
        )

    @property
    def calling_ae(self) -> str:
        """Title of the requestor."""
        return self._request.calling_ae

    @property
    def called_ae(self) -> str:
        """Title that the requestor named."""
        return self._request.called_ae

    @property
    def address(self) -> str:
        """`address:port` of the requestor."""
        return f"{self._host}:{self._port}"

    def transfer_syntax(self, context_id: int) -> str:
        """Of an accepted context."""
        context = self._line.association.contexts.get(context_id)
        return "" if context is None else context.transfer_syntax

    def run(self) -> None:
        """Answer until it ends, and let the peer close first when it released. Raises nothing."""
        line = self._line
        try:
            if self._accepts():
                while self._serves():
                    pass
        except _EndedError:
            pass
        except LineClosedError:
            self._recorder.close(Outcome.ABORTED, "connexion fermée")
        except TimeoutError:
            self._aborts()
        except RemoteProtocolError as error:
            _LOG.warning("PDU inattendu ou illisible, association interrompue : %s", error)
            self._aborts(unreadable=True)
        except Exception:
            _LOG.exception("association de %s interrompue", self.calling_ae)
            self._aborts()
        finally:
            self._recorder.close(Outcome.ABORTED, "connexion fermée")
            line.shut()

    # The association --------------------------------------------------------------------------

    def _accepts(self) -> bool:
        provider, line, request = self._provider, self._line, self._request
        try:
            self._admit()
        except AssociationRefusal as refusal:
            answer = AssociateReject(refusal.result, refusal.source, refusal.reason)
            self._recorder.association_failed(
                Outcome.REFUSED, f"association refusée : {answer.words}"
            )
            line.send([line.association.send(answer)])
            line.linger(_LINGER_S)
            return False
        except AbortAssociation:
            self._aborts()
            return False
        answers = negotiated(request.contexts, provider.supported(request))
        accept = AssociateAccept(
            calling_ae=request.calling_ae,
            called_ae=request.called_ae,
            contexts=answers,
            maximum_length=line.association.maximum_length,
        )
        line.send([line.association.send(accept)])
        return True

    def _admit(self) -> None:
        """Raises `AssociationRefusal` or `AbortAssociation` for who is not."""
        provider, request = self._provider, self._request
        if request.maximum_length is None:
            # Nothing could be answered: how long a fragment may be is not known.
            raise WITHOUT_MAXIMUM_LENGTH
        if self._handlers.admit is not None:
            self._handlers.admit(self._info())
        self._admitted = True
        known = provider.calling_ae_titles
        if provider.crowded():
            raise CROWDED
        if provider.check_called_ae and request.called_ae != provider.ae_title.strip():
            raise CALLED_UNKNOWN
        if known is not None and request.calling_ae not in known:
            raise CALLING_UNKNOWN

    def _info(self) -> AssociationInfo:
        """Who asks now. What the answer to the request before suffered is over."""
        if self._admitted:
            self._line.heal()
            if self._link is not None:
                self._line.impair(self._link)
        return AssociationInfo(
            calling_ae=self.calling_ae,
            called_ae=self.called_ae,
            address=self._host,
            port=self._port,
            connection=self._connection,
            impair=self._impair,
        )

    def _impair(self, link: Link) -> None:
        if not self._admitted:
            self._link = link
        self._line.impair(link)

    def _aborts(self, *, unreadable: bool = False) -> None:
        self._recorder.close(Outcome.ABORTED, "A-ABORT émis")
        self._line.abort(unreadable=unreadable)

    # Its operations ---------------------------------------------------------------------------

    def _serves(self) -> bool:
        """One request; False at the end of the association."""
        line = self._line
        event = line.receive(self._provider.idle)
        if isinstance(event, CommandReceived):
            self._answer(event.context_id, event.command)
            return True
        if isinstance(event, ReleaseRequest):
            line.send([line.association.send(ReleaseReply())])
            line.linger(_LINGER_S)
        elif isinstance(event, Abort):
            self._recorder.close(Outcome.ABORTED, "A-ABORT reçu")
        else:
            raise RemoteProtocolError(f"{type(event).__name__} inattendu")
        return False

    def _answer(self, context_id: int, command: Command) -> None:
        operation = command.field
        data = self._data_set() if command.has_data else b""
        if operation == Operation.C_CANCEL:
            return
        message_id = command.number("MessageID")
        if self._recorded:
            self._recorder.message(command, data, context_id, sent=False)
        status, comment = SUCCESS, ""
        asked = self._store(context_id, command, data) if operation == Operation.C_STORE else None
        try:
            status = self._done(operation, context_id, asked)
        except DimseRefusal as refusal:
            status, comment = refusal.status, refusal.comment
        except AbortAssociation:
            self._aborts()
            raise _EndedError from None
        except Exception:
            _LOG.exception("requête %04X de %s sans réponse utile", operation, self.calling_ae)
            status = _UNABLE_TO_PROCESS
        self._respond(context_id, command, message_id, status, comment)

    def _done(self, operation: int, context_id: int, asked: StoreRequest | None) -> int:
        """What the handlers make of a request: its status."""
        if operation == Operation.C_ECHO:
            echo = self._handlers.echo
            return SUCCESS if echo is None else echo(self._info())
        if asked is None:
            return _UNRECOGNIZED
        abstract = self._line.association.contexts[context_id].abstract_syntax
        if abstract == VERIFICATION or self._handlers.store is None:
            return _NOT_SUPPORTED
        return self._handlers.store(asked)

    def _store(self, context_id: int, command: Command, data: bytes) -> StoreRequest:
        originator = command.get("MoveOriginatorMessageID")
        return StoreRequest(
            dataset=data,
            transfer_syntax=self.transfer_syntax(context_id),
            sop_class=command.text("AffectedSOPClassUID"),
            sop_instance=command.text("AffectedSOPInstanceUID"),
            message_id=command.number("MessageID"),
            move_originator_ae=str(command.get("MoveOriginatorApplicationEntityTitle", "")),
            move_originator_message_id=originator if isinstance(originator, int) else None,
            association=self._info(),
        )

    def _data_set(self) -> bytes:
        """The data set that follows a command."""
        line, idle, whole = self._line, self._provider.idle, BytesIO()
        while True:
            event = line.receive(idle)
            if isinstance(event, DataReceived):
                whole.write(event.data)
                if event.last:
                    return whole.getvalue()
            elif isinstance(event, Abort):
                self._recorder.close(Outcome.ABORTED, "A-ABORT reçu")
                raise _EndedError
            else:
                raise RemoteProtocolError("jeu de données interrompu")

    def _respond(
        self, context_id: int, asked: Command, message_id: int, status: int, comment: str
    ) -> None:
        values: dict[str, int | str] = {
            "CommandField": asked.field | Operation.RESPONSE,
            "MessageIDBeingRespondedTo": message_id,
            "CommandDataSetType": NO_DATA_SET,
            "Status": status,
        }
        for name in ("AffectedSOPClassUID", "AffectedSOPInstanceUID"):
            if name in asked:
                values[name] = asked[name]
        if comment:
            # LO of at most 64 characters, in the default repertoire: a command set has no other.
            values["ErrorComment"] = comment.encode("ascii", "replace").decode()[:64]
        response = Command(values)
        if self._recorded:
            # Before it leaves: who reads it may look at once at what was observed.
            self._recorder.message(response, b"", context_id, sent=True)
        self._line.send(self._line.association.message(context_id, response))
