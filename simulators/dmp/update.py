"""ITI-57 restricted to availability: TD3.3c (delete) and TD3.3d (archive, unarchive).

Réf. IHE ITI Vol. 2 3.57.4.1.3.3.2 (UpdateAvailabilityStatus); statuses of TRE_R270 (ANS). New
metadata versions (TD3.3a, TD3.3b) are refused as an operation that is not served.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from uuid import UUID

from protocols.ebrim import Association, Submission
from protocols.hl7types import CX, DataTypeError
from simulators.dmp.access import check_authorised, may_act_on
from simulators.dmp.metadata import same_patient
from simulators.dmp.refusal import BusinessError
from simulators.dmp.rights import Profile, Transaction
from simulators.dmp.store import Session
from simulators.dmp.submission import open_patient
from simulators.dmp.vihf import Caller
from spec.xds import AssociationType, ErrorCode, SlotName, Status

__all__ = ["patient_of", "transaction_of", "update_statuses"]

_MOVES = {
    (Status.APPROVED, Status.DELETED): Transaction.DELETE,
    (Status.ARCHIVED, Status.DELETED): Transaction.DELETE,
    (Status.APPROVED, Status.ARCHIVED): Transaction.ARCHIVE,
    (Status.ARCHIVED, Status.APPROVED): Transaction.ARCHIVE,
}


def patient_of(submission: Submission) -> CX:
    """The patient of the lot.

    Raises:
        BusinessError: unreadable.
        EbrimError: not one SubmissionSet.
    """
    try:
        return CX.parse(submission.submission_set.patient_id)
    except DataTypeError as error:
        raise BusinessError.of(ErrorCode.REGISTRY_METADATA_ERROR, str(error)) from None


def transaction_of(submission: Submission) -> Transaction:
    """What the lot asks for.

    Raises:
        BusinessError: no status change, or one that the DMP does not know.
    """
    links = submission.associated(AssociationType.UPDATE_AVAILABILITY_STATUS)
    if not links or submission.entries:
        raise BusinessError.of(
            ErrorCode.METADATA_UPDATE_OPERATION,
            "Seul le changement de statut (TD3.3c, TD3.3d) est servi",
        )
    transactions = {_move(link) for link in links}
    if len(transactions) > 1:
        raise BusinessError.of(
            ErrorCode.METADATA_UPDATE_OPERATION, "Plusieurs opérations dans un lot"
        )
    return transactions.pop()


def _move(link: Association) -> Transaction:
    statuses = link.value(SlotName.ORIGINAL_STATUS), link.value(SlotName.NEW_STATUS)
    for (before, after), transaction in _MOVES.items():
        if statuses == (before, after):
            return transaction
    raise BusinessError.of(
        ErrorCode.METADATA_UPDATE,
        f"Changement de statut inconnu : {statuses[0]} vers {statuses[1]}",
        location=link.target,
    )


def update_statuses(
    submission: Submission,
    session: Session,
    caller: Caller,
    patient: CX,
    uuid: Callable[[], UUID],
) -> None:
    """Change the statuses that the lot asks for.

    Raises:
        BusinessError: unknown document, another status than said, or not the caller's to change.
    """
    transaction = transaction_of(submission)
    record = open_patient(session, patient)
    if caller.profile is not Profile.INDIRECT:
        check_authorised(session, record, caller)
    lot = submission.submission_set
    if session.set_known(lot.unique_id):
        raise BusinessError.of(
            ErrorCode.DUPLICATE_UNIQUE_ID, f"uniqueId de lot {lot.unique_id} déjà enregistré"
        )
    set_id = uuid().urn
    session.add_set(replace(lot, id=set_id, status=Status.APPROVED))
    for link in submission.associated(AssociationType.UPDATE_AVAILABILITY_STATUS):
        entry = session.entry(link.target)
        if entry is None or not same_patient(CX.parse(entry.patient_id), patient):
            raise BusinessError.of(
                ErrorCode.UNRESOLVED_REFERENCE,
                f"Document inconnu : {link.target[:80]}",
                location=link.target,
            )
        if entry.status != link.value(SlotName.ORIGINAL_STATUS):
            raise BusinessError.of(
                ErrorCode.METADATA_UPDATE,
                f"Le statut du document est {entry.status}",
                location=link.target,
            )
        if not may_act_on(entry, transaction, caller, record):
            raise BusinessError.of(
                ErrorCode.LOCAL_POLICY,
                f"{transaction} : seul un auteur du document le peut",
                location=link.target,
            )
        session.set_status(entry.id, link.value(SlotName.NEW_STATUS))
        session.add_association(replace(link, id=uuid().urn, source=set_id))
