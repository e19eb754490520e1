"""Series for the viewer: fetched from the PACS once for each login, on disk while it lasts.

Only what the KOS in force lists is asked for and kept; nothing is shared between two logins.
"""

from __future__ import annotations

import asyncio
import logging
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from drimbox_ref.dmp import PeerUnavailable
from drimbox_ref.source.ports import Images
from drimbox_ref.source.values import RetrievalFailed, Served, StoredObject, Wanted
from protocols.dicom import build_part10
from protocols.errors import LocalProtocolError

__all__ = ["ViewerShelf"]

_log = logging.getLogger(__name__)

_KEPT = 24
"""Series on disk, of everybody: the one that was opened the longest ago makes room."""


class _NotShown(Exception):
    """Why a series ends before its time. French, for the user."""


@dataclass(frozen=True, slots=True)
class _Stored:
    path: Path
    sop_instance: str


class ViewerShelf:
    """Opens series. `patience_s`: seconds of silence after which a PACS is given up."""

    def __init__(self, images: Images, *, folder: Path, patience_s: float) -> None:
        self._images = images
        self._folder = folder
        self._patience_s = patience_s
        self._held: dict[tuple[str, str, str], _Loading] = {}
        # What a killed process left there is nobody's any more.
        shutil.rmtree(folder, ignore_errors=True)

    def open(self, owner: str, served: Served) -> _Lease:
        """A series of an exam, for that login: on its way, or here already."""
        key = owner, served.entry.kos_uid, served.series_uid or ""
        held = self._held.pop(key, None)
        if held is not None and held.failure is not None and not held.readers:
            held.drop()
            held = None
        if held is None:
            self._make_room()
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            directory = Path(tempfile.mkdtemp(dir=self._folder))
            held = _Loading(self._images, served, directory, self._patience_s)
        self._held[key] = held
        return _Lease(held)

    def forget(self, owner: str) -> None:
        """That login is over: what is being shown to it goes too."""
        for key in [key for key in self._held if key[0] == owner]:
            self._held.pop(key).drop()

    async def close(self) -> None:
        """Forget everything."""
        for held in self._held.values():
            held.drop()
        await asyncio.gather(*(held.task for held in self._held.values()), return_exceptions=True)
        self._held.clear()

    def _make_room(self) -> None:
        for key, held in list(self._held.items()):
            if len(self._held) < _KEPT:
                return
            if not held.readers:
                del self._held[key]
                held.drop()


class _Loading:
    """One series, being received or whole."""

    def __init__(self, images: Images, served: Served, directory: Path, patience_s: float) -> None:
        self.total = len(served.instances)
        self.received: list[_Stored] = []
        self.ended = False
        self.failure: Exception | None = None
        self.readers = 0
        self._images = images
        self._directory = directory
        self._patience_s = patience_s
        self._news = asyncio.Event()
        wanted = Wanted(
            pacs=served.entry.pacs,
            study_uid=served.entry.study_uid,
            series_uid=served.series_uid,
            instance_uid=None,
            instances=served.instances,
        )
        self.task = asyncio.create_task(self._load(wanted))

    async def changed(self, seen: int) -> None:
        """Return once more than `seen` instances are there, or nothing more will come."""
        while len(self.received) == seen and not self.ended:
            await self._news.wait()

    def drop(self) -> None:
        """Nothing of it may be shown any more."""
        self.task.cancel()
        self.failure = self.failure or _NotShown("Session terminée.")
        self.received = []
        self.ended = True
        self._tell()
        shutil.rmtree(self._directory, ignore_errors=True)

    async def _load(self, wanted: Wanted) -> None:
        try:
            await self._receive(wanted)
        except (PeerUnavailable, TimeoutError):
            self.failure = _NotShown("Le PACS ne répond pas : réessayer dans quelques instants.")
        except RetrievalFailed as error:
            _log.warning("visionneuse : %s", error)
            self.failure = _NotShown("Le PACS n'a pas rendu toutes les images de cette série.")
        except (OSError, LocalProtocolError):
            _log.exception("visionneuse : série %s", wanted.series_uid)
            self.failure = _NotShown("Erreur interne : l'administrateur en est informé.")
        finally:
            self.ended = True
            self._tell()

    async def _receive(self, wanted: Wanted) -> None:
        retrieval = await self._images.open(wanted)
        try:
            coming = aiter(retrieval.objects())
            while True:
                async with asyncio.timeout(self._patience_s):
                    stored = await anext(coming, None)
                if stored is None:
                    return
                await self._keep(stored)
        finally:
            await retrieval.close()

    async def _keep(self, stored: StoredObject) -> None:
        path = self._directory / f"{len(self.received)}.dcm"
        file = build_part10(
            sop_class=stored.sop_class,
            sop_instance=stored.sop_instance,
            transfer_syntax=stored.transfer_syntax,
            dataset=stored.data,
        )
        await asyncio.to_thread(path.write_bytes, file)
        self.received.append(_Stored(path, stored.sop_instance))
        self._tell()

    def _tell(self) -> None:
        news, self._news = self._news, asyncio.Event()
        news.set()


class _Lease:
    """One reader of a series (`viewer.ports.Arriving`)."""

    def __init__(self, held: _Loading) -> None:
        self._held = held
        self._open = True
        held.readers += 1

    @property
    def total(self) -> int:
        """How many instances are announced."""
        return self._held.total

    @property
    def received(self) -> Sequence[_Stored]:
        """In the order of arrival; empty again once the login is over."""
        return self._held.received

    @property
    def ended(self) -> bool:
        """Nothing more will come."""
        return self._held.ended

    @property
    def failure(self) -> Exception | None:
        """Why it ended before its time."""
        return self._held.failure

    async def changed(self, seen: int) -> None:
        """Return once more than `seen` instances are there, or nothing more will come."""
        await self._held.changed(seen)

    def close(self) -> None:
        """Nothing more is needed; closing twice is harmless."""
        if self._open:
            self._open = False
            self._held.readers -= 1
