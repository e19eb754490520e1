"""The relay: a listener, a connection of its own for each that it accepts, bytes both ways.

A direction closed in good order is closed on the other side, a connection that breaks is broken
there too (RST). Inside TLS an end closes both directions at once: Python's TLS knows no half-close.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import ssl
import struct
from collections.abc import Callable
from dataclasses import dataclass

from wire.exchange import Outcome, new_connection_id, stamp
from wire.listening import listening_socket
from wire.stream_server import StreamServer
from wire.tap.ear import Ear, Line, Side, Witness
from wire.tap.passage import Cut, HalfClosed, Passage, Reading, prompt, straight
from wire.tls import (
    GOODBYE_TIMEOUT,
    ClientTls,
    ServerTls,
    client_context,
    failure_reason,
    peer_name,
    server_context,
    transport_tls,
    watch_handshakes,
)

__all__ = ["Tap", "TapTls", "open_tap"]

_CONNECT_S = 10.0
_RESET = struct.pack("ii", 1, 0)
"""SO_LINGER on, 0 seconds: what closes then sends RST."""

_log = logging.getLogger(__name__)

Ears = Callable[[Line, Witness], Ear]


@dataclass(frozen=True, slots=True, kw_only=True)
class TapTls:
    """TLS ended here and begun again: what is shown to who calls, and to whom it is passed on."""

    shown: ServerTls
    towards: ClientTls
    server_name: str
    """Host name expected of the neighbour, and told to it (SNI)."""


class Tap(StreamServer):
    """A relay that is running. Made by `open_tap`."""

    def __init__(
        self,
        ears: Ears,
        witness: Witness,
        towards: tuple[str, int],
        context: ssl.SSLContext | None,
        server_name: str | None,
        passage: Callable[[Side], Passage],
        reading: Reading = prompt,
    ) -> None:
        super().__init__()
        self._ears = ears
        self._witness = witness
        self._towards = towards
        self._context = context
        self._server_name = server_name
        self._passage = passage
        self._reading = reading

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Reach the neighbour, then relay; a caller that cannot be served is reset."""
        line = Line(
            connection=new_connection_id(),
            caller=peer_name(writer.transport),
            tls=transport_tls(writer.transport),
        )
        try:
            called = await self._connect(line)
            if called is None:
                _reset(writer)
                return
            ear = _Guarded(self._ears(line, self._witness), line, self._witness)
            relayed = _Relayed((reader, writer), called, ear, self._passage, self._reading)
            await relayed.run()
        except asyncio.CancelledError:
            _reset(writer)

    async def _connect(
        self, line: Line
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
        """The neighbour, or None when it cannot be reached: told, as a refusal."""
        begun = stamp()
        try:
            async with asyncio.timeout(_CONNECT_S):
                return await asyncio.open_connection(
                    *self._towards,
                    ssl=self._context,
                    server_hostname=self._server_name,
                    ssl_shutdown_timeout=GOODBYE_TIMEOUT if self._context else None,
                )
        except (OSError, TimeoutError) as error:
            sealed = isinstance(error, ssl.SSLError)
            reason = failure_reason(error) if sealed else str(error) or type(error).__name__
            self._witness.tell(
                line,
                protocol="TLS" if sealed else "TCP",
                transaction="TLS" if sealed else "connexion",
                outcome=Outcome.REFUSED,
                begun=begun,
                reason=f"le voisin {':'.join(map(str, self._towards))} est injoignable : {reason}",
            )
            return None


class _Guarded:
    """An ear whose troubles never reach the bytes, and are told."""

    def __init__(self, ear: Ear, line: Line, witness: Witness) -> None:
        self._ear: Ear | None = ear
        self._line = line
        self._witness = witness

    def hear(self, side: Side, data: bytes) -> None:
        self._do(lambda ear: ear.hear(side, data))

    def ended(self, side: Side) -> None:
        self._do(lambda ear: ear.ended(side))

    def over(self, reason: str) -> None:
        ear, self._ear = self._ear, None
        if ear is None:
            return
        try:
            ear.over(reason)
        except Exception:
            _log.exception("the end of a tapped connection could not be told")

    def _do(self, what: Callable[[Ear], None]) -> None:
        if self._ear is None:
            return
        try:
            what(self._ear)
        except Exception as error:
            # Whatever a decoder makes of bytes that are not ours, they travel on.
            reason = f"le banc ne suit plus cette connexion : {error}"
            self.over(reason)
            self._witness.tell(
                self._line,
                protocol="TCP",
                transaction="connexion",
                outcome=Outcome.ABORTED,
                begun=stamp(),
                reason=reason,
            )


_End = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class _Relayed:
    """One connection, both ways, until both directions are closed or one end breaks."""

    def __init__(
        self,
        caller: _End,
        called: _End,
        ear: _Guarded,
        passage: Callable[[Side], Passage],
        reading: Reading,
    ) -> None:
        self._ends = {Side.CALLER: caller, Side.CALLED: called}
        self._ear = ear
        self._passage = passage
        self._reading = reading

    async def run(self) -> None:
        pumps = [
            asyncio.create_task(self._pump(Side.CALLER, Side.CALLED)),
            asyncio.create_task(self._pump(Side.CALLED, Side.CALLER)),
        ]
        reason = "connexion rompue par le banc"
        try:
            await asyncio.gather(*pumps)
        except (OSError, Cut) as error:
            sealed = isinstance(error, ssl.SSLError)
            reason = f"connexion rompue : {failure_reason(error) if sealed else error}"
            self._break()
        except BaseException:
            self._break()
            raise
        else:
            reason = "connexion fermée"
            for _, writer in self._ends.values():
                writer.close()
        finally:
            self._ear.over(reason)
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)

    async def _pump(self, side: Side, other: Side) -> None:
        reader, writer = self._ends[side][0], self._ends[other][1]
        passage, open_ = self._passage(side), True
        async for data in self._reading(side, reader):
            self._ear.hear(side, data)
            if not open_:
                continue
            try:
                async for chunk in passage.carry(data):
                    writer.write(chunk)
                    await writer.drain()
            except HalfClosed:
                open_ = False
                _close_direction(writer)
        self._ear.ended(side)
        if open_:
            _close_direction(writer)

    def _break(self) -> None:
        for _, writer in self._ends.values():
            _reset(writer)


