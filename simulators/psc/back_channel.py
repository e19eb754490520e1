"""The endpoints that servers call: discovery, keys, token, introspection, userinfo, revocation."""

from __future__ import annotations

import re
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from protocols.jose import TokenError, read, s256
from simulators.psc import discovery
from simulators.psc.application import Endpoint, struck_by
from simulators.psc.ciba import Ciba
from simulators.psc.oauth import NO_STORE, Client, OAuthError, authenticate, read_form
from simulators.psc.professionals import userinfo
from simulators.psc.realm import Realm, Tokens, TokenType
from spec import psc
from wire.http_server import note, peer_chain

__all__ = ["BackChannel"]

_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")
"""RFC 7636 section 4.1."""


class BackChannel:
    """The realm's server-to-server face."""

    def __init__(
        self, realm: Realm, clients: dict[str, Client], ciba: Ciba, *, rotate_refresh: bool
    ) -> None:
        self._realm = realm
        self._clients = clients
        self._ciba = ciba
        self._rotate_refresh = rotate_refresh
        self.wallet = ""
        """URL of the wallet's authorization endpoint."""

    def endpoints(self) -> list[Endpoint]:
        """What is served below the host, under the realm's path."""
        at = psc.REALM_PATH
        get, post, both = ("GET",), ("POST",), ("GET", "POST")
        found = "PSC-discovery"
        return [
            Endpoint(at + psc.DISCOVERY, get, self.wallet_discovery, found, "discovery"),
            Endpoint(at + psc.VANILLA_DISCOVERY, get, self.vanilla_discovery, found),
            Endpoint(at + psc.CERTS, get, self.certs, "PSC-JWKS", "certs"),
            Endpoint(at + psc.TOKEN, post, self.token, "PSC-token", "token"),
            Endpoint(
                at + psc.INTROSPECTION, post, self.introspect, "introspection", "introspection"
            ),
            Endpoint(at + psc.USERINFO, both, self.userinfo, "PSC-userinfo", "userinfo"),
            Endpoint(at + psc.REVOCATION, post, self.revoke, "PSC-revoke"),
        ]

    async def wallet_discovery(self, request: Request) -> Response:
        """The document that a PSC client must read."""
        note(request.scope, detail="wallet")
        return JSONResponse(discovery.document(self._realm.issuer, self.wallet))

    async def vanilla_discovery(self, request: Request) -> Response:
        """Keycloak's own: right in everything but the authorization endpoint."""
        note(request.scope, detail="keycloak")
        issuer = self._realm.issuer
        return JSONResponse(discovery.document(issuer, issuer + psc.AUTHORIZATION))

    async def certs(self, request: Request) -> Response:
        """The realm's public key."""
        return JSONResponse({"keys": [self._realm.key.public_jwk]})

    async def token(self, request: Request) -> Response:
        """RFC 6749 4.1.3 and 6, with PKCE (RFC 7636) and mutual TLS (RFC 8705 section 2)."""
        form = await read_form(request)
        grant_type = form.get("grant_type", "")
        if grant_type == "refresh_token":
            note(request.scope, transaction="PSC-refresh")
        client = authenticate(request, form, self._clients)
        note(request.scope, peer=client.client_id)
        if grant_type == "authorization_code":
            tokens = self._redeem(request, form, client)
        elif grant_type == "refresh_token":
            tokens = self._refresh(request, form, client)
        elif grant_type == psc.CIBA_GRANT:
            tokens = self._ciba.redeem(request, form, client)
        elif not grant_type:
            raise OAuthError(400, "invalid_request", "grant_type absent")
        else:
            # Advertised by the discovery document, granted to nobody here.
            raise OAuthError(400, "unsupported_grant_type", f"grant_type {grant_type} refusé")
        note(request.scope, keys=(*tokens.jtis, tokens.session.sid))
        return JSONResponse(
            {
                "access_token": tokens.access,
                "expires_in": tokens.expires_in,
                "refresh_expires_in": tokens.refresh_expires_in,
                "refresh_token": tokens.refresh,
                "token_type": "Bearer",
                "id_token": tokens.id,
                "not-before-policy": 0,
                "session_state": tokens.session.sid,
                "scope": tokens.scope,
            },
            headers=NO_STORE,
        )

    def _redeem(self, request: Request, form: dict[str, str], client: Client) -> Tokens:
        code = _required(form, "code")
        redirect_uri = _required(form, "redirect_uri")
        note(request.scope, keys=[code])
        grant = self._realm.redeem(code)
        if grant is None:
            raise OAuthError(400, "invalid_grant", "code inconnu, expiré ou déjà utilisé")
        note(request.scope, keys=(grant.state, grant.session.sid))
        if grant.client_id != client.client_id:
            raise OAuthError(400, "invalid_grant", "code d'un autre client")
        if grant.redirect_uri != redirect_uri:
            raise OAuthError(400, "invalid_grant", "redirect_uri différente")
        if grant.challenge:
            verifier = form.get("code_verifier", "")
            if not _VERIFIER.fullmatch(verifier) or s256(verifier) != grant.challenge:
                raise OAuthError(400, "invalid_grant", "code_verifier absent ou faux")
        tokens = self._realm.mint(
            grant.session, client.client_id, grant.nonce, peer_chain(request.scope)[0]
        )
        grant.issued += tokens.jtis
        return tokens

    def _refresh(self, request: Request, form: dict[str, str], client: Client) -> Tokens:
        token = _required(form, "refresh_token")
        found = self._realm.active(token, "Refresh")
        note(request.scope, keys=_names(token))
        if found is None:
            raise OAuthError(400, "invalid_grant", "jeton de rafraîchissement inactif")
        claims, session = found
        if claims["azp"] != client.client_id:
            raise OAuthError(400, "invalid_grant", "jeton d'un autre client")
        if self._rotate_refresh:
            self._realm.revoke(claims["jti"])
        return self._realm.mint(
            session, client.client_id, claims["nonce"], peer_chain(request.scope)[0]
        )

    async def introspect(self, request: Request) -> Response:
        """RFC 7662. PSC adds `SubjectNameID` for access tokens only (PSC documentation)."""
        form = await read_form(request)
        client = authenticate(request, form, self._clients)
        note(request.scope, peer=client.client_id)
        if not client.may_introspect:
            raise OAuthError(403, "unauthorized_client", "introspection non accordée à ce client")
        token = _required(form, "token")
        note(request.scope, keys=_names(token))
        found = self._realm.active(token, "Bearer", "Refresh")
        if found is None:
            return JSONResponse({"active": False}, headers=NO_STORE)
        claims, session = found
        answer: dict[str, Any] = {**claims}
        answer.pop("aud", None)  # no `aud` in PSC's answers
        answer["acr"] = claims.get("acr", "eidas3")
        answer["preferred_username"] = session.professional.id
        if claims["typ"] == "Bearer":
            answer["SubjectNameID"] = session.professional.id
        answer |= {
            "client_id": claims["azp"],
            "username": session.professional.id,
            "active": True,
        }
        return JSONResponse(answer, headers=NO_STORE)

    async def userinfo(self, request: Request) -> Response:
        """OpenID Connect Core 5.3; errors of RFC 6750 section 3."""
        values = request.headers.getlist("authorization")
        if not values:
            return Response(status_code=401, headers={"www-authenticate": _BEARER})
        scheme, _, token = values[0].partition(" ")
        if len(values) > 1 or scheme.lower() != "bearer" or not token.strip():
            raise _bearer_error(400, "invalid_request", "un seul Authorization: Bearer attendu")
        token = token.strip()
        note(request.scope, keys=_names(token))
        found = self._realm.active(token, *_TAKEN.get(struck_by(request), _ACCESS))
        if found is None:
            raise _bearer_error(401, "invalid_token", "jeton d'accès inactif")
        claims, session = found
        if "openid" not in claims.get("scope", psc.SCOPE).split():
            raise _bearer_error(403, "insufficient_scope", "scope openid absent")
        return JSONResponse(userinfo(session.professional, claims["sub"]), headers=NO_STORE)

    async def revoke(self, request: Request) -> Response:
        """RFC 7009: 200 whatever the token is worth."""
        form = await read_form(request)
        client = authenticate(request, form, self._clients)
        token = _required(form, "token")
        note(request.scope, peer=client.client_id, keys=_names(token))
        found = self._realm.active(token, "Bearer", "Refresh")
        if found is not None and found[0]["azp"] == client.client_id:
            self._realm.revoke(found[0]["jti"])
        return Response(status_code=200, headers=NO_STORE)


_BEARER = 'Bearer realm="esante-wallet"'
_ACCESS: tuple[TokenType, ...] = ("Bearer",)
_TAKEN: dict[str, tuple[TokenType, ...]] = {"tout-jeton": ("Bearer", "Refresh", "ID")}
"""Fault -> the types of tokens that userinfo takes under it."""


def _bearer_error(status: int, error: str, description: str) -> OAuthError:
    return OAuthError(status, error, description, challenge=f'{_BEARER}, error="{error}"')


def _required(form: dict[str, str], name: str) -> str:
    value = form.get(name)
    if value is None:
        raise OAuthError(400, "invalid_request", f"{name} absent")
    return value


def _names(token: str) -> tuple[str, ...]:
    """The identifiers that a token, good or not, carries: attribution follows them."""
    try:
        claims = read(token).claims
    except TokenError:
        return ()
    return tuple(str(claims[name]) for name in ("jti", "sid") if claims.get(name))
