"""The DMP's four SOAP services: envelopes in, envelopes out, faults on HTTP 500.

Checks in the order of the real server: addressing headers, VIHF, rights, business. Answers follow
the GIE SESAM-Vitale message examples (grade `sample`): `repository` always answers in
multipart/related, even a fault; the others in plain SOAP.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from lxml import etree

from protocols import mtom, soap
from protocols.errors import RemoteProtocolError
from protocols.mtom import Package
from protocols.soap import ANONYMOUS, Envelope, Fault
from simulators.dmp.config import DmpConfig
from simulators.dmp.faults import MENU, fail
from simulators.dmp.hostile import ENDLESS, poisoned
from simulators.dmp.operations import Answer, ConnectionCut, Operations
from simulators.dmp.refusal import Refusal
from simulators.dmp.store import Store
from simulators.dmp.vihf import Caller, authenticate
from spec.dmp import (
    EXISTENCE_ACTION,
    EXISTENCE_ANSWER_ACTION,
    HABILITATION_ACTION,
    HABILITATION_ANSWER_ACTION,
    FaultSubcode,
    ServicePath,
    Text,
)
from spec.xds import Action
from wire.faults import Faults, Struck

__all__ = ["Reply", "Service", "named"]

_SOAP_TYPE = "application/soap+xml; charset=UTF-8"

_Handler = Callable[[Operations, etree._Element, Package, Caller, Struck | None], Answer]


@dataclass(frozen=True, slots=True)
class _Operation:
    """One action of one service: the transaction's name and who answers it."""

    path: ServicePath
    transaction: str
    service: str
    """As the fault menu calls it."""
    answer_action: str
    handler: _Handler


_OPERATIONS: dict[str, _Operation] = {
    EXISTENCE_ACTION: _Operation(
        ServicePath.PATIENTS, "TD0.2", "TD0.2", EXISTENCE_ANSWER_ACTION, Operations.existence
    ),
    HABILITATION_ACTION: _Operation(
        ServicePath.HABILITATIONS,
        "TD0.3",
        "TD0.3",
        HABILITATION_ANSWER_ACTION,
        Operations.habilitation,
    ),
    Action.PROVIDE_AND_REGISTER: _Operation(
        ServicePath.REPOSITORY,
        "ITI-41",
        "TD2.1",
        Action.PROVIDE_AND_REGISTER.answer,
        Operations.provide_and_register,
    ),
    Action.RETRIEVE: _Operation(
        ServicePath.REPOSITORY, "ITI-43", "TD3.2", Action.RETRIEVE.answer, Operations.retrieve
    ),
    Action.STORED_QUERY: _Operation(
        ServicePath.REGISTRY, "ITI-18", "TD3.1", Action.STORED_QUERY.answer, Operations.stored_query
    ),
    Action.UPDATE: _Operation(
        ServicePath.REGISTRY, "ITI-57", "TD3.3", Action.UPDATE.answer, Operations.update
    ),
}

_DEFAULT_TRANSACTION = {
    ServicePath.PATIENTS: "TD0.2",
    ServicePath.HABILITATIONS: "TD0.3",
    ServicePath.REPOSITORY: "ITI-41",
    ServicePath.REGISTRY: "ITI-18",
}
"""What a request that never said its action is counted as."""


def named(path: ServicePath, action: str | None) -> str:
    """What a request to a service is counted as: by its action, when that service has it."""
    operation = _OPERATIONS.get(action or "")
    if operation is None or operation.path is not path:
        return _DEFAULT_TRANSACTION[path]
    return operation.transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """One HTTP answer, and what the journal is told. `struck` is what happens on its way."""

    status: int
    content_type: str
    body: bytes
    transaction: str
    detail: str = ""
    keys: tuple[str, ...] = ()
    struck: Struck | None = None
    more_mib: int = 0
    """What follows the body without end, or nearly."""


