"""ITI-18: FindDocuments, FindDocumentsByReferenceId and GetDocuments (TD3.1a, TD3.1b).

Réf. IHE ITI Vol. 2 section 3.18.4.1.2.3.7 (parameters of each query).
"""

from __future__ import annotations

import re
from collections.abc import Callable

from protocols.ebrim import AdhocQuery, Code, DocumentEntry, QueryResponse
from protocols.hl7types import CX, DataTypeError
from simulators.dmp.access import check_authorised, check_right, may_read
from simulators.dmp.metadata import same_patient
from simulators.dmp.refusal import BusinessError
from simulators.dmp.rights import Profile, Transaction
from simulators.dmp.store import Session
from simulators.dmp.submission import open_patient
from simulators.dmp.vihf import Caller
from spec.xds import ErrorCode, Query

__all__ = ["answer", "patient_of", "transaction_of"]

_PATIENT = "$XDSDocumentEntryPatientId"
_STATUS = "$XDSDocumentEntryStatus"
_REFERENCE = "$XDSDocumentEntryReferenceIdList"
_ENTRY_UUID = "$XDSDocumentEntryEntryUUID"
_UNIQUE_ID = "$XDSDocumentEntryUniqueId"

_SINGLE = (_PATIENT, _STATUS, _ENTRY_UUID, _UNIQUE_ID)

_CODED: dict[str, Callable[[DocumentEntry], tuple[Code | None, ...]]] = {
    "$XDSDocumentEntryClassCode": lambda entry: (entry.class_code,),
    "$XDSDocumentEntryTypeCode": lambda entry: (entry.type_code,),
    "$XDSDocumentEntryFormatCode": lambda entry: (entry.format_code,),
    "$XDSDocumentEntryPracticeSettingCode": lambda entry: (entry.practice_setting,),
    "$XDSDocumentEntryHealthcareFacilityTypeCode": lambda entry: (entry.facility_type,),
    "$XDSDocumentEntryEventCodeList": lambda entry: entry.event_codes,
    "$XDSDocumentEntryConfidentialityCode": lambda entry: entry.confidentiality_codes,
}

_TIMES: dict[str, Callable[[DocumentEntry], str]] = {
    "$XDSDocumentEntryCreationTime": lambda entry: entry.creation_time,
    "$XDSDocumentEntryServiceStartTime": lambda entry: entry.service_start_time,
    "$XDSDocumentEntryServiceStopTime": lambda entry: entry.service_stop_time,
}

_DIGITS = re.compile(r"\d{4,14}", re.ASCII)


def transaction_of(query: AdhocQuery) -> Transaction:
    """TD3.1b asks for the reference of one document, everything else is a search."""
    if query.id == Query.GET_DOCUMENTS and query.return_type == "ObjectRef":
        return Transaction.FIND_REFERENCE
    return Transaction.SEARCH


def patient_of(query: AdhocQuery) -> CX | None:
    """The patient that the query names; rule RG_3010 lets it name none.

    Raises:
        BusinessError: a patientId that cannot be read.
    """
    text = query.value(_PATIENT)
    if not text:
        return None
    try:
        return CX.parse(text)
    except DataTypeError as error:
        raise BusinessError.of(ErrorCode.REGISTRY_ERROR, str(error), _PATIENT) from None


def answer(
    query: AdhocQuery, session: Session, caller: Caller, patient: CX, *, max_results: int
) -> QueryResponse:
    """The entries of `patient` that match and that the caller may see.

    Raises:
        Refusal: the matrix forbids the transaction.
        BusinessError: a query that cannot be answered.
    """
    transaction = transaction_of(query)
    check_right(transaction, caller)
    find = _QUERIES.get(query.id)
    if find is None:
        raise BusinessError.of(
            ErrorCode.UNKNOWN_STORED_QUERY, f"Requête enregistrée non servie : {query.id[:80]}"
        )
    _check_numbers(query)
    record = open_patient(session, patient)
    # A software that only feeds needs no authorisation to find what it fed (IG-FHIR-PDSM4DMP).
    if not (transaction is Transaction.FIND_REFERENCE and caller.profile is Profile.INDIRECT):
        check_authorised(session, record, caller)
    found = find(query, session, patient)
    if transaction is Transaction.SEARCH:
        found = [entry for entry in found if may_read(entry, caller, record)]
    if len(found) > max_results:
        raise BusinessError.of(ErrorCode.TOO_MANY_RESULTS, f"{len(found)} résultats")
    if query.return_type == "ObjectRef":
        return QueryResponse(refs=tuple(entry.id for entry in found), total=len(found))
    return QueryResponse(entries=tuple(found), total=len(found))


