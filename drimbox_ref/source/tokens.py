"""What Pro Santé Connect says of a bearer token: introspection, then userinfo.

Nothing is decided by decoding the token. Nothing is kept here: see `asked_once`.

What public texts leave open is decided so: an `acr` must be there, whatever it says (PSC answers
eidas3 where eidas1 was asked for); `azp` is anybody's unless the configuration lists clients.

Réf.: RFC 7662, RFC 6750, OpenID Connect Core 5.3.2, grade: standard; PSC documentation
(introspection), grade: faq; DB.SO.33, DB.SO.34, grade: draft.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import Any, TypeGuard
from urllib.parse import urlencode

from drimbox_ref.psc import PscChannel, PscUnavailable
from drimbox_ref.source.values import Accepted, Denied, TokenVerdict
from spec.api_psc import THUMBPRINT

__all__ = ["PscTokens"]

_SKEW_S = 60
"""Clock difference accepted on `iat` and `nbf`, never on `exp`."""
_LAST = int(datetime(9999, 12, 31, tzinfo=UTC).timestamp())
"""No token lives as long; beyond it is no date either."""


class PscTokens:
    """`Tokens` by Pro Santé Connect, reached with the box's own ORG AUTH_CLI."""

    def __init__(self, psc: PscChannel, *, clients: Collection[str] = ()) -> None:
        """`clients`: the only ones (`azp`) whose tokens are accepted; () accepts all."""
        self.psc = psc
        self._clients = frozenset(clients)

    async def check(self, token: str, *, now: datetime) -> TokenVerdict:
        """Introspection (DB.SO.33), then the professions by userinfo (DB.SO.34)."""
        try:
            claims = await self._introspect(token)
            denied = self._denied(claims, now)
            if denied:
                return denied
            person = await self._userinfo(token)
        except PscUnavailable:
            return Denied(
                status=503,
                error="",
                message="Pro Santé Connect n'est pas disponible : le jeton ne peut être vérifié.",
            )
        if person is None or person.get("sub") != claims["sub"]:
            return _invalid("Le jeton ne donne pas accès à l'identité de son titulaire.")
        return Accepted(
            subject=_subject(claims, person),
            professions=_professions(person),
            expires=_instant(claims["exp"]),
            bound_to=_bound_to(claims),
        )

    def _denied(self, claims: Mapping[str, Any], now: datetime) -> Denied | None:
        """Why this introspection answer does not accept the token."""
        if claims.get("active") is not True:
            return _invalid("Le jeton n'est pas ou n'est plus valide.")
        if claims.get("typ") != "Bearer":
            return _invalid("Le jeton n'est pas un jeton d'accès.")
        if claims.get("iss") != self.psc.issuer:
            return _invalid("Le jeton vient d'un autre fournisseur d'identité.")
        subject = claims.get("sub")
        if not isinstance(subject, str) or not subject:
            return _invalid("Le jeton n'est celui de personne.")
        if not isinstance(claims.get("acr"), str) or not claims["acr"]:
            return _invalid("Le jeton ne dit pas comment son titulaire s'est authentifié.")
        if self._clients and claims.get("azp") not in self._clients:
            return _invalid("Le jeton a été remis à un service qui n'est pas admis.")
        expiry = claims.get("exp")
        if not _is_instant(expiry) or not 0 < expiry <= _LAST or expiry <= now.timestamp():
            return _invalid("Le jeton est expiré.")
        for name in ("iat", "nbf"):
            value = claims.get(name)
            if value is not None and (not _is_instant(value) or value > now.timestamp() + _SKEW_S):
                return _invalid("Le jeton n'est pas encore valide.")
        return None

    async def _introspect(self, token: str) -> Mapping[str, Any]:
        status, claims = await self.psc.json(
            "POST",
            await self.psc.endpoint("introspection_endpoint"),
            headers=(("Content-Type", "application/x-www-form-urlencoded"),),
            content=urlencode({"token": token}).encode("ascii"),
            transaction="introspection",
        )
        if status != 200:
            raise PscUnavailable(f"introspection : HTTP {status}")
        return claims

    async def _userinfo(self, token: str) -> Mapping[str, Any] | None:
        """The claims, None when PSC refuses the token there."""
        status, claims = await self.psc.json(
            "GET",
            await self.psc.endpoint("userinfo_endpoint"),
            headers=(("Authorization", f"Bearer {token}"),),
            transaction="PSC-userinfo",
        )
        if status in (401, 403):
            return None
        if status != 200:
            raise PscUnavailable(f"userinfo : HTTP {status}")
        return claims


def _is_instant(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)


def _instant(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _bound_to(claims: Mapping[str, Any]) -> str | None:
    if "cnf" not in claims:
        return None
    cnf = claims["cnf"]
    value = cnf.get(THUMBPRINT) if isinstance(cnf, dict) else None
    return value if isinstance(value, str) else ""


def _invalid(message: str) -> Denied:
    return Denied(status=401, error="invalid_token", message=message)


def _subject(claims: Mapping[str, Any], person: Mapping[str, Any]) -> str:
    for value in (
        person.get("SubjectNameID"),
        claims.get("SubjectNameID"),
        claims.get("preferred_username"),
        claims.get("sub"),
    ):
        if isinstance(value, str) and value:
            return value
    return ""


def _professions(person: Mapping[str, Any]) -> tuple[str, ...]:
    """Profession codes of every exercise (SubjectRefPro), else of SubjectRole (`10^OID`)."""
    codes: dict[str, None] = {}
    reference = person.get("SubjectRefPro")
    exercises = reference.get("exercices") if isinstance(reference, dict) else None
    for exercise in exercises if isinstance(exercises, list) else ():
        code = exercise.get("codeProfession") if isinstance(exercise, dict) else None
        if isinstance(code, str) and code:
            codes[code] = None
    roles = person.get("SubjectRole")
    if not codes and isinstance(roles, list):
        for role in roles:
            if isinstance(role, str) and role:
                codes[role.partition("^")[0]] = None
    return tuple(codes)
