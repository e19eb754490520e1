"""Images from the PACS: one C-MOVE to ourselves for each request, its instances as they come.

Réf.: DICOM PS3.4 C.4.2 (C-MOVE), PS3.7 9.3.1.1 (Move Originator), grade: standard.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor

from pydicom.dataset import Dataset

from drimbox_ref.dmp import PeerUnavailable
from drimbox_ref.source.config import Pacs
from drimbox_ref.source.storage import Inlet, StorageReceiver
from drimbox_ref.source.values import RetrievalFailed, StoredObject, Wanted
from wire.dimse import DimseClient, DimseFailure, DimsePeer, MoveResult
from wire.exchange import ignore

__all__ = ["DimseImages"]

_log = logging.getLogger(__name__)

_CONCURRENT = 32
"""C-MOVEs at the same time (DB.SO.35 wants five at least); more wait for their turn."""


class DimseImages:
    """`Images` by C-MOVE."""

    def __init__(
        self,
        pacs: Sequence[Pacs],
        *,
        storage: StorageReceiver,
        ae_title: str,
        timeout_s: float,
    ) -> None:
        self._peers = {one.ae_title: DimsePeer(one.host, one.port, one.ae_title) for one in pacs}
        self._storage = storage
        self._ae_title = ae_title
        self._client = DimseClient(ae_title, actor="source", observe=ignore, timeout=timeout_s)
        self._threads = ThreadPoolExecutor(_CONCURRENT, thread_name_prefix="c-move")

    async def open(self, wanted: Wanted) -> _MoveRetrieval:
        """Begin a retrieval.

        Raises:
            PeerUnavailable: the PACS is no longer configured.
        """
        peer = self._peers.get(wanted.pacs)
        if peer is None:
            raise PeerUnavailable(f"PACS {wanted.pacs} inconnu de la configuration")
        inlet = self._storage.open(wanted.instances)
        loop = asyncio.get_running_loop()
        move = loop.run_in_executor(self._threads, self._move, peer, wanted, inlet.message_id)
        return _MoveRetrieval(self._storage, inlet, move)

    async def close(self) -> None:
        """Wait for no one: moves under way end with their associations."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _move(self, peer: DimsePeer, wanted: Wanted, message_id: int) -> MoveResult:
        identifier = Dataset()
        identifier.StudyInstanceUID = wanted.study_uid
        identifier.QueryRetrieveLevel = "STUDY"
        if wanted.series_uid is not None:
            identifier.QueryRetrieveLevel = "SERIES"
            identifier.SeriesInstanceUID = wanted.series_uid
        if wanted.instance_uid is not None:
            identifier.QueryRetrieveLevel = "IMAGE"
            identifier.SOPInstanceUID = wanted.instance_uid
        return self._client.move(
            peer, identifier, destination=self._ae_title, message_id=message_id
        )


class _MoveRetrieval:
    """A C-MOVE under way and the inlet where its instances arrive."""

    def __init__(
        self, storage: StorageReceiver, inlet: Inlet, move: asyncio.Future[MoveResult]
    ) -> None:
        self._storage = storage
        self._inlet = inlet
        self._move = move
        self._end = asyncio.create_task(self._announce_end())

    async def objects(self) -> AsyncIterator[StoredObject]:
        """Each wanted instance once, as it comes; ends when all have come.

        Raises:
            RetrievalFailed: the C-MOVE ended, some are missing.
        """
        missing = set(self._inlet.instances)
        while missing:
            stored = await self._inlet.get()
            if stored is None:
                raise self._failure(missing)
            if stored.sop_instance in missing:
                missing.remove(stored.sop_instance)
                yield stored

    async def close(self) -> None:
        """Stop listening; what still comes is refused to the PACS."""
        self._storage.close(self._inlet)
        self._end.cancel()

    async def _announce_end(self) -> None:
        """Queue the end behind the last instance, whatever became of the C-MOVE."""
        await asyncio.wait([self._move])
        await self._inlet.put(None)

    def _failure(self, missing: set[str]) -> RetrievalFailed:
        count = f"{len(missing)} instance(s) sur {len(self._inlet.instances)} non reçue(s)"
        error = self._move.exception()
        if isinstance(error, DimseFailure):
            _log.warning("C-MOVE : %s, %s", error, count)
            return RetrievalFailed(f"{count} ; C-MOVE : {error}", gone=False)
        if error is not None:
            _log.error("C-MOVE : erreur imprévue, %s", count, exc_info=error)
            return RetrievalFailed(f"{count} ; C-MOVE interrompu", gone=False)
        result = self._move.result()
        return RetrievalFailed(
            f"{count} ; C-MOVE terminé : {result.completed} envoyée(s), {result.failed} en échec",
            gone=result.failed == 0,
        )
