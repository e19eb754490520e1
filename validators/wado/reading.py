"""What the WADO-RS rules judge: a request, or a response reduced to the heads of its parts."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from protocols.dicomweb import Preference, Resource, parse_accept, parse_path
from protocols.errors import RemoteProtocolError
from protocols.multipart import (
    Headers,
    Parser,
    PartBegin,
    PartData,
    PartEnd,
    boundary_of,
    header,
)
from validators import http_message
from validators.context import Context
from validators.dicom_tree import File, read_file
from validators.http_message import HttpSyntaxError
from validators.kos.reading import Kos
from validators.kos.reading import read as read_kos

__all__ = [
    "HEAD_SIZE",
    "JSON",
    "WadoPart",
    "WadoRequest",
    "WadoResponse",
    "expected_kos",
    "read_request",
    "read_response",
]

JSON = "application/dicom+json"
HEAD_SIZE = 64 * 1024
"""Bytes kept of each part when a response is read from a file."""


@dataclass(frozen=True)
class WadoRequest:
    """A request for images. `path` is the request target."""

    method: str
    path: str
    headers: Headers
    context: Context = field(default_factory=Context)
    version: str = "HTTP/1.1"

    def all(self, name: str) -> list[str]:
        """Every header of that name, in order."""
        return [value for key, value in self.headers if key.lower() == name.lower()]

    @property
    def resource(self) -> Resource | None:
        """What the path names, None when it is no retrieve path."""
        try:
            return parse_path(self.path.partition("?")[0])
        except RemoteProtocolError:
            return None

    @cached_property
    def preferences(self) -> tuple[Preference, ...] | None:
        """What Accept asks for, None when it cannot be read."""
        try:
            return parse_accept(self.all("Accept"))
        except RemoteProtocolError:
            return None


@dataclass(frozen=True, slots=True)
class WadoPart:
    """One part of a response: its headers, its size in bytes, the beginning of its bytes."""

    headers: Headers
    size: int
    head: bytes

    @property
    def content_type(self) -> str:
        return header(self.headers, "Content-Type")


@dataclass(frozen=True)
class WadoResponse:
    """An answer. `complete` says that the closing delimiter was met; `cut`, that its connection was
    lost before the end, so that nothing can be said of what is not there."""

    status: int
    headers: Headers
    parts: tuple[WadoPart, ...] = ()
    complete: bool = True
    context: Context = field(default_factory=Context)
    body: bytes = b""
    """Of an answer that is not multipart."""
    cut: bool = False

    def header(self, name: str) -> str:
        """The first header of that name, "" when there is none."""
        return header(self.headers, name)

    @cached_property
    def asked(self) -> Resource | None:
        """What was asked for, None when it is not known."""
        try:
            return parse_path(self.context.target.partition("?")[0])
        except RemoteProtocolError:
            return None

    @cached_property
    def gives(self) -> Literal["objects", "metadata", "frames"]:
        """What a positive answer holds: what was asked for, else what it says."""
        if self.asked is None:
            said = self.header("Content-Type").partition(";")[0].strip().lower()
            return "metadata" if said == JSON else "objects"
        if self.asked.suffix == "metadata":
            return "metadata"
        return "frames" if self.asked.frames else "objects"

    @property
    def is_positive(self) -> bool:
        return self.status in (200, 206)

    @property
    def is_success(self) -> bool:
        """Positive, and of DICOM objects."""
        return self.is_positive and self.gives == "objects"

    @property
    def objects(self) -> tuple[WadoPart, ...]:
        """The parts, when objects were asked for."""
        return self.parts if self.gives == "objects" else ()

    @cached_property
    def files(self) -> list[tuple[int, File]]:
        """The parts that are DICOM files with an instance, and their rank from 1.

        What is kept of a part may be its beginning only: nothing is said of its end.
        """
        found: list[tuple[int, File]] = []
        for rank, part in enumerate(self.objects, start=1):
            try:
                file = read_file(part.head, partial=True)
            except RemoteProtocolError:
                continue
            if file.data.text(0x00080018):
                found.append((rank, file))
        return found


def expected_kos(context: Context) -> Kos | None:
    """The manifest of the context, None without one."""
    if not context.kos:
        return None
    try:
        return read_kos(context.kos, context)
    except RemoteProtocolError:
        return None


def read_request(data: bytes, context: Context) -> WadoRequest:
    """Read a captured request.

    Raises:
        HttpSyntaxError: not an HTTP request.
    """
    message = http_message.parse(data)
    words = message.start_line.split(" ")
    if len(words) != 3 or not words[2].startswith("HTTP/"):
        raise HttpSyntaxError("ligne de requête illisible", where=message.start_line[:80])
    return WadoRequest(words[0], words[1], message.headers, context, words[2])


_STATUS_LINE = re.compile(r"HTTP/\d(?:\.\d)? (\d{3})(?: .*)?", re.ASCII)


def read_response(data: bytes, context: Context) -> WadoResponse:
    """Read a captured response.

    Raises:
        HttpSyntaxError: not an HTTP response.
        MultipartError: a part's header that cannot be read.
    """
    message = http_message.parse(data)
    match = _STATUS_LINE.fullmatch(message.start_line)
    if match is None:
        raise HttpSyntaxError("ligne de statut illisible", where=message.start_line[:80])
    content_type = message.header("Content-Type")
    parts, complete = _parts(content_type, message.body)
    body = b"" if content_type.lower().lstrip().startswith("multipart/") else message.body
    return WadoResponse(int(match[1]), message.headers, parts, complete, context, body)


def _parts(content_type: str, body: bytes) -> tuple[tuple[WadoPart, ...], bool]:
    try:
        boundary = boundary_of(content_type)
    except RemoteProtocolError:
        return (), True
    parser = Parser(boundary)
    found: list[WadoPart] = []
    headers: Headers = ()
    head = bytearray()
    for event in parser.feed(body):
        if isinstance(event, PartBegin):
            headers, head = event.headers, bytearray()
        elif isinstance(event, PartData):
            head += event.data[: HEAD_SIZE - len(head)]
        elif isinstance(event, PartEnd):
            found.append(WadoPart(headers, event.size, bytes(head)))
    return tuple(found), parser.complete
