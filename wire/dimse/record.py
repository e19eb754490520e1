"""Watches one association and hands an Exchange to `observe` for each DIMSE operation.

It sees the messages themselves, in both roles, so nothing depends on what a handler tells.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from pynetdicom import evt
from pynetdicom.pdu import A_ABORT_RQ
from pynetdicom.pdu_primitives import A_ABORT

from protocols.dicom import header_end, json_line, read_texts
from protocols.errors import RemoteProtocolError
from wire.exchange import (
    Direction,
    Exchange,
    Label,
    Observe,
    Outcome,
    Payload,
    Reach,
    new_connection_id,
    stamp,
)

__all__ = ["HEADER_KEPT", "Association", "Live", "Recorder", "fields_of", "move_key"]

HEADER_KEPT = 16 * 1024
"""Bytes of a stored data set's header that are kept; its size and digest are of the whole."""

_OPERATIONS = {0x0001: "C-STORE", 0x0020: "C-FIND", 0x0010: "C-GET", 0x0021: "C-MOVE",
               0x0030: "C-ECHO"}  # fmt: skip
_CANCEL = 0x0FFF
Fields = Mapping[str, Any]
"""The elements of a command set, by keyword."""
_STUDY, _ACCESSION, _PATIENT = 0x0020000D, 0x00080050, 0x00100020
_KEY_TAGS = (_STUDY, _ACCESSION, _PATIENT)


def move_key(originator_ae: str, message_id: int) -> str:
    """The key that a C-MOVE shares with its C-STORE sub-operations."""
    return f"C-MOVE:{originator_ae}:{message_id}"


@dataclass(slots=True)
class _Operation:
    name: str
    direction: Direction
    utc: datetime
    mono: float
    request: Payload
    keys: dict[str, None]
    responses: list[bytes] = field(default_factory=list)
    matches: int = 0


class Association(Protocol):
    """What a recorder must know of an association."""

    @property
    def calling_ae(self) -> str:
        """Title of who asked for it."""

    @property
    def called_ae(self) -> str:
        """Title that was asked for."""

    @property
    def address(self) -> str:
        """`address:port` of who asked for it."""

    def transfer_syntax(self, context_id: int) -> str:
        """The syntax accepted in that presentation context, "" when there is none."""


class Live:
    """An association of pynetdicom's, one of whose ends is ours."""

    def __init__(self, association: Any) -> None:
        self._association = association

    @property
    def calling_ae(self) -> str:
        """Title of the requestor."""
        return str(self._association.requestor.ae_title).strip()

    @property
    def called_ae(self) -> str:
        """Title that the requestor named, else the acceptor's own."""
        primitive = self._association.requestor.primitive
        called = getattr(primitive, "called_ae_title", None)
        return str(called or self._association.acceptor.ae_title).strip()

    @property
    def address(self) -> str:
        """`address:port` of the requestor."""
        info = self._association.requestor.info
        return f"{info['address']}:{info['port']}"

    def transfer_syntax(self, context_id: int) -> str:
        """Of an accepted context."""
        context = self._association._accepted_cx.get(context_id)
        return "" if context is None else str(context.transfer_syntax[0])


