"""Images from the PACS: one C-MOVE to ourselves for each request, its instances as they come.

Réf.: DICOM PS3.4 C.4.2 (C-MOVE), PS3.7 9.3.1.1 (Move Originator), grade: standard.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from pydicom.dataset import Dataset

from drimbox_ref.dmp import PeerUnavailable
from drimbox_ref.source.config import Pacs
from drimbox_ref.source.storage import Inlet, StorageReceiver
from drimbox_ref.source.transfer import Transfer
from drimbox_ref.source.values import Wanted
from wire.dimse import Cancellation, DimseClient, DimseFailure, DimsePeer, MoveResult
from wire.exchange import ignore

__all__ = ["DimseImages", "identifier_of"]

_SUCCESS, _UNABLE_TO_SEND, _CANCELLED = 0x0000, 0xA702, 0xFE00

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

    async def open(self, wanted: Wanted) -> Transfer:
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
        return Transfer("C-MOVE", inlet, move, cancellation, forget=self._storage.close)

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
            if self._has_nothing(peer, wanted, failure):
                return MoveResult(status=_SUCCESS)
            if failure.status != _UNABLE_TO_SEND or not inlet.widen():
                raise
        else:
            if not result.failed or not inlet.widen():
                return result
        _log.info("C-MOVE : le PACS ne convertit pas, second essai sans restriction de syntaxe")
        return self._ask(peer, wanted, inlet, cancellation)

    def _has_nothing(self, peer: DimsePeer, wanted: Wanted, failure: DimseFailure) -> bool:
        """Whether a C-MOVE was refused for want of anything to send: some archives (Orthanc, by
        C000) do not end it with no sub-operation. C-FIND tells that from a breakdown.
        """
        if failure.kind != "status" or failure.status == _CANCELLED:
            return False
        try:
            return not self._client.find(peer, identifier_of(wanted))
        except DimseFailure:
            return False

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
