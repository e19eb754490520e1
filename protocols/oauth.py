"""OAuth 2.0 as it is written: forms, certificate thumbprints, the actor token of an exchange.

Réf. RFC 6749 3.2 and appendix B (parameters), RFC 8705 3.1 (`x5t#S256`), RFC 8693 2.1, RFC 7519
section 6 (a token without signature).
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import parse_qsl, urlencode

from protocols.errors import LocalProtocolError, RemoteProtocolError

__all__ = [
    "FORM_TYPE",
    "FormError",
    "build_form",
    "confirmation",
    "once",
    "parse_form",
    "thumbprint",
    "thumbprint_in_hex",
    "unsigned",
]

FORM_TYPE = "application/x-www-form-urlencoded"
_MAX_FIELDS = 100


class FormError(RemoteProtocolError):
    """Parameters that cannot be read; the text is French."""


def build_form(parameters: Mapping[str, str]) -> bytes:
    """The body of a POST."""
    return urlencode(parameters).encode("ascii")


def parse_form(content_type: str, body: bytes) -> dict[str, str]:
    """The parameters of a POST, by name.

    Raises:
        FormError: another content type, not UTF-8, too many fields, or a repeated parameter.
    """
    kind = content_type.partition(";")[0].strip().lower()
    if kind != FORM_TYPE:
        raise FormError(f"Content-Type {kind or 'absent'}")
    try:
        text = body.decode("utf-8")
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=_MAX_FIELDS, errors="strict")
    except ValueError as error:
        raise FormError("formulaire illisible") from error
    return once(pairs)


def once(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Parameters by name (RFC 6749 3.1: none may appear twice, an empty one counts as absent).

    Raises:
        FormError: a repeated parameter.
    """
    parameters: dict[str, str] = {}
    for name, value in pairs:
        if name in parameters:
            raise FormError(f"paramètre {name} en double")
        if value:
            parameters[name] = value
    return parameters


def thumbprint(certificate: bytes) -> str:
    """The `x5t#S256` of a certificate in DER (RFC 8705 3.1): base64url of 32 bytes, no padding."""
    digest = hashlib.sha256(certificate).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")


def thumbprint_in_hex(certificate: bytes) -> str:
    """As the examples of the ANS write it: padded base64 of the 64 hexadecimal digits."""
    return base64.b64encode(hashlib.sha256(certificate).hexdigest().encode()).decode("ascii")


def confirmation(value: str) -> str:
    """The `x5t#S256` that the parameter `cnf` names: a JSON object, or the thumbprint alone.

    Raises:
        FormError: a JSON text without it.
    """
    if not value.lstrip().startswith("{"):
        return value
    try:
        found = json.loads(value)["x5t#S256"]
    except (ValueError, KeyError, RecursionError) as error:
        raise FormError("cnf sans x5t#S256") from error
    if not isinstance(found, str):
        raise FormError("cnf : x5t#S256 n'est pas un texte")
    return found


def unsigned(claims: Mapping[str, Any]) -> str:
    """A token that nobody signed (`alg` none): its bearer answers for it by mutual TLS.

    Raises:
        LocalProtocolError: the claims are not JSON.
    """
    try:
        payload = json.dumps(claims, separators=(",", ":"), ensure_ascii=False).encode()
    except (TypeError, ValueError) as error:
        raise LocalProtocolError(f"claims are not JSON: {error}") from error
    header = b'{"alg":"none","typ":"JWT"}'
    return f"{_encode(header)}.{_encode(payload)}."


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")
