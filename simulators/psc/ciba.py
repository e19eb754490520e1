"""CIBA in poll mode: a server asks PSC to authenticate somebody on another device, then waits.

Réf.: OpenID Connect CIBA Core 1.0, 7, 10.1, 11 and 13, grade: standard; `channel`, two digits in
`binding_message`, `login_hint` = national identifier: PSC documentation page and ANS proxy
e-santé, grade: sample.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from protocols.jose import read, sign
from simulators.psc.application import Endpoint, fault_of
from simulators.psc.faults import Polled, Stranger
from simulators.psc.oauth import NO_STORE, Client, OAuthError, authenticate, read_form
from simulators.psc.phone import Answer, Asked, Phone
from simulators.psc.professionals import Professional
from simulators.psc.realm import Realm, Tokens
from spec import psc
from wire.http_server import note, peer_chain

__all__ = ["Ciba"]

_BINDING = re.compile(psc.BINDING_MESSAGE)
_SLOWER = 5
"""Seconds that `slow_down` adds to the interval (CIBA Core 11)."""


@dataclass(slots=True)
class _Pending:
    """A request that was accepted by the endpoint, and what became of it."""

    asked: Asked
    professional: Professional
    expires: int
    interval: int
    polled: int
    """When it was asked or polled last."""


class Ciba:
    """The back-channel authentication endpoint, and its grant of the token endpoint."""

    def __init__(self, realm: Realm, clients: dict[str, Client], phone: Phone) -> None:
        self._realm = realm
        self._clients = clients
        self._phone = phone
        self._pending: dict[str, _Pending] = {}
        self.lifetime = psc.CIBA_LIFETIME
        self.interval = psc.CIBA_INTERVAL

    def endpoints(self) -> list[Endpoint]:
        """What is served below the host, under the realm's path."""
        path = psc.REALM_PATH + psc.CIBA
        return [Endpoint(path, ("POST",), self.ask, "PSC-CIBA", "ciba")]

    async def ask(self, request: Request) -> Response:
        """An authentication request (CIBA Core 7.1): the telephone rings."""
        form = await read_form(request)
        client = authenticate(request, form, self._clients)
        note(request.scope, peer=client.client_id)
        professional = self._checked(form, client)
        asked = Asked(
            auth_req_id=self._realm.new_id(),
            professional=professional.id,
            client_id=client.client_id,
            message=form.get("binding_message", ""),
            channel=form.get("channel", "MOBILE"),
        )
        now = self._realm.now()
        for old in [id for id, one in self._pending.items() if now >= one.expires + self.lifetime]:
            del self._pending[old]
        self._pending[asked.auth_req_id] = _Pending(
            asked, professional, now + self.lifetime, self.interval, now
        )
        note(request.scope, keys=[asked.auth_req_id])
        self._phone.ring(asked)
        answer = {
            "auth_req_id": asked.auth_req_id,
            "expires_in": self.lifetime,
            "interval": self.interval,
        }
        return JSONResponse(answer, headers=NO_STORE)

    def _checked(self, form: dict[str, str], client: Client) -> Professional:
        if not client.ciba:
            raise OAuthError(400, "unauthorized_client", "CIBA n'est pas ouvert à ce client")
        missing = set(psc.SCOPE.split()) - set(form.get("scope", "").split())
        if missing:
            raise OAuthError(400, "invalid_scope", f"scope sans {' '.join(sorted(missing))}")
        if psc.ACR_VALUES not in form.get("acr_values", "").split():
            raise OAuthError(400, "invalid_request", f"acr_values={psc.ACR_VALUES} exigé")
        hints = [
            name for name in ("login_hint", "login_hint_token", "id_token_hint") if name in form
        ]
        if hints != ["login_hint"]:
            raise OAuthError(400, "invalid_request", "login_hint attendu, et lui seul")
        if not _BINDING.fullmatch(form.get("binding_message", "")):
            raise OAuthError(400, "invalid_binding_message", "deux chiffres attendus")
        if form.get("channel", "MOBILE") not in psc.CHANNELS:
            raise OAuthError(400, "invalid_request", f"channel : {' ou '.join(psc.CHANNELS)}")
        professional = self._realm.professionals.get(form["login_hint"])
        if professional is None:
            raise OAuthError(400, "unknown_user_id", "identifiant national inconnu")
        return professional

    def redeem(self, request: Request, form: dict[str, str], client: Client) -> Tokens:
        """The tokens of a request that was accepted on the telephone (CIBA Core 10.1, 11).

        Raises:
            OAuthError: not accepted, not yet, no more, or not this client's.
        """
        note(request.scope, transaction="PSC-CIBA-poll")
        if "auth_req_id" not in form:
            raise OAuthError(400, "invalid_request", "auth_req_id absent")
        id = form["auth_req_id"]
        note(request.scope, keys=[id])
        pending = self._pending.get(id)
        if pending is None or pending.asked.client_id != client.client_id:
            raise OAuthError(400, "invalid_grant", "auth_req_id inconnu ou déjà servi")
        now = self._realm.now()
        if now >= pending.expires:
            raise OAuthError(400, "expired_token", "le professionnel n'a pas répondu à temps")
        if now - pending.polled < pending.interval:
            pending.interval += _SLOWER
            raise OAuthError(400, "slow_down", f"une demande toutes les {pending.interval} s")
        pending.polled = now
        struck = fault_of(request)
        if struck is not None and struck.kind == "interrogation":
            self._answer(pending, Polled(struck.text("erreur")))
        if pending.asked.answer is Answer.REFUSE:
            del self._pending[id]
            raise OAuthError(400, "access_denied", "le professionnel a refusé")
        if pending.asked.answer is Answer.IGNORE:
            raise OAuthError(400, "authorization_pending", "le professionnel n'a pas répondu")
        del self._pending[id]
        stranger = None
        if struck is not None and struck.kind == "autre-identite":
            stranger = Stranger(struck.text("quoi"))
        return self._minted(
            pending, client.client_id, peer_chain(request.scope)[0], stranger=stranger
        )

    def _answer(self, pending: _Pending, error: Polled) -> None:
        """That error, whatever was done with the telephone; all but two of them end the request.

        Raises:
            OAuthError: always.
        """
        if error is Polled.SLOWER:
            pending.interval += _SLOWER
        elif error is not Polled.PENDING:
            del self._pending[pending.asked.auth_req_id]
        raise OAuthError(400, error.value, "panne demandée")

    def _minted(
        self,
        pending: _Pending,
        client_id: str,
        certificate: bytes | None,
        *,
        stranger: Stranger | None,
    ) -> Tokens:
        realm, channel = self._realm, pending.asked.channel
        if stranger is None:
            session = realm.log_in(pending.professional, channel)
            return realm.mint(session, client_id, "", certificate)
        other = next(one for one in realm.professionals.values() if one != pending.professional)
        if stranger is Stranger.SESSION:
            return realm.mint(realm.log_in(other, channel), client_id, "", certificate)
        right = realm.mint(realm.log_in(pending.professional, channel), client_id, "", certificate)
        claims = {
            **read(right.id).claims,
            "sub": realm.sub(other),
            "preferred_username": other.id,
            "SubjectNameID": other.id,
        }
        return replace(right, id=sign(claims, realm.key))
