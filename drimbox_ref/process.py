"""A DRIMbox as a process: ready file, logs on stderr, an end when stdin closes or on SIGTERM."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

__all__ = ["Service", "former_port", "run_service", "write_ready"]

_log = logging.getLogger(__name__)


class Service(Protocol):
    """What a process runs."""

    async def start(self) -> Mapping[str, str]:
        """Start everything; names of the listeners and their `host:port`."""
        ...

    async def stop(self) -> None:
        """Stop everything; may be called after a failed start."""
        ...


def former_port(ready: Path, listener: str) -> int:
    """The port that a listener had according to an existing ready file, else 0.

    A box that is started again keeps its addresses: those who know them need not be told.
    """
    try:
        address = json.loads(ready.read_text(encoding="utf-8"))[listener]
        return int(str(address).rpartition(":")[2])
    except (OSError, ValueError, KeyError, TypeError):
        return 0


def write_ready(ready: Path, role: str, addresses: Mapping[str, str]) -> None:
    """Write the ready file in one go: whoever sees it may connect."""
    content = {"role": role, "pid": os.getpid(), **addresses}
    scratch = ready.with_name(f"{ready.name}.{os.getpid()}.tmp")
    scratch.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
    scratch.replace(ready)


def run_service(service: Service, *, role: str, ready: Path) -> int:
    """Run until stdin closes or SIGTERM or SIGINT comes; the exit code.

    The loop is asyncio's own, not uvloop: it is the one that `wire.tls` teaches to send alerts.
    """
    logging.basicConfig(
        stream=sys.stderr,
        level=logging.INFO,
        format=f"%(asctime)s {role} %(levelname)s %(name)s %(message)s",
    )
    for noisy in ("pynetdicom", "httpx", "httpcore", "uvicorn"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    return asyncio.run(_run(service, role, ready))


async def _run(service: Service, role: str, ready: Path) -> int:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        # Not the loop's own handlers, which only POSIX loops have.
        signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop.set))
    _watch_stdin(loop, stop)
    try:
        addresses = await service.start()
        write_ready(ready, role, addresses)
        _log.info("prêt : %s", ", ".join(f"{name} {where}" for name, where in addresses.items()))
        await stop.wait()
    finally:
        await service.stop()
    _log.info("arrêt")
    return 0


def _watch_stdin(loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    """Set `stop` when whoever started us closes our stdin, or dies."""

    def watch() -> None:
        try:
            while os.read(sys.stdin.fileno(), 4096):
                continue
        except (OSError, ValueError, AttributeError):
            # No stdin at all: only signals end us.
            return
        if not loop.is_closed():
            loop.call_soon_threadsafe(stop.set)

    threading.Thread(target=watch, name="stdin", daemon=True).start()
