"""What listens for streams: each connection served by a task of its own, all over when it stops."""

from __future__ import annotations

import asyncio
import socket
import ssl
from abc import ABC, abstractmethod

from wire.tls import GOODBYE_TIMEOUT, HANDSHAKE_TIMEOUT

__all__ = ["StreamServer"]


class StreamServer(ABC):
    """A listener. `host` and `port` are where, once it was started."""

    def __init__(self) -> None:
        self._connections: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self.host = ""
        self.port = 0

    @abstractmethod
    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, from its opening; cancelled when the listener stops."""

    async def start(self, listener: socket.socket, context: ssl.SSLContext | None) -> None:
        """Accept connections on a bound socket."""
        self.host, self.port = listener.getsockname()[:2]
        self._server = await asyncio.start_server(
            self._accept,
            sock=listener,
            ssl=context,
            ssl_handshake_timeout=HANDSHAKE_TIMEOUT if context else None,
            ssl_shutdown_timeout=GOODBYE_TIMEOUT if context else None,
        )

    async def stop(self) -> None:
        """Close the listener and break every connection; return when all are over. Idempotent."""
        if self._server is None:
            return
        self._server.close()
        for task in self._connections:
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)
        self._server = None

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        try:
            await self.serve(reader, writer)
        finally:
            self._connections.discard(task)
