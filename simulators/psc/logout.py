"""Back-channel logout: every service of a session is told that it is over.

Réf.: OpenID Connect Back-Channel Logout 1.0, 2.4, 2.5, 2.7, grade: standard; that PSC supports it:
its discovery document, grade: sample.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from urllib.parse import urlencode

from protocols.jose import read
from simulators.psc.faults import Forged
from simulators.psc.forging import logout_token
from simulators.psc.oauth import Client
from simulators.psc.realm import Realm, Session
from wire.exchange import Observe
from wire.http_client import HttpClient, HttpFailure
from wire.tls import ClientTls

__all__ = ["BackChannelLogout"]

_TIMEOUT_S = 5.0
_FORM = (("Content-Type", "application/x-www-form-urlencoded"),)


class BackChannelLogout:
    """Posts logout tokens to the services that registered an address for them."""

    def __init__(
        self,
        realm: Realm,
        clients: dict[str, Client],
        *,
        tls: ClientTls,
        connect_to: Mapping[str, str],
        observe: Observe,
    ) -> None:
        self._realm = realm
        self._clients = clients
        self._tls = tls
        self._connect_to = connect_to
        self._observe = observe

    async def tell(self, session: Session, *, but: Collection[str] = ()) -> dict[str, int]:
        """Tell the services of that session, `but` those; client_id -> HTTP status, 0 of none."""
        answers = {}
        async with self._http() as http:
            for id in sorted(session.clients.difference(but)):
                client = self._clients.get(id)
                if client is not None and client.backchannel_logout_uri:
                    answers[id] = await self._post(http, client, session)
        return answers

    async def forge(self, session: Session, client_id: str, lie: Forged) -> int:
        """Post a wrong logout token to that service, the session going on; status, 0 of none."""
        client = self._clients[client_id]
        right = self._realm.logout_token(session, client_id)
        others = (self._realm.sub(one) for one in self._realm.professionals.values())
        other = next(one for one in others if one != self._realm.sub(session.professional))
        async with self._http() as http:
            token = logout_token(right, lie, self._realm, other)
            return await self._post(http, client, session, token)

    def _http(self) -> HttpClient:
        # A client of its own each time: services come after PSC, and so do their addresses.
        return HttpClient(
            actor="psc",
            observe=self._observe,
            tls=self._tls,
            connect_to=self._connect_to,
            timeout=_TIMEOUT_S,
        )

    async def _post(
        self, http: HttpClient, client: Client, session: Session, token: str = ""
    ) -> int:
        token = token or self._realm.logout_token(session, client.client_id)
        try:
            answer = await http.request(
                "POST",
                client.backchannel_logout_uri,
                headers=_FORM,
                content=urlencode({"logout_token": token}).encode("ascii"),
                transaction="PSC-logout-token",
                keys=(session.sid, str(read(token).claims["jti"])),
                peer=client.client_id,
            )
        except HttpFailure:
            return 0
        return answer.status
