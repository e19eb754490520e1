"""The endpoints that browsers visit: the wallet's authorization, the login form, logout."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from protocols.jose import TokenError, verify
from simulators.psc.application import Endpoint, fault_of
from simulators.psc.faults import Returned
from simulators.psc.forging import returned
from simulators.psc.oauth import Client, OAuthError, read_form, read_parameters
from simulators.psc.pages import error_page, goodbye_page, kept_page, login_page
from simulators.psc.realm import Realm, Session
from spec import psc
from wire.http_server import note

__all__ = ["LOGIN_PATH", "FrontChannel"]

LOGIN_PATH = psc.WALLET_AUTHORIZATION + "/login"
_COOKIE = "KIT_PSC_SESSION"
_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
_MAX_PENDING = 1000


@dataclass(frozen=True, slots=True)
class _Request:
    """An authorization request that was found good."""

    client: Client
    redirect_uri: str
    state: str
    nonce: str
    challenge: str
    prompt: str


class FrontChannel:
    """The realm's browser face. `over` is told of each session that a service ends, and of it."""

    def __init__(
        self,
        realm: Realm,
        clients: dict[str, Client],
        *,
        require_pkce: bool,
        over: Callable[[Session, str], Awaitable[object]],
    ) -> None:
        self._over = over
        self._realm = realm
        self._clients = clients
        self._require_pkce = require_pkce
        self._pending: dict[str, _Request] = {}

    def endpoints(self) -> list[Endpoint]:
        """What is served below the host: the wallet's two paths, and the realm's."""
        at = psc.REALM_PATH
        both = ("GET", "POST")
        asked = "PSC-authorize"
        return [
            Endpoint(psc.WALLET_AUTHORIZATION, both, self.authorize, asked, "authorization"),
            Endpoint(LOGIN_PATH, ("POST",), self.log_in, "PSC-login", "login"),
            Endpoint(at + psc.AUTHORIZATION, both, self.wrong_door, asked),
            Endpoint(at + psc.END_SESSION, both, self.log_out, "PSC-logout"),
        ]

    async def authorize(self, request: Request) -> Response:
        """OpenID Connect Core 3.1.2, as PSC restricts it."""
        try:
            if request.method == "POST":
                parameters = await read_form(request)
            else:
                parameters = read_parameters(request.query_params.multi_items())
        except OAuthError as error:
            return _refused(error.description)
        note(request.scope, keys=(parameters.get("state", ""), parameters.get("nonce", "")))
        client = self._clients.get(parameters.get("client_id", ""))
        if client is None:
            return _refused("client_id inconnu")
        note(request.scope, peer=f"navigateur ({client.client_id})")
        redirect_uri = parameters.get("redirect_uri", "")
        if redirect_uri not in client.redirect_uris:
            # RFC 6749 4.1.2.1: never redirect to an address that was not registered.
            return _refused("redirect_uri non enregistrée pour ce client")
        try:
            asked = self._check(parameters, client, redirect_uri)
        except OAuthError as error:
            return self._redirect_error(redirect_uri, parameters.get("state", ""), error)
        session = self._realm.session(request.cookies.get(_COOKIE))
        if session is not None and asked.prompt != "login":
            return self._redirect_code(request, asked, session)
        if asked.prompt == "none":
            refusal = OAuthError(400, "login_required", "aucune session")
            return self._redirect_error(redirect_uri, asked.state, refusal)
        return self._login_form(asked)

    def _check(self, given: dict[str, str], client: Client, redirect_uri: str) -> _Request:
        def required(name: str) -> str:
            if name not in given:
                raise OAuthError(400, "invalid_request", f"{name} absent")
            return given[name]

        if required("response_type") != "code":
            raise OAuthError(400, "unsupported_response_type", "seul code est accordé")
        if given.get("response_mode", "query") != "query":
            raise OAuthError(400, "invalid_request", "response_mode refusé")
        missing = set(psc.SCOPE.split()) - set(given.get("scope", "").split())
        if missing:
            raise OAuthError(400, "invalid_scope", f"scope sans {' '.join(sorted(missing))}")
        if psc.ACR_VALUES not in given.get("acr_values", "").split():
            raise OAuthError(400, "invalid_request", f"acr_values={psc.ACR_VALUES} exigé")
        challenge = given.get("code_challenge", "")
        if challenge or self._require_pkce:
            if given.get("code_challenge_method") != "S256":
                raise OAuthError(400, "invalid_request", "code_challenge_method=S256 exigé")
            if not _CHALLENGE.fullmatch(challenge):
                raise OAuthError(400, "invalid_request", "code_challenge illisible")
        return _Request(
            client=client,
            redirect_uri=redirect_uri,
            state=required("state"),
            nonce=required("nonce"),
            challenge=challenge,
            prompt=given.get("prompt", ""),
        )

    def _login_form(self, asked: _Request) -> Response:
        if len(self._pending) >= _MAX_PENDING:
            del self._pending[next(iter(self._pending))]
        demand = self._realm.new_id()
        self._pending[demand] = asked
        page = login_page(
            action=LOGIN_PATH,
            hidden={"demande": demand},
            client=asked.client.client_id,
            professionals=self._realm.professionals.values(),
        )
        return HTMLResponse(page, headers={"cache-control": "no-store"})

    async def log_in(self, request: Request) -> Response:
        """The login form comes back: on to the client with a code, or with access_denied."""
        try:
            form = await read_form(request)
        except OAuthError as error:
            return _refused(error.description)
        asked = self._pending.pop(form.get("demande", ""), None)
        if asked is None:
            return _refused("demande de connexion inconnue ou déjà servie")
        note(
            request.scope,
            peer=f"navigateur ({asked.client.client_id})",
            keys=(asked.state, asked.nonce),
        )
        if form.get("action") != "confirmer":
            refusal = OAuthError(400, "access_denied", "connexion annulée")
            return self._redirect_error(asked.redirect_uri, asked.state, refusal)
        professional = self._realm.professionals.get(form.get("professionnel", ""))
        if professional is None:
            return self._login_form(asked)
        session = self._realm.log_in(professional)
        answer = self._redirect_code(request, asked, session)
        answer.set_cookie(
            _COOKIE,
            session.sid,
            httponly=True,
            secure=request.url.scheme == "https",
            samesite="lax",
        )
        return answer

    async def wrong_door(self, request: Request) -> Response:
        """Keycloak's own authorization endpoint, advertised by the vanilla document only."""
        note(request.scope, detail="keycloak")
        return _refused(
            "Point d'entrée de Keycloak : Pro Santé Connect se demande à l'adresse que donne "
            "wallet-openid-configuration.",
            status=403,
        )

    async def log_out(self, request: Request) -> Response:
        """OpenID Connect RP-Initiated Logout 1.0; `id_token_hint` is demanded, even expired."""
        try:
            if request.method == "POST":
                given = await read_form(request)
            else:
                given = read_parameters(request.query_params.multi_items())
            claims = verify(given.get("id_token_hint", ""), self._realm.key.keys).claims
        except (OAuthError, TokenError):
            return _refused("id_token_hint absent ou invalide")
        if claims.get("typ") != "ID":
            return _refused("id_token_hint n'est pas un jeton d'identité")
        sid = str(claims["sid"])
        note(request.scope, keys=(sid, str(claims["jti"]), given.get("state", "")))
        client = self._clients.get(str(claims["azp"]))
        target = given.get("post_logout_redirect_uri", "")
        if target and (client is None or target not in client.post_logout_redirect_uris):
            return _refused("post_logout_redirect_uri non enregistrée pour ce client")
        ended = self._realm.session(sid)
        self._realm.log_out(sid)
        if ended is not None:
            await self._over(ended, str(claims["azp"]))
        answer: Response = HTMLResponse(goodbye_page())
        if target:
            state = {"state": given["state"]} if "state" in given else {}
            answer = RedirectResponse(_with(target, state), status_code=302)
        answer.delete_cookie(_COOKIE)
        return answer

    def _redirect_code(self, request: Request, asked: _Request, session: Session) -> Response:
        struck = fault_of(request)
        lie = Returned(struck.text("quoi")) if struck and struck.kind == "retour" else None
        grant = self._realm.grant(
            session,
            client_id="kit-autre-service"
            if lie is Returned.OTHER_CLIENT
            else asked.client.client_id,
            redirect_uri=asked.redirect_uri,
            nonce=asked.nonce,
            challenge=asked.challenge,
            state=asked.state,
        )
        note(request.scope, keys=(grant.code, session.sid))
        answer = {
            "state": asked.state,
            "session_state": session.sid,
            "iss": self._realm.issuer,
            "code": grant.code,
        }
        if lie is Returned.KEPT:
            return HTMLResponse(kept_page(_with(asked.redirect_uri, answer)))
        if lie is Returned.USED:
            grant.used = True
        elif lie is not None and lie is not Returned.OTHER_CLIENT:
            answer = returned(answer, lie, other=self._state_of_another(asked))
        return _redirection(_with(asked.redirect_uri, answer))

    def _state_of_another(self, asked: _Request) -> str:
        """The state of the latest browser that the same service sent here, and that waits."""
        waiting = (one for one in reversed(self._pending.values()) if one.client == asked.client)
        return next((one.state for one in waiting), "")

    def _redirect_error(self, redirect_uri: str, state: str, error: OAuthError) -> Response:
        answer = {"error": error.error, "error_description": error.description}
        if state:
            answer["state"] = state
        return _redirection(_with(redirect_uri, answer | {"iss": self._realm.issuer}))


def _redirection(url: str) -> RedirectResponse:
    return RedirectResponse(url, status_code=302, headers={"cache-control": "no-store"})


def _with(url: str, parameters: dict[str, str]) -> str:
    if not parameters:
        return url
    return url + ("&" if urlsplit(url).query else "?") + urlencode(parameters)


def _refused(message: str, *, status: int = 400) -> Response:
    return HTMLResponse(error_page(message), status_code=status)
