"""Sources that do not hear a RIS as they should: transport, framing, several at once."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import replace
from datetime import datetime

from drimbox_ref.source.intake import MllpDoor, MllpIntake
from drimbox_ref.source.parts import Parts
from drimbox_ref.source.ports import Inbox
from mutants.registry import mutant
from mutants.source.passing import PassingInbox
from protocols.mllp import frame
from wire.listening import authority, listening_socket
from wire.mllp import Handler, PeerInfo

__all__: list[str] = []


# Who may speak ---------------------------------------------------------------------------------


def _with_doors(parts: Parts, change: Callable[[MllpDoor], MllpDoor]) -> Parts:
    assert isinstance(parts.intake, MllpIntake)
    doors = {name: change(door) for name, door in parts.intake.doors.items()}
    return replace(parts, intake=MllpIntake(doors))


@mutant(
    "porte-tls-en-clair",
    breaks="La porte qui doit parler TLS reçoit les comptes rendus en clair.",
    requirements=("KIT-MLLP-TLS",),
    consequences=("DB.SO.03",),
)
def tls_door_in_clear(parts: Parts) -> Parts:
    """Who listens on the network reads the reports."""
    return _with_doors(parts, lambda door: replace(door, tls=None))


def _ajar(door: MllpDoor) -> MllpDoor:
    return replace(door, tls=door.tls and replace(door.tls, require="none", client_ca=None))


@mutant(
    "ris-non-authentifie",
    breaks="Par TLS, un émetteur qui ne montre aucun certificat reconnu est entendu.",
    requirements=("KIT-MLLP-TLS",),
)
def anybody_is_a_ris(parts: Parts) -> Parts:
    """Whoever reaches the port publishes."""
    return _with_doors(parts, _ajar)


# What it hears ---------------------------------------------------------------------------------


class OneRead(MllpIntake):
    """An `Intake`, in clear, for which what one read gives is one message."""

    async def open(self, handler: Handler, *, port: Callable[[str, int], int]) -> Mapping[str, str]:
        """As it should, but for the door in clear."""
        self._sloppy: list[asyncio.Server] = []
        listen = self.doors.pop("mllp").listen
        addresses = dict(await super().open(handler, port=port))
        chosen = port("mllp", listen.port)

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            with closing(writer):
                while data := await reader.read(1 << 20):
                    answer = await handler(data.strip(b"\x0b\x1c\r"), PeerInfo("RIS", "1"))
                    writer.write(frame(answer) if answer else b"")

        listener = listening_socket(listen.host, chosen)
        self._sloppy.append(await asyncio.start_server(serve, sock=listener))
        return {**addresses, "mllp": authority(*listener.getsockname()[:2])}

    async def close(self) -> None:
        """All of them."""
        for server in self._sloppy:
            server.close()
        await super().close()


@mutant(
    "une-lecture-un-message",
    breaks="Un message reçu en plusieurs fragments est lu comme plusieurs messages.",
    requirements=("KIT-LIAISON", "DB.SO.03"),
)
def one_read_one_message(parts: Parts) -> Parts:
    """It works as long as messages are small and the network is quick."""
    assert isinstance(parts.intake, MllpIntake)
    return replace(parts, intake=OneRead(parts.intake.doors))


class Single(PassingInbox):
    """An `Inbox` that forgets what comes while it writes."""

    _WRITING_S = 0.2

    def __init__(self, inner: Inbox) -> None:
        super().__init__(inner)
        self._busy = threading.Lock()

    def put(self, control_id: str, raw: bytes, *, now: datetime) -> bool:
        """Kept, unless another is being kept."""
        if not self._busy.acquire(blocking=False):
            return True
        try:
            threading.Event().wait(self._WRITING_S)
            return self._inner.put(control_id, raw, now=now)
        finally:
            self._busy.release()


@mutant(
    "un-ris-a-la-fois",
    breaks="Un message reçu pendant l'enregistrement d'un autre est acquitté, et perdu.",
    requirements=("KIT-LIAISON", "DB.SO.03"),
)
def one_ris_at_a_time(parts: Parts) -> Parts:
    """The second of two RISs has its AA, and no KOS."""
    return replace(parts, inbox=Single(parts.inbox))
