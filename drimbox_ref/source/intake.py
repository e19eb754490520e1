"""Where RISs bring their messages: MLLP in clear, over mutual TLS, or both."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from drimbox_ref.config import Listen
from drimbox_ref.source.config import Mllps
from wire.exchange import ignore
from wire.listening import authority
from wire.mllp import Handler, MllpServer, serve_mllp
from wire.tls import ServerTls

__all__ = ["MllpDoor", "MllpIntake", "doors"]


@dataclass(frozen=True, slots=True)
class MllpDoor:
    """Where one listener binds, and what it shows and wants; None: in clear."""

    listen: Listen
    tls: ServerTls | None = None


def doors(clear: Listen | None, secure: Mllps | None) -> dict[str, MllpDoor]:
    """The doors of a configuration, by their names: `mllp` and `mllps`."""
    found: dict[str, MllpDoor] = {}
    if clear is not None:
        found["mllp"] = MllpDoor(clear)
    if secure is not None:
        tls = ServerTls(secure.certificate, secure.key, secure.client_ca, "required")
        found["mllps"] = MllpDoor(secure.listen, tls)
    return found


class MllpIntake:
    """An `Intake` of several doors; whoever comes by any is heard the same."""

    def __init__(self, doors: Mapping[str, MllpDoor]) -> None:
        self.doors = dict(doors)
        self._servers: list[MllpServer] = []

    async def open(self, handler: Handler, *, port: Callable[[str, int], int]) -> Mapping[str, str]:
        """Listen; the address of each door by its name."""
        addresses = {}
        for name, door in self.doors.items():
            server = await serve_mllp(
                handler,
                actor="source",
                observe=ignore,
                host=door.listen.host,
                port=port(name, door.listen.port),
                tls=door.tls,
            )
            self._servers.append(server)
            addresses[name] = authority(server.host, server.port)
        return addresses

    async def close(self) -> None:
        """Stop listening; what was not acknowledged will be sent again."""
        for server in self._servers:
            await server.stop()
        self._servers.clear()
