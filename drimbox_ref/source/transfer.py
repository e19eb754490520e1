"""Instances on their way from a PACS, by C-MOVE or C-GET: what has come, and what failed."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable

from drimbox_ref.source.storage import Inlet
from drimbox_ref.source.values import RetrievalFailed, StoredObject
from wire.dimse import Cancellation, DimseFailure, MoveResult

__all__ = ["Transfer"]

_log = logging.getLogger(__name__)

_LAST_WORD_S = 1.0
"""What a PACS is left to say that it has sent everything."""


class Transfer:
    """A `Retrieval`: a C-MOVE or C-GET under way and the inlet where its instances arrive.

    `name` is what messages call it; `forget` closes the inlet.
    """

    def __init__(
        self,
        name: str,
        inlet: Inlet,
        move: asyncio.Future[MoveResult],
        cancellation: Cancellation,
        *,
        forget: Callable[[Inlet], None],
    ) -> None:
        self._name = name
        self._cancellation = cancellation
        self._forget = forget
        self._inlet = inlet
        self._move = move
        self._complete = False
        self._end = asyncio.create_task(self._announce_end())

    async def objects(self) -> AsyncIterator[StoredObject]:
        """Each wanted instance once, as it comes; ends when all have come.

        Raises:
            RetrievalFailed: the transfer ended, some are missing.
        """
        missing = set(self._inlet.instances)
        while missing:
            stored = await self._inlet.get()
            if stored is None:
                raise self._failure(missing)
            if stored.sop_instance in missing:
                missing.remove(stored.sop_instance)
                self._complete = not missing
                yield stored

    async def told(self) -> MoveResult:
        """What the PACS says of the transfer, once it is over.

        Raises:
            DimseFailure: it failed.
        """
        return await asyncio.shield(self._move)

    async def close(self) -> None:
        """Stop listening; a transfer that is not over is cancelled, what still comes refused."""
        self._forget(self._inlet)
        self._end.cancel()
        self._move.add_done_callback(_ignore)
        if self._complete:
            # All that was wanted has come: only a PACS that has more to send is stopped.
            asyncio.get_running_loop().call_later(_LAST_WORD_S, self._cancel)
        else:
            self._cancel()

    def _cancel(self) -> None:
        if not self._move.done():
            _log.info("%s abandonné : C-CANCEL", self._name)
            self._cancellation.request()

    async def _announce_end(self) -> None:
        """Queue the end behind the last instance, whatever became of the transfer."""
        await asyncio.wait([self._move])
        await self._inlet.put(None)

    def _failure(self, missing: set[str]) -> RetrievalFailed:
        count = f"{len(missing)} instance(s) sur {len(self._inlet.instances)} non reçue(s)"
        error = self._move.exception()
        if isinstance(error, DimseFailure):
            _log.warning("%s : %s, %s", self._name, error, count)
            return RetrievalFailed(f"{count} ; {self._name} : {error}", gone=False)
        if error is not None:
            _log.error("%s : erreur imprévue, %s", self._name, count, exc_info=error)
            return RetrievalFailed(f"{count} ; {self._name} interrompu", gone=False)
        result = self._move.result()
        return RetrievalFailed(
            f"{count} ; {self._name} terminé : {result.completed} envoyée(s), "
            f"{result.failed} en échec",
            gone=result.failed == 0,
        )


def _ignore(move: asyncio.Future[MoveResult]) -> None:
    """Whatever became of a cancelled transfer is nobody's business."""
    if not move.cancelled():
        move.exception()