class Service:
    """The services on one store. `answer` is synchronous and safe from any thread."""

    def __init__(self, config: DmpConfig, store: Store) -> None:
        self._config = config
        self.faults = Faults(MENU)
        """How it misbehaves, request by request."""
        self._operations = Operations(config, store)

    def answer(self, path: ServicePath, content_type: str, data: bytes) -> Reply:
        """The answer to one request."""
        relates_to = struck = None
        transaction = _DEFAULT_TRANSACTION[path]
        try:
            package = mtom.unpack(content_type, data)
            envelope = soap.parse(package.envelope)
            relates_to = envelope.message_id
            operation = _operation(path, envelope)
            transaction = operation.transaction
            struck = self.faults.strike(operation.service)
            if struck is not None and struck.kind == "http":
                return _broken(struck.number("code"), transaction)
            fail(struck)
            if envelope.body is None:
                raise Refusal(FaultSubcode.REQUEST, "Body vide")
            caller = authenticate(
                envelope.security,
                trust=self._config.trust,
                options=self._config.options,
                now=self._config.clock(),
            )
            answer = operation.handler(self._operations, envelope.body, package, caller, struck)
        except Refusal as refusal:
            return self._fault(path, refusal, relates_to, transaction, struck)
        except RemoteProtocolError as error:
            unreadable = Refusal(FaultSubcode.REQUEST, str(error))
            return self._fault(path, unreadable, relates_to, transaction, struck)
        except ConnectionCut:
            return Reply(
                status=200,
                content_type=_SOAP_TYPE,
                body=b"",
                transaction=transaction,
                struck=struck,
            )
        return self._success(path, operation, answer, relates_to, struck)

    def _success(
        self,
        path: ServicePath,
        operation: _Operation,
        answer: Answer,
        relates_to: str | None,
        struck: Struck | None,
    ) -> Reply:
        envelope = soap.build(
            Envelope(
                action=operation.answer_action,
                message_id=self._config.uuid().urn,
                to=ANONYMOUS,
                relates_to=relates_to,
                body=answer.body,
            )
        )
        content_type, body = self._pack(path, envelope, answer)
        more_mib = 0
        if struck is not None and struck.kind == "piege":
            body = poisoned(struck.text("reponse"), content_type, body)
            more_mib = struck.number("mio") if struck.text("reponse") == ENDLESS else 0
        return Reply(
            status=200,
            content_type=content_type,
            body=body,
            transaction=operation.transaction,
            detail=answer.detail,
            keys=answer.keys,
            struck=struck,
            more_mib=more_mib,
        )

    def _fault(
        self,
        path: ServicePath,
        refusal: Refusal,
        relates_to: str | None,
        transaction: str,
        struck: Struck | None,
    ) -> Reply:
        fault = Fault(
            code="Sender" if refusal.subcode else "Receiver",
            subcode=refusal.subcode,
            subcode_namespace=refusal.namespace,
            reason=refusal.reason,
        )
        envelope = soap.build_fault(
            fault, message_id=self._config.uuid().urn, relates_to=relates_to
        )
        content_type, body = self._pack(path, envelope, None)
        return Reply(
            status=500, content_type=content_type, body=body, transaction=transaction, struck=struck
        )

    def _pack(self, path: ServicePath, envelope: bytes, answer: Answer | None) -> tuple[str, bytes]:
        if path is not ServicePath.REPOSITORY:
            return _SOAP_TYPE, envelope
        attachments = {} if answer is None else answer.attachments
        # A fresh UUID occurs in no document, so the boundary cannot.
        boundary = f"uuid:{self._config.uuid()}"
        return mtom.pack(envelope, attachments, boundary, root="root.message@dmp")


def _broken(status: int, transaction: str) -> Reply:
    return Reply(
        status=status,
        content_type="text/plain; charset=UTF-8",
        body="Panne simulée par le banc".encode(),
        transaction=transaction,
    )


def _operation(path: ServicePath, envelope: Envelope) -> _Operation:
    """The operation asked for.

    Raises:
        Refusal: an addressing header is missing (`To` may be empty, ReplyTo absent: clients of
            the test server do both), or the action is not one of this service.
    """
    if not envelope.action or not envelope.message_id or envelope.to is None:
        raise Refusal(FaultSubcode.ADDRESSING, Text.ADDRESSING)
    operation = _OPERATIONS.get(envelope.action)
    if operation is None or operation.path is not path:
        raise Refusal(
            FaultSubcode.ACTION,
            f"The {envelope.action[:120]} cannot be processed at the receiver",
        )
    return operation
