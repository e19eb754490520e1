"""Taking an IOCM note from the PACS: on disk first, then status 0000, worked on later."""

from __future__ import annotations

import logging
from collections.abc import Callable

from drimbox_ref.source.parts import Parts
from drimbox_ref.trail import AuditEvent
from protocols.dicom import build_part10
from protocols.errors import LocalProtocolError, RemoteProtocolError
from wire.dimse import StoreRequest

__all__ = ["NoteDoor"]

_log = logging.getLogger(__name__)

_SUCCESS = 0x0000
_NOT_AUTHORIZED = 0x0124
_OUT_OF_RESOURCES = 0xA700
_CANNOT_UNDERSTAND = 0xC000


class NoteDoor:
    """The C-STORE handler of key objects that no C-MOVE of ours asked for (RAD-66, DB.SO.25).

    `senders` are the AE titles that may send them, None for anybody's. It runs in the threads of
    associations; `wake` is called there when there is something new to work on.
    """

    def __init__(
        self, parts: Parts, *, senders: frozenset[str] | None, wake: Callable[[], None]
    ) -> None:
        self._parts = parts
        self._senders = senders
        self._wake = wake

    def store(self, request: StoreRequest) -> int:
        """The status: 0000 once the note is on disk, A700 when the PACS is to try again."""
        parts = self._parts
        if self._senders is not None and request.calling_ae not in self._senders:
            return self._refused(request, _NOT_AUTHORIZED, "AE appelante inconnue")
        try:
            note = build_part10(
                sop_class=request.sop_class,
                sop_instance=request.sop_instance,
                transfer_syntax=request.transfer_syntax,
                dataset=request.dataset,
            )
        except (LocalProtocolError, RemoteProtocolError) as error:
            return self._refused(request, _CANNOT_UNDERSTAND, str(error))
        faults = parts.notices.examine(note)
        if faults:
            return self._refused(request, _CANNOT_UNDERSTAND, "; ".join(f.text for f in faults))
        try:
            fresh = parts.inbox.put(request.sop_instance, note, now=parts.clock.now())
        except Exception:
            _log.exception("note %s : enregistrement impossible", request.sop_instance)
            return _OUT_OF_RESOURCES
        if fresh:
            self._record(request, 0, "")
            self._wake()
        return _SUCCESS

    def _refused(self, request: StoreRequest, status: int, why: str) -> int:
        _log.warning("note %s de %s refusée : %s", request.sop_instance, request.calling_ae, why)
        self._record(request, 4, f"Note refusée : {why}.")
        return status

    def _record(self, request: StoreRequest, outcome: int, description: str) -> None:
        self._parts.audit.record(
            AuditEvent(
                event="RAD-66",
                outcome=outcome,
                description=description,
                peer=request.calling_ae,
                objects={"message": request.sop_instance},
            ),
            now=self._parts.clock.now(),
        )
