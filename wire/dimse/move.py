"""The provider of C-MOVE and C-GET: sends what a plan lists, bytes unchanged, and counts.

Statuses and counters as in PS3.4 C.4.2: a pending response after each sub-operation, then 0000,
B000 when some failed, A702 when all did or the destination does not answer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from io import BytesIO
from typing import Any

from pydicom.dataset import Dataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_dataset
from pynetdicom.dimse_primitives import C_GET, C_MOVE
from pynetdicom.dsutils import decode

from spec.dicom import IMPLICIT_VR_LITTLE_ENDIAN
from wire.dimse.client import DimseClient
from wire.dimse.messages import (
    PENDING,
    SUCCESS,
    WARNING_SUBOPERATIONS,
    AbortAssociation,
    DimseFailure,
    DimseRefusal,
    GetPlan,
    MovePlan,
    Outgoing,
    is_failure,
)
from wire.dimse.store import StoreSession
from wire.exchange import Label, Observe

__all__ = ["provide_get", "provide_move"]

_CANCELLED = 0xFE00
_UNABLE_TO_SEND = 0xA702
_MISMATCH = 0xA900


def provide_move(
    association: Any,
    request: Any,
    context: Any,
    plan_of: Callable[[Any], MovePlan],
    *,
    actor: str,
    observe: Observe,
    label: Label | None,
    timeout: float,
) -> None:
    """Answer one C-MOVE request, in the association's own thread."""
    answer = _Answer(association, request, context)
    try:
        identifier = _identifier(request, context)
        plan = plan_of(identifier)
        answer.remaining, answer.excess = plan.count, plan.excess
        if plan.count:
            _send_all(answer, plan, actor=actor, observe=observe, label=label, timeout=timeout)
        else:
            answer.final(SUCCESS)
    except DimseRefusal as refusal:
        answer.final(refusal.status, refusal.comment)
    except AbortAssociation:
        association.abort()


def provide_get(
    association: Any,
    request: Any,
    context: Any,
    plan_of: Callable[[Any], GetPlan],
    *,
    session: StoreSession,
) -> None:
    """Answer one C-GET request on its own association (PS3.4 C.4.3), in the association's thread.

    `session` stores on that same association, where the caller took the role of provider.
    """
    answer = _Answer(association, request, context, C_GET)
    try:
        plan = plan_of(_identifier(request, context))
        answer.remaining, answer.excess = plan.count, plan.excess
        if plan.count and _send_each(answer, session, plan.instances, None):
            return
        _end(answer)
    except DimseRefusal as refusal:
        answer.final(refusal.status, refusal.comment)
    except AbortAssociation:
        association.abort()


def _send_all(
    answer: _Answer,
    plan: MovePlan,
    *,
    actor: str,
    observe: Observe,
    label: Label | None,
    timeout: float,
) -> None:
    client = DimseClient(
        answer.own_title, actor=actor, observe=observe, label=label, timeout=timeout
    )
    originator = (answer.caller, answer.message_id)
    try:
        with client.open_store(plan.destination, plan.contexts) as session:
            if plan.link is not None:
                session.impair(plan.link)
            if _send_each(answer, session, plan.instances, originator):
                return
    except DimseFailure:
        # No association with the destination: all the sub-operations have failed.
        answer.final(_UNABLE_TO_SEND, "destination injoignable")
        return
    _end(answer)


def _send_each(
    answer: _Answer,
    session: StoreSession,
    instances: Iterable[Outgoing],
    originator: tuple[str, int] | None,
) -> bool:
    """The sub-operations, one after the other; True when the caller cancelled them."""
    for index, outgoing in enumerate(instances, 1):
        if answer.is_cancelled():
            answer.final(_CANCELLED)
            return True
        if outgoing.fails:
            answer.count(_UNABLE_TO_SEND, outgoing.sop_instance)
            answer.pending()
            continue
        try:
            status = session.send_one(
                outgoing,
                message_id=(answer.message_id + index - 1) % 0xFFFF + 1,
                originator=originator,
            )
        except DimseFailure as failure:
            answer.count(_UNABLE_TO_SEND, outgoing.sop_instance)
            if failure.kind != "refused":
                # The association is gone: nothing else will pass.
                return False
        else:
            answer.count(status, outgoing.sop_instance)
        answer.pending()
    return False


