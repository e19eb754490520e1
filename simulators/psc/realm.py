"""The realm's memory: sessions, authorization codes, tokens. No HTTP here.

Tokens are what PSC's are (claims of a 2023 BAS token, ANS PSC-POC, grade sample): signed access
and ID tokens, a refresh token that only the realm can read. Whether one is active depends on its
signature, its dates, its revocation and its session, as in Keycloak.
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from cryptography.hazmat.primitives.asymmetric import rsa

from protocols.jose import SigningKey, TokenError, at_hash, check_claims, sign, verify
from protocols.oauth import thumbprint, thumbprint_in_hex
from simulators.psc.professionals import Professional
from spec import psc
from spec.api_psc import THUMBPRINT

__all__ = ["Binding", "Grant", "Lifetimes", "Realm", "Session", "TokenType", "Tokens"]

TokenType = Literal["Bearer", "Refresh", "ID"]
Binding = Literal["", "rfc", "ans"]
"""How access tokens are bound to the certificate of the client that was given them (`cnf`): not, as
those that were seen; as RFC 8705 3.1 says; as the examples of the ANS write it."""

_THUMBPRINTS = {"rfc": thumbprint, "ans": thumbprint_in_hex}

_GRANTED_SCOPE = "openid profile scope_all identity"
"""Scope of a token asked with `openid scope_all` (BAS token, grade sample)."""
_GRANTED_ACR = "eidas3"
"""`acr` of a token asked with eidas1 (BAS token, grade sample)."""


@dataclass(slots=True)
class Lifetimes:
    """Seconds; a scenario may shorten them while the service runs."""

    access: int = psc.ACCESS_TOKEN_LIFETIME
    refresh: int = psc.REFRESH_TOKEN_LIFETIME
    code: int = psc.AUTHORIZATION_CODE_LIFETIME
    session: int = psc.SESSION_LIFETIME
    idle: int = psc.SESSION_IDLE


@dataclass(slots=True)
class Session:
    """One professional logged in once, in one browser."""

    sid: str
    professional: Professional
    auth_time: int
    last_seen: int
    ended: bool = False
    channel: str = ""
    """`CARD` or `MOBILE` of a CIBA login; "" in a browser."""
    clients: set[str] = field(default_factory=set)
    """Services that were given tokens of it: those that a logout is told to."""


@dataclass(slots=True)
class Grant:
    """One authorization code and what it is bound to."""

    code: str
    session: Session
    client_id: str
    redirect_uri: str
    nonce: str
    challenge: str
    state: str
    expires: int
    used: bool = False
    issued: list[str] = field(default_factory=list)
    """`jti` of the tokens it gave: revoked when the code is presented again."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """What one token request mints. `jtis`: access, refresh, ID."""

    access: str
    refresh: str
    id: str
    jtis: tuple[str, ...]
    expires_in: int
    refresh_expires_in: int
    session: Session
    scope: str = _GRANTED_SCOPE


class Realm:
    """Sessions, codes and tokens of one issuer.

    Args:
        key: signs access and ID tokens, published.
        clock: an aware datetime at each call.
        rng: every identifier and secret comes from it.
        professionals: who can log in; more may be added.
    """

    def __init__(
        self,
        *,
        key: rsa.RSAPrivateKey,
        clock: Callable[[], datetime],
        rng: random.Random,
        professionals: Iterable[Professional],
        lifetimes: Lifetimes,
    ) -> None:
        self.issuer = ""
        self.lifetimes = lifetimes
        self.binding: Binding = ""
        self.professionals = {each.id: each for each in professionals}
        self._clock = clock
        self._rng = rng
        self.key = SigningKey(self.new_id(), key)
        self._secret = SigningKey(self.new_id(), rng.randbytes(64))
        self._component = self.new_id()
        self._sessions: dict[str, Session] = {}
        self._grants: dict[str, Grant] = {}
        self._revoked: set[str] = set()

    def now(self) -> int:
        """Seconds since 1970."""
        return int(self._clock().timestamp())

    def new_id(self) -> str:
        """A UUID of version 4."""
        return str(uuid.UUID(int=self._rng.getrandbits(128), version=4))

    # -- sessions ----------------------------------------------------------------------------

    def log_in(self, professional: Professional, channel: str = "") -> Session:
        """A new session; `channel` is that of a CIBA login."""
        now = self.now()
        session = Session(self.new_id(), professional, now, now, channel=channel)
        self._sessions[session.sid] = session
        return session

    def session(self, sid: str | None) -> Session | None:
        """The session of that id, if it is still alive."""
        session = self._sessions.get(sid or "")
        if session is None or session.ended:
            return None
        now = self.now()
        if now >= session.auth_time + self.lifetimes.session:
            return None
        if now >= session.last_seen + self.lifetimes.idle:
            return None
        return session

    def sessions(self) -> tuple[Session, ...]:
        """The sessions that are alive, oldest first."""
        return tuple(one for sid in list(self._sessions) if (one := self.session(sid)))

    def log_out(self, sid: str) -> None:
        """End a session: none of its tokens is active any more."""
        if sid in self._sessions:
            self._sessions[sid].ended = True

    def logout_token(self, session: Session, client_id: str) -> str:
        """What a service is told of the end of a session (Back-Channel Logout 1.0, 2.4)."""
        now = self.now()
        claims = {
            "iss": self.issuer,
            "sub": self.sub(session.professional),
            "aud": client_id,
            "iat": now,
            "exp": now + psc.ACCESS_TOKEN_LIFETIME,
            "jti": self.new_id(),
            "events": {psc.BACKCHANNEL_LOGOUT_EVENT: {}},
            "sid": session.sid,
        }
        return sign(claims, self.key, typ="logout+jwt")

    def sub(self, professional: Professional) -> str:
        """Keycloak's federated id of a professional."""
        return f"f:{self._component}:{professional.id}"

    # -- codes -------------------------------------------------------------------------------

    def grant(
        self,
        session: Session,
        *,
        client_id: str,
        redirect_uri: str,
        nonce: str,
        challenge: str,
        state: str,
    ) -> Grant:
        """A new authorization code."""
        code = f"{self.new_id()}.{session.sid}.{self.new_id()}"
        grant = Grant(
            code=code,
            session=session,
            client_id=client_id,
            redirect_uri=redirect_uri,
            nonce=nonce,
            challenge=challenge,
            state=state,
            expires=self.now() + self.lifetimes.code,
        )
        self._grants[code] = grant
        return grant

    def redeem(self, code: str) -> Grant | None:
        """The grant of a code, once and in time. A second presentation revokes what it gave."""
        grant = self._grants.get(code)
        if grant is None:
            return None
        if grant.used:
            # RFC 6749 4.1.2: the code may have been stolen, so may the tokens.
            self._revoked.update(grant.issued)
            return None
        grant.used = True
        if self.now() >= grant.expires or self.session(grant.session.sid) is None:
            return None
        return grant

    # -- tokens ------------------------------------------------------------------------------

    def mint(
        self, session: Session, client_id: str, nonce: str, certificate: bytes | None = None
    ) -> Tokens:
        """The three tokens of a token request; the session counts as used.

        `certificate` is the client's, in DER: the access token is bound to it as `binding` says.
        """
        now = self.now()
        session.last_seen = now
        session.clients.add(client_id)
        access = self.claims(session, client_id, nonce=nonce, typ="Bearer")
        refresh = self.claims(session, client_id, nonce=nonce, typ="Refresh")
        identity = self.claims(session, client_id, nonce=nonce, typ="ID")
        if certificate is not None and self.binding:
            access["cnf"] = {THUMBPRINT: _THUMBPRINTS[self.binding](certificate)}
        access_token = self.sign(access)
        identity["at_hash"] = at_hash(access_token)
        return Tokens(
            access=access_token,
            refresh=self.sign(refresh),
            id=self.sign(identity),
            jtis=(access["jti"], refresh["jti"], identity["jti"]),
            expires_in=access["exp"] - now,
            refresh_expires_in=refresh["exp"] - now,
            session=session,
        )

    def claims(
        self, session: Session, client_id: str, *, nonce: str, typ: TokenType, age: int = 0
    ) -> dict[str, Any]:
        """The claims of a token issued `age` seconds ago."""
        issued = self.now() - age
        life = self.lifetimes.refresh if typ == "Refresh" else self.lifetimes.access
        professional = session.professional
        claims: dict[str, Any] = {
            "exp": issued + life,
            "iat": issued,
            "auth_time": min(session.auth_time, issued),
            "jti": self.new_id(),
            "iss": self.issuer,
        }
        if typ == "Refresh":
            claims["aud"] = self.issuer
        elif typ == "ID":
            claims["aud"] = client_id
        claims |= {
            "sub": self.sub(professional),
            "typ": typ,
            "azp": client_id,
            "nonce": nonce,
            "session_state": session.sid,
        }
        if typ != "Refresh":
            claims |= {"acr": _GRANTED_ACR, "preferred_username": professional.id}
        if typ != "ID":
            claims["scope"] = _GRANTED_SCOPE
        else:
            claims |= {"SubjectNameID": professional.id, "email_verified": False}
        claims["sid"] = session.sid
        if typ == "Bearer":
            mode = session.channel or professional.auth_mode
            claims |= {"authMode": mode, "otherIds": professional.other_ids}
        return claims

    def sign(self, claims: dict[str, Any], *, key: SigningKey | None = None) -> str:
        """A token of these claims, by the key that suits its `typ` or the one given."""
        own = self._secret if claims["typ"] == "Refresh" else self.key
        return sign(claims, key or own)

    def active(self, token: str, *types: TokenType) -> tuple[dict[str, Any], Session] | None:
        """Claims and session of a token that is good now, of one of these types; else None."""
        for key in (self.key, self._secret):
            try:
                claims = verify(token, key.keys, algorithms=(key.algorithm,)).claims
                check_claims(claims, now=self.now(), issuer=self.issuer)
            except TokenError as error:
                if error.kind == "algorithm":
                    continue
                return None
            if claims.get("typ") not in types or claims.get("jti") in self._revoked:
                return None
            session = self.session(claims.get("sid"))
            return None if session is None else (dict(claims), session)
        return None

    def revoke(self, jti: str) -> None:
        """Make one token inactive."""
        self._revoked.add(jti)
