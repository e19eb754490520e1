"""Images from the PACS by C-GET: on the association that asks for them, no listener needed.

The box proposes the transfer syntaxes itself, so that each request has exactly its own (DB.SO.85).
Réf.: DICOM PS3.4 C.4.3, grade: standard.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from drimbox_ref.dmp import PeerUnavailable
from drimbox_ref.source.config import Pacs
from drimbox_ref.source.images import identifier_of
from drimbox_ref.source.storage import RECEIVED_SYNTAXES, Inlet, preferred
from drimbox_ref.source.transfer import Transfer
from drimbox_ref.source.values import Wanted
from wire.dimse import (
    Cancellation,
    DimseClient,
    DimseFailure,
    DimsePeer,
    MoveResult,
)
from wire.exchange import ignore

__all__ = ["GetImages"]

_log = logging.getLogger(__name__)

_SUCCESS, _UNABLE_TO_SEND = 0x0000, 0xA702
_MAX_PAIRS = 126


class GetImages:
    """`Images` by C-GET."""

    def __init__(
        self, pacs: Sequence[Pacs], *, ae_title: str, timeout_s: float, simultaneous: int
    ) -> None:
        self._peers = {one.ae_title: DimsePeer(one.host, one.port, one.ae_title) for one in pacs}
        self._client = DimseClient(ae_title, actor="source", observe=ignore, timeout=timeout_s)
        self._timeout = timeout_s
        self._threads = ThreadPoolExecutor(simultaneous, thread_name_prefix="c-get")

    async def open(self, wanted: Wanted) -> Transfer:
        """Begin a retrieval.

        Raises:
            PeerUnavailable: the PACS is no longer configured.
        """
        peer = self._peers.get(wanted.pacs)
        if peer is None:
            raise PeerUnavailable(f"PACS {wanted.pacs} inconnu de la configuration")
        inlet, cancellation = Inlet(1, wanted.instances), Cancellation()
        loop = asyncio.get_running_loop()
        get = loop.run_in_executor(self._threads, self._get, peer, wanted, inlet, cancellation)
        return Transfer("C-GET", inlet, get, cancellation, forget=Inlet.close)

    async def close(self) -> None:
        """Wait for no one: transfers under way end with their associations."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _get(
        self, peer: DimsePeer, wanted: Wanted, inlet: Inlet, cancellation: Cancellation
    ) -> MoveResult:
        """One C-GET; a second one when the PACS could not send in what it was offered."""
        classes = self._classes(peer, wanted)
        if not classes:
            return MoveResult(status=_SUCCESS)
        narrow = preferred(RECEIVED_SYNTAXES, [wanted.syntaxes])
        try:
            result = self._ask(peer, wanted, inlet, cancellation, classes, narrow)
        except DimseFailure as failure:
            if failure.status != _UNABLE_TO_SEND or len(narrow) == len(RECEIVED_SYNTAXES):
                raise
        else:
            if not result.failed or len(narrow) == len(RECEIVED_SYNTAXES):
                return result
        _log.info("C-GET : le PACS ne convertit pas, second essai sans restriction de syntaxe")
        return self._ask(peer, wanted, inlet, cancellation, classes, RECEIVED_SYNTAXES)

    def _classes(self, peer: DimsePeer, wanted: Wanted) -> list[str]:
        """The SOP classes to expect: an association proposes 128 contexts at most."""
        query = identifier_of(wanted)
        query.QueryRetrieveLevel = "IMAGE"
        for keyword in ("SeriesInstanceUID", "SOPInstanceUID", "SOPClassUID"):
            if keyword not in query:
                setattr(query, keyword, None)
        found = self._client.find(peer, query)
        return sorted({str(one.SOPClassUID) for one in found if one.get("SOPClassUID")})

    def _ask(
        self,
        peer: DimsePeer,
        wanted: Wanted,
        inlet: Inlet,
        cancellation: Cancellation,
        classes: Sequence[str],
        syntaxes: Sequence[str],
    ) -> MoveResult:
        each = max(1, _MAX_PAIRS // len(classes))
        return self._client.get(
            peer,
            identifier_of(wanted),
            storage={name: list(syntaxes)[:each] for name in classes[:_MAX_PAIRS]},
            store=lambda request: inlet.take(request, self._timeout),
            cancellation=cancellation,
        )
