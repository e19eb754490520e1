"""A client of the DMP: it finds a document and writes lots, each message under a VIHF of its own.

For whoever writes in the DMP beside the DRIMboxes: the RIS, and the bench that tidies up behind
one. Réf.: IHE ITI TF Vol. 2, 3.18, 3.41 and 3.57, grade: standard; GIE SESAM-Vitale TD3.1b and
TD3.3c messages, grade: sample.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import TracebackType
from typing import Self, TypeVar
from uuid import UUID

from lxml import etree

from protocols import ebrim, mtom, soap
from protocols.ebrim import AdhocQuery, Association, Parameter, RegistryError, Slot, SubmissionSet
from protocols.errors import RemoteProtocolError
from spec.xds import Action, AssociationType, Query, ResponseStatus, SlotName, Status
from wire.exchange import Observe
from wire.http_client import HttpClient, HttpFailure
from wire.tls import ClientTls

__all__ = ["Assertion", "DmpClient", "DmpRefusal"]

T = TypeVar("T")

Assertion = Callable[[], etree._Element]
"""Writes a VIHF of now: each message has its own."""


class DmpRefusal(Exception):
    """The DMP did not do what was asked; the text says why, in French."""


class DmpClient:
    """A client of one DMP. An async context manager.

    Args:
        url: the root of the DMP's services (`.../v2/services`).
        named: whether its exchanges bear the names of their transactions; not when the DMP's own
            journal is the one that is read.
        uuid: mints message ids.
    """

    def __init__(
        self,
        url: str,
        *,
        actor: str,
        observe: Observe,
        tls: ClientTls,
        uuid: Callable[[], UUID],
        named: bool,
        connect_to: Mapping[str, str] | None = None,
        timeout: float = 30.0,
    ) -> None:
        self._url = url.rstrip("/")
        self._actor = actor
        self._named = named
        self._uuid = uuid
        self._client = HttpClient(
            actor=actor, observe=observe, tls=tls, connect_to=connect_to, timeout=timeout
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Give its connections back."""
        await self._client.aclose()

    async def find(self, unique_id: str, assertion: Assertion) -> str:
        """TD3.1b: the entryUUID of a document.

        Raises:
            DmpRefusal: unknown to the DMP, refused, or no answer.
        """
        query = AdhocQuery(
            id=Query.GET_DOCUMENTS,
            parameters=(Parameter("$XDSDocumentEntryUniqueId", (unique_id,), is_list=True),),
            return_type="ObjectRef",
        )
        body = await self._call(
            "registry", Action.STORED_QUERY, ebrim.build_query(query), assertion, unique_id,
            name=("ITI-18", "TD3.1b"),
        )  # fmt: skip
        answer = _understood(ebrim.parse_query_response, body)
        if answer.status == ResponseStatus.FAILURE:
            raise DmpRefusal(_reasons(answer.errors))
        found = (*answer.refs, *(entry.id for entry in answer.entries))
        if len(found) != 1:
            raise DmpRefusal(f"{len(found)} document(s) {unique_id} dans le DMP")
        return found[0]

    async def provide(
        self,
        element: etree._Element,
        attachments: Mapping[str, tuple[bytes, str]],
        assertion: Assertion,
        unique_id: str,
    ) -> None:
        """TD2.1: a lot, `attachments` its documents by content id.

        Raises:
            DmpRefusal: refused, or no answer.
        """
        action = Action.PROVIDE_AND_REGISTER
        body = await self._call(
            "repository", action, element, assertion, unique_id, attachments,
            name=("ITI-41", "TD2.1"),
        )  # fmt: skip
        _done(body)

    async def delete(
        self, lot: SubmissionSet, entry_uuid: str, assertion: Assertion, unique_id: str
    ) -> None:
        """TD3.3c: mark that document Deleted, in that lot of nothing else.

        Raises:
            DmpRefusal: refused, or no answer.
        """
        change = Association(
            type=AssociationType.UPDATE_AVAILABILITY_STATUS,
            source=lot.id,
            target=entry_uuid,
            slots=(
                Slot(SlotName.ORIGINAL_STATUS, (Status.APPROVED.value,)),
                Slot(SlotName.NEW_STATUS, (Status.DELETED.value,)),
            ),
        )
        request = ebrim.build_submit(lot, (), (change,))
        name = ("ITI-57", "TD3.3c")
        _done(await self._call("registry", Action.UPDATE, request, assertion, unique_id, name=name))

    async def _call(
        self,
        service: str,
        action: Action,
        element: etree._Element,
        assertion: Assertion,
        unique_id: str,
        attachments: Mapping[str, tuple[bytes, str]] | None = None,
        *,
        name: tuple[str, str],
    ) -> etree._Element:
        url = f"{self._url}/{service}"
        content = soap.build(
            soap.Envelope(
                action=action.value,
                message_id=self._uuid().urn,
                to=url,
                reply_to=soap.ANONYMOUS,
                security=assertion(),
                body=element,
            )
        )
        kind = "application/soap+xml; charset=UTF-8"
        if attachments:
            boundary = f"{self._actor}-{self._uuid()}"
            kind, content = mtom.pack(content, attachments, boundary, action=action.value)
        transaction, detail = name if self._named else ("", "")
        keys: Iterable[str] = (unique_id,) if self._named else ()
        try:
            response = await self._client.request(
                "POST", url, headers=(("Content-Type", kind),), content=content, peer="dmp",
                transaction=transaction, detail=detail, keys=keys,
            )  # fmt: skip
        except HttpFailure as error:
            raise DmpRefusal(f"DMP injoignable : {error}") from error
        try:
            answer = mtom.unpack(response.headers.get("Content-Type"), response.body)
            body = soap.parse(answer.envelope).body
            fault = soap.parse_fault(body)
        except RemoteProtocolError as error:
            raise DmpRefusal(f"HTTP {response.status} illisible : {error}") from error
        if fault is not None:
            raise DmpRefusal(f"{fault.subcode or fault.code} : {fault.reason}")
        if body is None:
            raise DmpRefusal(f"HTTP {response.status} sans réponse")
        return body


def _done(body: etree._Element) -> None:
    answer = _understood(ebrim.parse_registry_response, body)
    if not answer.succeeded:
        raise DmpRefusal(_reasons(answer.errors))


def _understood(read: Callable[[etree._Element], T], body: etree._Element) -> T:
    try:
        return read(body)
    except RemoteProtocolError as error:
        raise DmpRefusal(f"réponse du DMP illisible : {error}") from error


def _reasons(errors: tuple[RegistryError, ...]) -> str:
    said = "; ".join(f"{one.code} : {one.context}" for one in errors)
    return said or "refus sans explication"
