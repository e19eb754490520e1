"""What the OAuth rules judge: a form that was posted, and the JSON that answers it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from protocols.jose import TokenError, peek
from protocols.oauth import parse_form
from validators import http_message
from validators.context import Context
from validators.http_message import HttpMessage, HttpSyntaxError
from validators.json_document import JsonObject, parse_object

__all__ = ["FormRequest", "TokenAnswer", "claims_of", "read_answer", "read_request"]

_REQUEST_LINE = re.compile(r"([A-Z]+) (\S+) HTTP/\d(?:\.\d)?", re.ASCII)
_STATUS_LINE = re.compile(r"HTTP/\d(?:\.\d)? (\d{3})(?: .*)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class FormRequest:
    """A request to a token server. An empty parameter counts as absent (RFC 6749 3.1)."""

    method: str
    target: str
    message: HttpMessage
    form: Mapping[str, str]
    context: Context

    @property
    def path(self) -> str:
        """The target without its query."""
        return self.target.partition("?")[0]


@dataclass(frozen=True, slots=True)
class TokenAnswer:
    """The answer of a token server. `status` is None when the body came alone."""

    members: JsonObject
    context: Context
    message: HttpMessage | None = None
    status: int | None = None

    @property
    def is_refusal(self) -> bool:
        """A status of error, or an `error` member where the status is not known."""
        if self.status is not None:
            return self.status >= 400
        return "error" in self.members


def read_request(data: bytes, context: Context) -> FormRequest:
    """Read a captured request.

    Raises:
        HttpSyntaxError: not an HTTP request.
        FormError: not a form, not UTF-8, or a parameter named twice.
    """
    message = http_message.parse(data)
    match = _REQUEST_LINE.fullmatch(message.start_line)
    if match is None:
        raise HttpSyntaxError("ligne de requête illisible", where=message.start_line[:80])
    form = parse_form(message.header("Content-Type"), message.body)
    return FormRequest(match[1], match[2], message, form, context)


def read_answer(data: bytes, context: Context) -> TokenAnswer:
    """Read a JSON answer, alone or in its HTTP message.

    Raises:
        JsonError, HttpSyntaxError: neither.
    """
    if not data.startswith(b"HTTP/"):
        return TokenAnswer(parse_object(data), context)
    message = http_message.parse(data)
    match = _STATUS_LINE.fullmatch(message.start_line)
    if match is None:
        raise HttpSyntaxError("ligne de statut illisible", where=message.start_line[:80])
    return TokenAnswer(parse_object(message.body), context, message, int(match[1]))


def claims_of(token: object) -> Mapping[str, Any] | None:
    """What a token says, unverified; None when it is opaque."""
    try:
        return peek(token) if isinstance(token, str) else None
    except TokenError:
        return None
