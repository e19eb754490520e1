"""Images from the PACS by WADO-RS: one GET for each request, its parts as they come.

The client's transfer syntaxes are passed on with their ranks, anything else comes last. Leaving
closes the connection. Réf.: DICOM PS3.18 10.4, grade: standard.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence

from drimbox_ref.dmp import PeerUnavailable
from drimbox_ref.source.config import Pacs
from drimbox_ref.source.values import RetrievalFailed, StoredObject, Wanted
from protocols.dicom import split_part10
from protocols.dicomweb import ANY_TRANSFER_SYNTAX, format_accept, format_path
from protocols.errors import RemoteProtocolError
from protocols.multipart import Parser, PartBegin, PartData, PartEnd, boundary_of
from wire.http_client import HttpClient, HttpFailure
from wire.tls import ClientTls

__all__ = ["WebImages"]

_log = logging.getLogger(__name__)

_GONE = (404, 410)


class WebImages:
    """`Images` by WADO-RS."""

    def __init__(self, pacs: Sequence[Pacs], *, timeout_s: float) -> None:
        self._roots = {one.ae_title: one.dicomweb.rstrip("/") for one in pacs}
        self._clients: Mapping[str, HttpClient] = {
            one.ae_title: HttpClient(
                actor="source",
                tls=None if one.trust is None else ClientTls(trust=one.trust),
                timeout=timeout_s,
            )
            for one in pacs
        }

    async def open(self, wanted: Wanted) -> _WebRetrieval:
        """Begin a retrieval.

        Raises:
            PeerUnavailable: the PACS is no longer configured.
        """
        client = self._clients.get(wanted.pacs)
        if client is None:
            raise PeerUnavailable(f"PACS {wanted.pacs} inconnu de la configuration")
        path = format_path(wanted.study_uid, wanted.series_uid, wanted.instance_uid)
        return _WebRetrieval(client, self._roots[wanted.pacs] + path, wanted)

    async def close(self) -> None:
        """Close the connections."""
        for client in self._clients.values():
            await client.aclose()


class _WebRetrieval:
    """An answer of the PACS's, read as it comes."""

    def __init__(self, client: HttpClient, url: str, wanted: Wanted) -> None:
        self._client = client
        self._url = url
        self._wanted = wanted
        self._reading: AsyncGenerator[StoredObject, None] | None = None

    def objects(self) -> AsyncIterator[StoredObject]:
        """Each wanted instance once, as it comes; ends when all have come.

        Raises:
            RetrievalFailed: no answer, an answer cut, or instances that it leaves out.
        """
        self._reading = self._read()
        return self._reading

    async def close(self) -> None:
        """Close the connection, whatever is still on its way."""
        if self._reading is not None:
            await self._reading.aclose()

    async def _read(self) -> AsyncGenerator[StoredObject, None]:
        missing = set(self._wanted.instances)
        headers = [("Accept", one) for one in _accept(self._wanted.syntaxes)]
        try:
            async with self._client.stream("GET", self._url, headers=headers) as answer:
                if answer.status not in (200, 206):
                    gone = answer.status in _GONE
                    raise RetrievalFailed(f"WADO-RS : HTTP {answer.status}", gone=gone)
                parser = Parser(boundary_of(answer.headers.get("Content-Type")))
                part = bytearray()
                async for chunk in answer.aiter():
                    for event in parser.feed(chunk):
                        if isinstance(event, PartBegin):
                            part = bytearray()
                        elif isinstance(event, PartData):
                            part += event.data
                        elif isinstance(event, PartEnd):
                            stored = _stored(bytes(part))
                            if stored.sop_instance in missing:
                                missing.remove(stored.sop_instance)
                                yield stored
                parser.finish()
        except (HttpFailure, RemoteProtocolError) as error:
            _log.warning("WADO-RS du PACS : %s", error)
            raise RetrievalFailed(f"WADO-RS : {error}", gone=False) from error
        if missing:
            total = len(self._wanted.instances)
            raise RetrievalFailed(f"{len(missing)} instance(s) sur {total} non reçue(s)", gone=True)


def _accept(syntaxes: Sequence[str]) -> tuple[str, ...]:
    """The syntaxes by decreasing weight, then whatever the PACS has."""
    named = [one for one in syntaxes if one != ANY_TRANSFER_SYNTAX]
    step = 0.8 / max(len(named), 1)
    weighted = [(one, round(1 - rank * step, 3)) for rank, one in enumerate(named)]
    return format_accept([*weighted, (ANY_TRANSFER_SYNTAX, 0.1)])


def _stored(file: bytes) -> StoredObject:
    part = split_part10(file)
    return StoredObject(
        sop_class=part.sop_class,
        sop_instance=part.sop_instance,
        transfer_syntax=part.transfer_syntax,
        data=part.dataset,
    )
