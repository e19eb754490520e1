"""A port that answers nobody, and remembers who came: what shows that nobody followed an address.

It speaks no protocol: whoever comes, by HTTP, LDAP or anything, is counted and hung up on.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from wire.listening import listening_socket

__all__ = ["Witness", "listen"]

_FIRST = 256


@dataclass(slots=True)
class Witness:
    """A port that is listened to; `visits` has the first bytes of each connection."""

    host: str
    port: int
    visits: list[bytes] = field(default_factory=list)
    _server: asyncio.Server | None = None

    async def knock(self) -> None:
        """Come oneself, and wait until it was noticed: it does see who comes.

        Raises:
            OSError: nobody can come there.
        """
        reader, writer = await asyncio.open_connection(self.host, self.port)
        writer.write(b"drimbench")
        writer.write_eof()
        await reader.read()
        writer.close()

    async def stop(self) -> None:
        """Close the port."""
        if self._server is not None:
            self._server.close()

    async def _met(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.visits.append(b"")
        number = len(self.visits) - 1
        try:
            self.visits[number] = await asyncio.wait_for(reader.read(_FIRST), 1.0)
        except (OSError, TimeoutError):
            pass  # it came, and said nothing
        finally:
            writer.close()


async def listen(host: str) -> Witness:
    """A witness at a free port of that address of ours.

    Raises:
        OSError: the address is none of this machine.
    """
    socket = listening_socket(host, 0)
    witness = Witness(socket.getsockname()[0], socket.getsockname()[1])
    witness._server = await asyncio.start_server(witness._met, sock=socket)
    return witness
