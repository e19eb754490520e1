"""Our MLLP listener as a process: each report is acknowledged, and examined first if so told."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from anyio.from_thread import start_blocking_portal

from drimbox_ref.names import SystemClock
from drimbox_ref.source.acknowledger import Hl7Acknowledger
from drimbox_ref.source.reports import CisisReports
from load.benchmarks.child import serve
from wire.exchange import ignore
from wire.mllp import MllpServer, PeerInfo, serve_mllp


@contextmanager
def _opened(config: dict[str, Any]) -> Iterator[dict[str, str]]:
    reports, acknowledger = CisisReports(without_dmp="stop"), Hl7Acknowledger(clock=SystemClock())

    async def handle(message: bytes, peer: PeerInfo) -> bytes | None:
        faults = reports.examine(message) if config["examined"] else ()
        if faults:
            return acknowledger.refuse(message, "AE", faults)
        return acknowledger.accept(message)

    async def listen() -> MllpServer:
        return await serve_mllp(handle, actor="bench", observe=ignore)

    with start_blocking_portal("asyncio") as portal:
        server = portal.call(listen)
        try:
            yield {"mllp": f"{server.host}:{server.port}"}
        finally:
            portal.call(server.stop)


if __name__ == "__main__":
    serve(_opened)
