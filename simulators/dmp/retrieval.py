"""ITI-43 (TD3.2): documents by repository and uniqueId."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from protocols.ebrim import (
    DocumentEntry,
    DocumentRequest,
    RegistryError,
    RegistryResponse,
)
from protocols.hl7types import CX
from simulators.dmp.access import check_authorised, check_right, may_read
from simulators.dmp.metadata import same_patient
from simulators.dmp.refusal import BusinessError, Refusal
from simulators.dmp.rights import Transaction
from simulators.dmp.store import Session
from simulators.dmp.submission import open_patient
from simulators.dmp.vihf import Caller
from spec.dmp import REPOSITORY_OID
from spec.xds import ErrorCode, ResponseStatus

__all__ = ["Retrieved", "retrieve"]


@dataclass(frozen=True, slots=True)
class Retrieved:
    """What is answered: the outcome, and the documents found with their bytes."""

    response: RegistryResponse
    documents: tuple[tuple[DocumentEntry, bytes], ...] = ()


def retrieve(
    requests: Sequence[DocumentRequest], session: Session, caller: Caller, patient: CX
) -> Retrieved:
    """The documents asked for, of the VIHF's patient.

    Raises:
        Refusal: the matrix forbids reading, or an entryUUID stands for a uniqueId (clients saw
            that answered by a SOAP fault).
        BusinessError: no open DMP, or no authorisation.
    """
    check_right(Transaction.READ, caller)
    for request in requests:
        if request.document_unique_id.startswith("urn:uuid:"):
            raise Refusal(
                ErrorCode.DOCUMENT_UNIQUE_ID,
                f"{request.document_unique_id[:80]} est un entryUUID, pas un uniqueId",
            )
    record = open_patient(session, patient)
    check_authorised(session, record, caller)
    found: list[tuple[DocumentEntry, bytes]] = []
    errors: list[RegistryError] = []
    for request in requests:
        if request.repository_unique_id != REPOSITORY_OID:
            errors.append(
                RegistryError(
                    code=ErrorCode.UNKNOWN_REPOSITORY,
                    context=f"Entrepôt inconnu : {request.repository_unique_id[:80]}",
                )
            )
            continue
        entry = session.entry_of_document(request.document_unique_id)
        content = session.content(request.document_unique_id)
        if (
            entry is None
            or content is None
            or not same_patient(CX.parse(entry.patient_id), patient)
            or not may_read(entry, caller, record)
        ):
            # One code for absent, foreign and forbidden: an answer must not tell them apart.
            errors.append(
                RegistryError(
                    code=ErrorCode.DOCUMENT_UNIQUE_ID,
                    context=f"Document inconnu : {request.document_unique_id[:80]}",
                )
            )
            continue
        found.append((entry, content))
    if errors and not found:
        raise BusinessError(errors)
    status = ResponseStatus.PARTIAL_SUCCESS if errors else ResponseStatus.SUCCESS
    return Retrieved(RegistryResponse(status=status, errors=tuple(errors)), tuple(found))
