"""Series on disk, each downloaded once for all who read it, and kept for the next who will.

Two readers share a download when the same professional asks the same thing for the same patient;
what another professional's rights obtained is never lent. A Source is asked for what is not here
only (DB.CO.70).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine, Sequence
from pathlib import Path

from drimbox_ref.consumer.accounts import account
from drimbox_ref.consumer.fetching import Fetcher, Order
from drimbox_ref.consumer.parts import Parts
from drimbox_ref.consumer.ports import Fetch
from drimbox_ref.consumer.sessions import Login
from drimbox_ref.consumer.values import (
    Call,
    Copy,
    CopyKey,
    Exam,
    ExportFailed,
    Failure,
    Received,
    Series,
    Use,
)

__all__ = ["SharedLibrary"]

_log = logging.getLogger(__name__)


class SharedLibrary:
    """A `Library` over the local copies.

    Args:
        parallel: series fetched side by side, those to be seen and those to be exported counted
            apart: nobody waits for an image because of an export.
    """

    def __init__(self, parts: Parts, fetcher: Fetcher, *, parallel: int) -> None:
        self._parts = parts
        self._fetcher = fetcher
        self._turns = {seen: asyncio.Semaphore(parallel) for seen in (True, False)}
        self._downloads: dict[CopyKey, list[_Download]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._copies = asyncio.Lock()
        """Held by whoever uses `parts.copies`: what is found is open before anything is deleted."""

    def open(self, call: Call, login: Login, exam: Exam, series: Series, *, use: Use) -> Fetch:
        """A hold on the series; whoever sees images takes them in any transfer syntax."""
        order = Order(call=call, login=login, exam=exam, series=series, use=use)
        key = CopyKey(
            owner=login.professional.id,
            ins=call.ins,
            ipp=call.ipp,
            kos_uid=exam.kos_uid,
            series_uid=series.uid,
            instances=series.instances,
        )
        reader = _Reader(self, key, self._shared(key, use) or self._begun(key, order))
        if use is Use.VIEW:
            self._spawn(self._account(order, reader))
        return reader

    def _shared(self, key: CopyKey, use: Use) -> _Download | None:
        for download in self._downloads.get(key, ()):
            if use in (Use.VIEW, download.use) and download.failure is None:
                return download
        return None

    def _begun(self, key: CopyKey, order: Order) -> _Download:
        download = _Download(order, self._parts.copies.directory())
        self._downloads.setdefault(key, []).append(download)
        download.task = self._spawn(self._fill(key, order, download))
        download.task.add_done_callback(lambda task: self._end(key, download, task))
        return download

    def release(self, key: CopyKey, download: _Download) -> None:
        """A reader left. A download under way goes on for the next one, unless it may not."""
        if download.readers:
            return
        if download.ended:
            self._drop(key, download)
        elif download.login.closed or not download.begun:
            assert download.task is not None
            download.task.cancel()

    async def aclose(self) -> None:
        """Stop every download; copies that are whole stay."""
        for downloads in self._downloads.values():
            for download in downloads:
                assert download.task is not None
                download.task.cancel()
        while self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _fill(self, key: CopyKey, order: Order, download: _Download) -> None:
        copy = await self._local(key, order.use, download)
        if copy is not None:
            for image in copy.images:
                download.show(image)
            return
        async with self._turns[order.use is Use.VIEW]:
            download.begun = True
            await self._fetcher.fetch(order, download.directory, download.show)
        copy = Copy(directory=download.directory, images=tuple(download.received))
        async with self._copies:
            copies, now = self._parts.copies, self._parts.clock.now()
            await asyncio.to_thread(copies.keep, key, order.use, copy, now=now)
            download.kept = True

    async def _local(self, key: CopyKey, use: Use, download: _Download) -> Copy | None:
        """The copy that is here already, held by this download from now on."""
        copies, now = self._parts.copies, self._parts.clock.now()
        async with self._copies:
            await asyncio.to_thread(copies.trim, self._open(), now=now)
            copy = await asyncio.to_thread(copies.find, key, use, now=now)
            if copy is not None:
                download.directory = copy.directory
                download.kept = True
        return copy

    def _open(self) -> frozenset[Path]:
        return frozenset(
            download.directory for several in self._downloads.values() for download in several
        )

    def _end(self, key: CopyKey, download: _Download, task: asyncio.Task[None]) -> None:
        """Say how it ended; a task cancelled before it began is heard of here alone."""
        failure: ExportFailed | None = None
        if task.cancelled():
            failure = ExportFailed(Failure.INTERNAL, "La récupération a été interrompue.")
        elif isinstance(error := task.exception(), ExportFailed):
            failure = error
        elif error is not None:
            _log.error("récupération d'une série : erreur imprévue", exc_info=error)
            failure = ExportFailed(
                Failure.INTERNAL, "La récupération a échoué à cause d'une erreur interne."
            )
        download.end(failure)
        if not download.readers:
            self._drop(key, download)

    def _drop(self, key: CopyKey, download: _Download) -> None:
        others = self._downloads[key]
        others.remove(download)
        if not others:
            del self._downloads[key]
        self._spawn(self._put_away(download))

    async def _put_away(self, download: _Download) -> None:
        copies, now = self._parts.copies, self._parts.clock.now()
        async with self._copies:
            if download.kept:
                await asyncio.to_thread(copies.trim, self._open(), now=now)
            else:
                await asyncio.to_thread(copies.delete, download.directory)

    async def _account(self, order: Order, reader: Fetch) -> None:
        """Write down that somebody sees images; exports say it of themselves."""
        while not reader.ended:
            await reader.changed(reader.total)
        await account(
            self._parts,
            order.exam,
            reader.failure,
            subject=order.login.professional.id,
            patient=order.call.ins,
            series=order.series.uid,
            fetched=str(len(reader.received)),
        )

    def _spawn(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


class _Download:
    """One series on its way, and those who watch it come."""

    def __init__(self, order: Order, directory: Path) -> None:
        self.use = order.use
        self.login = order.login
        self.total = len(order.series.instances)
        self.directory = directory
        self.begun = False
        self.kept = False
        """The files are those of a local copy."""
        self.ended = False
        self.readers = 0
        self.received: list[Received] = []
        self.failure: ExportFailed | None = None
        self.task: asyncio.Task[None] | None = None
        self._news = asyncio.Event()

    def show(self, image: Received) -> None:
        """One more instance is here."""
        self.received.append(image)
        self._tell()

    def end(self, failure: ExportFailed | None) -> None:
        """Nothing more will come."""
        self.failure = failure
        self.ended = True
        if failure is not None and failure.failure is Failure.IDENTITY:
            self.received.clear()
        self._tell()

    async def changed(self, seen: int) -> None:
        """Wait for an instance more than `seen`, or for the end."""
        while len(self.received) <= seen and not self.ended:
            await self._news.wait()

    def _tell(self) -> None:
        news, self._news = self._news, asyncio.Event()
        news.set()


class _Reader:
    """A `Fetch`: one reader's hold on a download."""

    def __init__(self, library: SharedLibrary, key: CopyKey, download: _Download) -> None:
        self._library = library
        self._key = key
        self._download = download
        self._closed = False
        download.readers += 1

    @property
    def total(self) -> int:
        """How many instances the KOS announces."""
        return self._download.total

    @property
    def received(self) -> Sequence[Received]:
        """The instances here, in the order they came."""
        return tuple(self._download.received)

    @property
    def ended(self) -> bool:
        """Nothing more will come."""
        return self._download.ended

    @property
    def failure(self) -> ExportFailed | None:
        """Why the series is not whole."""
        return self._download.failure

    async def changed(self, seen: int) -> None:
        """Wait until more than `seen` instances are here, or it ended."""
        await self._download.changed(seen)

    def close(self) -> None:
        """This reader needs nothing more."""
        if not self._closed:
            self._closed = True
            self._download.readers -= 1
            self._library.release(self._key, self._download)
