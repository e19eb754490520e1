"""The Consumer as a running thing: the web server, the admin server, what runs beside them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from starlette.types import ASGIApp

from drimbox_ref.consumer.config import ConsumerConfig
from drimbox_ref.consumer.parts import Parts
from drimbox_ref.process import former_port
from drimbox_ref.white_list import keep_fresh
from wire.exchange import ignore
from wire.http_server import HttpServer, serve_http
from wire.listening import authority
from wire.tls import ServerTls

__all__ = ["Consumer"]

_log = logging.getLogger(__name__)


class Consumer:
    """One DRIMbox Consumer. Made by `compose.assemble`."""

    def __init__(
        self,
        parts: Parts,
        config: ConsumerConfig,
        *,
        ready: Path,
        web: ASGIApp,
        admin: ASGIApp,
        background: Sequence[Callable[[], Coroutine[None, None, None]]],
        before: Sequence[Callable[[], Awaitable[None]]],
        close: Sequence[Callable[[], Awaitable[None]]],
    ) -> None:
        self._parts = parts
        self._config = config
        self._ready = ready
        self._web = web
        self._admin = admin
        self._background = background
        self._before = before
        self._close = close
        self._tasks: list[asyncio.Task[None]] = []
        self._servers: list[HttpServer] = []

    async def start(self) -> Mapping[str, str]:
        """Start everything; the white list is asked for before anybody can come."""
        config = self._config
        listed = await self._parts.trust.refresh()
        web = await serve_http(
            self._web,
            actor="consumer",
            observe=ignore,
            tls=ServerTls(certificate=config.web.certificate, key=config.web.key),
            host=config.web.listen.host,
            port=self._port("web", config.web.listen.port),
        )
        self._servers.append(web)
        admin = await serve_http(
            self._admin,
            actor="consumer",
            observe=ignore,
            host=config.admin.host,
            port=self._port("admin", config.admin.port),
        )
        self._servers.append(admin)
        self._tasks = [
            asyncio.create_task(
                keep_fresh(self._parts.trust.refresh, config.whitelist, good=listed)
            ),
            *(asyncio.create_task(run()) for run in self._background),
        ]
        return {
            "web": authority(web.host, web.port),
            "admin": authority(admin.host, admin.port),
        }

    async def stop(self) -> None:
        """Stop listening, then the exports: the next process goes on with them."""
        for server in self._servers:
            await server.stop()
        for end in self._before:
            await end()
        sessions = self._parts.sessions
        tasks = [*sessions.tasks(), *sessions.consultations(), *self._tasks]
        for task in tasks:
            task.cancel()
        for task in tasks:
            with suppress(asyncio.CancelledError):
                await task
        for close in self._close:
            await close()

    def _port(self, listener: str, configured: int) -> int:
        return configured or former_port(self._ready, listener)
