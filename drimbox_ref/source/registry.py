"""The DMP transactions of a Source: ITI-41, ITI-57, and ITI-18 by uniqueId."""

from __future__ import annotations

from lxml import etree

from drimbox_ref.credentials import Credentials
from drimbox_ref.dmp import DmpChannel, refuse, understood
from drimbox_ref.source.values import Operation, Submission
from protocols.ebrim import (
    AdhocQuery,
    Parameter,
    build_query,
    parse_query_response,
    parse_registry_response,
)
from protocols.xml import parse as parse_xml
from spec.xds import Action, Query, ResponseStatus

__all__ = ["DmpRegistry"]

_TRANSACTIONS = {
    Operation.CREATE: ("repository", Action.PROVIDE_AND_REGISTER, "ITI-41"),
    Operation.REPLACE: ("repository", Action.PROVIDE_AND_REGISTER, "ITI-41"),
    Operation.DELETE: ("registry", Action.UPDATE, "ITI-57"),
}


class DmpRegistry:
    """A `Registry` over SOAP."""

    def __init__(self, channel: DmpChannel) -> None:
        self._channel = channel

    async def submit(
        self, submission: Submission, *, credentials: Credentials, assertion: etree._Element
    ) -> None:
        """TD2.1a, TD2.1b or TD3.3c; returns only when the DMP said Success."""
        service, action, transaction = _TRANSACTIONS[submission.operation]
        reply = await self._channel.call(
            service,
            action.value,
            parse_xml(submission.request),
            credentials=credentials,
            assertion=assertion,
            attachments={cid: (data, kind) for cid, kind, data in submission.attachments},
            transaction=transaction,
            detail=submission.operation.value,
        )
        answer = understood(lambda: parse_registry_response(reply.body))
        if not answer.succeeded:
            refuse(answer.errors)

    async def reference(
        self, unique_id: str, *, credentials: Credentials, assertion: etree._Element
    ) -> str | None:
        """TD3.1b: GetDocuments by uniqueId, ObjectRef wanted."""
        query = AdhocQuery(
            id=Query.GET_DOCUMENTS,
            parameters=(Parameter("$XDSDocumentEntryUniqueId", (unique_id,), is_list=True),),
            return_type="ObjectRef",
        )
        reply = await self._channel.call(
            "registry",
            Action.STORED_QUERY.value,
            build_query(query),
            credentials=credentials,
            assertion=assertion,
            transaction="ITI-18",
            detail="TD3.1b",
        )
        answer = understood(lambda: parse_query_response(reply.body))
        if answer.status == ResponseStatus.FAILURE:
            refuse(answer.errors)
        found = (*answer.refs, *(entry.id for entry in answer.entries))
        return found[0] if found else None
