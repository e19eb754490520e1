"""The door of the DMP that API Pro Santé Connectées lead to: SOAP and VIHF, and an API token.

The token is one that the DMP's authorization server gave, for this DMP, still good, to the client
that shows its certificate now. Réf.: CI-SIS, "API Pro Santé Connectée", flow 17 and "données
métiers", grade: faq; RFC 6750 2.1 and 3.1, RFC 8705 3, grade: standard.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from protocols.jose import KeySet, TokenError, check_claims, peek, verify
from protocols.oauth import thumbprint, thumbprint_in_hex
from spec import api_psc as spec

__all__ = ["ApiAccess", "BearerRefused", "check_bearer", "token_keys"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiAccess:
    """Whose tokens are believed at this door. Callables: the server starts after the DMP is built.

    `thumbprint_in_hex`: accept the form of `cnf` that the examples of the ANS show.
    """

    keys: Callable[[], KeySet]
    issuer: Callable[[], str]
    audience: str = spec.AUDIENCE
    scope: str = spec.SCOPE
    thumbprint_in_hex: bool = True


class BearerRefused(Exception):
    """A refusal of RFC 6750 3.1. `error` is "" when no token came at all."""

    def __init__(self, status: int, error: str, description: str) -> None:
        super().__init__(description)
        self.status = status
        self.error = error
        self.description = description

    @property
    def challenge(self) -> str:
        """The value of WWW-Authenticate, in ASCII."""
        said = f', error="{self.error}"' if self.error else ""
        return f'Bearer realm="dmp"{said}'


def check_bearer(
    authorization: Sequence[str],
    certificate: bytes,
    access: ApiAccess,
    *,
    now: datetime,
) -> Mapping[str, Any]:
    """The claims of a good token. `authorization`: the values of that header; `certificate`: DER.

    Raises:
        BearerRefused: none, two, or one that is not good here.
    """
    if not authorization:
        raise BearerRefused(401, "", "jeton absent")
    scheme, _, token = authorization[0].partition(" ")
    if len(authorization) > 1 or scheme.lower() != "bearer" or not token.strip():
        raise BearerRefused(400, "invalid_request", "un seul Authorization: Bearer attendu")
    try:
        claims = verify(token.strip(), access.keys()).claims
        check_claims(claims, now=now.timestamp(), issuer=access.issuer(), audience=access.audience)
    except TokenError as error:
        raise BearerRefused(
            401, "invalid_token", f"ce n'est pas un jeton de l'API : {error}"
        ) from None
    if not _bound(claims, certificate, access):
        raise BearerRefused(401, "invalid_token", "cnf n'est pas celui du certificat présenté")
    if access.scope not in str(claims.get("scope", "")).split():
        raise BearerRefused(403, "insufficient_scope", f"scope {access.scope} absent")
    return claims


def _bound(claims: Mapping[str, Any], certificate: bytes, access: ApiAccess) -> bool:
    confirmed = claims.get("cnf")
    said = confirmed.get(spec.THUMBPRINT) if isinstance(confirmed, dict) else None
    if not isinstance(said, str):
        return False
    wanted = [thumbprint(certificate)]
    if access.thumbprint_in_hex:
        wanted.append(thumbprint_in_hex(certificate))
    return any(hmac.compare_digest(said.encode(), one.encode()) for one in wanted)


def token_keys(authorization: Sequence[str]) -> tuple[str, ...]:
    """The identifiers that a token, good or not, carries: attribution follows them."""
    try:
        claims = peek(authorization[0].partition(" ")[2].strip()) if authorization else {}
    except TokenError:
        return ()
    return tuple(str(claims[name]) for name in ("jti", "sid") if claims.get(name))
