"""What the capabilities rules judge: a WADL description, its JSON form, or a bare sign of life."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from lxml import etree

from protocols import xml
from protocols.multipart import Headers, header
from validators import http_message
from validators.context import Context
from validators.http_message import HttpSyntaxError
from validators.json_document import JsonObject, parse_object

__all__ = ["WADL", "Capabilities", "Method", "read"]

WADL = "http://wadl.dev.java.net/2009/02"

_STATUS_LINE = re.compile(r"HTTP/\d(?:\.\d)? (\d{3})(?: .*)?", re.ASCII)
_TEMPLATE = re.compile(r"\{[^{}]*\}")
_MAX_METHODS = 2000


@dataclass(frozen=True, slots=True)
class Method:
    """One method of one resource. `path` has its templates emptied: `studies/{}/series/{}`."""

    verb: str
    path: str
    media_types: tuple[str, ...]
    """Of its successful answers."""
    headers: tuple[str, ...]
    """Names of the header parameters that it takes."""


@dataclass(frozen=True, slots=True)
class Capabilities:
    """An answer. Neither `wadl` nor `document` when it came without body."""

    context: Context
    wadl: etree._Element | None = None
    document: JsonObject | None = None
    status: int | None = None
    headers: Headers = ()

    @property
    def content_type(self) -> str:
        """Media type, without its parameters, lower case."""
        return header(self.headers, "Content-Type").partition(";")[0].strip().lower()

    @property
    def base(self) -> str | None:
        """Where the paths start, None when it is not said."""
        if self.document is not None:
            found = self.document.get("base")
            return found if isinstance(found, str) else None
        resources = None if self.wadl is None else self.wadl.find("{*}resources")
        return None if resources is None else resources.get("base")

    @property
    def describes(self) -> bool:
        """Whether it lists resources, rather than only tell that the service lives."""
        return self.wadl is not None or (self.document is not None and "resources" in self.document)

    @property
    def methods(self) -> list[Method]:
        """What the service says that it does, the first 2,000 of it."""
        found = _from_json(self.document) if self.wadl is None else _from_wadl(self.wadl)
        return [method for method, _ in zip(found, range(_MAX_METHODS), strict=False)]


def read(data: bytes, context: Context) -> Capabilities:
    """Read an answer, alone or in its HTTP message.

    Raises:
        XmlError, JsonError, HttpSyntaxError: none of them.
    """
    status: int | None = None
    headers: Headers = ()
    body = data
    if data.startswith(b"HTTP/"):
        message = http_message.parse(data)
        match = _STATUS_LINE.fullmatch(message.start_line)
        if match is None:
            raise HttpSyntaxError("ligne de statut illisible", where=message.start_line[:80])
        status, headers, body = int(match[1]), message.headers, message.body
    start = body.lstrip()[:4]
    if not start and status is not None:
        return Capabilities(context, status=status, headers=headers)
    if start.startswith((b"<", b"\xef\xbb\xbf<")):
        return Capabilities(context, xml.parse(body), None, status, headers)
    return Capabilities(context, None, parse_object(body), status, headers)


def _from_wadl(root: etree._Element) -> Iterator[Method]:
    """Resources nest: the path of an inner one follows that of the outer one."""
    pending = [(node, "") for node in root.iterfind("{*}resources/{*}resource")]
    while pending:
        node, outer = pending.pop()
        path = _joined(outer, node.get("path", ""))
        for method in node.iterfind("{*}method"):
            yield Method(
                verb=method.get("name", "GET"),
                path=path,
                media_types=tuple(
                    one.get("mediaType", "")
                    for answer in method.iterfind("{*}response")
                    if answer.get("status", "200")[:1] == "2"
                    for one in answer.iterfind("{*}representation")
                ),
                headers=tuple(
                    one.get("name", "")
                    for one in method.iterfind("{*}request/{*}param")
                    if one.get("style") == "header"
                ),
            )
        pending.extend((inner, path) for inner in node.iterfind("{*}resource"))


def _from_json(document: JsonObject | None) -> Iterator[Method]:
    listed = None if document is None else document.get("resources")
    names = None if document is None else document.get("headers")
    headers = tuple(one for one in names if isinstance(one, str)) if isinstance(names, list) else ()
    for each in listed if isinstance(listed, list) else ():
        if not isinstance(each, dict):
            continue
        verb, path, media = (each.get(name) for name in ("method", "path", "representation"))
        yield Method(
            verb=verb if isinstance(verb, str) else "GET",
            path=_joined("", path if isinstance(path, str) else ""),
            media_types=(media,) if isinstance(media, str) else (),
            headers=headers,
        )


def _joined(outer: str, path: str) -> str:
    """Paths of hostile depth stay short: what is beyond 500 characters serves no rule."""
    parts = [part.strip("/") for part in (outer, _TEMPLATE.sub("{}", path[:500]))]
    return "/".join(part for part in parts if part)[:500]
