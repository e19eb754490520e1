"""What an exchange with a DMP is called, read from its bytes: a real one does not tell us."""

from __future__ import annotations

from collections.abc import Iterator

from protocols import ebrim, mtom, soap
from protocols.errors import RemoteProtocolError
from protocols.mtom import Package
from simulators.dmp import queries, update
from simulators.dmp.refusal import BusinessError
from simulators.dmp.service import named
from spec.dmp import ServicePath
from spec.xds import Action, AssociationType
from wire.exchange import Exchange, Payload

__all__ = ["label"]


def label(exchange: Exchange) -> Exchange:
    """The exchange under the names, and with the keys, that our own DMP gives it.

    What is no request to a service of the DMP stays as it is.
    """
    request = exchange.request
    path = _path(request)
    if request is None or path is None:
        return exchange
    try:
        package = _package(request)
        envelope = soap.parse(package.envelope)
    except RemoteProtocolError:
        return exchange.labelled(transaction=named(path, None))
    transaction = named(path, envelope.action)
    try:
        detail = _detail(envelope)
        keys = tuple(_keys(envelope, exchange.response))
    except (RemoteProtocolError, BusinessError):
        return exchange.labelled(transaction=transaction)
    return exchange.labelled(transaction=transaction, detail=detail, keys=keys)


def _path(request: Payload | None) -> ServicePath | None:
    """The service asked: a real DMP may have another root than ours, not other services."""
    words = request.start_line.split(" ") if request else []
    if len(words) < 2:
        return None
    target = words[1].partition("?")[0].rstrip("/")
    last = f"/{target.rpartition('/')[2]}"
    return next((path for path in ServicePath if path.value.endswith(last)), None)


def _package(payload: Payload) -> Package:
    return mtom.unpack(payload.header("content-type") or "", payload.body)


def _detail(envelope: soap.Envelope) -> str:
    if envelope.body is None:
        return ""
    if envelope.action == Action.PROVIDE_AND_REGISTER:
        replaces = ebrim.parse_submit(envelope.body).associated(AssociationType.REPLACE)
        return "TD2.1b" if replaces else "TD2.1a"
    if envelope.action == Action.STORED_QUERY:
        return queries.transaction_of(ebrim.parse_query(envelope.body)).value
    if envelope.action == Action.RETRIEVE:
        return "TD3.2"
    if envelope.action == Action.UPDATE:
        return update.transaction_of(ebrim.parse_submit(envelope.body)).value
    return ""


def _keys(envelope: soap.Envelope, response: Payload | None) -> Iterator[str]:
    """The documents and entries that the exchange names: later ones name nothing else."""
    if envelope.body is None:
        return
    if envelope.action == Action.PROVIDE_AND_REGISTER:
        yield from (one.unique_id for one in ebrim.parse_submit(envelope.body).entries)
    elif envelope.action == Action.RETRIEVE:
        yield from (one.document_unique_id for one in ebrim.parse_retrieve(envelope.body))
    elif envelope.action == Action.UPDATE:
        links = ebrim.parse_submit(envelope.body).associated(
            AssociationType.UPDATE_AVAILABILITY_STATUS
        )
        yield from (link.target for link in links)
    elif envelope.action == Action.STORED_QUERY and response is not None:
        answer = soap.parse(_package(response).envelope).body
        if answer is not None:
            found = ebrim.parse_query_response(answer)
            yield from (*found.refs, *(entry.id for entry in found.entries))
