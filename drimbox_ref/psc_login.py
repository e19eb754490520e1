"""The OpenID Connect client: code flow with PKCE, mutual TLS, ID tokens validated to the letter.

Réf.: OpenID Connect Core 1.0 3.1.2.1, 3.1.3.7, 5.3.2, 12.2; RFC 6749, RFC 7636, RFC 8705 section
2 (no secret anywhere), grade: standard; scope and acr_values, ANS proofs of concept and draft
REM PSC.08; end of session by id_token_hint, ANS proxy e-santé, grade: demonstrator.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol
from urllib.parse import urlencode

from drimbox_ref.psc import PscChannel, PscUnavailable
from protocols.jose import (
    KeySet,
    Token,
    TokenError,
    at_hash,
    check_claims,
    parse_jwks,
    read,
    s256,
    verify,
)
from spec.psc import ACR_VALUES, BACKCHANNEL_LOGOUT_EVENT, SCOPE

__all__ = ["FORM", "Ended", "Grant", "LoginExpired", "LoginRefused", "PscClient"]

_LEEWAY_S = 60
"""Clock difference accepted on the ID token's times."""
_ISSUER_TOLD = "authorization_response_iss_parameter_supported"
"""RFC 9207 section 3: who says so never leaves `iss` out."""
FORM = (("Content-Type", "application/x-www-form-urlencoded"),)
_MAX_TOKEN = 16 * 1024


class Clock(Protocol):
    """What time it is."""

    def now(self) -> datetime:
        """The current instant, aware."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """What PSC gave for a login. Stays on the server: its repr says nothing."""

    access_token: str = field(repr=False)
    expires: datetime
    refresh_token: str = field(repr=False)
    id_token: str = field(repr=False)
    subject: str
    authenticated: datetime
    session: str = ""
    """PSC's `sid`: what a back-channel logout names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """A session that PSC says is over: `session`, else every one of `subject`."""

    subject: str
    session: str


class LoginRefused(Exception):
    """PSC's answer does not log anybody in. French, for the user."""


class LoginExpired(Exception):
    """The session at PSC is over: the user must log in again."""


