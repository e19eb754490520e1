"""What each transaction answers to a caller who was believed: body in, body out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from lxml import etree

from protocols import ebrim, hl7v3
from protocols.ebrim import DocumentResponse, QueryResponse, RegistryResponse
from protocols.hl7types import CX, DataTypeError
from protocols.mtom import Package
from simulators.dmp import existence, habilitation, queries, update
from simulators.dmp.access import check_patient, check_right
from simulators.dmp.config import DmpConfig
from simulators.dmp.faults import Cut, cut_of, partial, refuse
from simulators.dmp.refusal import BusinessError
from simulators.dmp.retrieval import retrieve
from simulators.dmp.rights import Transaction
from simulators.dmp.store import Store
from simulators.dmp.submission import check_lot, register
from simulators.dmp.vihf import Caller
from spec.dmp import REPOSITORY_OID
from spec.xds import AssociationType, ResponseStatus
from wire.faults import Struck

__all__ = ["Answer", "ConnectionCut", "Operations"]


class ConnectionCut(Exception):
    """A scripted loss of the connection, raised inside the transaction to undo it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The body of an answer, and what the journal is told about it."""

    body: etree._Element
    attachments: Mapping[str, tuple[bytes, str]] = field(default_factory=dict)
    detail: str = ""
    keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Operations:
    """The transactions, on one store. Synchronous: they run in a worker thread.

    `struck` is the fault that strikes the request, if there is one.
    """

    config: DmpConfig
    store: Store

    @property
    def _uuid(self) -> Callable[[], UUID]:
        return self.config.uuid

    def _now(self) -> datetime:
        return self.config.clock()

    def existence(
        self, body: etree._Element, package: Package, caller: Caller, struck: Struck | None
    ) -> Answer:
        """TD0.2."""
        check_right(Transaction.EXISTENCE, caller)
        test = hl7v3.parse_existence_test(body)
        patient = check_patient(caller, existence.patient_of(test))
        with self.store.reading() as session:
            answer = existence.answer(
                test,
                session,
                caller,
                message_id=str(self._uuid()),
                now=self._now(),
                inactive_structures=self.config.options.inactive_structures,
            )
        return Answer(body=hl7v3.build_existence_answer(answer), keys=(patient.id,))

    def habilitation(
        self, body: etree._Element, package: Package, caller: Caller, struck: Struck | None
    ) -> Answer:
        """TD0.3."""
        demand = habilitation.parse_demand(body)
        patient = check_patient(caller, None)
        with self.store.writing() as session:
            outcome = habilitation.set_authorisation(demand, session, caller, patient)
            _cut_before(struck)
        return Answer(body=habilitation.build_outcome(outcome), keys=(patient.id,))

    def provide_and_register(
        self, body: etree._Element, package: Package, caller: Caller, struck: Struck | None
    ) -> Answer:
        """TD2.1a, TD2.1b."""
        check_right(Transaction.FEED, caller)
        submission = ebrim.parse_submit(body)
        replaces = bool(submission.associated(AssociationType.REPLACE))
        detail = "TD2.1b" if replaces else "TD2.1a"
        keys = tuple(entry.unique_id for entry in submission.entries)
        try:
            patient = check_patient(caller, _patient(submission))
            keys = (patient.id, *keys)
            lot = check_lot(
                submission,
                package,
                caller,
                options=self.config.options,
                trust=self.config.trust,
                now=self._now(),
            )
            refuse(struck)
            with self.store.writing() as session:
                registered = register(lot, session, caller, self._uuid)
                _cut_before(struck)
            keys = (*keys, *registered.entry_ids.values())
            response = RegistryResponse()
        except BusinessError as error:
            response = _failure(error)
        return Answer(body=ebrim.build_registry_response(response), detail=detail, keys=keys)

    def stored_query(
        self, body: etree._Element, package: Package, caller: Caller, struck: Struck | None
    ) -> Answer:
        """TD3.1a, TD3.1b."""
        query = ebrim.parse_query(body)
        transaction = queries.transaction_of(query)
        check_right(transaction, caller)
        keys: tuple[str, ...] = ()
        try:
            patient = check_patient(caller, queries.patient_of(query))
            keys = (patient.id,)
            refuse(struck)
            with self.store.reading() as session:
                whole = queries.answer(
                    query, session, caller, patient, max_results=self.config.options.max_results
                )
            response = partial(struck, whole)
        except BusinessError as error:
            response = QueryResponse(status=ResponseStatus.FAILURE, errors=error.errors, total=0)
        body = ebrim.build_query_response(response, mint=lambda: self._uuid().urn)
        found = (*response.refs, *(entry.id for entry in response.entries))
        return Answer(body=body, detail=transaction.value, keys=(*keys, *found))

    def retrieve(
        self, body: etree._Element, package: Package, caller: Caller, struck: Struck | None
    ) -> Answer:
        """TD3.2."""
        check_right(Transaction.READ, caller)
        requests = ebrim.parse_retrieve(body)
        keys = tuple(request.document_unique_id for request in requests)
        attachments: dict[str, tuple[bytes, str]] = {}
        documents: list[DocumentResponse] = []
        try:
            patient = check_patient(caller, None)
            keys = (patient.id, *keys)
            refuse(struck)
            with self.store.reading() as session:
                retrieved = retrieve(requests, session, caller, patient)
            response = retrieved.response
            for entry, content in retrieved.documents:
                cid = f"{self._uuid().urn}@dmp"
                attachments[cid] = (content, "application/octet-stream")
                documents.append(
                    DocumentResponse(
                        repository_unique_id=REPOSITORY_OID,
                        document_unique_id=entry.unique_id,
                        mime_type=entry.mime_type,
                        content=cid,
                    )
                )
        except BusinessError as error:
            response = _failure(error)
        return Answer(
            body=ebrim.build_retrieve_response(response, documents),
            attachments=attachments,
            detail="TD3.2",
            keys=keys,
        )

    def update(
        self, body: etree._Element, package: Package, caller: Caller, struck: Struck | None
    ) -> Answer:
        """TD3.3c, TD3.3d."""
        submission = ebrim.parse_submit(body)
        detail = ""
        keys: tuple[str, ...] = ()
        try:
            transaction = update.transaction_of(submission)
            detail = transaction.value
            check_right(transaction, caller)
            patient = check_patient(caller, update.patient_of(submission))
            targets = (
                link.target
                for link in submission.associated(AssociationType.UPDATE_AVAILABILITY_STATUS)
            )
            keys = (patient.id, *targets)
            refuse(struck)
            with self.store.writing() as session:
                update.update_statuses(submission, session, caller, patient, self._uuid)
                _cut_before(struck)
            response = RegistryResponse()
        except BusinessError as error:
            response = _failure(error)
        return Answer(body=ebrim.build_registry_response(response), detail=detail, keys=keys)


def _cut_before(struck: Struck | None) -> None:
    """Something is about to be kept.

    Raises:
        ConnectionCut: the connection is lost first.
    """
    if cut_of(struck) is Cut.BEFORE:
        raise ConnectionCut


def _failure(error: BusinessError) -> RegistryResponse:
    return RegistryResponse(status=ResponseStatus.FAILURE, errors=error.errors)


def _patient(submission: ebrim.Submission) -> CX | None:
    """The lot's patient, None when the metadata checks will have to say what is wrong with it."""
    if len(submission.sets) != 1:
        return None
    try:
        return CX.parse(submission.submission_set.patient_id)
    except DataTypeError:
        return None
