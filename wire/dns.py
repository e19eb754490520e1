"""A DNS listener: questions by UDP and by TCP on one port, each with its answer observed.

RFC 1035 4.2: what a name is worth is the responder's affair. A responder that gives None leaves
the question unanswered, over TCP by closing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import cast

from wire.exchange import (
    Direction,
    Exchange,
    Label,
    Observe,
    Outcome,
    Payload,
    new_connection_id,
    stamp,
)
from wire.listening import listening_socket

__all__ = ["DnsServer", "Respond", "serve_dns"]

Respond = Callable[[bytes, bool], bytes | None]
"""Given a question, and whether it came by TCP, gives the answer; must not block."""

_IDLE_S = 10.0
"""Seconds that a TCP connection may stay silent (RFC 7766 6.2.3: a few)."""
_TRIES = 20
"""How many free ports are tried: one of UDP may be taken for TCP."""


class DnsServer:
    """A listener that is running. Made by `serve_dns`."""

    def __init__(
        self, host: str, port: int, udp: asyncio.DatagramTransport, tcp: asyncio.Server
    ) -> None:
        self.host = host
        self.port = port
        self._udp = udp
        self._tcp = tcp
        self.connections: set[asyncio.Task[None]] = set()

    async def stop(self) -> None:
        """Close both listeners and every connection."""
        self._udp.close()
        self._tcp.close()
        current = list(self.connections)
        for task in current:
            task.cancel()
        if current:
            await asyncio.wait(current)


async def serve_dns(
    respond: Respond,
    *,
    actor: str,
    observe: Observe,
    label: Label | None = None,
    host: str = "127.0.0.1",
    port: int = 0,
) -> DnsServer:
    """Answer in the running loop. Port 0 takes one that is free for both transports.

    Raises:
        OSError: the port is taken.
    """
    wire = _Wire(respond, actor, observe, label)
    for left in reversed(range(1 if port else _TRIES)):
        try:
            return await _listen(wire, host, port)
        except OSError:
            if not left:
                raise
    raise AssertionError("unreachable")


async def _listen(wire: _Wire, host: str, port: int) -> DnsServer:
    loop = asyncio.get_running_loop()
    listener = listening_socket(host, port)
    try:
        bound = listener.getsockname()[1]
        transport, _ = await loop.create_datagram_endpoint(
            lambda: _Datagrams(wire), local_addr=(host, bound), family=listener.family
        )
    except OSError:
        listener.close()
        raise
    server: DnsServer

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        server.connections.add(task)
        try:
            await _stream(wire, reader, writer)
        except asyncio.CancelledError:
            pass  # stopped while it spoke: closed below
        finally:
            server.connections.discard(task)
            writer.close()

    tcp = await asyncio.start_server(connected, sock=listener)
    server = DnsServer(host, bound, transport, tcp)
    return server


class _Wire:
    """One question after the other, whatever carries them."""

    def __init__(self, respond: Respond, actor: str, observe: Observe, label: Label | None) -> None:
        self._respond = respond
        self._actor = actor
        self._observe = observe
        self._label = label

    def answer(
        self, question: bytes, peer: tuple[str, int], connection: str, *, tcp: bool
    ) -> bytes | None:
        """The answer, observed with its question."""
        utc, start = stamp()
        answer = self._respond(question, tcp)
        carried = "TCP" if tcp else "UDP"
        exchange = Exchange(
            protocol="DNS",
            actor=self._actor,
            peer=f"{peer[0]}:{peer[1]}",
            direction=Direction.IN,
            outcome=Outcome.ABORTED if answer is None else Outcome.ANSWERED,
            connection=connection,
            utc=utc,
            mono_start=start,
            mono_end=stamp()[1],
            transaction="DNS",
            request=Payload.whole(question, head=[("Transport", carried)]),
            response=None if answer is None else Payload.whole(answer),
        )
        self._observe(self._label(exchange) if self._label else exchange)
        return answer


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, wire: _Wire) -> None:
        self._wire = wire
        self._transport: asyncio.DatagramTransport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        # Each datagram is a conversation of its own.
        answer = self._wire.answer(data, addr, new_connection_id(), tcp=False)
        if answer is not None:
            self._transport.sendto(answer, addr)


async def _stream(wire: _Wire, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """RFC 1035 4.2.2: each message behind its length in two bytes."""
    peer, connection = writer.get_extra_info("peername"), new_connection_id()
    try:
        while True:
            async with asyncio.timeout(_IDLE_S):
                size = int.from_bytes(await reader.readexactly(2))
                question = await reader.readexactly(size)
                answer = wire.answer(question, peer, connection, tcp=True)
                if answer is None:
                    return
                writer.write(len(answer).to_bytes(2) + answer)
                await writer.drain()
    except (TimeoutError, asyncio.IncompleteReadError, ConnectionError):
        return  # silent, gone, or gone in the middle of a question
