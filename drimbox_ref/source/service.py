"""The Source as a running thing: listeners, the two workers, the white list's refresh."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from starlette.types import ASGIApp

from drimbox_ref.process import former_port
from drimbox_ref.source.config import SourceConfig
from drimbox_ref.source.delivery import Delivery
from drimbox_ref.source.note_door import NoteDoor
from drimbox_ref.source.parts import Parts
from drimbox_ref.source.publication import Publication
from drimbox_ref.source.reception import Reception
from drimbox_ref.source.senders import Senders
from drimbox_ref.source.storage import StorageReceiver
from drimbox_ref.white_list import keep_fresh
from wire.exchange import Observe
from wire.http_server import HttpServer, serve_http
from wire.listening import authority
from wire.tls import ServerTls

__all__ = ["Source"]

_log = logging.getLogger(__name__)

_POLL_S = 2.0
"""How often to look for what the administrator's commands put there, which wake nobody."""
_AFTER_CRASH_S = 1.0
"""Pause after an unforeseen error of a worker: the state file may be full or locked."""


class Source:
    """One DRIMbox Source. Made by `compose.assemble`."""

    def __init__(
        self,
        parts: Parts,
        config: SourceConfig,
        *,
        ready: Path,
        storage: StorageReceiver,
        publication: Publication,
        delivery: Delivery,
        wado: ASGIApp,
        admin: ASGIApp,
        viewer: ASGIApp | None,
        observe_wado: Observe,
        background: Sequence[Callable[[], Coroutine[None, None, None]]],
        close: Sequence[Callable[[], Awaitable[None]]],
    ) -> None:
        self._parts = parts
        self._config = config
        self._ready = ready
        self._storage = storage
        self._publication = publication
        self._delivery = delivery
        self._wado = wado
        self._admin = admin
        self._viewer = viewer
        self._observe_wado = observe_wado
        self._background = background
        self._close = close
        self._new_message = asyncio.Event()
        self._new_submission = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._http: list[HttpServer] = []

    async def start(self) -> Mapping[str, str]:
        """Start everything: what was left undone is taken up before anything new arrives."""
        config = self._config
        listed = await self._parts.trust.refresh()
        dicom = config.dicom.listen
        loop = asyncio.get_running_loop()

        def wake() -> None:
            loop.call_soon_threadsafe(self._new_message.set)

        notes = NoteDoor(self._parts, senders=_senders(config), wake=wake)
        port = await asyncio.to_thread(
            self._storage.start, dicom.host, self._port("dicom", dicom.port), notes=notes.store
        )
        reception = Reception(
            self._parts,
            wake=self._new_message.set,
            senders=Senders(config.ris),
            refuse_undeclared=config.options.undeclared_ris == "refuse",
        )
        intake = await self._parts.intake.open(reception.handle, port=self._port)
        wado = await serve_http(
            self._wado,
            actor="source",
            observe=self._observe_wado,
            tls=self._parts.door.tls(),
            host=config.wado.listen.host,
            port=self._port("wado", config.wado.listen.port),
        )
        self._http.append(wado)
        admin = await serve_http(
            self._admin,
            actor="source",
            host=config.admin.host,
            port=self._port("admin", config.admin.port),
        )
        self._http.append(admin)
        viewer = await self._open_viewer()
        self._tasks = [
            asyncio.create_task(self._publish()),
            asyncio.create_task(self._deliver()),
            asyncio.create_task(
                keep_fresh(self._parts.trust.refresh, config.whitelist, good=listed)
            ),
            *(asyncio.create_task(run()) for run in self._background),
        ]
        return {
            **intake,
            "wado": authority(wado.host, wado.port),
            "dicom": authority(dicom.host, port),
            "admin": authority(admin.host, admin.port),
            **viewer,
        }

    async def _open_viewer(self) -> dict[str, str]:
        """The address of report links, where one is configured."""
        given = self._config.viewer
        if given is None or self._viewer is None:
            return {}
        server = await serve_http(
            self._viewer,
            actor="source",
            tls=ServerTls(given.certificate, given.key),
            host=given.listen.host,
            port=self._port("viewer", given.listen.port),
        )
        self._http.append(server)
        return {"viewer": authority(server.host, server.port)}

    async def stop(self) -> None:
        """Stop listening, then working; the state file holds whatever is not finished."""
        await self._parts.intake.close()
        for task in self._tasks:
            task.cancel()
        for task in self._tasks:
            with suppress(asyncio.CancelledError):
                await task
        for server in self._http:
            await server.stop()
        await asyncio.to_thread(self._storage.stop)
        for close in self._close:
            await close()

    def _port(self, listener: str, configured: int) -> int:
        return configured or former_port(self._ready, listener)

    async def _publish(self) -> None:
        await self._work(
            self._publication.step,
            self._parts.inbox.next_due,
            self._new_message,
            done=self._new_submission.set,
        )

    async def _deliver(self) -> None:
        await self._work(
            self._delivery.step, self._parts.outbox.next_due, self._new_submission, done=None
        )

    async def _work(
        self,
        step: Callable[[], Awaitable[int]],
        next_due: Callable[[], datetime | None],
        wake: asyncio.Event,
        *,
        done: Callable[[], None] | None,
    ) -> None:
        """Step while there is something due, then wait for news or for the next due time."""
        while True:
            wake.clear()
            try:
                worked = await step()
                if worked:
                    if done:
                        done()
                    continue
                due = await asyncio.to_thread(next_due)
                pause = _POLL_S
                if due is not None:
                    pause = min(pause, (due - self._parts.clock.now()).total_seconds())
            except Exception:
                _log.exception("erreur imprévue ; reprise dans %s s", _AFTER_CRASH_S)
                pause = _AFTER_CRASH_S
            with suppress(TimeoutError):
                await asyncio.wait_for(wake.wait(), max(0.01, pause))


def _senders(config: SourceConfig) -> frozenset[str] | None:
    """Who may send notes, None for anybody."""
    if config.options.notes_from == "any":
        return None
    return frozenset(one.ae_title for one in config.pacs)
