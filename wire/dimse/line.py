"""A DICOM association of our own on a socket: what moves its bytes, and knows no meaning.

Four measured facts decide how: reads go straight into a large buffer; Nagle is off and a read is
acknowledged at once (40 ms a message else, against a peer that leaves Nagle on); a message leaves
in as few system calls as the kernel takes, its data set uncopied; nothing polls.
"""

from __future__ import annotations

import socket
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import islice

from protocols.dimse import Abort, Association, Event, ReleaseReply, ReleaseRequest, State
from protocols.errors import RemoteProtocolError
from wire.impairment import ImpairedSocket, Link

__all__ = ["Line", "LineClosedError", "tuned"]

_PIECES = 256
"""Buffers of one system call; the kernel takes 1024."""
_SERVICE_PROVIDER, _UNEXPECTED_PARAMETER = 0x02, 0x06
"""A-ABORT's source and reason, PS3.8 9.3.8: an invalid PDU parameter value."""

Buffer = bytes | memoryview


class LineClosedError(Exception):
    """The connection ended: nothing more comes, or nothing more leaves."""


def tuned(connection: socket.socket) -> socket.socket:
    """Without Nagle's algorithm."""
    with suppress(OSError):  # the peer may be gone already: the first read says so
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


class Line:
    """One association and its connection; one thread reads and writes, any may `shut` it.

    `patience` is how long the peer may leave what we send unread, in seconds.
    """

    def __init__(
        self, connection: socket.socket, association: Association, *, patience: float
    ) -> None:
        self.association = association
        self._connection: socket.socket | ImpairedSocket = connection
        self._socket = connection
        self._patience = patience

    def impair(self, link: Link) -> None:
        """Let all that this side sends leave through that link, in place of any other one."""
        self._connection = ImpairedSocket(self._socket, link)

    def heal(self) -> None:
        """Let what this side sends leave as it should again."""
        self._connection = self._socket

    def send(self, pieces: Iterable[Buffer]) -> None:
        """Send them all.

        Raises:
            LineClosedError: the peer is gone, or leaves them unread for too long.
        """
        connection = self._connection
        try:
            self._socket.settimeout(self._patience)
            if isinstance(connection, ImpairedSocket):
                _send_all(connection, b"".join(pieces))
            else:
                _send_pieces(connection, iter(pieces))
        except OSError as error:
            raise LineClosedError(str(error)) from None

    def receive(self, seconds: float) -> Event:
        """The next event; the whole PDU that carries it must have come within that time.

        Raises:
            TimeoutError: nothing whole came.
            LineClosedError: the connection ended.
            RemoteProtocolError: what came may not come.
        """
        association, connection = self.association, self._socket
        event = association.next_event()
        if event is not None:
            return event
        end = time.monotonic() + seconds
        while True:
            left = end - time.monotonic()
            if left <= 0:
                raise TimeoutError
            try:
                connection.settimeout(left)
                count = connection.recv_into(association.room())
            except TimeoutError:
                raise
            except OSError as error:
                raise LineClosedError(str(error)) from None
            if not count:
                raise LineClosedError("connexion fermée")
            association.filled(count)
            event = association.next_event()
            if event is not None:
                return event
            if sys.platform == "linux":
                # The rest of the PDU: a sender with Nagle on holds it back until this one is
                # acknowledged.
                with suppress(OSError):
                    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)

    def glance(self) -> Event | None:
        """The next event if it has come whole, without waiting.

        Raises:
            LineClosedError: the connection ended.
            RemoteProtocolError: what came may not come.
        """
        association, connection = self.association, self._socket
        event = association.next_event()
        if event is not None:
            return event
        try:
            connection.settimeout(0.0)
            count = connection.recv_into(association.room())
        except BlockingIOError:
            return None
        except OSError as error:
            raise LineClosedError(str(error)) from None
        if not count:
            raise LineClosedError("connexion fermée")
        association.filled(count)
        return association.next_event()

    def abort(self, *, unreadable: bool = False) -> None:
        """Say A-ABORT, as far as that can be said, and close. `unreadable`: for what came."""
        if self.association.state not in (State.IDLE, State.CLOSED) or unreadable:
            said = Abort(_SERVICE_PROVIDER, _UNEXPECTED_PARAMETER) if unreadable else Abort()
            with suppress(LineClosedError):
                self.send([self.association.send(said)])
        self.close()

    def release(self, seconds: float) -> None:
        """Ask for the release, await its answer and close; what else comes is not looked at."""
        with suppress(LineClosedError, TimeoutError, RemoteProtocolError):
            self.send([self.association.send(ReleaseRequest())])
            end = time.monotonic() + seconds
            while self.association.state is not State.CLOSED:
                event = self.receive(max(0.0, end - time.monotonic()))
                if isinstance(event, ReleaseRequest):
                    self.send([self.association.send(ReleaseReply())])
        self.close()

    def linger(self, seconds: float) -> None:
        """Let the peer close first, as who asked for the release does; then close."""
        with suppress(OSError):
            self._socket.settimeout(seconds)
            self._socket.recv(1)
        self.close()

    def shut(self) -> None:
        """From any thread: end what waits on the connection."""
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Close the connection. Idempotent."""
        self.shut()
        self._socket.close()


def _send_all(connection: ImpairedSocket, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[connection.send(bytes(view)) :]


def _send_pieces(connection: socket.socket, pieces: Iterator[Buffer]) -> None:
    if sys.platform == "win32":
        connection.sendall(b"".join(pieces))
        return
    while some := list(islice(pieces, _PIECES)):
        sent = connection.sendmsg(some)
        while True:
            # What the kernel did not take, from the piece that it took a part of.
            taken = 0
            for one in some:
                if sent < len(one):
                    break
                sent -= len(one)
                taken += 1
            if taken == len(some):
                break
            some = [memoryview(some[taken])[sent:], *some[taken + 1 :]]
            sent = connection.sendmsg(some)
