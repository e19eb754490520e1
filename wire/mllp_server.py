"""The MLLP listener: many connections, each message with its acknowledgement observed."""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime

from protocols.mllp import MAX_SIZE, Decoder, MllpJunk, MllpTooLarge, frame
from wire.exchange import (
    Direction,
    Exchange,
    Label,
    Observe,
    Outcome,
    Payload,
    TlsInfo,
    ignore,
    new_connection_id,
    stamp,
)
from wire.listening import listening_socket
from wire.mllp_notes import Notes, reason_of
from wire.stream_server import StreamServer
from wire.tls import (
    ServerTls,
    peer_name,
    server_context,
    transport_tls,
    watch_handshakes,
)

__all__ = ["Handler", "MllpServer", "PeerInfo", "serve_mllp"]

_READ = 256 * 1024

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class PeerInfo:
    """Who sent a message: CN of its certificate or `address:port`, connection id, TLS session."""

    name: str
    connection: str
    tls: TlsInfo | None = None


Handler = Callable[[bytes, PeerInfo], Awaitable[bytes | None]]
"""Given a message without framing, gives the acknowledgement, or None to stay silent."""


class MllpServer(StreamServer):
    """A listener that is running. Made by `serve_mllp`."""

    def __init__(
        self,
        handler: Handler,
        *,
        actor: str,
        observe: Observe,
        label: Label | None,
        max_size: int,
    ) -> None:
        super().__init__()
        self._handler = handler
        self._actor = actor
        self._observe = observe
        self._label = label
        self._max_size = max_size

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Messages are answered in the order in which they came."""
        try:
            await _ServedConnection(self, reader, writer).run()
        finally:
            writer.close()


class _ServedConnection:
    """One accepted connection: messages are answered in the order in which they came."""

    def __init__(
        self, server: MllpServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._server = server
        self._reader = reader
        self._writer = writer
        self._decoder = Decoder(max_size=server._max_size)
        self._notes = Notes()
        self._peer = PeerInfo(
            peer_name(writer.transport),
            connection=new_connection_id(),
            tls=transport_tls(writer.transport),
        )
        self._begun = stamp()

    async def run(self) -> None:
        try:
            while data := await self._reader.read(_READ):
                if not self._decoder.in_block:
                    self._begun = stamp()
                if not await self._take(data):
                    return
        except asyncio.CancelledError:
            self._tell_rest("récepteur arrêté")
            raise
        except OSError as error:
            self._tell_rest(f"connexion rompue : {reason_of(error)}")
        else:
            self._tell_rest("connexion fermée par l'émetteur")

    async def _take(self, data: bytes) -> bool:
        """Answer what `data` completes; False when the connection is over."""
        too_large: MllpTooLarge | None = None
        try:
            events = self._decoder.feed(data)
        except MllpTooLarge as error:
            too_large, events = error, list(error.completed)
        for event in events:
            if isinstance(event, MllpJunk):
                self._notes.add(event)
            elif not await self._answer(event):
                return False
        if too_large is not None:
            self._tell_rest(str(too_large))
            return False
        return True

    async def _answer(self, message: bytes) -> bool:
        request = self._payload(message, head=self._notes.take())
        begun, self._begun = self._begun, stamp()
        try:
            answer = await self._server._handler(message, self._peer)
            block = None if answer is None else frame(answer)
        except asyncio.CancelledError:
            self._tell(begun, request, None, Outcome.ABORTED, "récepteur arrêté")
            raise
        except Exception as error:
            # The service failed: its fault must be seen, and other connections must live on.
            _log.exception("MLLP handler of %s failed", self._server._actor)
            self._tell(begun, request, None, Outcome.ABORTED, f"panne du récepteur : {error!r}")
            return False
        if answer is None or block is None:
            self._tell(begun, request, None, Outcome.ABORTED, "aucun acquittement émis")
            return True
        try:
            self._writer.write(block)
            await self._writer.drain()
        except asyncio.CancelledError:
            self._tell(begun, request, None, Outcome.ABORTED, "récepteur arrêté")
            raise
        except OSError as error:
            self._tell(begun, request, None, Outcome.ABORTED, reason_of(error))
            return False
        self._tell(begun, request, self._payload(answer), Outcome.ANSWERED, "")
        return True

    def _payload(self, message: bytes, *, head: tuple[tuple[str, str], ...] = ()) -> Payload:
        """What is told of a message; nobody counts its bytes where nobody observes."""
        if self._server._observe is ignore:
            return Payload()
        return Payload.whole(message, head=head)

    def _tell_rest(self, reason: str) -> None:
        """Observe a begun block, or junk that no message followed."""
        if not self._decoder.in_block and not self._notes.worth_telling:
            return
        begun = Payload.whole(self._decoder.pending, head=self._notes.take())
        self._tell(self._begun, replace(begun, truncated=True), None, Outcome.ABORTED, reason)

    def _tell(
        self,
        begun: tuple[datetime, float],
        request: Payload,
        response: Payload | None,
        outcome: Outcome,
        reason: str,
    ) -> None:
        exchange = Exchange(
            protocol="MLLP",
            actor=self._server._actor,
            peer=self._peer.name,
            direction=Direction.IN,
            outcome=outcome,
            connection=self._peer.connection,
            utc=begun[0],
            mono_start=begun[1],
            mono_end=stamp()[1],
            reason=reason,
            request=request,
            response=response,
            tls=self._peer.tls,
        )
        label = self._server._label
        self._server._observe(label(exchange) if label else exchange)


async def serve_mllp(
    handler: Handler,
    *,
    actor: str,
    observe: Observe,
    label: Label | None = None,
    host: str = "127.0.0.1",
    port: int = 0,
    tls: ServerTls | None = None,
    max_size: int = MAX_SIZE,
) -> MllpServer:
    """Listen for HL7 messages; port 0 takes a free one.

    Connections are served side by side; on one connection messages are handled one after the
    other. A message beyond `max_size` bytes closes its connection.

    Raises:
        OSError: the address cannot be bound.
    """
    context: ssl.SSLContext | None = None
    if tls is not None:
        context = server_context(tls)
        watch_handshakes(context, actor=actor, observe=observe)
    server = MllpServer(handler, actor=actor, observe=observe, label=label, max_size=max_size)
    listener = listening_socket(host, port)
    try:
        await server.start(listener, context)
    except BaseException:
        listener.close()
        raise
    return server
