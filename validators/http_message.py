"""One HTTP message as a capture shows it: a start line, headers, a body.

The body is what the message carries, after any transfer coding: a capture keeps it decoded.

Réf. RFC 9112 section 2.1. LF-only line ends are read: files that went through an editor have them.
"""

from __future__ import annotations

from dataclasses import dataclass

from protocols.errors import RemoteProtocolError
from protocols.multipart import Headers, header

__all__ = ["HttpMessage", "HttpSyntaxError", "parse"]

_MAX_HEAD = 256 * 1024


class HttpSyntaxError(RemoteProtocolError):
    """Not an HTTP message."""


@dataclass(frozen=True, slots=True)
class HttpMessage:
    """A request or a response. Header names and values are as written, values trimmed."""

    start_line: str
    headers: Headers
    body: bytes = b""

    def header(self, name: str) -> str:
        """The first header of that name, "" when there is none."""
        return header(self.headers, name)

    def all(self, name: str) -> tuple[str, ...]:
        """Every header of that name, in order."""
        wanted = name.lower()
        return tuple(value for key, value in self.headers if key.lower() == wanted)

    def encode(self) -> bytes:
        """The bytes of the message."""
        lines = [self.start_line, *(f"{name}: {value}" for name, value in self.headers), "", ""]
        return "\r\n".join(lines).encode("latin-1", "replace") + self.body


def parse(data: bytes) -> HttpMessage:
    """Read a message.

    Raises:
        HttpSyntaxError: no start line, or a header line without colon.
    """
    head, separator, body = data.partition(b"\r\n\r\n")
    if not separator or b"\n\n" in head:
        head, separator, body = data.partition(b"\n\n")
    if not separator:
        head, body = data, b""
    if len(head) > _MAX_HEAD:
        raise HttpSyntaxError("en-tête HTTP démesuré", span=(0, len(head)))
    lines = head.decode("latin-1").splitlines()
    if not lines or "HTTP/" not in lines[0]:
        raise HttpSyntaxError("ligne de début HTTP absente", span=(0, min(len(data), 80)))
    headers: list[tuple[str, str]] = []
    for line in lines[1:]:
        name, colon, value = line.partition(":")
        if not line:
            continue
        if not colon or not name.strip():
            raise HttpSyntaxError(f"en-tête HTTP illisible : {line[:80]!r}")
        headers.append((name, value.strip()))
    return HttpMessage(lines[0], tuple(headers), body)
