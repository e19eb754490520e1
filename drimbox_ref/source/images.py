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
from wire.dimse import Cancellation, DimseClient, DimseFailure, DimsePeer, MoveResult
from wire.exchange import ignore

__all__ = ["DimseImages", "identifier_of"]

_UNABLE_TO_SEND = 0xA702

_log = logging.getLogger(__name__)


class DimseImages:
    """`Images` by C-MOVE."""

    def __init__(
        self,
        pacs: Sequence[Pacs],
        *,
        storage: StorageReceiver,
        ae_title: str,
        timeout_s: float,
        simultaneous: int,
    ) -> None:
        self._peers = {one.ae_title: DimsePeer(one.host, one.port, one.ae_title) for one in pacs}
        self._storage = storage
        self._ae_title = ae_title
        self._client = DimseClient(ae_title, actor="source", observe=ignore, timeout=timeout_s)
        self._threads = ThreadPoolExecutor(simultaneous, thread_name_prefix="c-move")

    async def open(self, wanted: Wanted) -> _MoveRetrieval:
        """Begin a retrieval.

        Raises:
            PeerUnavailable: the PACS is no longer configured.
        """
        peer = self._peers.get(wanted.pacs)
        if peer is None:
            raise PeerUnavailable(f"PACS {wanted.pacs} inconnu de la configuration")
        inlet = self._storage.open(wanted.instances, pacs=wanted.pacs, syntaxes=wanted.syntaxes)
        cancellation = Cancellation()
        loop = asyncio.get_running_loop()
        move = loop.run_in_executor(self._threads, self._move, peer, wanted, inlet, cancellation)
        return _MoveRetrieval(self._storage, inlet, move, cancellation)

    async def close(self) -> None:
        """Wait for no one: moves under way end with their associations."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _move(
        self, peer: DimsePeer, wanted: Wanted, inlet: Inlet, cancellation: Cancellation
    ) -> MoveResult:
        """One C-MOVE; a second one when the PACS could not send in the syntaxes left to it."""
        try:
            result = self._ask(peer, wanted, inlet, cancellation)
        except DimseFailure as failure:
            if failure.status != _UNABLE_TO_SEND or not inlet.widen():
                raise
        else:
            if not result.failed or not inlet.widen():
                return result
        _log.info("C-MOVE : le PACS ne convertit pas, second essai sans restriction de syntaxe")
        return self._ask(peer, wanted, inlet, cancellation)

    def _ask(
        self, peer: DimsePeer, wanted: Wanted, inlet: Inlet, cancellation: Cancellation
    ) -> MoveResult:
        return self._client.move(
            peer,
            identifier_of(wanted),
            destination=self._ae_title,
            message_id=inlet.message_id,
            cancellation=cancellation,
        )


def identifier_of(wanted: Wanted) -> Dataset:
    """The unique keys of what is wanted, at its level."""
    identifier = Dataset()
    identifier.StudyInstanceUID = wanted.study_uid
    identifier.QueryRetrieveLevel = "STUDY"
    if wanted.series_uid is not None:
        identifier.QueryRetrieveLevel = "SERIES"
        identifier.SeriesInstanceUID = wanted.series_uid
    if wanted.instance_uid is not None:
        identifier.QueryRetrieveLevel = "IMAGE"
        identifier.SOPInstanceUID = wanted.instance_uid
    return identifier


class _MoveRetrieval:
    """A C-MOVE under way and the inlet where its instances arrive."""

    def __init__(
        self,
        storage: StorageReceiver,
        inlet: Inlet,
        move: asyncio.Future[MoveResult],
        cancellation: Cancellation,
    ) -> None:
        self._cancellation = cancellation
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
        """Stop listening; a C-MOVE that is not over is cancelled, what still comes refused."""
        self._storage.close(self._inlet)
        self._end.cancel()
        if not self._move.done():
            _log.info("C-MOVE %d abandonné : C-CANCEL", self._inlet.message_id)
            self._move.add_done_callback(_forget)
            self._cancellation.request()

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


def _forget(move: asyncio.Future[MoveResult]) -> None:
    """Whatever became of a cancelled C-MOVE is nobody's business."""
    if not move.cancelled():
        move.exception()