class PscClient:
    """A client of PSC authenticated by its certificate alone."""

    def __init__(
        self, channel: PscChannel, *, client_id: str, redirect_uri: str, clock: Clock
    ) -> None:
        self._channel = channel
        self._client_id = client_id
        self._redirect_uri = redirect_uri
        self._clock = clock
        self._keys: KeySet | None = None

    async def authorization_url(self, *, state: str, nonce: str, verifier: str) -> str:
        """The wallet's authorization endpoint with our request."""
        endpoint = await self._channel.endpoint("authorization_endpoint")
        parameters = {
            "response_type": "code",
            "client_id": self._client_id,
            "redirect_uri": self._redirect_uri,
            "scope": SCOPE,
            "acr_values": ACR_VALUES,
            "state": state,
            "nonce": nonce,
            "code_challenge": s256(verifier),
            "code_challenge_method": "S256",
        }
        return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(parameters)}"

    async def redeem(self, code: str, *, nonce: str, verifier: str, issuer: str) -> Grant:
        """The tokens of a code, for the login that this nonce began."""
        if issuer not in ("", self._channel.issuer):
            # RFC 9207 2.4: the code of another provider must not be shown to this one.
            raise LoginRefused("La réponse vient d'un autre fournisseur d'identité.")
        if not issuer and await self._channel.promises(_ISSUER_TOLD):
            raise LoginRefused("La réponse ne dit pas de quel fournisseur d'identité elle vient.")
        if not code:
            raise LoginRefused("Pro Santé Connect n'a pas donné de code.")
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._redirect_uri,
            "client_id": self._client_id,
            "code_verifier": verifier,
        }
        status, answer = await self._token(form, transaction="PSC-token")
        if status != 200:
            raise LoginRefused("Pro Santé Connect a refusé la connexion. Recommencez.")
        return await self._grant(answer, nonce=nonce)

    async def _grant(self, answer: Mapping[str, Any], *, nonce: str | None) -> Grant:
        """What the first tokens of a login are worth; None: no nonce was sent (CIBA).

        Raises:
            LoginRefused: one is absent or not good.
        """
        access = _token_of(answer, "access_token")
        try:
            claims = await self._id_claims(_token_of(answer, "id_token"), access, nonce=nonce)
            await self._check_access(access, claims)
        except TokenError as error:
            raise LoginRefused(
                f"Un jeton de Pro Santé Connect n'est pas valide ({error})."
            ) from error
        return Grant(
            access_token=access,
            expires=self._expiry(answer),
            refresh_token=_token_of(answer, "refresh_token"),
            id_token=_token_of(answer, "id_token"),
            subject=_subject(claims),
            authenticated=self._authenticated(claims),
            session=_session(claims),
        )

    async def renew(self, grant: Grant) -> Grant:
        """The same grant, access token renewed; an ID token that comes along is validated."""
        form = {
            "grant_type": "refresh_token",
            "refresh_token": grant.refresh_token,
            "client_id": self._client_id,
        }
        status, answer = await self._token(form, transaction="PSC-refresh")
        if status != 200:
            raise LoginExpired
        try:
            access = _token_of(answer, "access_token")
            id_token = grant.id_token
            if "id_token" in answer:
                id_token = _token_of(answer, "id_token")
                claims = await self._id_claims(id_token, access, nonce=None)
                if claims.get("sub") != grant.subject:
                    raise LoginExpired
            refresh = grant.refresh_token
            if "refresh_token" in answer:
                refresh = _token_of(answer, "refresh_token")
        except (TokenError, LoginRefused) as error:
            raise LoginExpired from error
        return Grant(
            access_token=access,
            expires=self._expiry(answer),
            refresh_token=refresh,
            id_token=id_token,
            subject=grant.subject,
            authenticated=grant.authenticated,
            session=grant.session,
        )

    async def userinfo(self, grant: Grant) -> Mapping[str, Any]:
        """The claims about the professional who logged in."""
        status, claims = await self._channel.json(
            "GET",
            await self._channel.endpoint("userinfo_endpoint"),
            headers=(("Authorization", f"Bearer {grant.access_token}"),),
            transaction="PSC-userinfo",
        )
        if status in (401, 403):
            raise LoginRefused("Pro Santé Connect n'a pas donné l'identité du professionnel.")
        if status != 200:
            raise PscUnavailable(f"userinfo : HTTP {status}")
        if claims.get("sub") != grant.subject:
            # Core 5.3.2: never use userinfo of another subject (token substitution).
            raise LoginRefused("Pro Santé Connect a donné l'identité de quelqu'un d'autre.")
        return claims

    async def ended(self, token: str) -> Ended:
        """What a logout token says, validated (Back-Channel Logout 1.0, 2.6)."""
        try:
            claims = (await self._verified(token)).claims
            check_claims(
                claims,
                now=self._clock.now().timestamp(),
                issuer=self._channel.issuer,
                audience=self._client_id,
                leeway=_LEEWAY_S,
            )
            events = claims.get("events")
            if not isinstance(events, dict) or BACKCHANNEL_LOGOUT_EVENT not in events:
                raise TokenError("claims", "ce n'est pas un jeton de déconnexion", where="events")
            if "nonce" in claims:
                raise TokenError("claims", "un jeton de déconnexion n'a pas de nonce")
            if "iat" not in claims or not isinstance(claims.get("jti"), str):
                raise TokenError("claims", "iat ou jti absent")
        except TokenError as error:
            raise LoginRefused(f"Jeton de déconnexion refusé ({error}).") from error
        said = Ended(subject=_subject(claims), session=_session(claims))
        if not said.subject and not said.session:
            raise LoginRefused("Jeton de déconnexion refusé (ni sub ni sid).")
        return said

    async def log_out(self, grant: Grant) -> None:
        """End the session at PSC, from the server: the ID token is no browser's affair."""
        endpoint = await self._channel.endpoint("end_session_endpoint")
        status, _ = await self._channel.raw(
            "POST",
            endpoint,
            headers=FORM,
            content=urlencode({"id_token_hint": grant.id_token}).encode("ascii"),
            transaction="PSC-logout",
        )
        if status >= 400:
            raise PscUnavailable(f"fin de session : HTTP {status}")

    async def _token(
        self, form: Mapping[str, str], *, transaction: str
    ) -> tuple[int, Mapping[str, Any]]:
        status, answer = await self._channel.json(
            "POST",
            await self._channel.endpoint("token_endpoint"),
            headers=FORM,
            content=urlencode(form).encode("ascii"),
            transaction=transaction,
        )
        if status >= 500:
            raise PscUnavailable(f"jeton : HTTP {status}")
        if status == 200 and str(answer.get("token_type", "")).lower() != "bearer":
            raise PscUnavailable("jeton d'un type inconnu")
        return status, answer

    async def _id_claims(
        self, id_token: str, access_token: str, *, nonce: str | None
    ) -> Mapping[str, Any]:
        """Core 3.1.3.7, rule by rule.

        Raises:
            TokenError: one of them does not hold.
        """
        claims = (await self._verified(id_token)).claims
        check_claims(
            claims,
            now=self._clock.now().timestamp(),
            issuer=self._channel.issuer,
            audience=self._client_id,
            nonce=nonce,
            leeway=_LEEWAY_S,
        )
        audience = claims.get("aud")
        party = claims.get("azp")
        several = isinstance(audience, list) and len(audience) > 1
        if (several or party is not None) and party != self._client_id:
            raise TokenError("claims", "jeton émis pour un autre client", where="azp")
        if claims.get("typ", "ID") != "ID":
            raise TokenError("claims", "ce n'est pas un jeton d'identité", where="typ")
        if "at_hash" in claims and claims["at_hash"] != at_hash(access_token):
            raise TokenError("claims", "jeton d'accès d'un autre jeton d'identité", where="at_hash")
        if not _subject(claims):
            raise TokenError("claims", "sub absent", where="sub")
        return claims

    async def _check_access(self, access: str, identity: Mapping[str, Any]) -> None:
        """The access token is this client's and this person's, as far as it can be read.

        PSC's is a JWS without `aud` (ANS PSC-POC, grade: sample); one that is opaque (RFC 6749 1.4)
        is only bound by `at_hash`.

        Raises:
            TokenError: it says something else than the ID token.
        """
        try:
            read(access)
        except TokenError:
            return
        claims = (await self._verified(access)).claims
        check_claims(
            claims,
            now=self._clock.now().timestamp(),
            issuer=self._channel.issuer,
            leeway=_LEEWAY_S,
        )
        if claims.get("azp", self._client_id) != self._client_id:
            raise TokenError("claims", "jeton d'accès émis pour un autre client", where="azp")
        for name in ("sub", "sid"):
            if name in claims and name in identity and claims[name] != identity[name]:
                raise TokenError("claims", "jeton d'accès de quelqu'un d'autre", where=name)

    async def _verified(self, id_token: str) -> Token:
        """The token verified; unknown keys are asked for once: PSC may have rotated them."""
        if self._keys is not None:
            try:
                return verify(id_token, self._keys)
            except TokenError as error:
                if error.kind != "key":
                    raise
        status, body = await self._channel.raw(
            "GET",
            await self._channel.endpoint("jwks_uri"),
            headers=(("Accept", "application/json"),),
            transaction="PSC-JWKS",
        )
        if status != 200:
            raise PscUnavailable(f"clés : HTTP {status}")
        self._keys = parse_jwks(body)
        return verify(id_token, self._keys)

    def _expiry(self, answer: Mapping[str, Any]) -> datetime:
        """When the access token ends; at once when PSC does not say (RFC 6749 5.1)."""
        seconds = answer.get("expires_in")
        if isinstance(seconds, bool) or not isinstance(seconds, int) or not 0 <= seconds < 10**6:
            seconds = 0
        return self._clock.now() + timedelta(seconds=seconds)

    def _authenticated(self, claims: Mapping[str, Any]) -> datetime:
        """When the professional authenticated; never later than now."""
        now = self._clock.now()
        moment = claims.get("auth_time")
        if isinstance(moment, bool) or not isinstance(moment, int) or moment > now.timestamp():
            return now
        return datetime.fromtimestamp(max(0, moment), UTC)


def _token_of(answer: Mapping[str, Any], name: str) -> str:
    value = answer.get(name)
    if not isinstance(value, str) or not value or len(value) > _MAX_TOKEN or not value.isascii():
        raise LoginRefused(f"Pro Santé Connect n'a pas donné de {name}.")
    return value


def _session(claims: Mapping[str, Any]) -> str:
    session = claims.get("sid")
    return session if isinstance(session, str) else ""


def _subject(claims: Mapping[str, Any]) -> str:
    subject = claims.get("sub")
    return subject if isinstance(subject, str) else ""
