"""Which patients and documents a caller may reach: the matrix applied, and its preconditions."""

from __future__ import annotations

from protocols.ebrim import DocumentEntry
from protocols.hl7types import CX
from simulators.dmp.metadata import same_patient
from simulators.dmp.patients import Patient
from simulators.dmp.refusal import BusinessError, Refusal
from simulators.dmp.rights import Grant, Transaction, grant
from simulators.dmp.store import Session
from simulators.dmp.submission import is_author
from simulators.dmp.vihf import Caller
from spec.dmp import MASKING_SCHEME, Authorisation, FaultSubcode, Masking
from spec.vihf import ModeAcces
from spec.xds import ErrorCode, Status

__all__ = ["check_authorised", "check_patient", "check_right", "may_act_on", "may_read"]

_INVISIBLE = (Masking.PATIENT, Masking.LEGAL_REPRESENTATIVES)


def check_right(transaction: Transaction, caller: Caller) -> Grant:
    """What the matrix grants.

    Raises:
        Refusal: it grants nothing.
    """
    granted = grant(transaction, caller.profile, caller.access)
    if granted is Grant.NO:
        raise Refusal(
            FaultSubcode.RIGHTS,
            f"{transaction} interdit en mode {caller.profile} (accès {caller.access})",
        )
    return granted


def check_patient(caller: Caller, patient: CX | None) -> CX:
    """The patient of the VIHF, who is that of the body when the body names one.

    Raises:
        Refusal: no resource-id, or another patient's.
    """
    if caller.patient is None:
        raise Refusal(FaultSubcode.VIHF, "resource-id absent du VIHF")
    if patient is not None and not same_patient(caller.patient, patient):
        raise Refusal(FaultSubcode.PATIENT, "Le patient du VIHF n'est pas celui de la requête")
    return caller.patient


def check_authorised(session: Session, patient: Patient, caller: Caller) -> None:
    """The caller has the patient's authorisation; emergency modes need only no opposition.

    The code of this refusal is not public: XDSRegistryError (grade `inferred`).

    Raises:
        BusinessError: the authorisation is not valid, or the patient is opposed.
    """
    if caller.access is not ModeAcces.NORMAL:
        if caller.access in patient.opposed_to:
            raise BusinessError.of(
                ErrorCode.REGISTRY_ERROR, f"Patient opposé à l'accès {caller.access}"
            )
        return
    status = session.authorisation(patient, caller.structure)
    if status is not Authorisation.VALID:
        raise BusinessError.of(ErrorCode.REGISTRY_ERROR, f"Autorisation d'accès {status}")


def may_read(entry: DocumentEntry, caller: Caller, patient: Patient) -> bool:
    """Whether TD3.2 is granted on this document."""
    needed = [Transaction.READ]
    masking = {code.code for code in entry.confidentiality_codes if code.scheme == MASKING_SCHEME}
    if Masking.PROFESSIONALS in masking:
        needed.append(Transaction.READ_MASKED)
    if entry.status != Status.APPROVED or masking.intersection(_INVISIBLE):
        needed.append(Transaction.READ_HIDDEN)
    return all(may_act_on(entry, row, caller, patient) for row in needed)


def may_act_on(
    entry: DocumentEntry, transaction: Transaction, caller: Caller, patient: Patient
) -> bool:
    """Whether the matrix's cell holds for this document."""
    match grant(transaction, caller.profile, caller.access):
        case Grant.YES:
            return True
        case Grant.NO:
            return False
        case Grant.IF_ALLOWED:
            return caller.access not in patient.opposed_to
        case Grant.OWN | Grant.STRUCTURE:
            return is_author(entry, caller)
