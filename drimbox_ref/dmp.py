"""SOAP to the DMP over mutual TLS, and what its answers mean for whoever asked.

`Rejected` is final and says why; `PeerUnavailable` is for another attempt.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn, Protocol, TypeVar
from uuid import UUID

from lxml import etree

from drimbox_ref.credentials import Credentials
from protocols import mtom, soap
from protocols.ebrim import RegistryError
from protocols.errors import RemoteProtocolError
from spec.xds import ErrorCode
from wire.exchange import Observe
from wire.http_client import HttpClient, HttpFailure, Response, StreamedResponse
from wire.tls import ClientTls

__all__ = [
    "Answer",
    "DmpChannel",
    "PeerUnavailable",
    "Rejected",
    "TokenRefused",
    "refuse",
    "said_by",
    "understood",
]

T = TypeVar("T")

_TRANSIENT = frozenset(
    {
        ErrorCode.REGISTRY_BUSY.value,
        ErrorCode.REPOSITORY_BUSY.value,
        "XDSRegistryNotAvailable",
        "XDSRegistryOutOfResources",
        "XDSRepositoryOutOfResources",
    }
)
"""Codes that say "later" (IHE ITI TF Vol. 3 table 4.2.4.1-2)."""


LARGEST = 128 * 1024 * 1024
"""A lot of reports with their images in PDF, and then some."""


class PeerUnavailable(Exception):
    """A peer cannot be reached, cut, or answers that it is out of order: try again later."""


class Rejected(Exception):
    """The DMP refused for good; the text is what it said.

    Attributes:
        codes: XDS error codes or the SOAP fault subcode, in order.
    """

    def __init__(self, message: str, codes: Iterable[str] = ()) -> None:
        super().__init__(message)
        self.codes = tuple(codes)


class TokenRefused(Rejected):
    """The DMP's API does not take the token: expired before its time, or never good (RFC 6750)."""


class _Uids(Protocol):
    def uuid(self) -> UUID: ...


@dataclass(frozen=True, slots=True)
class Answer:
    """The body of an answer, and the package that its documents are resolved in."""

    body: etree._Element
    package: mtom.Package


class DmpChannel:
    """One TLS identity, hence one pool of connections, for each structure.

    Args:
        actor: who sends, as an observer names it.
        url: the root of the DMP's services (`.../v2/services`).
        trust: who may certify its server.
        largest: bytes of an answer beyond which it is left.
    """

    def __init__(
        self,
        *,
        actor: str,
        url: str,
        trust: Path,
        uids: _Uids,
        connect_to: Mapping[str, str],
        timeout_s: float,
        observe: Observe,
        largest: int = LARGEST,
    ) -> None:
        self._largest = largest
        self._actor = actor
        self._url = url
        self._trust = trust
        self._uids = uids
        self._connect_to = connect_to
        self._timeout = timeout_s
        self._observe = observe
        self._clients: dict[str, HttpClient] = {}

    async def call(
        self,
        service: str,
        action: str,
        element: etree._Element,
        *,
        credentials: Credentials,
        assertion: etree._Element,
        transaction: str,
        detail: str = "",
        attachments: Mapping[str, tuple[bytes, str]] | None = None,
        bearer: str = "",
    ) -> Answer:
        """What the DMP answers to one request. `bearer`: the API token, where it wants one.

        Raises:
            Rejected: a SOAP fault.
            TokenRefused: HTTP 401 or 403 to a request with a token.
            PeerUnavailable: no complete, readable answer.
        """
        url = f"{self._url}/{service}"
        envelope = soap.build(
            soap.Envelope(
                action=action,
                message_id=f"urn:uuid:{self._uids.uuid()}",
                to=url,
                reply_to=soap.ANONYMOUS,
                security=assertion,
                body=element,
            )
        )
        if not attachments:
            content_type, content = "application/soap+xml; charset=UTF-8", envelope
        else:
            boundary = f"drimbox-{self._uids.uuid()}"
            content_type, content = mtom.pack(envelope, attachments, boundary, action=action)
        headers = [("Content-Type", content_type)]
        if bearer:
            headers.append(("Authorization", f"Bearer {bearer}"))
        try:
            async with self._client(credentials).stream(
                "POST",
                url,
                headers=headers,
                content=content,
                transaction=transaction,
                detail=detail,
                peer="dmp",
            ) as answer:
                body = await _bounded(answer, self._largest)
                response = Response(answer.status, answer.headers, body, answer.tls, answer.url)
        except HttpFailure as error:
            raise PeerUnavailable(f"DMP injoignable ({transaction}) : {error}") from error
        if bearer and response.status in (401, 403):
            challenge = response.headers.get("WWW-Authenticate")
            raise TokenRefused(
                "l'API du DMP n'a pas accepté le jeton de votre session",
                [f"HTTP {response.status} {challenge}".strip()],
            )
        return _answer(response)

    async def close(self) -> None:
        """Close every connection."""
        for client in self._clients.values():
            await client.aclose()

    def _client(self, credentials: Credentials) -> HttpClient:
        client = self._clients.get(credentials.structure)
        if client is None:
            client = HttpClient(
                actor=self._actor,
                observe=self._observe,
                tls=ClientTls(
                    trust=self._trust,
                    certificate=Path(credentials.tls_certificate),
                    key=Path(credentials.tls_key),
                ),
                connect_to=self._connect_to,
                timeout=self._timeout,
            )
            self._clients[credentials.structure] = client
        return client


