"""The provider's side of our own upper layer: one association of C-STORE, C-FIND and C-ECHO.

It lives in a thread. What it does not serve (retrievals, roles, identities, extended negotiation)
is told apart by `ours` before anything is answered, and goes to pynetdicom.
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
    WITH_DATA_SET,
    Abort,
    AssociateAccept,
    AssociateReject,
    AssociateRequest,
    Command,
    CommandReceived,
    DataReceived,
    Event,
    Operation,
    PduType,
    ReleaseReply,
    ReleaseRequest,
    UserItem,
    negotiated,
)
from protocols.errors import RemoteProtocolError
from spec.dicom import (
    IMPLICIT_VR_LITTLE_ENDIAN,
    QUERY_MODELS,
    UNCOMPRESSED_LITTLE_ENDIAN,
    VERIFICATION,
)
from wire.dimse.identifiers import decoded, encoded
from wire.dimse.line import Line, LineClosedError
from wire.dimse.messages import (
    PENDING,
    SUCCESS,
    AbortAssociation,
    AssociationInfo,
    AssociationRefusal,
    DimseRefusal,
    FindRequest,
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
_CANCELLED = 0xFE00
_NOT_SUPPORTED, _UNRECOGNIZED = 0x0122, 0x0211
"""SOP class not supported, unrecognized operation (PS3.7 annex C)."""
WITHOUT_MAXIMUM_LENGTH = AssociationRefusal(1, 1, 1)
"""For good, by the user, no reason given: PS3.8 D.1 wants the sub-item in every request."""
CALLING_UNKNOWN, CALLED_UNKNOWN = AssociationRefusal(1, 1, 3), AssociationRefusal(1, 1, 7)
CROWDED = AssociationRefusal(2, 3, 2)
_LINGER_S = 2.0
_FINDS = {model.find: name for name, model in QUERY_MODELS.items()}
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
        finds = _FINDS if self.handlers.find is not None else {}
        plain = dict.fromkeys((VERIFICATION, *finds), UNCOMPRESSED_LITTLE_ENDIAN)
        found: dict[str, Sequence[str]] = {**plain, **stored}
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
        asked = _Asked(context_id, command, command.number("MessageID"), data)
        if self._recorded:
            self._recorder.message(command, data, context_id, sent=False)
        store = self._store(asked) if operation == Operation.C_STORE else None
        status, comment = SUCCESS, ""
        try:
            if store is not None:
                status = self._stored(context_id, store)
            elif operation == Operation.C_FIND:
                status = self._find(asked)
            elif operation == Operation.C_ECHO:
                echo = self._handlers.echo
                status = SUCCESS if echo is None else echo(self._info())
            else:
                status = _UNRECOGNIZED
        except DimseRefusal as refusal:
            status, comment = refusal.status, refusal.comment
        except AbortAssociation:
            self._aborts()
            raise _EndedError from None
        except (_EndedError, LineClosedError, TimeoutError, _NotAllowedError):
            raise
        except Exception:
            _LOG.exception("requête %04X de %s sans réponse utile", operation, self.calling_ae)
            status = _UNABLE_TO_PROCESS
        self._respond(asked, status, comment)

    def _stored(self, context_id: int, request: StoreRequest) -> int:
        abstract = self._line.association.contexts[context_id].abstract_syntax
        if abstract == VERIFICATION or abstract in _FINDS or self._handlers.store is None:
            return _NOT_SUPPORTED
        return self._handlers.store(request)

    def _find(self, asked: _Asked) -> int:
        """The pending responses; the status of the last one."""
        context = self._line.association.contexts[asked.context_id]
        model, handler = _FINDS.get(context.abstract_syntax), self._handlers.find
        if model is None or handler is None:
            return _NOT_SUPPORTED
        implicit = context.transfer_syntax == IMPLICIT_VR_LITTLE_ENDIAN
        cancelled = _Cancelled(self._line, asked.message_id)
        request = FindRequest(
            identifier=decoded(asked.data, implicit=implicit),
            raw=asked.data,
            transfer_syntax=context.transfer_syntax,
            model=model,
            message_id=asked.message_id,
            association=self._info(),
            cancelled=cancelled,
        )
        for match in handler(request):
            if cancelled():
                return _CANCELLED
            self._respond(asked, PENDING, data=encoded(match, implicit=implicit))
        return _CANCELLED if cancelled() else SUCCESS

    def _store(self, asked: _Asked) -> StoreRequest:
        command = asked.command
        originator = command.get("MoveOriginatorMessageID")
        return StoreRequest(
            dataset=asked.data,
            transfer_syntax=self.transfer_syntax(asked.context_id),
            sop_class=command.text("AffectedSOPClassUID"),
            sop_instance=command.text("AffectedSOPInstanceUID"),
            message_id=asked.message_id,
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
        self, asked: _Asked, status: int, comment: str = "", data: bytes | None = None
    ) -> None:
        values: dict[str, int | str] = {
            "CommandField": asked.command.field | Operation.RESPONSE,
            "MessageIDBeingRespondedTo": asked.message_id,
            "CommandDataSetType": NO_DATA_SET if data is None else WITH_DATA_SET,
            "Status": status,
        }
        for name in ("AffectedSOPClassUID", "AffectedSOPInstanceUID"):
            if name in asked.command:
                values[name] = asked.command[name]
        if comment:
            # LO of at most 64 characters, in the default repertoire: a command set has no other.
            values["ErrorComment"] = comment.encode("ascii", "replace").decode()[:64]
        response = Command(values)
        if self._recorded:
            # Before it leaves: who reads it may look at once at what was observed.
            self._recorder.message(response, data or b"", asked.context_id, sent=True)
        self._line.send(self._line.association.message(asked.context_id, response, data))


@dataclass(frozen=True, slots=True)
class _Asked:
    """One request, whole."""

    context_id: int
    command: Command
    message_id: int
    data: bytes


class _NotAllowedError(RemoteProtocolError):
    """What came while a request was being answered may not come then."""


class _Cancelled:
    """Whether the peer has cancelled a request that is being answered."""

    def __init__(self, line: Line, message_id: int) -> None:
        self._line = line
        self._message_id = message_id
        self._asked = False

    def __call__(self) -> bool:
        """Looks at what has come, without waiting.

        Raises:
            LineClosedError: the peer has gone.
            _NotAllowedError: it asks for something else.
        """
        while not self._asked and (event := self._glance()) is not None:
            if isinstance(event, Abort):
                raise LineClosedError("A-ABORT")
            if not isinstance(event, CommandReceived) or event.command.field != Operation.C_CANCEL:
                raise _NotAllowedError("requête reçue avant la réponse à la précédente")
            self._asked = event.command.get("MessageIDBeingRespondedTo") == self._message_id
        return self._asked

    def _glance(self) -> Event | None:
        try:
            return self._line.glance()
        except RemoteProtocolError as error:
            raise _NotAllowedError(str(error)) from None