def _close_direction(writer: asyncio.StreamWriter) -> None:
    """Say that nothing more comes; all of it when the direction cannot be closed alone."""
    with contextlib.suppress(OSError):
        if writer.can_write_eof():
            writer.write_eof()
        else:
            writer.close()


def _reset(writer: asyncio.StreamWriter) -> None:
    """Drop a connection as a network that breaks does."""
    transport = writer.transport
    with contextlib.suppress(OSError):
        raw = transport.get_extra_info("socket")
        if raw is not None:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    transport.abort()


async def open_tap(
    ears: Ears,
    witness: Witness,
    towards: tuple[str, int],
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    announced: str = "",
    tls: TapTls | None = None,
    passage: Callable[[Side], Passage] = straight,
    reading: Reading = prompt,
) -> Tap:
    """Listen, and pass on to `towards`; port 0 takes a free one.

    `host` is listened to; others are told `announced`, by default the address that it is.

    Without `tls` the bytes pass as they are, sealed or not.

    Raises:
        OSError: the address cannot be bound, or a TLS file cannot be read.
    """
    shown: ssl.SSLContext | None = None
    context: ssl.SSLContext | None = None
    if tls is not None:
        shown, context = server_context(tls.shown), client_context(tls.towards)
        watch_handshakes(shown, actor=witness.actor, observe=witness.observe)
    name = tls.server_name if tls else None
    made = Tap(ears, witness, towards, context, name, passage, reading)
    listener = listening_socket(host, port)
    try:
        await made.start(listener, shown)
        made.host = announced or made.host
    except BaseException:
        listener.close()
        raise
    return made
