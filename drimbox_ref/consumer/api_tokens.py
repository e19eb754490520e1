"""The tokens of the DMP's API: a PSC token exchanged for one that is bound to our certificate.

The Consumer is its own proxy e-santé here (CI-SIS: the proxy's functions and the software may be
one program): no token leaves the server. An API token serves until it expires, so that the PSC
token is used once for it. Réf.: RFC 8693 2, RFC 8705 2 and 3, grade: standard; parameters and
certificate (ORG AUTH_CLI of the structure): CI-SIS, "API Pro Santé Connectée", flows 14 to 16,
grade: faq; `actor_token`: the same, "données métiers".
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding

from drimbox_ref.config import Identity
from drimbox_ref.consumer.config import Api
from drimbox_ref.consumer.ports import Clock, Tokens
from drimbox_ref.consumer.sessions import ApiToken, Login
from drimbox_ref.consumer.values import Authorization, Situation
from drimbox_ref.credentials import Credentials, load_chain
from drimbox_ref.dmp import PeerUnavailable, Rejected
from drimbox_ref.psc import PscUnavailable
from drimbox_ref.psc_login import LoginExpired
from protocols.oauth import FORM_TYPE, build_form, thumbprint, thumbprint_in_hex, unsigned
from spec import api_psc
from wire.exchange import ignore
from wire.http_client import HttpClient, HttpFailure
from wire.tls import ClientTls

__all__ = ["ExchangedTokens", "NoTokens"]

_HEADERS = (("Content-Type", FORM_TYPE), ("Accept", "application/json"))
_LONGEST_S = 4 * 3600
"""The volet recommends four hours at most: a server that says more is not believed."""


class NoTokens:
    """Mutual TLS and VIHF are all that the DMP wants (`acces_dmp = lps_mtls`)."""

    def authorize(
        self, login: Login, situation: Situation, credentials: Credentials, tokens: Tokens
    ) -> Authorization:
        """Nothing to show."""
        return self

    async def token(self) -> str:
        """None."""
        return ""

    async def replace(self, refused: str) -> str:
        """None either."""
        return ""

    async def close(self) -> None:
        """Nothing is open."""


class ExchangedTokens:
    """Exchanges PSC tokens at the DMP's authorization server, each login for itself.

    Args:
        api: where it is, and what it is asked.
        lps: what the actor token says of the software.
        margin_s: a token with less than that left is exchanged anew.
        in_hex: write `cnf` as the examples of the ANS do, not as RFC 8705 says.
    """

    def __init__(
        self,
        api: Api,
        *,
        lps: Identity,
        clock: Clock,
        connect_to: Mapping[str, str],
        timeout_s: float,
        margin_s: float,
        in_hex: bool,
    ) -> None:
        self._api = api
        self._lps = lps
        self._clock = clock
        self._connect_to = connect_to
        self._timeout = timeout_s
        self._margin = timedelta(seconds=margin_s)
        self._thumbprint = thumbprint_in_hex if in_hex else thumbprint
        self._clients: dict[str, tuple[HttpClient, str]] = {}
        """Structure -> the way to the server, and the thumbprint of what is shown there."""

    def authorize(
        self, login: Login, situation: Situation, credentials: Credentials, tokens: Tokens
    ) -> Authorization:
        """The tokens of that login in that situation."""
        return _Held(self, login, situation, credentials, tokens)

    async def close(self) -> None:
        """Close every connection."""
        for client, _ in self._clients.values():
            await client.aclose()

    async def token(
        self,
        login: Login,
        situation: Situation,
        credentials: Credentials,
        tokens: Tokens,
        *,
        but: str = "",
    ) -> str:
        """The token held when enough of it is left and it is not `but`, else a new one.

        Raises:
            Rejected: the server refuses the exchange.
            PeerUnavailable: it does not answer, nor does PSC, or the session is over.
        """
        async with login.api_lock:
            held = login.api_tokens.get(situation.key)
            fresh = held is not None and held.expires - self._clock.now() >= self._margin
            if held is None or not fresh or held.value == but:
                held = await self._exchange(login, situation, credentials, tokens)
                login.api_tokens[situation.key] = held
            return held.value

    async def _exchange(
        self, login: Login, situation: Situation, credentials: Credentials, tokens: Tokens
    ) -> ApiToken:
        try:
            subject = await tokens.access(login)
        except LoginExpired as error:
            raise PeerUnavailable("la session Pro Santé Connect est terminée") from error
        except PscUnavailable as error:
            raise PeerUnavailable(f"Pro Santé Connect : {error}") from error
        client, shown = self._client(credentials)
        now = self._clock.now()
        form = {
            "grant_type": api_psc.TOKEN_EXCHANGE,
            "subject_token": subject,
            "subject_token_type": api_psc.ACCESS_TOKEN,
            "scope": self._api.scope,
            "cnf": json.dumps({api_psc.THUMBPRINT: shown}),
            "actor_token": unsigned(
                {
                    "iss": self._api.client_id,
                    "sub": login.professional.id,
                    "exp": int(now.timestamp()) + 60,
                    "lps_nom": self._lps.lps_name,
                    "lps_id": self._lps.lps_id,
                    "lps_version": self._lps.lps_version,
                    "situation_exercice": situation.structure,
                }
            ),
            "actor_token_type": api_psc.JWT,
        }
        answer = await self._ask(client, form)
        token, seconds = answer.get("access_token"), answer.get("expires_in")
        if not isinstance(token, str) or not token or not token.isascii():
            raise PeerUnavailable("échange de jeton : réponse sans access_token")
        if isinstance(seconds, bool) or not isinstance(seconds, int) or seconds < 0:
            seconds = 0  # RFC 6749 5.1: it did not say, so it serves once
        return ApiToken(value=token, expires=now + timedelta(seconds=min(seconds, _LONGEST_S)))

    async def _ask(self, client: HttpClient, form: Mapping[str, str]) -> Mapping[str, Any]:
        try:
            response = await client.request(
                "POST",
                self._api.token_endpoint,
                headers=_HEADERS,
                content=build_form(form),
                transaction="API-PSC-token",
                peer="api-psc",
            )
        except HttpFailure as error:
            raise PeerUnavailable(f"échange de jeton : {error}") from error
        try:
            answer = json.loads(response.body)
        except (ValueError, RecursionError):
            answer = None
        if response.status == 200 and isinstance(answer, dict):
            if str(answer.get("token_type", "")).lower() != "bearer":
                raise PeerUnavailable("échange de jeton : jeton d'un type inconnu")
            return answer
        if response.status < 400 or response.status >= 500:
            raise PeerUnavailable(f"échange de jeton : HTTP {response.status}")
        said = answer if isinstance(answer, dict) else {}
        error_code = str(said.get("error", f"HTTP {response.status}"))
        raise Rejected(
            "votre jeton Pro Santé Connect n'a pas été échangé contre un accès au DMP "
            f"({said.get('error_description') or error_code})",
            [error_code],
        )

    def _client(self, credentials: Credentials) -> tuple[HttpClient, str]:
        found = self._clients.get(credentials.structure)
        if found is None:
            certificate = Path(credentials.tls_certificate)
            client = HttpClient(
                actor="consumer",
                observe=ignore,
                tls=ClientTls(
                    trust=self._api.trust, certificate=certificate, key=Path(credentials.tls_key)
                ),
                connect_to=self._connect_to,
                timeout=self._timeout,
            )
            leaf = load_chain(certificate)[0].public_bytes(Encoding.DER)
            found = client, self._thumbprint(leaf)
            self._clients[credentials.structure] = found
        return found


class _Held:
    """One login, in one situation."""

    def __init__(
        self,
        owner: ExchangedTokens,
        login: Login,
        situation: Situation,
        credentials: Credentials,
        tokens: Tokens,
    ) -> None:
        self._owner = owner
        self._of = login, situation, credentials, tokens

    async def token(self) -> str:
        return await self._owner.token(*self._of)

    async def replace(self, refused: str) -> str:
        return await self._owner.token(*self._of, but=refused)
