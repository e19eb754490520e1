"""A case on the wire: what is written, what comes back, and whether the box let go in time."""

from __future__ import annotations

import re
import socket
import ssl
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

__all__ = [
    "Reply",
    "Socketry",
    "converse",
    "dimse_complete",
    "dimse_echoed",
    "filled",
    "http_complete",
    "http_status",
]

_MOST = 4 * 1024 * 1024
"""Bytes of an answer that are kept; the rest is read and dropped."""
_LENGTH = b"@LENGTH@"


@dataclass(frozen=True, slots=True)
class Socketry:
    """Where and how: `server_name` is what TLS asks for."""

    host: str
    port: int
    tls: ssl.SSLContext | None = None
    server_name: str = ""


@dataclass(frozen=True, slots=True)
class Reply:
    """What came of a case. `ended`: complete, or the box closed; else it held on to the deadline.
    `refused`: no connection could be made, and why."""

    data: bytes
    ended: bool
    refused: str = ""


def filled(data: bytes, values: Mapping[bytes, bytes]) -> bytes:
    """The words between `@` replaced by what the bed knows, and the body's length told last."""
    for name, value in values.items():
        data = data.replace(name, value)
    if _LENGTH in data:
        body = data.partition(b"\r\n\r\n")[2]
        data = data.replace(_LENGTH, b"%d" % len(body))
    return data


def converse(
    to: Socketry,
    pieces: Sequence[bytes],
    complete: Callable[[bytes], bool],
    *,
    patience_s: float,
    deadline_s: float,
) -> Reply:
    """Send the pieces on one connection, each but the first once something came back; then, when
    no complete answer came within `patience_s`, say that nothing more follows and wait until the
    box answers or closes."""
    try:
        raw = socket.create_connection((to.host, to.port), timeout=deadline_s)
    except OSError as error:
        return Reply(b"", False, str(error) or type(error).__name__)
    got = bytearray()
    with raw:
        link: socket.socket = raw
        try:
            if to.tls is not None:
                link = to.tls.wrap_socket(raw, server_hostname=to.server_name or to.host)
        except TimeoutError:
            return Reply(b"", False, "pas de poignée de main TLS")
        except OSError as error:
            return Reply(b"", False, str(error))
        with link:
            try:
                for number, piece in enumerate(pieces):
                    if number:
                        before = len(got)
                        until = time.monotonic() + patience_s
                        if _read(link, got, lambda data: len(data) > before, until):  # noqa: B023
                            return Reply(bytes(got), True)
                    link.settimeout(deadline_s)
                    link.sendall(piece)
                if _read(link, got, complete, time.monotonic() + patience_s) or complete(
                    bytes(got)
                ):
                    return Reply(bytes(got), True)
                with suppress(OSError):
                    # Below TLS: a peer that vanishes, which a box must notice as well.
                    socket.socket.shutdown(link, socket.SHUT_WR)
                closed = _read(link, got, complete, time.monotonic() + deadline_s)
                return Reply(bytes(got), closed or complete(bytes(got)))
            except TimeoutError:
                return Reply(bytes(got), False)
            except OSError:
                return Reply(bytes(got), True)  # a reset is a way to let go


def _read(
    link: socket.socket, got: bytearray, enough: Callable[[bytes], bool], until: float
) -> bool:
    """Read until it is enough or late; whether the box closed."""
    while not enough(bytes(got)):
        left = until - time.monotonic()
        if left <= 0:
            return False
        link.settimeout(left)
        try:
            data = link.recv(65536)
        except (TimeoutError, ssl.SSLWantReadError):
            return False
        if not data:
            return True
        got += data[: max(0, _MOST - len(got))]
    return False


def http_status(data: bytes) -> int:
    """The status of an answer, 0 when that is none."""
    found = re.match(rb"HTTP/1\.[01] ([0-9]{3})", data)
    return int(found[1]) if found else 0


def http_complete(data: bytes) -> bool:
    """Whether an HTTP answer is whole, for who asked to close: by length, or by its last chunk."""
    head, blank, body = bytes(data).partition(b"\r\n\r\n")
    if not blank:
        return False
    if http_status(head) in (204, 304):
        return True
    length = re.search(rb"(?i)\r\ncontent-length: *([0-9]+)", head)
    if length:
        return len(body) >= int(length[1])
    return body.endswith(b"0\r\n\r\n")


_REJECTED, _DATA, _RELEASED, _ABORTED = 3, 4, 6, 7
_ECHO_RSP = b"\x00\x00\x00\x01\x02\x00\x00\x00\x30\x80"
_SUCCESS = b"\x00\x00\x00\x09\x02\x00\x00\x00\x00\x00"
"""Command field and status of a command set, PS3.7 E.1, in the syntax of PS3.7 6.3.1."""


def dimse_complete(data: bytes) -> bool:
    """Whether a whole PDU came after which none follows: rejected, released, aborted."""
    return any(kind in (_REJECTED, _RELEASED, _ABORTED) for kind, _ in _pdus(data))


def dimse_echoed(data: bytes) -> bool:
    """Whether an association was accepted, its C-ECHO a success, and its release confirmed."""
    found = _pdus(data)
    echoed = [body for kind, body in found if kind == _DATA]
    return (
        [kind for kind, _ in found] == [2, _DATA, _RELEASED]
        and _ECHO_RSP in echoed[0]
        and _SUCCESS in echoed[0]
    )


def _pdus(data: bytes) -> list[tuple[int, bytes]]:
    """Type and content of the whole PDUs, PS3.8 9.3.1."""
    found, at = [], 0
    while len(data) - at >= 6:
        end = at + 6 + int.from_bytes(data[at + 2 : at + 6], "big")
        if end > len(data):
            break
        found.append((data[at], data[at + 6 : end]))
        at = end
    return found
