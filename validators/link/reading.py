"""What the rules of the viewer link judge: an address in its parts."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from protocols.errors import RemoteProtocolError
from validators.context import Context
from validators.http_message import parse as parse_http

__all__ = ["LinkArtefact", "LinkSyntaxError", "read"]

_START_LINE = re.compile(rb"[A-Z]{3,10} \S+ HTTP/\d")
_MAX_LENGTH = 8192


class LinkSyntaxError(RemoteProtocolError):
    """There is no address here."""


@dataclass(frozen=True, slots=True)
class LinkArtefact:
    """A link. `scheme` is "" when the address comes from a request, which does not say it.

    `parameters` are name, value decoded, value as written.
    """

    text: str
    context: Context
    scheme: str
    host: str
    authority: str
    path: str
    parameters: tuple[tuple[str, str, str], ...]
    fragment: str

    def value(self, name: str) -> str:
        """The first value of that name, "" when absent."""
        return next((value for key, value, _ in self.parameters if key == name), "")


def read(data: bytes, context: Context) -> LinkArtefact:
    """Read an address, or the GET request that follows it.

    Raises:
        RemoteProtocolError: not one address of one line, or far too long.
    """
    if _START_LINE.match(data[:_MAX_LENGTH]):
        request = parse_http(data)
        host = request.header("Host")
        return _parts(request.start_line.split(" ")[1], context, host)
    try:
        text = data.strip().decode("ascii")
    except UnicodeDecodeError as error:
        raise LinkSyntaxError(
            "une adresse ne s'écrit qu'en ASCII", span=(error.start, error.end)
        ) from None
    if not text or len(text) > _MAX_LENGTH or re.search(r"\s", text) or "://" not in text:
        raise LinkSyntaxError(
            "une adresse absolue d'une ligne est attendue", span=(0, min(len(data), 80))
        )
    return _parts(text, context, "")


def _parts(text: str, context: Context, host: str) -> LinkArtefact:
    try:
        parts = urlsplit(text)
        name = parts.hostname or host.rpartition(":")[0] or host
    except ValueError as error:
        raise LinkSyntaxError(f"adresse illisible : {error}") from None
    pairs = [pair.partition("=") for pair in parts.query.split("&") if pair]
    return LinkArtefact(
        text=text,
        context=context,
        scheme=parts.scheme,
        host=name,
        authority=parts.netloc,
        path=parts.path,
        parameters=tuple((unquote(key), unquote(value), value) for key, _, value in pairs),
        fragment=parts.fragment,
    )
