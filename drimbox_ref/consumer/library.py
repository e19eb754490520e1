"""Series on disk, each downloaded once for all who read it.

Two readers share a download when the same professional asks the same thing for the same patient;
what another professional's rights obtained is never lent.
"""

from __future__ import annotations

import asyncio
import logging
import shutil
from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import NamedTuple
from uuid import uuid4

from drimbox_ref.consumer.fetching import Fetcher, Order
from drimbox_ref.consumer.ports import Fetch
from drimbox_ref.consumer.sessions import Login
from drimbox_ref.consumer.values import (
    Call,
    Exam,
    ExportFailed,
    Failure,
    Ins,
    Received,
    Series,
    Use,
)

__all__ = ["SharedLibrary"]

_log = logging.getLogger(__name__)


class _Key(NamedTuple):
    """What makes two requests one."""

    owner: str
    ins: Ins
    ipp: str
    kos_uid: str
    series_uid: str
    instances: frozenset[str]


class SharedLibrary:
    """A `Library` over a directory of its own; what is in it is deleted at start.

    Args:
        parallel: series fetched side by side, those to be seen and those to be exported counted
            apart: nobody waits for an image because of an export.
    """

    def __init__(self, fetcher: Fetcher, *, spool: Path, parallel: int) -> None:
        self._fetcher = fetcher
        self._spool = spool
        self._turns = {seen: asyncio.Semaphore(parallel) for seen in (True, False)}
        self._downloads: dict[_Key, list[_Download]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        shutil.rmtree(spool, ignore_errors=True)
        spool.mkdir(parents=True)

    def open(self, call: Call, login: Login, exam: Exam, series: Series, *, use: Use) -> Fetch:
        """A hold on the series; whoever sees images takes them in any transfer syntax."""
        order = Order(call=call, login=login, exam=exam, series=series, use=use)
        key = _Key(
            login.professional.id, call.ins, call.ipp, exam.kos_uid, series.uid, series.instances
        )
        for download in self._downloads.get(key, ()):
            if use in (Use.VIEW, download.use) and download.failure is None:
                return _Reader(self, key, download)
        download = _Download(order, self._spool / uuid4().hex)
        self._downloads.setdefault(key, []).append(download)
        download.task = self._spawn(self._fill(order, download))
        download.task.add_done_callback(lambda task: self._end(key, download, task))
        return _Reader(self, key, download)

    def release(self, key: _Key, download: _Download) -> None:
        """A reader left. A download under way goes on for the next one, unless it may not."""
        if download.readers:
            return
        if download.ended:
            self._drop(key, download)
        elif download.login.closed or not download.begun:
            assert download.task is not None
            download.task.cancel()

    async def aclose(self) -> None:
        """Stop every download and delete everything."""
        while self._tasks:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.to_thread(shutil.rmtree, self._spool, ignore_errors=True)

    async def _fill(self, order: Order, download: _Download) -> None:
        async with self._turns[order.use is Use.VIEW]:
            download.begun = True
            await self._fetcher.fetch(order, download.directory, download.show)

    def _end(self, key: _Key, download: _Download, task: asyncio.Task[None]) -> None:
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

    def _drop(self, key: _Key, download: _Download) -> None:
        others = self._downloads[key]
        others.remove(download)
        if not others:
            del self._downloads[key]
        self._spawn(asyncio.to_thread(shutil.rmtree, download.directory, ignore_errors=True))

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

    def __init__(self, library: SharedLibrary, key: _Key, download: _Download) -> None:
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
