"""What the rules of the contextual call judge: the parameters of a form, and how it was sent."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal
from urllib.parse import unquote_to_bytes

from protocols.errors import RemoteProtocolError
from spec.contextual_call import COMMON, CONSENT, OPPOSITION, SEARCH, SITUATION
from validators.context import Context
from validators.http_message import HttpMessage
from validators.http_message import parse as parse_http

__all__ = ["CallArtefact", "CallSyntaxError", "Parameter", "read"]

_START_LINE = re.compile(rb"[A-Z]{3,10} \S+ HTTP/\d")
_BROKEN_ESCAPE = re.compile(rb"%(?![0-9A-Fa-f]{2})")
_MAX_BODY = 1024 * 1024
_MAX_PARAMETERS = 200


class CallSyntaxError(RemoteProtocolError):
    """There is no form here."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One pair. `fault` says why name or value could not be decoded, "" when they could."""

    name: str
    value: str
    fault: str = ""


@dataclass(frozen=True, slots=True)
class CallArtefact:
    """A call. `request` is None when the bytes are the body alone."""

    parameters: tuple[Parameter, ...]
    context: Context
    request: HttpMessage | None = None

    @property
    def version(self) -> Literal["2024-12", "2024-07", ""]:
        """The parameter set that the call follows, "" when nothing tells."""
        names = {one.name for one in self.parameters}
        if CONSENT in names:
            return "2024-12"
        return "2024-07" if OPPOSITION in names or names & set(SEARCH) else ""

    @property
    def known(self) -> tuple[str, ...]:
        """The names that the set reads; of both sets when nothing tells which."""
        newer = (*COMMON, CONSENT, SITUATION)
        older = (*COMMON, OPPOSITION, SITUATION, *SEARCH)
        if not self.version:
            return (*newer, OPPOSITION, *SEARCH)
        return newer if self.version == "2024-12" else older

    def value(self, name: str) -> str:
        """The first value of that name, "" when absent."""
        return next((one.value for one in self.parameters if one.name == name), "")


def read(data: bytes, context: Context) -> CallArtefact:
    """Read a POST request, or the body of one.

    Raises:
        RemoteProtocolError: no form here: empty, not `name=value` pairs, or far too large.
    """
    request = parse_http(data) if _START_LINE.match(data[:4096]) else None
    body = (data if request is None else request.body).strip(b"\r\n")
    if len(body) > _MAX_BODY:
        raise CallSyntaxError(f"corps de plus de {_MAX_BODY} octets", span=(0, len(data)))
    pairs = [pair for pair in body.split(b"&") if pair]
    if not pairs or len(pairs) > _MAX_PARAMETERS or b"=" not in body or body[:1] in b"{[<":
        raise CallSyntaxError(
            "le corps n'est pas une suite nom=valeur&nom=valeur", span=(0, min(len(data), 80))
        )
    return CallArtefact(tuple(_parameter(pair) for pair in pairs), context, request)


def _parameter(pair: bytes) -> Parameter:
    name, equals, value = pair.partition(b"=")
    fault = "" if equals else "le signe = manque"
    if _BROKEN_ESCAPE.search(pair):
        fault = "séquence % incomplète"
    elif any(byte > 0x7E or byte <= 0x20 for byte in pair):
        fault = "octet à écrire en %XX"
    texts = []
    for written in (name, value):
        decoded = unquote_to_bytes(written.replace(b"+", b" "))
        try:
            texts.append(decoded.decode("utf-8"))
        except UnicodeDecodeError:
            fault = "la valeur n'est pas en UTF-8"
            texts.append(decoded.decode("latin-1"))
    return Parameter(texts[0], texts[1], fault)