class Recorder:
    """The operations of one association, ours or pynetdicom's. Safe from its two threads."""

    def __init__(
        self,
        association: Association,
        *,
        actor: str,
        observe: Observe,
        label: Label | None,
        direction: Direction,
        peer: str,
        connection: str | None = None,
        reach: Reach | None = None,
    ) -> None:
        self.connection = connection or new_connection_id()
        self._association = association
        self._actor = actor
        self._observe = observe
        self._label = label
        self._direction = direction
        self._peer = peer
        self._reach = reach
        self._open: dict[tuple[Direction, int], _Operation] = {}
        self._lock = threading.Lock()
        self._started = stamp()

    def bind(self, association: Any) -> None:
        """Begin to watch an association of pynetdicom's."""
        bind = association.bind
        bind(evt.EVT_DIMSE_RECV, self._on_message, [False])
        bind(evt.EVT_DIMSE_SENT, self._on_message, [True])
        bind(evt.EVT_PDU_RECV, self._on_pdu)
        bind(evt.EVT_ACSE_SENT, self._on_sent)
        bind(evt.EVT_CONN_CLOSE, self._on_closed)

    def association_failed(
        self, outcome: Outcome, reason: str, *, transaction: str = "A-ASSOCIATE"
    ) -> None:
        """Observe an association, or an operation on it, that never came to be."""
        utc, mono = self._started
        self._emit(
            Exchange(
                protocol="DIMSE",
                actor=self._actor,
                peer=self._peer_name(),
                direction=self._direction,
                outcome=outcome,
                connection=self.connection,
                utc=utc,
                mono_start=mono,
                mono_end=stamp()[1],
                transaction=transaction,
                reason=reason,
                request=Payload(
                    start_line="A-ASSOCIATE-RQ", head=tuple(self._association_fields())
                ),
                reach=self._reach,
            )
        )

    def close(self, outcome: Outcome, reason: str) -> None:
        """Observe the operations still open with that outcome."""
        with self._lock:
            pending = list(self._open.values())
            self._open.clear()
        for operation in pending:
            self._finish(operation, outcome, reason, None)

    def _on_message(self, event: Any, sent: bool) -> None:
        message = event.message
        data = message.data_set.getvalue() if message.data_set is not None else b""
        self.message(fields_of(message.command_set), data, message.context_id, sent=sent)

    def message(self, command: Fields, data: bytes, context_id: int, *, sent: bool) -> None:
        """A complete DIMSE message that the actor sent, or got."""
        code = int(command["CommandField"])
        if code == _CANCEL:
            return
        syntax = self._association.transfer_syntax(context_id)
        if code & 0x8000:
            # The answer goes the other way than its request.
            direction = Direction.IN if sent else Direction.OUT
            message_id = int(command["MessageIDBeingRespondedTo"])
            self._on_response(direction, message_id, command, data, syntax)
            return
        direction = Direction.OUT if sent else Direction.IN
        name = _OPERATIONS.get(code, f"DIMSE-{code:04X}")
        utc, mono = stamp()
        payload, keys = self._request(name, command, data, syntax)
        operation = _Operation(name, direction, utc, mono, payload, dict.fromkeys(keys))
        with self._lock:
            self._open[direction, int(command["MessageID"])] = operation

    def _on_response(
        self, direction: Direction, message_id: int, command: Fields, data: bytes, syntax: str
    ) -> None:
        status = int(command.get("Status", 0))
        with self._lock:
            operation = self._open.get((direction, message_id))
            if operation is not None and status not in (0xFF00, 0xFF01):
                del self._open[direction, message_id]
        if operation is None:
            return
        if data:
            try:
                line = json_line(data, transfer_syntax=syntax)
            except RemoteProtocolError:
                line = b'{"unreadable":"' + data[:256].hex().encode() + b'"}\n'
            operation.responses.append(line)
            operation.keys.update(dict.fromkeys(_json_keys(line)))
        if status in (0xFF00, 0xFF01):
            operation.matches += bool(data)
            return
        self._finish(operation, Outcome.ANSWERED, "", command)

    def _on_pdu(self, event: Any) -> None:
        if isinstance(event.pdu, A_ABORT_RQ):
            self.close(Outcome.ABORTED, "A-ABORT reçu")

    def _on_sent(self, event: Any) -> None:
        if not isinstance(event.primitive, A_ABORT):
            return
        # As requestor, nothing makes us abort but silence (or an answer out of the protocol).
        if self._direction is Direction.OUT:
            self.close(Outcome.TIMED_OUT, "pas de réponse à temps")
        else:
            self.close(Outcome.ABORTED, "A-ABORT émis")

    def _on_closed(self, event: Any) -> None:
        self.close(Outcome.ABORTED, "connexion fermée")

    def _finish(
        self, operation: _Operation, outcome: Outcome, reason: str, command: Fields | None
    ) -> None:
        response = None
        if command is not None or operation.responses:
            fields = [] if command is None else list(_fields(command))
            if operation.name == "C-FIND":
                fields.append(("Matches", str(operation.matches)))
            status = f"{operation.name}-RSP"
            if command is not None:
                status += f" 0x{int(command.get('Status', 0)):04X}"
            response = Payload.whole(b"".join(operation.responses), start_line=status, head=fields)
        self._emit(
            Exchange(
                protocol="DIMSE",
                actor=self._actor,
                peer=self._peer_name(),
                direction=operation.direction,
                outcome=outcome,
                connection=self.connection,
                utc=operation.utc,
                mono_start=operation.mono,
                mono_end=stamp()[1],
                transaction=operation.name,
                reason=reason,
                request=operation.request,
                response=response,
                keys=tuple(operation.keys),
                reach=self._reach if operation.direction is Direction.OUT else None,
            )
        )

    def _emit(self, exchange: Exchange) -> None:
        self._observe(exchange if self._label is None else self._label(exchange))

    def _request(
        self, name: str, command: Fields, data: bytes, syntax: str
    ) -> tuple[Payload, list[str]]:
        head = [*_fields(command), ("TransferSyntaxUID", syntax), *self._association_fields()]
        start_line = f"{name}-RQ"
        if name != "C-STORE":
            keys = _keys(data, syntax)
            if name == "C-MOVE":
                keys.append(move_key(self._association.calling_ae, int(command["MessageID"])))
            return Payload.whole(data, start_line=start_line, head=head), keys
        try:
            end = header_end(data, transfer_syntax=syntax) or len(data)
        except RemoteProtocolError:
            end = len(data)
        header = data[: min(end, HEADER_KEPT)]
        keys = _keys(header, syntax)
        originator = command.get("MoveOriginatorApplicationEntityTitle")
        if originator and command.get("MoveOriginatorMessageID") is not None:
            number = int(command["MoveOriginatorMessageID"])
            keys.append(move_key(str(originator).strip(), number))
        payload = Payload(
            start_line=start_line,
            head=tuple(head),
            body=header,
            size=len(data),
            sha256=hashlib.sha256(data).hexdigest(),
            truncated=len(header) < len(data),
        )
        return payload, keys

    def _association_fields(self) -> Iterable[tuple[str, str]]:
        yield "CallingAETitle", self._association.calling_ae
        yield "CalledAETitle", self._association.called_ae

    def _peer_name(self) -> str:
        return self._peer or self._association.calling_ae or self._association.address


def fields_of(command: Any) -> dict[str, Any]:
    """The elements of a command set that pynetdicom has decoded."""
    return {
        element.keyword: element.value
        for element in command
        if element.keyword != "CommandGroupLength"
    }


def _fields(command: Fields) -> Iterable[tuple[str, str]]:
    """The command set as names and texts, statuses in hexadecimal."""
    for keyword, value in command.items():
        if keyword in ("Status", "CommandField", "CommandDataSetType"):
            yield keyword, f"0x{int(value):04X}"
        else:
            yield keyword, str(value).strip()


def _keys(data: bytes, syntax: str) -> list[str]:
    """Study, accession and patient that a data set (or its beginning) names."""
    try:
        texts = read_texts(data, transfer_syntax=syntax, tags=_KEY_TAGS)
    except RemoteProtocolError:
        return []
    found = [part for tag in _KEY_TAGS for part in texts.get(tag, "").split("\\")]
    return [key for key in found if key and "*" not in key and "?" not in key]


def _json_keys(line: bytes) -> list[str]:
    model = json.loads(line)
    found = [value for tag in _KEY_TAGS for value in model.get(f"{tag:08X}", {}).get("Value", ())]
    return [value for value in found if isinstance(value, str) and value]
