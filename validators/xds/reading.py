"""What the ITI-41 rules judge: the package, its envelope, its registry objects, its documents."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass, field
from functools import cached_property
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
from spec.dmp import SIGNATURE_CLASS_CODE
from spec.xds import SUBMISSION_SET_NODE, EntryScheme
from validators import http_message
from validators.context import Context
from validators.http_message import HttpMessage
from validators.kos.reading import Kos
from validators.kos.reading import read as read_kos
from validators.xds.registry import RegistryObject

__all__ = ["Part", "Submission", "XdsSyntaxError", "read"]

RIM = f"{{{xml.NS['rim']}}}"
XDSB = f"{{{xml.NS['xdsb']}}}"
_REQUEST = f"{{{xml.NS['lcm']}}}SubmitObjectsRequest"
_INCLUDE = f"{{{xml.NS['xop']}}}Include"
_FIRST_DELIMITER = re.compile(rb"--([^\r\n]{1,200})\r?\n")


class XdsSyntaxError(RemoteProtocolError):
    """No submission can be found in these bytes."""


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the package: headers, and bytes out of their transfer encoding."""

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


@dataclass(frozen=True)
class Submission:
    """A submission. What a form of input lacks (headers, parts, envelope) is empty or None.

    `request` is the `lcm:SubmitObjectsRequest`. `indented` and `bare_line_feeds` say what had to
    be tolerated to read the package.
    """

    context: Context
    request: etree._Element
    content_type: str = ""
    parts: tuple[Part, ...] = ()
    root_part: Part | None = None
    envelope: etree._Element | None = None
    is_http: bool = False
    indented: bool = False
    bare_line_feeds: bool = False
    _objects: list[RegistryObject] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        found = self.request.iter(f"{RIM}RegistryPackage", f"{RIM}ExtrinsicObject")
        object.__setattr__(self, "_objects", [RegistryObject(element) for element in found])

    @property
    def sets(self) -> list[RegistryObject]:
        """The registry packages that are classified as submission sets."""
        nodes = f"{RIM}Classification[@classificationNode='{SUBMISSION_SET_NODE}']"
        classified = {
            element.get("classifiedObject", "") for element in self.request.iterfind(f".//{nodes}")
        }
        return [
            item
            for item in self._objects
            if item.kind == "RegistryPackage"
            and (item.id in classified or item.element.find(nodes) is not None)
        ]

    @property
    def entries(self) -> list[RegistryObject]:
        """The document entries, the signature's included."""
        return [item for item in self._objects if item.kind == "ExtrinsicObject"]

    @property
    def signatures(self) -> list[RegistryObject]:
        """The entries of lot signatures."""
        return [
            item
            for item in self.entries
            if SIGNATURE_CLASS_CODE in [code.value for code in item.codes(EntryScheme.CLASS_CODE)]
        ]

    @property
    def contents(self) -> list[RegistryObject]:
        """The entries that are not signatures: the manifests, and whatever comes with them."""
        signatures = {id(item.element) for item in self.signatures}
        return [item for item in self.entries if id(item.element) not in signatures]

    @property
    def manifests(self) -> list[RegistryObject]:
        """The entries whose mimeType is that of DICOM."""
        return [
            item
            for item in self.contents
            if item.element.get("mimeType", "").startswith("application/dicom")
        ]

    @property
    def associations(self) -> list[etree._Element]:
        return list(self.request.iter(f"{RIM}Association"))

    @property
    def document_elements(self) -> list[etree._Element]:
        """The `xdsb:Document` elements."""
        parent = self.request.getparent()
        return [] if parent is None else parent.findall(f"{XDSB}Document")

    def pointer(self, element: etree._Element) -> str | None:
        """The Content-ID that a Document element points at, None when it holds its bytes."""
        include = element.find(_INCLUDE)
        return None if include is None else include.get("href", "").removeprefix("cid:")

    def part(self, content_id: str) -> Part | None:
        """The part of that Content-ID, percent-encoded or not."""
        wanted = (content_id, unquote(content_id))
        return next((part for part in self.parts if part.content_id in wanted), None)

    @cached_property
    def documents(self) -> dict[str, bytes]:
        """The bytes of each document that came with the submission, by its entry's id."""
        found: dict[str, bytes] = {}
        for element in self.document_elements:
            pointer = self.pointer(element)
            if pointer is not None:
                part = self.part(pointer)
                data = None if part is None else part.data
            else:
                data = _base64("".join(str(text) for text in element.itertext()).encode())
            if data is not None:
                found.setdefault(element.get("id", ""), data)
        return found

    @cached_property
    def kos(self) -> dict[str, Kos]:
        """The manifests that can be read, by entry id."""
        found: dict[str, Kos] = {}
        for item in self.manifests:
            try:
                found[item.id] = read_kos(self.documents.get(item.id, b""), self.context)
            except RemoteProtocolError:
                continue
        return found


def read(data: bytes, context: Context) -> Submission:
    """Read a submission: an HTTP request, its MIME body, its envelope or a METADATA.XML.

    Raises:
        RemoteProtocolError: unreadable, or without exactly one SubmitObjectsRequest.
    """
    http = _http(data)
    body = data if http is None else http.body
    content_type = "" if http is None else http.header("Content-Type")
    text = body.lstrip(b" \t\r\n")
    if not text.startswith(b"--"):
        root = xml.parse(text)
        return Submission(
            context, _request(root), content_type, envelope=_envelope(root), is_http=bool(http)
        )
    boundary = _boundary(content_type, text)
    body, indented = _flush_left(text, boundary)
    parts = _parts(boundary, body)
    root_part = _root(content_type, parts)
    root = xml.parse(root_part.data.lstrip(b" \t\r\n"))
    return Submission(
        context,
        _request(root),
        content_type,
        parts,
        root_part,
        _envelope(root),
        is_http=http is not None,
        indented=indented,
        bare_line_feeds=b"--" + boundary.encode() + b"\r\n" not in body,
    )


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
        raise XdsSyntaxError("délimiteur multipart illisible", span=(0, min(80, len(body))))
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
        raise XdsSyntaxError("corps multipart sans partie")
    return tuple(found)


def _part(headers: Headers, data: bytes) -> Part:
    part = Part(headers, data)
    if part.encoding != "base64":
        return part
    decoded = _base64(data)
    if decoded is None:
        raise XdsSyntaxError("partie base64 illisible", where=part.content_id)
    return Part(headers, decoded)


def _base64(text: bytes) -> bytes | None:
    try:
        return base64.b64decode(re.sub(rb"\s", b"", text), validate=True)
    except (binascii.Error, ValueError):
        return None


def _root(content_type: str, parts: tuple[Part, ...]) -> Part:
    start = parse_content_type(content_type)[1].get("start", "") if content_type else ""
    wanted = start.strip().removeprefix("<").removesuffix(">")
    return next((part for part in parts if wanted and part.content_id == wanted), parts[0])


def _request(root: etree._Element) -> etree._Element:
    found = list(root.iter(_REQUEST))
    if len(found) != 1:
        raise XdsSyntaxError(
            f"un SubmitObjectsRequest attendu, {len(found)} trouvé(s)", where=str(root.tag)
        )
    return found[0]


def _envelope(root: etree._Element) -> etree._Element | None:
    return root if etree.QName(root).localname == "Envelope" else None