def _end(answer: _Answer) -> None:
    """The final response, whose status follows from the counters."""
    answer.failed += answer.remaining
    answer.remaining = 0
    if not answer.failed and not answer.warning:
        answer.final(SUCCESS)
    elif not answer.completed and not answer.warning:
        answer.final(_UNABLE_TO_SEND)
    else:
        answer.final(WARNING_SUBOPERATIONS)


class _Answer:
    """The responses to one request, and its counters; `response` is their primitive."""

    def __init__(
        self, association: Any, request: Any, context: Any, response: type[Any] = C_MOVE
    ) -> None:
        self._response = response
        self.message_id = int(request.MessageID)
        self.caller = str(association.requestor.ae_title).strip()
        self.own_title = str(association.acceptor.ae_title).strip()
        self.remaining = self.completed = self.failed = self.warning = self.excess = 0
        self._failed_instances: list[str] = []
        self._association = association
        self._request = request
        self._context = context

    def is_cancelled(self) -> bool:
        """Whether the caller sent C-CANCEL, or went away."""
        association = self._association
        return (
            self.message_id in association.dimse.cancel_req
            or not association.is_established
            or association.acse.is_aborted()
        )

    def count(self, status: int, sop_instance: str) -> None:
        """One sub-operation is done."""
        self.remaining -= 1
        if status == SUCCESS:
            self.completed += 1
        elif is_failure(status):
            self.failed += 1
            self._failed_instances.append(sop_instance)
        else:
            self.warning += 1

    def pending(self) -> None:
        """Say where we are, unless it was the last one: the final response says it then."""
        if self.remaining > 0:
            self._send(PENDING)

    def final(self, status: int, comment: str = "") -> None:
        """End the operation; what remains of a failed one has failed."""
        if is_failure(status) and status != _CANCELLED:
            self.failed, self.remaining = self.failed + self.remaining, 0
        self._send(status, comment)

    def _send(self, status: int, comment: str = "") -> None:
        response = self._response()
        response.MessageID = self.message_id
        response.MessageIDBeingRespondedTo = self.message_id
        response.AffectedSOPClassUID = self._request.AffectedSOPClassUID
        response.Status = status
        if status in (PENDING, _CANCELLED):
            response.NumberOfRemainingSuboperations = self.remaining
        response.NumberOfCompletedSuboperations = max(0, self.completed + self.excess)
        response.NumberOfFailedSuboperations = self.failed
        response.NumberOfWarningSuboperations = self.warning
        if comment:
            response.ErrorComment = comment.encode("ascii", "replace").decode()[:64]
        if self._failed_instances and status not in (PENDING, SUCCESS):
            response.Identifier = BytesIO(self._failed_list())
        if self._association.is_established:
            self._association.dimse.send_msg(response, self._context.context_id)

    def _failed_list(self) -> bytes:
        dataset = Dataset()
        dataset.FailedSOPInstanceUIDList = self._failed_instances
        buffer = DicomBytesIO()
        buffer.is_little_endian = True
        buffer.is_implicit_VR = str(self._context.transfer_syntax[0]) == IMPLICIT_VR_LITTLE_ENDIAN
        write_dataset(buffer, dataset)
        encoded: bytes = buffer.parent.getvalue()
        return encoded


def _identifier(request: Any, context: Any) -> Any:
    """The decoded identifier of a request; refuses what cannot be decoded."""
    syntax = context.transfer_syntax[0]
    try:
        identifier = decode(request.Identifier, syntax.is_implicit_VR, syntax.is_little_endian)
        # Decoding is lazy: a damaged identifier shows only when it is looked at.
        for _ in identifier:
            pass
    except Exception:
        raise DimseRefusal(_MISMATCH, "identifiant illisible") from None
    return identifier
