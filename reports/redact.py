"""Secrets out of whatever is rendered: tokens, codes, cookies, passwords, private keys.

The raw blobs of a run keep everything; a page that leaves the laboratory does not. Masking says
what was there and, for random secrets, the beginning of its SHA-256, so that a reader can still
follow one token from message to message. A password is never digested: it could be guessed back.

Every function is idempotent: what it masked, it leaves alone.
"""

from __future__ import annotations

import hashlib
import re
from functools import lru_cache
from typing import Final

from bench import concealed

__all__ = ["data", "header", "text", "value"]

_PASSWORDS: Final = frozenset({"password", "passwd", "pwd", "mot_de_passe", "motdepasse"})
_SECRETS: Final = frozenset(
    {
        "access_token",
        "actor_token",
        "assertion",
        "auth_req_id",
        "client_assertion",
        "client_secret",
        "code",
        "code_verifier",
        "id_token",
        "id_token_hint",
        "logout_token",
        "proxy_session_id",
        "refresh_token",
        "subject_token",
        "token",
    }
)
"""OAuth 2.0 parameters that grant something (RFC 6749, 7009, 7521, 7636, 7662, 8693), those of
CIBA and of the back-channel logout, and the cookie of the proxy e-santé."""

# A JOSE header is a JSON object: in base64url, `{"`, `{ ` or `{` and a line end begin like this.
_JOSE_START: Final = r"(?:ey[A-DI-L]|ew[k-r0-3])"
_JWT_TEXT: Final = _JOSE_START + r"[A-Za-z0-9_-]{4,}(?:(?:\.|%2[Ee])[A-Za-z0-9_-]*){1,4}"
_JWT: Final = re.compile(_JWT_TEXT)
_JWT_BYTES: Final = re.compile(_JWT_TEXT.encode())
_BEARER: Final = re.compile(r"\b((?:Bearer|Basic|DPoP)\s+)([A-Za-z0-9._~+/=-]{20,})", re.IGNORECASE)
_PRIVATE_KEY: Final = re.compile(
    r"-----BEGIN ([A-Z ]*PRIVATE KEY)-----.*?(?:-----END \1-----|\Z)", re.DOTALL
)
_PRIVATE_KEY_BYTES: Final = re.compile(_PRIVATE_KEY.pattern.encode(), re.DOTALL)
_LONG_NAMES: Final = "|".join(sorted((_SECRETS | _PASSWORDS) - {"code", "token", "assertion"}))
# name=value, "name": "value", name="value": anywhere. The lone `code`, `token` and `assertion` are
# words of XML too (`code="39111-0"`), and are masked only as parameters of a query or a form.
_ASSIGNED: Final = re.compile(
    rf"(?i)(?<![\w-])((?:{_LONG_NAMES})[\"']?\s*[:=]\s*[\"']?)([^\s\"'&,;<>‹]{{1,}})"
)
_PARAMETER: Final = re.compile(
    r"(?i)((?:[?&#]|&amp;|^)(code|token|assertion)=)([^&\s\"'<>‹]+)(?=$|[&\s\"'<>])"
)
_QUICK: Final = re.compile(
    rf"(?i)ey[a-di-l]|ew[k-r0-3]|bearer|basic|dpop|private key|{_LONG_NAMES}|"
    r"(?:code|token|assertion)="
)


def text(content: str) -> str:
    """`content` without any JWT, bearer value, secret parameter or private key, nor any value that
    a profile took by reference."""
    content = concealed.in_text(content)
    return _seen(content) if len(content) <= _SHORT else _without_secrets(content)


def _without_secrets(content: str) -> str:
    if not _QUICK.search(content):
        return content
    content = _PRIVATE_KEY.sub("‹clé privée masquée›", content)
    content = _JWT.sub(lambda found: _mask("jeton", found[0]), content)
    content = _BEARER.sub(lambda found: found[1] + _mask("jeton", found[2]), content)
    content = _ASSIGNED.sub(lambda found: found[1] + _named(found[1], found[2]), content)
    return _PARAMETER.sub(lambda found: found[1] + _named(found[2], found[3]), content)


_SHORT: Final = 128
_seen: Final = lru_cache(maxsize=8192)(_without_secrets)
"""A page prints the same names, tags and codes by hundreds of thousands."""


def value(name: str, content: str) -> str:
    """The value of a parameter, form field or JSON member called `name`."""
    key = name.lower()
    if not content or content.startswith("‹"):
        return content
    if key in _PASSWORDS or key in _SECRETS:
        return _named(key, content)
    return text(content)


def header(name: str, content: str) -> str:
    """The value of an HTTP header called `name`."""
    match name.lower():
        case "authorization" | "proxy-authorization":
            scheme, _, credentials = content.partition(" ")
            return f"{scheme} {_kept('jeton', credentials.strip())}" if credentials else "‹masqué›"
        case "cookie":
            return "; ".join(_cookie(pair) for pair in content.split(";"))
        case "set-cookie":
            pair, mark, attributes = content.partition(";")
            return _cookie(pair) + mark + text(attributes)
        case _:
            return text(content)


def data(content: bytes) -> bytes:
    """Bytes that will be shown as hexadecimal: same length, JWTs and private keys starred."""
    content = concealed.in_bytes(content)
    content = _JWT_BYTES.sub(lambda found: b"*" * len(found[0]), content)
    return _PRIVATE_KEY_BYTES.sub(lambda found: b"*" * len(found[0]), content)


def _cookie(pair: str) -> str:
    name, equals, content = pair.strip().partition("=")
    return f"{name}={_kept('cookie', content)}" if equals and content else text(name + equals)


def _named(name: str, content: str) -> str:
    key = name.lower()
    if any(word in key for word in _PASSWORDS):
        return "‹mot de passe masqué›"
    return _kept("code" if key.strip("\"' :=") == "code" else "jeton", content)


def _kept(kind: str, content: str) -> str:
    return content if content.startswith("‹") else _mask(kind, content)


def _mask(kind: str, content: str) -> str:
    digest = hashlib.sha256(content.encode("utf-8", "surrogatepass")).hexdigest()
    return f"‹{kind} masqué, sha256 {digest[:8]}…›"
