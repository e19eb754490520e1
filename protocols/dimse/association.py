"""One DICOM association, sans-IO: bytes in, events out; values in, bytes out (PS3.8 and PS3.7).

The same object serves both parties, as h11's does: what one of them may not send, it may not
receive from the other.
"""

from __future__ import annotations

import struct
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from protocols.dimse.command import Command
from protocols.dimse.pdu import (
    HEAD,
    Abort,
    AssociateAccept,
    AssociateReject,
    AssociateRequest,
    ContextAnswer,
    PduType,
    ProposedContext,
    ReleaseReply,
    ReleaseRequest,
)
from protocols.errors import LocalProtocolError, RemoteProtocolError

__all__ = [
    "LONGEST_COMMAND",
    "LONGEST_DATA_SET",
    "LONGEST_PDU",
    "MAXIMUM_LENGTH",
    "AcceptedContext",
    "Association",
    "CommandReceived",
    "DataReceived",
    "Event",
    "Role",
    "State",
    "negotiated",
]

MAXIMUM_LENGTH = 131_072
"""Bytes of a P-DATA-TF: what is announced, and what is sent to who takes any."""
LONGEST_PDU = 1 << 20
"""Bytes. Far above what either side announces, and what 128 presentation contexts need."""
LONGEST_COMMAND = 1 << 16
LONGEST_DATA_SET = 1 << 31
"""Bytes of one message. No text gives a bound; a data set can name no longer element."""

_PDV = struct.Struct(">LBB")
_PDV_HEAD = 6
_LEAST_LENGTH = 128
"""A peer that takes less would have its own announcement cost more than the images."""
_COMMAND, _LAST = 0x01, 0x02

Buffer = bytes | memoryview


class Role(StrEnum):
    """Who asked for the association, who was asked."""

    REQUESTOR = "requestor"
    ACCEPTOR = "acceptor"


class State(StrEnum):
    """Where an association is; PS3.8 table 9-10 has more, for what a transport does."""

    IDLE = "idle"
    ASKED = "asked"
    OPEN = "open"
    RELEASING = "releasing"
    """We asked for its release."""
    RELEASED = "released"
    """The peer asked for its release."""
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class CommandReceived:
    """A whole command set; its data set follows when it has one."""

    context_id: int
    command: Command


@dataclass(frozen=True, slots=True)
class DataReceived:
    """A fragment of the data set of the command received last.

    `data` is good until the next `room()` or `feed()`.
    """

    context_id: int
    data: memoryview
    last: bool


@dataclass(frozen=True, slots=True)
class AcceptedContext:
    """A presentation context that both sides agreed on."""

    id: int
    abstract_syntax: str
    transfer_syntax: str


Event = (
    AssociateRequest
    | AssociateAccept
    | AssociateReject
    | CommandReceived
    | DataReceived
    | ReleaseRequest
    | ReleaseReply
    | Abort
)

_EITHER: dict[State, dict[type, State]] = {
    State.OPEN: {ReleaseRequest: State.RELEASING},
    # Both may ask for the release at once (PS3.8 7.2.2.7): each then answers too.
    State.RELEASING: {ReleaseReply: State.RELEASING},
    State.RELEASED: {ReleaseReply: State.CLOSED},
}
_MAY_SEND: dict[tuple[Role, State], dict[type, State]] = {
    (Role.REQUESTOR, State.IDLE): {AssociateRequest: State.ASKED},
    (Role.ACCEPTOR, State.ASKED): {AssociateAccept: State.OPEN, AssociateReject: State.CLOSED},
    **{(role, state): moves for role in Role for state, moves in _EITHER.items()},
}
"""Who may send what, when, and where that leads. The peer may send what the other role may; both
may abort at any time. Data is for `OPEN`, and for who was asked for a release."""

_OTHER = {Role.REQUESTOR: Role.ACCEPTOR, Role.ACCEPTOR: Role.REQUESTOR}
_SEEN_FROM_THERE = {State.RELEASING: State.RELEASED, State.RELEASED: State.RELEASING}
_DECODE: dict[int, Callable[[bytes], Event]] = {
    PduType.REQUEST: AssociateRequest.decode,
    PduType.ACCEPT: AssociateAccept.decode,
    PduType.REJECT: lambda content: AssociateReject(*_four(content)[1:]),
    PduType.RELEASE_REQUEST: lambda content: ReleaseRequest(),
    PduType.RELEASE_REPLY: lambda content: ReleaseReply(),
    PduType.ABORT: lambda content: Abort(*_four(content)[2:]),
}


