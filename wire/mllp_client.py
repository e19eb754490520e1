"""The MLLP sender: one message in flight, observed whatever becomes of it."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from dataclasses import replace
from types import TracebackType
from typing import Self

from protocols.mllp import MAX_SIZE, Decoder, MllpJunk, MllpTooLarge, frame
from wire.exchange import (
    Direction,
    Exchange,
    Label,
    Observe,
    Outcome,
    Payload,
    Reach,
    TlsInfo,
    new_connection_id,
    stamp,
)
from wire.listening import authority
from wire.mllp_notes import Notes, reason_of
from wire.tls import GOODBYE_TIMEOUT, HANDSHAKE_TIMEOUT, ClientTls, client_context, transport_tls

__all__ = ["MllpClient", "MllpTimeout"]

_READ = 256 * 1024


class MllpTimeout(TimeoutError):
    """No acknowledgement came in time; the connection was closed, so that none can come late."""


class MllpClient:
    """A sender that keeps its connection, and connects again when it was lost.

    The connection is opened by the first `send`, so that a refused one is observed with the
    message that it cost. One message is in flight at a time.
    """

    def __init__(
        self,
        host: str,
        port: int,
        *,
        actor: str,
        observe: Observe,
        label: Label | None = None,
        peer: str = "source",
        tls: ClientTls | None = None,
        server_name: str | None = None,
        pieces: int = 1,
        pause: float = 0.0,
        max_size: int = MAX_SIZE,
    ) -> None:
        """`pieces` cuts each block in so many writes, `pause` seconds apart: a slow link."""
        self._host = host
        self._port = port
        self._actor = actor
        self._observe = observe
        self._label = label
        self._peer = peer
        # Made here: an unreadable file is our fault, not a refusal by the peer.
        self._context = client_context(tls) if tls is not None else None
        address = authority(host, port)
        self._reach = Reach(address=address) if tls is None else tls.reach(address)
        self._server_name = server_name or host
        self._pieces = pieces
        self._pause = pause
        self._max_size = max_size
        self._turn = asyncio.Lock()
        self._link: _Link | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connection, if there is one."""
        link, self._link = self._link, None
        if link is not None:
            await link.close()

    async def send(self, message: bytes, *, timeout: float = 30.0) -> bytes:  # noqa: ASYNC109
        """Send a message and return its acknowledgement, both without framing.

        `timeout` bounds connection, sending and waiting together, in seconds.

        Raises:
            LocalProtocolError: the message cannot be framed.
            MllpTimeout: no acknowledgement in time.
            ConnectionError: connection refused, broken, or closed without acknowledgement.
        """
        block = frame(message)
        async with self._turn:
            return await self._send(message, block, timeout)

    async def _send(self, message: bytes, block: bytes, seconds: float) -> bytes:
        record = _Record(self, message)
        try:
            async with asyncio.timeout(seconds):
                if self._link is None or self._link.is_over:
                    await self.close()
                    self._link = await self._connect()
                record.link = self._link
                answer = await self._link.exchange(self._cut(block), self._pause)
        except TimeoutError:
            reason = "pas d'acquittement" if record.link else "pas de connexion"
            record.tell(Outcome.TIMED_OUT, f"{reason} en {seconds:g} s")
            self._abort()
            raise MllpTimeout(f"{reason} en {seconds:g} s") from None
        except (OSError, MllpTooLarge) as error:
            # In TLS 1.3 a refused client certificate is only learnt at the first read.
            refused = record.link is None or isinstance(error, ssl.SSLError)
            record.tell(Outcome.REFUSED if refused else Outcome.ABORTED, reason_of(error), error)
            self._abort()
            if isinstance(error, ConnectionError):
                raise
            raise ConnectionError(reason_of(error)) from error
        except asyncio.CancelledError:
            record.tell(Outcome.ABORTED, "émetteur arrêté")
            self._abort()
            raise
        record.tell(Outcome.ANSWERED, "", answer=answer)
        return answer

    def _cut(self, block: bytes) -> list[bytes]:
        size = max(1, -(-len(block) // self._pieces))
        return [block[start : start + size] for start in range(0, len(block), size)]

    def _abort(self) -> None:
        link, self._link = self._link, None
        if link is not None:
            link.abort()

    async def _connect(self) -> _Link:
        if self._context is None:
            streams = await asyncio.open_connection(self._host, self._port)
        else:
            streams = await asyncio.open_connection(
                self._host,
                self._port,
                ssl=self._context,
                server_hostname=self._server_name,
                ssl_handshake_timeout=HANDSHAKE_TIMEOUT,
                ssl_shutdown_timeout=GOODBYE_TIMEOUT,
            )
        return _Link(*streams, self._max_size)


class _Link:
    """One open connection of a client."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, max_size: int
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._decoder = Decoder(max_size=max_size)
        self.notes = Notes()
        self.connection = new_connection_id()
        self.tls = transport_tls(writer.transport)

    @property
    def is_over(self) -> bool:
        """The peer has closed, or we have."""
        return self._reader.at_eof() or self._writer.is_closing()

    @property
    def half_answer(self) -> bytes:
        """What came of an acknowledgement that was never whole."""
        return self._decoder.pending

    async def exchange(self, pieces: list[bytes], pause: float) -> bytes:
        for number, piece in enumerate(pieces):
            if number:
                await asyncio.sleep(pause)
            self._writer.write(piece)
            await self._writer.drain()
        while True:
            data = await self._reader.read(_READ)
            if not data:
                raise ConnectionResetError("connexion fermée sans acquittement")
            answer: bytes | None = None
            for event in self._decoder.feed(data):
                if isinstance(event, MllpJunk):
                    self.notes.add(event)
                elif answer is None:
                    answer = event
                else:
                    # It must not pass for the acknowledgement of the next message.
                    self.notes.add_extra(event)
            if answer is not None:
                return answer

    async def close(self) -> None:
        self._writer.close()
        with contextlib.suppress(OSError):  # the peer may be gone already
            await self._writer.wait_closed()

    def abort(self) -> None:
        self._writer.transport.abort()


class _Record:
    """The exchange of one `send`, while it happens."""

    def __init__(self, client: MllpClient, message: bytes) -> None:
        self._client = client
        self._request = Payload.whole(message)
        self._begun = stamp()
        self.link: _Link | None = None

    def tell(
        self,
        outcome: Outcome,
        reason: str,
        error: BaseException | None = None,
        *,
        answer: bytes | None = None,
    ) -> None:
        client, link = self._client, self.link
        response: Payload | None = None
        if link is not None:
            head = link.notes.take()
            received = link.half_answer if answer is None else answer
            if received or head or answer is not None:
                response = replace(Payload.whole(received, head=head), truncated=answer is None)
        exchange = Exchange(
            protocol="MLLP",
            actor=client._actor,
            peer=client._peer,
            direction=Direction.OUT,
            outcome=outcome,
            connection=link.connection if link else new_connection_id(),
            utc=self._begun[0],
            mono_start=self._begun[1],
            mono_end=stamp()[1],
            reason=reason,
            request=self._request,
            response=response,
            tls=self._tls(link, error),
            reach=client._reach,
        )
        client._observe(client._label(exchange) if client._label else exchange)

    def _tls(self, link: _Link | None, error: BaseException | None) -> TlsInfo | None:
        if self._client._context is None:
            return None
        if isinstance(error, ssl.SSLError):
            return TlsInfo(server_name=self._client._server_name, reason=reason_of(error))
        return link.tls if link else TlsInfo(server_name=self._client._server_name)
