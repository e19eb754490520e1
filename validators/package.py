"""An XML message as it came: alone, in an HTTP message, or as the root of a multipart package.

What had to be tolerated to read it (indented delimiters, bare line feeds) is told, not judged.
Réf. RFC 2046 section 5.1, RFC 2387, XOP (W3C 2005) sections 4 and 5.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from urllib.parse import unquote

from lxml import etree

from protocols import xml
from protocols.errors import RemoteProtocolError
from protocols.multipart import (
    Headers,
    Parser,
    PartBegin,
    PartData,
    PartEnd,
    boundary_of,
    header,
    parse_content_type,
)
from protocols.xml import NS
from validators import http_message
from validators.http_message import HttpMessage

__all__ = ["Package", "PackageError", "Part", "decode_base64", "media_type", "part_of", "read"]

_FIRST_DELIMITER = re.compile(rb"--([^\r\n]{1,200})\r?\n")
_INCLUDE = f"{{{NS['xop']}}}Include"


class PackageError(RemoteProtocolError):
    """No message can be found in these bytes."""


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a package: headers, and bytes out of their transfer encoding."""

    headers: Headers
    data: bytes

    @property
    def content_id(self) -> str:
        """Without its angle brackets."""
        return header(self.headers, "Content-ID").strip().removeprefix("<").removesuffix(">")

    @property
    def encoding(self) -> str:
        """Content-Transfer-Encoding, in lower case."""
        return header(self.headers, "Content-Transfer-Encoding").strip().lower()


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """A message. What a form of input lacks (start line, headers, parts) is empty or None."""

    root: etree._Element
    start_line: str = ""
    headers: Headers = ()
    content_type: str = ""
    parts: tuple[Part, ...] = ()
    root_part: Part | None = None
    indented: bool = False
    bare_line_feeds: bool = False
    first_line: int = 1
    """The line where the XML document begins; 1 when it came in a transfer encoding."""

    @property
    def is_http(self) -> bool:
        """Whether it came with its HTTP headers."""
        return bool(self.start_line)

    @property
    def envelope(self) -> etree._Element | None:
        """The root, when it is a SOAP envelope of any version."""
        return self.root if etree.QName(self.root).localname == "Envelope" else None

    @property
    def body(self) -> etree._Element | None:
        """What the envelope carries, or the root when there is no envelope."""
        if self.envelope is None:
            return self.root
        children = [
            child for child in self.root.iterfind("{*}Body/*") if isinstance(child.tag, str)
        ]
        return children[0] if children else None

    def part(self, content_id: str) -> Part | None:
        """The part of that Content-ID, percent-encoded or not."""
        return part_of(self.parts, content_id)

    def content(self, element: etree._Element) -> bytes | None:
        """The bytes that an element holds or points at, None when they cannot be had."""
        include = element.find(_INCLUDE)
        if include is None:
            return decode_base64("".join(str(text) for text in element.itertext()).encode())
        part = self.part(include.get("href", "").removeprefix("cid:"))
        return None if part is None else part.data


def part_of(parts: tuple[Part, ...], content_id: str) -> Part | None:
    """The part of that Content-ID, percent-encoded or not."""
    wanted = (content_id, unquote(content_id))
    return next((part for part in parts if part.content_id in wanted), None)


def media_type(value: str) -> tuple[str, dict[str, str]]:
    """Type and parameters of a Content-Type, empty when it cannot be read."""
    try:
        return parse_content_type(value)
    except RemoteProtocolError:
        return "", {}


def read(data: bytes) -> Package:
    """Read an HTTP message, a MIME body or an XML document.

    Raises:
        RemoteProtocolError: unreadable.
    """
    http = _http(data)
    body = data if http is None else http.body
    content_type = "" if http is None else http.header("Content-Type")
    start_line = "" if http is None else http.start_line
    headers = () if http is None else http.headers
    text = body.lstrip(b" \t\r\n")
    if not text.startswith(b"--"):
        return Package(
            root=xml.parse(text),
            start_line=start_line,
            headers=headers,
            content_type=content_type,
            first_line=_line_of(text, data),
        )
    boundary = _boundary(content_type, text)
    body, indented = _flush_left(text, boundary)
    parts = _parts(boundary, body)
    root_part = _root(content_type, parts)
    document = root_part.data.lstrip(b" \t\r\n")
    return Package(
        root=xml.parse(document),
        start_line=start_line,
        headers=headers,
        content_type=content_type,
        parts=parts,
        root_part=root_part,
        indented=indented,
        bare_line_feeds=b"--" + boundary.encode() + b"\r\n" not in body,
        first_line=_line_of(document, data),
    )


def _line_of(document: bytes, data: bytes) -> int:
    at = data.find(document)
    return data.count(b"\n", 0, at) + 1 if at >= 0 else 1


def _http(data: bytes) -> HttpMessage | None:
    start = data[:8].lstrip()
    return http_message.parse(data) if start.startswith((b"POST ", b"HTTP/")) else None


def _boundary(content_type: str, body: bytes) -> str:
    """Of the Content-Type, else of the first delimiter line."""
    if content_type:
        return boundary_of(content_type)
    match = _FIRST_DELIMITER.match(body)
    written = "" if match is None else match[1].decode("latin-1").strip()
    if not written or not written.isascii():
        raise PackageError("délimiteur multipart illisible", span=(0, min(80, len(body))))
    return written


def _flush_left(body: bytes, boundary: str) -> tuple[bytes, bool]:
    """The body with its delimiters and part headers at the beginning of their lines.

    A published sample went through an editor that indented them (RFC 2046 forbids it): the rules
    say so, and can still judge the rest.
    """
    mark = re.escape(b"--" + boundary.encode())
    pattern = re.compile(
        rb"^[ \t]+" + mark + rb"(?:--)?[ \t]*\r?\n(?:[^\r\n]*\S[^\r\n]*\r?\n)*", re.M
    )
    straight, count = pattern.subn(
        lambda match: re.sub(rb"^[ \t]+", b"", match[0], flags=re.MULTILINE), body
    )
    return straight, count > 0


def _parts(boundary: str, body: bytes) -> tuple[Part, ...]:
    parser = Parser(boundary, trust_length=False)
    found: list[Part] = []
    headers: Headers = ()
    pieces: list[bytes] = []
    for event in parser.feed(body):
        if isinstance(event, PartBegin):
            headers, pieces = event.headers, []
        elif isinstance(event, PartData):
            pieces.append(event.data)
        elif isinstance(event, PartEnd):
            found.append(_part(headers, b"".join(pieces)))
    parser.finish()
    if not found:
        raise PackageError("corps multipart sans partie")
    return tuple(found)


def _part(headers: Headers, data: bytes) -> Part:
    part = Part(headers, data)
    if part.encoding != "base64":
        return part
    decoded = decode_base64(data)
    if decoded is None:
        raise PackageError("partie base64 illisible", where=part.content_id)
    return Part(headers, decoded)


def decode_base64(text: bytes) -> bytes | None:
    """The bytes that base64 text stands for, blanks allowed, None when it is something else."""
    try:
        return base64.b64decode(re.sub(rb"\s", b"", text), validate=True)
    except (binascii.Error, ValueError):
        return None


def _root(content_type: str, parts: tuple[Part, ...]) -> Part:
    start = parse_content_type(content_type)[1].get("start", "") if content_type else ""
    wanted = start.strip().removeprefix("<").removesuffix(">")
    return next((part for part in parts if wanted and part.content_id == wanted), parts[0])
