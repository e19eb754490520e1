"""Taking a message from the RIS or the PACS: on disk first, acknowledged next, worked on later."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from drimbox_ref.source.config import Ris
from drimbox_ref.source.parts import Parts
from drimbox_ref.source.senders import Senders, Unknown
from drimbox_ref.source.values import Fault
from drimbox_ref.trail import AuditEvent
from protocols.errors import RemoteProtocolError
from protocols.hl7v2 import parse
from spec.hl7v2 import INS_TYPE
from wire.mllp import PeerInfo

__all__ = ["Reception"]

_log = logging.getLogger(__name__)


class Reception:
    """The MLLP handler. `wake` is called when there is something new to work on.

    A report of a RIS that `senders` does not know is refused, or taken; an alert tells it.
    """

    def __init__(
        self,
        parts: Parts,
        *,
        wake: Callable[[], None],
        senders: Senders | None = None,
        refuse_undeclared: bool = True,
    ) -> None:
        self._parts = parts
        self._wake = wake
        self._senders = senders or Senders(())
        self._refuse_undeclared = refuse_undeclared

    async def handle(self, message: bytes, peer: PeerInfo) -> bytes | None:
        """The acknowledgement of a message: AA once it is on disk, AE on a fault of form, AR when
        it cannot be kept."""
        parts = self._parts
        control_id = _control_id(message)
        try:
            noticed = await asyncio.to_thread(parts.notices.concerns, message)
            reader = parts.notices if noticed else parts.reports
            faults = await asyncio.to_thread(reader.examine, message)
            # A notice may come from the PACS.
            ris = None
            if not noticed and not faults:
                ris = await asyncio.to_thread(self._senders.recognise, message)
            if isinstance(ris, Unknown):
                faults = await self._undeclared(ris, control_id)
        except Exception:
            _log.exception("message %s : examen impossible", control_id)
            return await self._later(message, "examen impossible, renvoyer plus tard")
        event = "OMI^O23" if noticed else "RAD-128"
        name = f"{ris.name} ({peer.name})" if isinstance(ris, Ris) else peer.name
        if faults:
            text = "; ".join(f"{fault.code} {fault.where} {fault.text}".strip() for fault in faults)
            _log.warning("message %s refusé : %s", control_id or "(sans identifiant)", text)
            await self._audit(message, name, event, outcome=4, description=text)
            return await asyncio.to_thread(parts.acknowledger.refuse, message, "AE", faults)
        try:
            fresh = await asyncio.to_thread(
                parts.inbox.put, control_id, message, now=parts.clock.now()
            )
        except Exception:
            _log.exception("message %s : enregistrement impossible", control_id)
            return await self._later(message, "enregistrement impossible, renvoyer plus tard")
        if fresh:
            self._wake()
            await self._audit(message, name, event, outcome=0, description="")
        return await asyncio.to_thread(parts.acknowledger.accept, message)

    async def _later(self, message: bytes, text: str) -> bytes | None:
        """AR: nothing was kept, and the message is not at fault."""
        fault = Fault(code="207", where="", text=text, application="906")
        return await asyncio.to_thread(self._parts.acknowledger.refuse, message, "AR", (fault,))

    async def _undeclared(self, ris: Unknown, control_id: str) -> tuple[Fault, ...]:
        """Tell the administrator; what the message is refused for, if it is."""
        refused = self._refuse_undeclared
        alert = ris.alert(control_id, refused=refused)
        await asyncio.to_thread(self._parts.alerts.raise_, alert, now=self._parts.clock.now())
        return (ris.fault(),) if refused else ()

    async def _audit(
        self, message: bytes, peer: str, kind: str, *, outcome: int, description: str
    ) -> None:
        """Receipt of a report (DB.SO.43) or of a notice; the sender has its answer even when it
        cannot be kept."""
        event = AuditEvent(
            event=kind,
            outcome=outcome,
            description=description,
            patient=_patient(message),
            peer=peer,
            objects={"message": _control_id(message)},
        )
        try:
            await asyncio.to_thread(self._parts.audit.record, event, now=self._parts.clock.now())
        except Exception:
            _log.exception("message %s : réception non tracée", _control_id(message))


def _patient(message: bytes) -> str:
    """The matricule INS of PID-3, "" when there is none."""
    try:
        pid = parse(message).first("PID")
    except RemoteProtocolError:
        return ""
    identifiers = pid.field(3).repetitions if pid else ()
    return next(
        (one.component(1).value for one in identifiers if one.component(5).value == INS_TYPE), ""
    )


def _control_id(message: bytes) -> str:
    try:
        return parse(message).value("MSH-10")
    except RemoteProtocolError:
        return ""
