"""What an ITI-41 exchange submitted and whether the DMP took it, read from the recorded bytes."""

from __future__ import annotations

from contextlib import suppress
from functools import lru_cache

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
    return _package(payload.header("content-type") or "", payload.body)


def accepted(exchange: Exchange) -> bool:
    """The answer is a RegistryResponse with status Success."""
    answer = package(exchange.response)
    return answer is not None and _accepts(answer.envelope)


def submitted_documents(exchange: Exchange) -> tuple[bytes, ...]:
    """The KOS files of the submission, those that can be found."""
    payload = exchange.request
    if payload is None or not payload.body:
        return ()
    return _documents(payload.header("content-type") or "", payload.body)


def submitted_manifests(exchange: Exchange) -> tuple[Manifest, ...]:
    """The KOS of the submission, those that can be read."""
    manifests = map(_manifest, submitted_documents(exchange))
    return tuple(one for one in manifests if one is not None)


# Whoever waits for a publication reads what was published again and again: each is read once.
_LAST = 64
"""How many messages stay read: those of one scenario."""


@lru_cache(_LAST)
def _package(content_type: str, body: bytes) -> Package | None:
    try:
        return mtom.unpack(content_type, body)
    except RemoteProtocolError:
        return None


@lru_cache(_LAST)
def _accepts(envelope: bytes) -> bool:
    try:
        body = soap.parse(envelope).body
        if body is None:
            return False
        return ebrim.parse_registry_response(body).status == ResponseStatus.SUCCESS
    except RemoteProtocolError:
        return False


@lru_cache(_LAST)
def _documents(content_type: str, body: bytes) -> tuple[bytes, ...]:
    request = _package(content_type, body)
    if request is None:
        return ()
    found: list[bytes] = []
    with suppress(RemoteProtocolError, KeyError):
        lot = soap.parse(request.envelope).body
        if lot is None:
            return ()
        submission = ebrim.parse_submit(lot)
        documents = dict(submission.documents)
        for entry in submission.entries:
            if entry.type_code is not None and entry.type_code.code == KOS_TYPE_CODE[0]:
                found.append(request.resolve(documents[entry.id]))
    return tuple(found)


@lru_cache(_LAST)
def _manifest(document: bytes) -> Manifest | None:
    try:
        return kos.decode(document)
    except RemoteProtocolError:
        return None


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
