"""The `hl7` library's own MLLP server as a process: each message is parsed and acknowledged."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from anyio.from_thread import start_blocking_portal

from load.benchmarks.child import serve


@contextmanager
def _opened(config: dict[str, Any]) -> Iterator[dict[str, str]]:
    library: Any = import_module("hl7.mllp")

    async def answer(reader: Any, writer: Any) -> None:
        while not writer.is_closing():
            message = await reader.readmessage()
            writer.writemessage(message.create_ack())
            await writer.drain()

    async def serve_one(reader: Any, writer: Any) -> None:
        try:
            await answer(reader, writer)
        except (EOFError, ConnectionError):
            writer.close()

    async def listen() -> Any:
        return await library.start_hl7_server(
            serve_one, host="127.0.0.1", port=0, encoding="utf-8", limit=1 << 24
        )

    async def close(server: Any) -> None:
        server.close()

    with start_blocking_portal("asyncio") as portal:
        server = portal.call(listen)
        host, port = server.sockets[0].getsockname()[:2]
        try:
            yield {"mllp": f"{host}:{port}"}
        finally:
            portal.call(close, server)


if __name__ == "__main__":
    serve(_opened)
