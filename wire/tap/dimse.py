"""DIMSE as it passes: PDUs cut from the stream, operations told as ends of ours tell them."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from pynetdicom.dimse_messages import DIMSEMessage
from pynetdicom.pdu import A_ASSOCIATE_AC, A_ASSOCIATE_RJ, A_ASSOCIATE_RQ, P_DATA_TF
from pynetdicom.pdu_primitives import P_DATA

from protocols.errors import RemoteProtocolError
from wire.dimse.record import Recorder, fields_of
from wire.exchange import Direction, Outcome
from wire.tap.ear import Line, Side, Witness

__all__ = ["DimseEar", "Stored"]

_HEAD = struct.Struct(">BxI")
"""PS3.8 9.3.1: type, reserved, length of what follows."""
_RQ, _AC, _RJ, _DATA, _RELEASE_RQ, _RELEASE_RP, _ABORT = range(1, 8)
_LARGEST = 256 * 1024 * 1024
"""Bytes; a larger PDU is no PDU."""
_STORE, _STORE_ANSWER = 0x0001, 0x8001


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """An instance that the called side took, by C-STORE with a success or a warning."""

    dataset: bytes
    transfer_syntax: str
    sop_class: str
    sop_instance: str


class _Association:
    """What the two sides have said of their association."""

    def __init__(self, address: str) -> None:
        self.calling_ae = ""
        self.called_ae = ""
        self.address = address
        self._contexts: dict[int, str] = {}

    def requested(self, pdu: Any) -> None:
        self.calling_ae = str(pdu.calling_ae_title or "").strip()
        self.called_ae = str(pdu.called_ae_title or "").strip()

    def accepted(self, pdu: Any) -> None:
        self._contexts = {
            int(item.context_id): str(item.transfer_syntax)
            for item in pdu.presentation_context
            if item.result == 0
        }

    def transfer_syntax(self, context_id: int) -> str:
        return self._contexts.get(context_id, "")


class DimseEar:
    """Follows one association. `stored` receives what was stored on it."""

    def __init__(
        self, line: Line, witness: Witness, stored: Callable[[Stored], None] | None = None
    ) -> None:
        self._buffers = {side: bytearray() for side in Side}
        self._messages: dict[Side, Any] = dict.fromkeys(Side)
        self._ours = Side.CALLED if witness.direction is Direction.IN else Side.CALLER
        """The side in whose name all is told."""
        self._association = _Association(line.caller)
        self._recorder = Recorder(
            self._association,
            actor=witness.actor,
            observe=witness.observe,
            label=witness.label,
            direction=witness.direction,
            peer=witness.peer,
            connection=line.connection,
        )
        self._stored = stored
        self._stores: dict[tuple[Side, int], Any] = {}

    def hear(self, side: Side, data: bytes) -> None:
        """Bytes of one side.

        Raises:
            RemoteProtocolError: no PDU. What pynetdicom raises on a wrong one is not bounded.
        """
        buffer = self._buffers[side]
        buffer += data
        for kind, pdu in _cut(buffer):
            self._take(side, kind, pdu)

    def ended(self, side: Side) -> None:
        """PDUs end by themselves."""

    def over(self, reason: str) -> None:
        """The operations that were not answered."""
        self._recorder.close(Outcome.ABORTED, reason)

    def _take(self, side: Side, kind: int, pdu: bytes) -> None:
        if kind == _RQ:
            self._association.requested(_decoded(A_ASSOCIATE_RQ(), pdu))
        elif kind == _AC:
            self._association.accepted(_decoded(A_ASSOCIATE_AC(), pdu))
        elif kind == _RJ:
            why = _decoded(A_ASSOCIATE_RJ(), pdu).reason_str
            self._recorder.association_failed(Outcome.REFUSED, f"association refusée : {why}")
        elif kind == _DATA:
            for context, value in _values(pdu):
                self._fragment(side, context, value)
        elif kind == _ABORT:
            told = "émis" if side is self._ours else "reçu"
            self._recorder.close(Outcome.ABORTED, f"A-ABORT {told}")
        elif kind not in (_RELEASE_RQ, _RELEASE_RP):
            raise RemoteProtocolError(f"PDU de type {kind:02X}")

    def _fragment(self, side: Side, context: int, value: bytes) -> None:
        message = self._messages[side] or DIMSEMessage()
        primitive = P_DATA()
        primitive.presentation_data_value_list = [[context, value]]
        whole = message.decode_msg(primitive)
        self._messages[side] = None if whole else message
        if whole:
            data = message.data_set.getvalue() if message.data_set is not None else b""
            fields = fields_of(message.command_set)
            self._recorder.message(fields, data, message.context_id, sent=side is self._ours)
            self._keep(side, message)

    def _keep(self, side: Side, message: Any) -> None:
        """Hand over what was stored, once its answer says so."""
        if self._stored is None:
            return
        command = message.command_set
        if int(command.CommandField) == _STORE:
            self._stores[side, int(command.MessageID)] = message
        elif int(command.CommandField) == _STORE_ANSWER:
            other = Side.CALLED if side is Side.CALLER else Side.CALLER
            asked = self._stores.pop((other, int(command.MessageIDBeingRespondedTo)), None)
            status = int(command.Status)
            if asked is not None and (status == 0 or status >> 12 == 0xB):
                self._stored(
                    Stored(
                        dataset=asked.data_set.getvalue(),
                        transfer_syntax=self._association.transfer_syntax(asked.context_id),
                        sop_class=str(asked.command_set.AffectedSOPClassUID),
                        sop_instance=str(asked.command_set.AffectedSOPInstanceUID),
                    )
                )


def _cut(buffer: bytearray) -> Iterator[tuple[int, bytes]]:
    """The whole PDUs at the beginning of a buffer, taken from it: (type, bytes)."""
    while len(buffer) >= _HEAD.size:
        kind, length = _HEAD.unpack_from(buffer)
        if length > _LARGEST:
            raise RemoteProtocolError(f"PDU de {length} octets")
        end = _HEAD.size + length
        if len(buffer) < end:
            return
        pdu = bytes(buffer[:end])
        del buffer[:end]
        yield kind, pdu


def _decoded(pdu: Any, data: bytes) -> Any:
    pdu.decode(data)
    return pdu


def _values(pdu: bytes) -> Iterator[tuple[int, bytes]]:
    """(presentation context, fragment) of a P-DATA-TF."""
    yield from _decoded(P_DATA_TF(), pdu).to_primitive().presentation_data_value_list
