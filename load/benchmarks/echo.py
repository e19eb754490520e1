"""The peer of small requests: a bare HTTP server on asyncio's streams, in its own process.

It reads heads, knows Content-Length, and sends back the bytes it was sent. It starts as a box does,
with a configuration and a ready file, and ends when its standard input closes.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import socket
import sys
import threading
import tomllib
from pathlib import Path
from typing import Any

from wire.tls import ServerTls, server_context

__all__ = ["main"]

_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/octet-stream\r\ncontent-length: %d\r\n\r\n"


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Serve one connection: each request is read as HTTP and sent back, head and body."""
    try:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            headers = {
                name.strip().lower(): value.strip()
                for name, _, value in (line.partition(b":") for line in head.split(b"\r\n")[1:-2])
            }
            body = await reader.readexactly(int(headers.get(b"content-length", b"0")))
            echo = head + body
            writer.write(_HEAD % len(echo) + echo)
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


async def _serve(config: dict[str, str], ready: Path) -> None:
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    plain = await asyncio.start_server(_answer, sock=_listener())
    context = server_context(ServerTls(Path(config["certificate"]), Path(config["key"])))
    tls = await asyncio.start_server(_answer, sock=_listener(), ssl=context)
    threading.Thread(target=_await_end, args=(loop, stop), daemon=True).start()
    content = {"pid": os.getpid(), "plain": _address(plain), "tls": _address(tls)}
    scratch = ready.with_suffix(".tmp")
    scratch.write_text(json.dumps(content))
    scratch.replace(ready)
    await stop.wait()
    plain.close()
    tls.close()


def _listener() -> socket.socket:
    # With IPPROTO_TCP asyncio sets TCP_NODELAY on what it accepts, as for our services.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setblocking(False)
    listener.bind(("127.0.0.1", 0))
    return listener


def _address(server: asyncio.Server) -> str:
    host, port = server.sockets[0].getsockname()[:2]
    return f"{host}:{port}"


def _await_end(loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    while os.read(sys.stdin.fileno(), 4096):
        continue
    loop.call_soon_threadsafe(stop.set)


def main() -> None:
    """Serve until standard input closes."""
    parser = argparse.ArgumentParser(prog="python -m load.benchmarks.echo")
    parser.add_argument("--config", type=Path, required=True)
    parser.add_argument("--ready", type=Path, required=True)
    arguments = parser.parse_args()
    config: dict[str, Any] = tomllib.loads(arguments.config.read_text(encoding="utf-8"))
    asyncio.run(_serve(config, arguments.ready))


if __name__ == "__main__":
    main()
