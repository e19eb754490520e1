"""What an ITI-41 exchange submitted and whether the DMP took it, read from the recorded bytes."""

from __future__ import annotations

from contextlib import suppress

from protocols import ebrim, kos, mtom, saml, soap
from protocols.ebrim import Association, DocumentEntry
from protocols.errors import RemoteProtocolError
from protocols.kos import Manifest
from protocols.mtom import Package
from spec.dmp import KOS_TYPE_CODE
from spec.xds import ResponseStatus
from wire.exchange import Exchange, Payload

__all__ = [
    "accepted",
    "actor",
    "changes",
    "entries",
    "names",
    "package",
    "submitted_documents",
    "submitted_manifests",
]


def package(payload: Payload | None) -> Package | None:
    """The MTOM or plain SOAP package of one direction, None when it cannot be read."""
    if payload is None or not payload.body:
        return None
    try:
        return mtom.unpack(payload.header("content-type") or "", payload.body)
    except RemoteProtocolError:
        return None


def accepted(exchange: Exchange) -> bool:
    """The answer is a RegistryResponse with status Success."""
    answer = package(exchange.response)
    if answer is None:
        return False
    try:
        body = soap.parse(answer.envelope).body
        if body is None:
            return False
        return ebrim.parse_registry_response(body).status == ResponseStatus.SUCCESS
    except RemoteProtocolError:
        return False


def submitted_documents(exchange: Exchange) -> list[bytes]:
    """The KOS files of the submission, those that can be found."""
    request = package(exchange.request)
    if request is None:
        return []
    found: list[bytes] = []
    try:
        body = soap.parse(request.envelope).body
        if body is None:
            return []
        submission = ebrim.parse_submit(body)
        documents = dict(submission.documents)
        for entry in submission.entries:
            if entry.type_code is not None and entry.type_code.code == KOS_TYPE_CODE[0]:
                found.append(request.resolve(documents[entry.id]))
    except (RemoteProtocolError, KeyError):
        return found
    return found


def submitted_manifests(exchange: Exchange) -> list[Manifest]:
    """The KOS of the submission, those that can be read."""
    manifests: list[Manifest] = []
    for document in submitted_documents(exchange):
        with suppress(RemoteProtocolError):
            manifests.append(kos.decode(document))
    return manifests


def changes(exchange: Exchange) -> tuple[Association, ...]:
    """The associations of the lot that an ITI-41 or an ITI-57 asks to register, those that can be
    read."""
    request = package(exchange.request)
    try:
        body = soap.parse(request.envelope).body if request is not None else None
        return () if body is None else ebrim.parse_submit(body).associations
    except RemoteProtocolError:
        return ()


def entries(exchange: Exchange) -> tuple[DocumentEntry, ...]:
    """What an ITI-41 describes, when it can be read."""
    request = package(exchange.request)
    try:
        body = soap.parse(request.envelope).body if request is not None else None
        return () if body is None else ebrim.parse_submit(body).entries
    except RemoteProtocolError:
        return ()


def actor(exchange: Exchange) -> tuple[str, str] | None:
    """In whose name an ITI-41 or an ITI-57 acts: structure and professional of its VIHF, None when
    it cannot be read."""
    request = package(exchange.request)
    try:
        security = soap.parse(request.envelope).security if request is not None else None
        if security is None:
            return None
        assertion = saml.parse(security)
    except RemoteProtocolError:
        return None
    return assertion.text("Identifiant_Structure"), assertion.name_id


def names(exchange: Exchange, identifier: str) -> bool:
    """Whether the request carries that identifier."""
    return exchange.request is not None and identifier.encode() in exchange.request.body
