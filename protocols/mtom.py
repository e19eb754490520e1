"""MTOM: an envelope and the documents that it points at, in one multipart/related body.

Réf. XOP (W3C 2005) sections 4 and 5, MTOM (W3C 2005) section 4.2, RFC 2387 (`start`, `type`),
RFC 2392 (`cid:` URLs are percent-encoded Content-IDs).
"""

from __future__ import annotations

import base64
import binascii
import quopri
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote, unquote

from lxml import etree

from protocols.errors import LocalProtocolError, RemoteProtocolError
from protocols.multipart import (
    Headers,
    Parser,
    PartBegin,
    PartData,
    PartEnd,
    Writer,
    boundary_of,
    format_content_type,
    header,
    parse_content_type,
)
from protocols.xml import NS

__all__ = ["Attachment", "MtomError", "Package", "include", "pack", "unpack"]

_INCLUDE = f"{{{NS['xop']}}}Include"
_SOAP_TYPE = "application/soap+xml"
_XOP_TYPE = "application/xop+xml"


class MtomError(RemoteProtocolError):
    """A package whose parts cannot be put together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """One part: its decoded bytes, and how it was written."""

    data: bytes
    content_type: str = ""
    encoding: str = ""
    """Content-Transfer-Encoding in lower case, "" when absent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """What `unpack` found: the envelope's bytes and the other parts by Content-ID.

    Content-IDs are without their angle brackets.
    """

    envelope: bytes
    attachments: Mapping[str, Attachment] = field(default_factory=dict)
    is_multipart: bool = True

    def resolve(self, element: etree._Element) -> bytes:
        """The bytes that an element of base64 content stands for, included or inline.

        Raises:
            MtomError: an `xop:Include` that leads nowhere, or text that is not base64.
        """
        pointer = element.find(_INCLUDE)
        if pointer is None:
            return _base64("".join(str(text) for text in element.itertext()).encode())
        href = pointer.get("href", "")
        if not href.startswith("cid:"):
            raise MtomError(f"xop:Include sans URL cid: : {href[:120]!r}")
        written = href.removeprefix("cid:")
        for cid in (unquote(written), written):
            if cid in self.attachments:
                return self.attachments[cid].data
        raise MtomError(f"aucune partie n'a le Content-ID <{unquote(written)[:120]}>")


def include(cid: str) -> etree._Element:
    """The `xop:Include` that points at a part."""
    pointer = etree.Element(_INCLUDE, nsmap={"xop": NS["xop"]})
    # Colons are percent-encoded: RFC 2392 section 2, and what the DMP itself sends.
    pointer.set("href", "cid:" + quote(cid, safe="@.-_~"))
    return pointer


def pack(
    envelope: bytes,
    attachments: Mapping[str, tuple[bytes, str]],
    boundary: str,
    *,
    action: str = "",
    root: str = "root@drimbench",
) -> tuple[str, bytes]:
    """The Content-Type and the body of a package, parts in binary.

    Args:
        attachments: Content-ID without brackets to (bytes, Content-Type), in order.
        boundary: must not occur in any part.
        action: WS-Addressing Action, repeated in the Content-Type when given.
        root: Content-ID of the envelope's part.

    Raises:
        LocalProtocolError: the boundary occurs in a part, or a Content-ID is taken.
    """
    if root in attachments:
        raise LocalProtocolError(f"two parts would be <{root}>")
    parameters = {"type": _SOAP_TYPE} | ({"action": action} if action else {})
    parts = [
        (root, format_content_type(_XOP_TYPE, {"charset": "UTF-8", **parameters}), envelope),
        *((cid, content_type, data) for cid, (data, content_type) in attachments.items()),
    ]
    mark = b"--" + boundary.encode("ascii", "replace")
    writer = Writer(boundary)
    body = []
    for cid, content_type, data in parts:
        if mark in data:
            raise LocalProtocolError("the boundary occurs in a part")
        body.append(
            writer.begin_part(
                (
                    ("Content-Type", content_type),
                    ("Content-Transfer-Encoding", "binary"),
                    ("Content-ID", f"<{cid}>"),
                )
            )
        )
        body.append(writer.data(data))
    body.append(writer.end())
    content_type = format_content_type(
        "multipart/related",
        {
            "boundary": boundary,
            "type": _XOP_TYPE,
            "start": f"<{root}>",
            "start-info": _SOAP_TYPE,
        }
        | ({"action": action} if action else {}),
    )
    return content_type, b"".join(body)


def unpack(content_type: str, body: bytes) -> Package:
    """The package in a body; a plain SOAP body is a package without attachments.

    Tolerates blanks before the envelope, LF line ends, and a `start` that names no part (the
    first part is then the root, as when there is no `start`).

    Raises:
        MultipartError: the multipart body cannot be read, or is truncated.
        MtomError: no part at all, a Content-ID twice, a part that cannot be decoded, a type that
            is neither multipart/related nor SOAP or XML.
    """
    kind, parameters = parse_content_type(content_type)
    if kind in (_SOAP_TYPE, "text/xml", "application/xml"):
        return Package(envelope=body.lstrip(b" \t\r\n"), is_multipart=False)
    if kind != "multipart/related":
        raise MtomError(f"multipart/related attendu, reçu {kind!r}", where="Content-Type")
    parts = _parts(boundary_of(content_type), body)
    if not parts:
        raise MtomError("corps multipart sans partie")
    wanted = _bare(parameters.get("start", ""))
    ids = [_bare(header(headers, "Content-ID")) for headers, _ in parts]
    at = ids.index(wanted) if wanted and wanted in ids else 0
    attachments: dict[str, Attachment] = {}
    for index, (cid, (headers, data)) in enumerate(zip(ids, parts, strict=True)):
        if index == at or not cid:
            continue
        if cid in attachments:
            raise MtomError(f"deux parties de Content-ID <{cid[:120]}>", where="Content-ID")
        attachments[cid] = _attachment(headers, data)
    envelope = _attachment(*parts[at]).data.lstrip(b" \t\r\n")
    return Package(envelope=envelope, attachments=attachments)


def _parts(boundary: str, body: bytes) -> list[tuple[Headers, bytes]]:
    parser = Parser(boundary)
    parts: list[tuple[Headers, bytes]] = []
    headers: Headers = ()
    pieces: list[bytes] = []
    for event in parser.feed(body):
        if isinstance(event, PartBegin):
            headers, pieces = event.headers, []
        elif isinstance(event, PartData):
            pieces.append(event.data)
        elif isinstance(event, PartEnd):
            parts.append((headers, b"".join(pieces)))
    parser.finish()
    return parts


def _bare(content_id: str) -> str:
    content_id = content_id.strip()
    if content_id.startswith("<") and content_id.endswith(">"):
        return content_id[1:-1]
    return content_id


def _attachment(headers: Headers, data: bytes) -> Attachment:
    encoding = header(headers, "Content-Transfer-Encoding").strip().lower()
    if encoding == "base64":
        data = _base64(data)
    elif encoding == "quoted-printable":
        data = quopri.decodestring(data)
    elif encoding not in ("", "binary", "8bit", "7bit"):
        raise MtomError(
            f"Content-Transfer-Encoding inconnu : {encoding[:40]!r}",
            where="Content-Transfer-Encoding",
        )
    return Attachment(data=data, content_type=header(headers, "Content-Type"), encoding=encoding)


def _base64(text: bytes) -> bytes:
    """Line ends and blanks are allowed (RFC 2045 section 6.8, xs:base64Binary), nothing else."""
    try:
        return base64.b64decode(b"".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        raise MtomError("contenu base64 illisible") from None
