"""What the PSC rules judge: a token, or a JSON answer with the HTTP message that brought it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from protocols import jose
from protocols.multipart import Headers, header
from validators import http_message
from validators.context import Context
from validators.http_message import HttpSyntaxError
from validators.json_document import JsonError, JsonObject, parse_object

__all__ = ["Answer", "PscToken", "read_answer", "read_token", "read_userinfo"]

_STATUS_LINE = re.compile(r"HTTP/\d(?:\.\d)? (\d{3})(?: .*)?", re.ASCII)
_COMPACT = re.compile(rb"[\w-]+\.[\w-]+\.[\w-]*", re.ASCII)


@dataclass(frozen=True, slots=True)
class PscToken:
    """A token: its text, what its two readable parts say. Nothing of it is verified."""

    text: str
    header: Mapping[str, Any]
    claims: Mapping[str, Any]
    context: Context

    @property
    def type(self) -> str:
        """`Bearer`, `Refresh` or `ID`; whatever else `typ` says; "" when it is no text."""
        found = self.claims.get("typ")
        return found if isinstance(found, str) else ""


@dataclass(frozen=True, slots=True)
class Answer:
    """A JSON answer. `status` is None when the body came alone."""

    members: JsonObject
    context: Context
    status: int | None = None
    headers: Headers = ()
    signed: bool = False
    """The members came in a JWS."""

    @property
    def content_type(self) -> str:
        """Media type of the HTTP message, without its parameters, lower case."""
        return header(self.headers, "Content-Type").partition(";")[0].strip().lower()


def read_token(data: bytes, context: Context) -> PscToken:
    """Read a compact JWS; a leading `Bearer ` and surrounding blanks are left out.

    Raises:
        TokenError: not a JWS of JSON objects.
        JsonError: a lone surrogate in them.
    """
    text = data.strip()
    if text[:7].lower() == b"bearer ":
        text = text[7:].strip()
    compact = text.decode("ascii", "replace")
    token = jose.read(compact)
    for part in (token.header, token.claims):
        _check_text(part)
    return PscToken(compact, token.header, token.claims, context)


def read_answer(data: bytes, context: Context) -> Answer:
    """Read a JSON answer, alone or in its HTTP message.

    Raises:
        JsonError, HttpSyntaxError: neither.
    """
    status, headers, body = _unwrap(data)
    return Answer(parse_object(body), context, status, headers)


def read_userinfo(data: bytes, context: Context) -> Answer:
    """Read a userinfo answer: JSON, or the JWS that a client may have asked for.

    Raises:
        JsonError, HttpSyntaxError, TokenError: none of them.
    """
    status, headers, body = _unwrap(data)
    if _COMPACT.fullmatch(body.strip()):
        token = read_token(body, context)
        return Answer(dict(token.claims), context, status, headers, signed=True)
    return Answer(parse_object(body), context, status, headers)


def _unwrap(data: bytes) -> tuple[int | None, Headers, bytes]:
    if not data.startswith(b"HTTP/"):
        return None, (), data
    message = http_message.parse(data)
    match = _STATUS_LINE.fullmatch(message.start_line)
    if match is None:
        raise HttpSyntaxError("ligne de statut illisible", where=message.start_line[:80])
    return int(match[1]), message.headers, message.body


def _check_text(value: object) -> None:
    try:
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except (UnicodeEncodeError, RecursionError) as error:
        raise JsonError(f"texte illisible : {type(error).__name__}") from None
