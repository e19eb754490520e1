"""Depublication at the DMP itself, in the name of the structure that published (TD3.1b, TD3.3c).

Who speaks is who spoke at the publication: its VIHF is written again, of now, and signed by the
structure's own certificate. Réf.: GIE SESAM-Vitale TD3.3c messages, grade: sample; IHE ITI TF
Vol. 2, 3.57 and 3.18, grade: standard.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar
from uuid import UUID

from lxml import etree

from bench.errors import BenchError
from bench.withdrawing import Publication
from protocols import ebrim, mtom, saml, soap
from protocols.dn import dn
from protocols.ebrim import AdhocQuery, Association, Parameter, RegistryError, Slot
from protocols.errors import RemoteProtocolError
from simulators.igc import Credential, CredentialFiles
from spec.xds import Action, AssociationType, Query, ResponseStatus, SlotName, Status
from wire.exchange import Observe
from wire.http_client import HttpClient, HttpFailure
from wire.tls import ClientTls

__all__ = ["Depublisher", "NotDepublished", "Signatory", "signatory"]

T = TypeVar("T")

_SET = "SubmissionSet01"


class NotDepublished(Exception):
    """The DMP did not withdraw it; the text says why, in French."""


@dataclass(frozen=True, slots=True)
class Signatory:
    """A structure's certificates: ORG AUTH_CLI for TLS, ORG SIGN for the VIHF."""

    tls: CredentialFiles
    sign: Credential


def signatory(folder: Path, structure: str) -> Signatory:
    """The certificates that a folder keeps for a structure, named as `[world] pki` names them.

    Raises:
        BenchError: it has none, or none that can be used; names the files.
    """
    wanted = f"auth-{structure} et sign-{structure} (.pem et .key)"
    try:
        sign = Credential.read(folder, f"sign-{structure}")
        Credential.read(folder, f"auth-{structure}")
    except (OSError, ValueError) as error:
        raise BenchError(f"{folder} : {wanted} attendus : {error}") from None
    tls = CredentialFiles(folder / f"auth-{structure}.pem", folder / f"auth-{structure}.key")
    return Signatory(tls, sign)


class Depublisher:
    """A client of one DMP for one structure. An async context manager.

    Args:
        url: the root of the DMP's services (`.../v2/services`).
        trust: PEM file of who certifies its server.
        uuid: mints message ids and the uniqueId of lots.
    """

    def __init__(
        self,
        url: str,
        *,
        trust: Path,
        who: Signatory,
        observe: Observe,
        clock: Callable[[], datetime],
        uuid: Callable[[], UUID],
        connect_to: Mapping[str, str] | None = None,
        timeout: float = 30.0,
    ) -> None:
        self._url = url.rstrip("/")
        self._who = who
        self._clock = clock
        self._uuid = uuid
        self._client = HttpClient(
            actor="banc",
            observe=observe,
            tls=ClientTls(trust, who.tls.certificate, who.tls.key),
            connect_to=connect_to,
            timeout=timeout,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._client.aclose()

    async def depublish(self, published: Publication) -> str:
        """Find the KOS by its uniqueId, and mark it Deleted; returns its entryUUID.

        Raises:
            NotDepublished: unknown to the DMP, refused, or no answer.
        """
        uuid = await self._reference(published)
        lot = replace(
            published.lot,
            id=_SET,
            submission_time=f"{self._clock():%Y%m%d%H%M%S}",
            unique_id=f"2.25.{self._uuid().int}",
            status="",
            home="",
        )
        change = Association(
            type=AssociationType.UPDATE_AVAILABILITY_STATUS,
            source=_SET,
            target=uuid,
            slots=(
                Slot(SlotName.ORIGINAL_STATUS, (Status.APPROVED.value,)),
                Slot(SlotName.NEW_STATUS, (Status.DELETED.value,)),
            ),
        )
        request = ebrim.build_submit(lot, (), (change,))
        body = await self._call(published, Action.UPDATE, request, "ITI-57", "TD3.3c")
        answer = _understood(ebrim.parse_registry_response, body)
        if not answer.succeeded:
            raise NotDepublished(_reasons(answer.errors))
        return uuid

    async def _reference(self, published: Publication) -> str:
        query = AdhocQuery(
            id=Query.GET_DOCUMENTS,
            parameters=(
                Parameter("$XDSDocumentEntryUniqueId", (published.kos_uid,), is_list=True),
            ),
            return_type="ObjectRef",
        )
        request = ebrim.build_query(query)
        body = await self._call(published, Action.STORED_QUERY, request, "ITI-18", "TD3.1b")
        answer = _understood(ebrim.parse_query_response, body)
        if answer.status == ResponseStatus.FAILURE:
            raise NotDepublished(_reasons(answer.errors))
        found = (*answer.refs, *(entry.id for entry in answer.entries))
        if len(found) != 1:
            raise NotDepublished(f"{len(found)} document(s) de cet uniqueId dans le DMP")
        return found[0]

    async def _call(
        self,
        published: Publication,
        action: Action,
        element: etree._Element,
        transaction: str,
        detail: str,
    ) -> etree._Element:
        url = f"{self._url}/registry"
        envelope = soap.Envelope(
            action=action.value,
            message_id=self._uuid().urn,
            to=url,
            reply_to=soap.ANONYMOUS,
            security=self._assertion(published),
            body=element,
        )
        try:
            response = await self._client.request(
                "POST",
                url,
                headers=(("Content-Type", "application/soap+xml; charset=UTF-8"),),
                content=soap.build(envelope),
                transaction=transaction,
                detail=detail,
                keys=(published.kos_uid,),
                peer="dmp",
            )
        except HttpFailure as error:
            raise NotDepublished(f"DMP injoignable : {error}") from error
        try:
            answer = mtom.unpack(response.headers.get("Content-Type"), response.body)
            body = soap.parse(answer.envelope).body
            fault = soap.parse_fault(body)
        except RemoteProtocolError as error:
            raise NotDepublished(f"HTTP {response.status} illisible : {error}") from error
        if fault is not None:
            raise NotDepublished(f"{fault.subcode or fault.code} : {fault.reason}")
        if body is None:
            raise NotDepublished(f"HTTP {response.status} sans réponse")
        return body

    def _assertion(self, published: Publication) -> etree._Element:
        now, certificate = self._clock(), self._who.sign.certificate
        again = replace(
            published.assertion,
            id=f"_{self._uuid()}",
            issue_instant=now,
            authn_instant=now,
            not_before=None,
            not_on_or_after=None,
            issuer=dn(certificate),
        )
        return saml.build(again, key=self._who.sign.key, certificate=certificate)


def _understood(read: Callable[[etree._Element], T], body: etree._Element) -> T:
    try:
        return read(body)
    except RemoteProtocolError as error:
        raise NotDepublished(f"réponse du DMP illisible : {error}") from error


def _reasons(errors: tuple[RegistryError, ...]) -> str:
    said = "; ".join(f"{one.code} : {one.context}" for one in errors)
    return said or "refus sans explication"