async def _bounded(answer: StreamedResponse, largest: int) -> bytes:
    """The body of an answer.

    Raises:
        PeerUnavailable: it goes on beyond that many bytes.
    """
    body = bytearray()
    async for chunk in answer.aiter():
        body += chunk
        if len(body) > largest:
            raise PeerUnavailable(f"réponse du DMP de plus de {largest >> 20} Mio, abandonnée")
    return bytes(body)


def _answer(response: Response) -> Answer:
    """The SOAP body of an HTTP answer, faults told apart from breakdowns."""
    try:
        package = mtom.unpack(response.headers.get("Content-Type"), response.body)
        envelope = soap.parse(package.envelope)
        fault = soap.parse_fault(envelope.body)
    except RemoteProtocolError as error:
        raise PeerUnavailable(f"HTTP {response.status} illisible : {error}") from error
    if fault is not None:
        codes = [code for code in (fault.subcode, fault.code) if code]
        if fault.code == "Receiver" and not fault.subcode:
            raise PeerUnavailable(f"panne du DMP : {fault.reason}")
        raise Rejected(fault.reason, codes)
    if response.status != 200 or envelope.body is None:
        raise PeerUnavailable(f"HTTP {response.status} sans réponse exploitable")
    return Answer(envelope.body, package)


def understood(read: Callable[[], T]) -> T:
    """What `read` gives; an answer that is not what was asked is no answer.

    Raises:
        PeerUnavailable: `read` raised a RemoteProtocolError.
    """
    try:
        return read()
    except RemoteProtocolError as error:
        raise PeerUnavailable(f"réponse du DMP illisible : {error}") from error


def refuse(errors: Iterable[RegistryError]) -> NoReturn:
    """Raise what a RegistryErrorList means.

    Raises:
        PeerUnavailable: only codes that say "later".
        Rejected: anything else.
    """
    listed = tuple(errors)
    codes = [error.code for error in listed]
    if codes and set(codes) <= _TRANSIENT:
        raise PeerUnavailable(f"DMP momentanément indisponible : {', '.join(codes)}")
    raise Rejected(said_by(listed) or "refus sans explication", codes)


def said_by(errors: Iterable[RegistryError]) -> str:
    """What the DMP wrote in a RegistryErrorList for people, "" when nothing."""
    return "; ".join(error.context for error in errors if error.context)
