"""The technical acknowledgement of the HL7 volet: responsibility taken, or why not."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Sequence
from datetime import datetime

from drimbox_ref.source.ports import Clock
from drimbox_ref.source.values import Fault
from protocols.errors import RemoteProtocolError
from protocols.hl7v2 import Message, build, parse, segment
from protocols.hl7v2_build import FieldValue, SegmentValue
from spec.hl7v2 import COUNTRY, ERROR_CODES, VERSION_OMI, VERSION_ORU

__all__ = ["Hl7Acknowledger"]

_EVENTS = ("R01", "T02", "T04", "T10", "O23")
_VERSIONS = {"MDM": "2.6", "OMI": VERSION_OMI}
_CHARACTER_SET = "UNICODE UTF-8"
_ERROR_SYSTEM = "HL70357"


class Hl7Acknowledger:
    """Original mode only: MSA-1 is AA, AE or AR, with an ERR for each fault.

    Réf.: CI-SIS, Transmission d'un document CDA-R2 en HL7v2 2.1, acquittement, grade: standard.
    """

    def __init__(self, *, clock: Clock) -> None:
        self._clock = clock
        self._numbers = itertools.count()

    def accept(self, message: bytes) -> bytes | None:
        """AA: responsibility is taken."""
        return self._write(message, "AA", ())

    def refuse(self, message: bytes, code: str, faults: Sequence[Fault]) -> bytes | None:
        """AE or AR; None when the sender cannot even be named (no MSH)."""
        return self._write(message, code, faults)

    def _write(self, raw: bytes, code: str, faults: Sequence[Fault]) -> bytes | None:
        try:
            message = parse(raw)
        except RemoteProtocolError:
            return None
        segments = [
            self._header(message),
            segment("MSA", {1: code, 2: message.value("MSH-10")}),
            *(_error(fault) for fault in faults),
        ]
        return build(segments)

    def _header(self, message: Message) -> SegmentValue:
        event = message.value("MSH-9.2")
        now = self._clock.now()
        return segment(
            "MSH",
            {
                3: _hd(message, 5),
                4: _hd(message, 6),
                5: _hd(message, 3),
                6: _hd(message, 4),
                7: _timestamp(now),
                9: ("ACK", event, "ACK") if event in _EVENTS else "ACK",
                10: self._control_id(message, now),
                11: message.value("MSH-11") or "P",
                12: _VERSIONS.get(message.value("MSH-9.1"), VERSION_ORU),
                17: COUNTRY,
                18: _CHARACTER_SET,
            },
        )

    def _control_id(self, message: Message, now: datetime) -> str:
        """A fresh MSH-10, minted without the disk: that one may be what refuses the message."""
        about = f"{message.value('MSH-10')}|{now.timestamp()}|{next(self._numbers)}"
        return hashlib.sha256(about.encode()).hexdigest()[:20]


def _hd(message: Message, field: int) -> tuple[str, ...]:
    """An HD field to copy: the ACK swaps sender and receiver."""
    header = message.first("MSH")
    assert header is not None
    return tuple(component.value for component in header.field(field).repetition(1).components)


def _timestamp(moment: datetime) -> str:
    return moment.strftime("%Y%m%d%H%M%S+0000")


def _error(fault: Fault) -> SegmentValue:
    fields: dict[int, FieldValue] = {
        2: tuple(fault.where.split("^")) if fault.where else None,
        3: (fault.code, ERROR_CODES.get(fault.code, ""), _ERROR_SYSTEM),
        4: "E",
        8: fault.text,
    }
    if fault.application:
        fields[5] = fault.application
    return segment("ERR", fields)