class Association:
    """Cuts a stream into events, however the bytes arrive, and says what to send.

    Bytes enter by `feed`, or without a copy by `room` and `filled`; `next_event` gives what they
    complete. Memory is bounded by the longest PDU accepted, twice.
    """

    def __init__(self, role: Role, *, maximum_length: int = MAXIMUM_LENGTH) -> None:
        self.role = role
        self.state = State.IDLE
        self.contexts: Mapping[int, AcceptedContext] = {}
        """Those agreed on, by id."""
        self.maximum_length = maximum_length
        """What is announced."""
        self._peer_length = 0
        self._proposed: Sequence[ProposedContext] = ()
        self._buffer = bytearray(2 * (maximum_length + HEAD.size))
        self._begin = self._end = 0
        self._events: deque[Event] = deque()
        self._command = bytearray()
        self._command_context: int | None = None
        self._data_context: int | None = None
        self._data_size = 0
        self._broken: RemoteProtocolError | None = None

    # What comes ------------------------------------------------------------------------------

    def room(self, least: int = 1) -> memoryview:
        """Where the next bytes may be written, `least` at least; ends the life of the fragments
        given."""
        begin, end = self._begin, self._end
        least = max(least, self._wanted())
        if begin == end:
            self._begin = self._end = begin = end = 0
        if len(self._buffer) - end < least:
            rest = self._buffer[begin:end]
            if len(rest) + least > len(self._buffer):
                # A new one: fragments that are still held keep the old one as it is.
                self._buffer = bytearray(len(rest) + least)
            self._buffer[: len(rest)] = rest
            self._begin, self._end = 0, len(rest)
        return memoryview(self._buffer)[self._end :]

    def filled(self, count: int) -> None:
        """So many bytes have been written there."""
        self._end += count

    def feed(self, data: bytes) -> None:
        """Take the next bytes of the stream."""
        self.room(len(data))[: len(data)] = data
        self.filled(len(data))

    def next_event(self) -> Event | None:
        """What the bytes received complete, in order; None when more are needed.

        Raises:
            RemoteProtocolError: what came is not what may come now. Nothing more is read then.
        """
        while not self._events:
            if self._broken is not None:
                raise self._broken
            try:
                if not self._take_pdu():
                    return None
            except RemoteProtocolError as error:
                # What the same PDU held before is told first, whatever the bytes came in.
                self._broken = error
        return self._events.popleft()

    def _wanted(self) -> int:
        """How many more bytes the PDU that has begun needs, at least."""
        held = self._end - self._begin
        if held < HEAD.size:
            return HEAD.size - held
        length: int = HEAD.unpack_from(self._buffer, self._begin)[1]
        return max(1, min(length, LONGEST_PDU) + HEAD.size - held)

    def _take_pdu(self) -> bool:
        held = self._end - self._begin
        if held < HEAD.size:
            return False
        kind, length = HEAD.unpack_from(self._buffer, self._begin)
        if not PduType.REQUEST <= kind <= PduType.ABORT:
            raise RemoteProtocolError(f"PDU de type {kind:02X}")
        if length > LONGEST_PDU:
            raise RemoteProtocolError(f"PDU de {length} octets annoncés")
        if held < HEAD.size + length:
            return False
        start = self._begin + HEAD.size
        self._begin = start + length
        if kind == PduType.DATA:
            self._take_data(start, start + length)
        else:
            event = _DECODE[kind](bytes(self._buffer[start : start + length]))
            self._take(event)
            self._events.append(event)
        return True

    def _take(self, event: Event) -> None:
        """The peer sent that: may it, and what follows."""
        if isinstance(event, Abort):
            self.state = State.CLOSED
            return
        if self.state is State.RELEASING and isinstance(event, ReleaseRequest):
            return  # both at once
        there = _SEEN_FROM_THERE.get(self.state, self.state)
        to = None
        if self.state is not State.RELEASED:
            to = _MAY_SEND.get((_OTHER[self.role], there), {}).get(type(event))
        if to is None:
            raise RemoteProtocolError(f"{type(event).__name__} reçu dans l'état {self.state}")
        self.state = _SEEN_FROM_THERE.get(to, to)
        if isinstance(event, AssociateRequest):
            self._proposed, self._peer_length = event.contexts, event.maximum_length or 0
        elif isinstance(event, AssociateAccept):
            self._agree(event.contexts)
            self._peer_length = event.maximum_length or 0

    def _take_data(self, position: int, end: int) -> None:
        if self.state not in (State.OPEN, State.RELEASING):
            raise RemoteProtocolError(f"données reçues dans l'état {self.state}")
        if position == end:
            raise RemoteProtocolError("P-DATA-TF vide")
        view = memoryview(self._buffer)
        while position < end:
            if position + _PDV_HEAD > end:
                raise RemoteProtocolError("PDV tronqué")
            length, context_id, control = _PDV.unpack_from(self._buffer, position)
            start, position = position + _PDV_HEAD, position + 4 + length
            if length < 2 or position > end:
                raise RemoteProtocolError(f"PDV de {length} octets annoncés")
            if context_id not in self.contexts:
                raise RemoteProtocolError(f"contexte de présentation {context_id} inconnu")
            if control & _COMMAND:
                self._take_command(context_id, view[start:position], bool(control & _LAST))
            else:
                self._take_fragment(context_id, view[start:position], bool(control & _LAST))

    def _take_command(self, context_id: int, data: memoryview, last: bool) -> None:
        if self._data_context is not None:
            raise RemoteProtocolError("commande au milieu d'un jeu de données")
        if self._command_context not in (None, context_id):
            raise RemoteProtocolError("commande dans deux contextes de présentation")
        if len(self._command) + len(data) > LONGEST_COMMAND:
            raise RemoteProtocolError(f"jeu de commandes de plus de {LONGEST_COMMAND} octets")
        self._command += data
        self._command_context = context_id
        if not last:
            return
        command = Command.decode(self._command)
        self._command = bytearray()
        self._command_context = None
        if command.has_data:
            self._data_context, self._data_size = context_id, 0
        self._events.append(CommandReceived(context_id, command))

    def _take_fragment(self, context_id: int, data: memoryview, last: bool) -> None:
        if self._data_context != context_id:
            raise RemoteProtocolError("jeu de données sans commande")
        self._data_size += len(data)
        if self._data_size > LONGEST_DATA_SET:
            raise RemoteProtocolError(f"jeu de données de plus de {LONGEST_DATA_SET} octets")
        if last:
            self._data_context = None
        self._events.append(DataReceived(context_id, data, last))

    # What leaves -----------------------------------------------------------------------------

    def send(
        self,
        event: AssociateRequest
        | AssociateAccept
        | AssociateReject
        | ReleaseRequest
        | ReleaseReply
        | Abort,
    ) -> bytes:
        """The bytes of an event of ours.

        Raises:
            LocalProtocolError: it may not be sent now.
        """
        if isinstance(event, Abort):
            self.state = State.CLOSED
            return event.encode()
        to = _MAY_SEND.get((self.role, self.state), {}).get(type(event))
        if to is None:
            raise LocalProtocolError(f"{type(event).__name__} dans l'état {self.state}")
        encoded = event.encode()
        self.state = to
        if isinstance(event, AssociateRequest):
            self._proposed = event.contexts
        elif isinstance(event, AssociateAccept):
            self._agree(event.contexts)
        return encoded

    def message(
        self, context_id: int, command: Command, data: Buffer | None = None
    ) -> Iterator[Buffer]:
        """The bytes of a DIMSE message, as pieces to send one after the other.

        The pieces of `data` are views of it: nothing is copied.

        Raises:
            LocalProtocolError: no such context, or no time for it.
        """
        if self.state not in (State.OPEN, State.RELEASED):
            raise LocalProtocolError(f"message dans l'état {self.state}")
        if context_id not in self.contexts:
            raise LocalProtocolError(f"contexte de présentation {context_id} inconnu")
        if command.has_data is (data is None):
            raise LocalProtocolError("la commande et son jeu de données se contredisent")
        yield from self._fragments(context_id, _COMMAND, command.encode())
        if data is not None:
            yield from self._fragments(context_id, 0, data)

    def _fragments(self, context_id: int, control: int, data: Buffer) -> Iterator[Buffer]:
        # As much as the peer takes, of what we would take ourselves.
        length = min(self._peer_length or self.maximum_length, self.maximum_length)
        step = max(length, _LEAST_LENGTH) - _PDV_HEAD
        view, size = memoryview(data), len(data)
        for start in range(0, max(size, 1), step):
            piece = view[start : start + step]
            flags = control | (_LAST if start + step >= size else 0)
            held = len(piece) + 2
            yield HEAD.pack(PduType.DATA, held + 4) + _PDV.pack(held, context_id, flags)
            if piece:
                yield piece

    def _agree(self, answers: Sequence[ContextAnswer]) -> None:
        proposed = {one.id: one for one in self._proposed}
        self.contexts = {
            one.id: AcceptedContext(one.id, proposed[one.id].abstract_syntax, one.transfer_syntax)
            for one in answers
            if one.result == 0 and one.id in proposed
        }


def negotiated(
    proposed: Sequence[ProposedContext], supported: Mapping[str, Sequence[str]]
) -> tuple[ContextAnswer, ...]:
    """What an acceptor answers: of each context, the first syntax that it supports, in the order of
    its own preference (PS3.8 9.3.3.2)."""
    answers = []
    for one in proposed:
        syntaxes = supported.get(one.abstract_syntax)
        if syntaxes is None:
            answers.append(ContextAnswer(one.id, 3, one.transfer_syntaxes[0]))
            continue
        chosen = next((uid for uid in syntaxes if uid in one.transfer_syntaxes), None)
        if chosen is None:
            answers.append(ContextAnswer(one.id, 4, one.transfer_syntaxes[0]))
        else:
            answers.append(ContextAnswer(one.id, 0, chosen))
    return tuple(answers)


def _four(content: bytes) -> tuple[int, int, int, int]:
    if len(content) < 4:
        raise RemoteProtocolError("PDU tronqué", span=(0, len(content)))
    return content[0], content[1], content[2], content[3]
