"""TD0.2: whether a patient has a DMP, and what the caller may do there."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from protocols.hl7types import CX, HD
from protocols.hl7v3 import II, AckDetail, ExistenceAnswer, ExistenceTest, Person
from simulators.dmp.patients import DmpState
from simulators.dmp.store import Session
from simulators.dmp.vihf import Caller
from spec.dmp import SYSTEM_OID, Text
from spec.oids import INS_AUTHORITIES

__all__ = ["answer", "patient_of"]


def patient_of(test: ExistenceTest) -> CX:
    """The patient that the request names."""
    return CX(test.patient.extension, HD(test.patient.root), "NH")


def answer(
    test: ExistenceTest,
    session: Session,
    caller: Caller,
    *,
    message_id: str,
    now: datetime,
    inactive_structures: frozenset[str],
) -> ExistenceAnswer:
    """The answer to an existence test whose VIHF was believed.

    An identifier unknown to the DMP is answered as a patient without one (`NF`): the code that the
    DMP gives then is not public (grade `inferred`). Identity under the code `KIT-` is ours.
    """
    base = ExistenceAnswer(
        message_id=II(SYSTEM_OID, message_id),
        creation_time=now.astimezone(UTC).strftime("%Y%m%d%H%M%S"),
        target_message=test.message_id,
        receiver=test.sender,
        receiver_name=test.sender_name,
    )
    refused = _refusal(test, caller, inactive_structures)
    if refused is not None:
        return replace(base, acknowledgement="AE", details=(refused,))
    patient = session.patient(patient_of(test))
    if patient is None or patient.state is DmpState.NONE:
        return replace(base, response_code="NF", query_id=test.query_id)
    return replace(
        base,
        authorisation=session.authorisation(patient, caller.structure),
        treating_physician=patient.treating_physician,
        response_code="OK",
        query_id=test.query_id,
        patient_ids=(II(patient.oid, patient.matricule),),
        patient_status="terminated" if patient.state is DmpState.CLOSED else "active",
        person=Person(
            family=patient.family,
            given=patient.given,
            gender=patient.gender,
            birth_time=patient.birth_date,
        ),
        internet_account=patient.internet_account,
        ens=patient.ens,
    )


def _refusal(
    test: ExistenceTest, caller: Caller, inactive_structures: frozenset[str]
) -> AckDetail | None:
    if caller.structure in inactive_structures:
        return AckDetail("KIT-DMPStructure", Text.STRUCTURE_UNKNOWN)
    if test.patient.root not in INS_AUTHORITIES or not test.patient.extension:
        return AckDetail("KIT-DMPIdentity", "L'identifiant du patient n'est pas un INS")
    return None
