"""What the members of a discovery document may list: the values that IANA registers.

Réf. IANA "OAuth Parameters" (RFC 6749, 7591, 7636, 8414, 8705, 9449), IANA "JSON Web Signature and
Encryption Algorithms" (RFC 7518, 8037, 8812), OpenID Connect Core 1.0 section 8 (subject types).
"""

from __future__ import annotations

import re

__all__ = ["LISTS", "is_registered"]

_RESPONSES = frozenset({"code", "id_token", "token", "none"})
_GRANTS = frozenset(
    {"authorization_code", "implicit", "password", "client_credentials", "refresh_token"}
)
_METHODS = frozenset(
    {
        "none",
        "client_secret_post",
        "client_secret_basic",
        "client_secret_jwt",
        "private_key_jwt",
        "tls_client_auth",
        "self_signed_tls_client_auth",
    }
)
_TOKEN_TYPES = frozenset({"Bearer", "DPoP", "N_A", "PoP"})
_ALGORITHMS = frozenset(
    {f"{family}{size}" for family in ("HS", "RS", "ES", "PS") for size in (256, 384, 512)}
    | {"ES256K", "EdDSA", "Ed25519", "Ed448", "none"}
)
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:\S+")
_SCOPE = re.compile(r"[\x21\x23-\x5B\x5D-\x7E]+")

LISTS = {
    "response_types_supported": _RESPONSES,
    "subject_types_supported": frozenset({"public", "pairwise"}),
    "grant_types_supported": _GRANTS,
    "code_challenge_methods_supported": frozenset({"plain", "S256"}),
    "token_endpoint_auth_methods_supported": _METHODS,
    "introspection_endpoint_auth_methods_supported": _METHODS | _TOKEN_TYPES,
    "revocation_endpoint_auth_methods_supported": _METHODS,
    "id_token_signing_alg_values_supported": _ALGORITHMS,
    "scopes_supported": frozenset(),
}
"""Member -> the registered values; scopes are free, within the syntax of RFC 6749 section 3.3."""


def is_registered(name: str, value: str) -> bool:
    """Whether a member of `LISTS` may list a value."""
    if name == "scopes_supported":
        return _SCOPE.fullmatch(value) is not None
    if name == "response_types_supported":
        # A combination is written with blanks, in any order (RFC 6749 section 3.1.1).
        words = value.split(" ")
        return len(words) == len(set(words)) and _RESPONSES.issuperset(words)
    if name == "grant_types_supported" and _URI.fullmatch(value):
        return True
    return value in LISTS[name]