def _check_numbers(query: AdhocQuery) -> None:
    for name in (*_SINGLE, *(f"{base}{end}" for base in _TIMES for end in ("From", "To"))):
        if len(query.all(name)) > 1:
            raise BusinessError.of(
                ErrorCode.PARAMETER_NUMBER, f"Paramètre {name} répété", location=name
            )


def _demand(query: AdhocQuery, name: str) -> tuple[str, ...]:
    values = tuple(value for parameter in query.all(name) for value in parameter.values)
    if not values:
        raise BusinessError.of(
            ErrorCode.MISSING_PARAMETER, f"Paramètre {name} absent", location=name
        )
    return values


def _find_documents(query: AdhocQuery, session: Session, patient: CX) -> list[DocumentEntry]:
    statuses = _demand(query, _STATUS)
    return [
        entry
        for entry in session.entries(patient)
        if entry.status in statuses and _matches(entry, query)
    ]


def _find_by_reference(query: AdhocQuery, session: Session, patient: CX) -> list[DocumentEntry]:
    _demand(query, _REFERENCE)
    wanted = [frozenset(parameter.values) for parameter in query.all(_REFERENCE)]
    return [
        entry
        for entry in _find_documents(query, session, patient)
        if all(values.intersection(entry.reference_ids) for values in wanted)
    ]


def _get_documents(query: AdhocQuery, session: Session, patient: CX) -> list[DocumentEntry]:
    ids = [value for parameter in query.all(_ENTRY_UUID) for value in parameter.values]
    unique_ids = [value for parameter in query.all(_UNIQUE_ID) for value in parameter.values]
    if bool(ids) == bool(unique_ids):
        code = ErrorCode.PARAMETER_NUMBER if ids else ErrorCode.MISSING_PARAMETER
        raise BusinessError.of(code, f"{_ENTRY_UUID} ou {_UNIQUE_ID}, l'un des deux")
    entries = [session.entry(value) for value in ids]
    entries += [session.entry_of_document(value) for value in unique_ids]
    return [
        entry
        for entry in entries
        if entry is not None and same_patient(CX.parse(entry.patient_id), patient)
    ]


_QUERIES: dict[str, Callable[[AdhocQuery, Session, CX], list[DocumentEntry]]] = {
    Query.FIND_DOCUMENTS: _find_documents,
    Query.FIND_DOCUMENTS_BY_REFERENCE_ID: _find_by_reference,
    Query.GET_DOCUMENTS: _get_documents,
}


def _matches(entry: DocumentEntry, query: AdhocQuery) -> bool:
    for name, codes in _CODED.items():
        mine = {f"{code.code}^^{code.scheme}" for code in codes(entry) if code is not None}
        # Values in one slot are alternatives, each slot of the same name must hold.
        if not all(mine.intersection(parameter.values) for parameter in query.all(name)):
            return False
    for name, time in _TIMES.items():
        start, end = _time(query, f"{name}From"), _time(query, f"{name}To")
        mine_at = _earliest(time(entry))
        if (start or end) and not time(entry):
            return False
        if (start and mine_at < start) or (end and mine_at >= end):
            return False
    return True


def _time(query: AdhocQuery, name: str) -> str:
    """A bound, at full precision; "" when the query has none."""
    value = query.value(name)
    if value and not _DIGITS.fullmatch(value):
        raise BusinessError.of(
            ErrorCode.REGISTRY_ERROR, f"{name} n'est pas une date HL7", location=name
        )
    return _earliest(value) if value else ""


def _earliest(value: str) -> str:
    """The first instant that an HL7 date of any precision names."""
    return value + "00000101000000"[len(value) :]
