"""What the proxy asks of Pro Santé Connect and of authorization servers, for one client.

Each software shows a certificate of its own (ANS proxy e-santé, credentials of type MTLS, grade:
sample). `access_denied` and `expired_token` end the wait for the telephone.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from protocols.oauth import FORM_TYPE, build_form, thumbprint
from spec import api_psc, psc
from wire.http_client import HttpClient, HttpFailure
from wire.tls import ClientTls

__all__ = ["Tokens", "Upstream", "UpstreamRefused", "UpstreamUnavailable"]

_SLOWER_S = 5
"""What `slow_down` adds to the interval (CIBA Core 11)."""


class UpstreamRefused(Exception):
    """PSC or the authorization server says no."""


class UpstreamUnavailable(Exception):
    """One of them gives no usable answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """What PSC gave. Never shown to the software."""

    access: str = field(repr=False)
    id: str = field(repr=False)
    session_state: str


class Upstream:
    """One client of PSC and of authorization servers, by its certificate."""

    def __init__(self, issuer: str, tls: ClientTls, http: HttpClient) -> None:
        self._issuer = issuer
        self._http = http
        assert tls.certificate is not None
        leaf = x509.load_pem_x509_certificates(tls.certificate.read_bytes())[0]
        self._cnf = json.dumps({api_psc.THUMBPRINT: thumbprint(leaf.public_bytes(Encoding.DER))})

    async def log_in(
        self,
        national_id: str,
        *,
        message: str,
        channel: str,
        pause: Callable[[float], Awaitable[None]],
    ) -> Tokens:
        """Have the telephone ring, and wait for its answer; `pause` lets seconds go by.

        Raises:
            UpstreamRefused: unknown, refused, or not answered in time.
            UpstreamUnavailable: PSC gives no usable answer.
        """
        asked = await self._post(
            self._issuer + psc.CIBA,
            {
                "scope": psc.SCOPE,
                "acr_values": psc.ACR_VALUES,
                "login_hint": national_id,
                "binding_message": message,
                "channel": channel,
            },
        )
        if "auth_req_id" not in asked:
            raise UpstreamRefused(str(asked.get("error_description") or asked.get("error")))
        form = {"grant_type": psc.CIBA_GRANT, "auth_req_id": str(asked["auth_req_id"])}
        interval = int(asked.get("interval", 5))
        while True:
            await pause(interval)
            answer = await self._post(self._issuer + psc.TOKEN, form)
            if "access_token" in answer:
                return Tokens(
                    access=str(answer["access_token"]),
                    id=str(answer.get("id_token", "")),
                    session_state=str(answer.get("session_state", "")),
                )
            match answer.get("error"):
                case "authorization_pending":
                    pass
                case "slow_down":
                    interval += _SLOWER_S
                case error:
                    raise UpstreamRefused(str(answer.get("error_description") or error))

    async def exchange(self, access: str, *, token_endpoint: str, scope: str) -> tuple[str, int]:
        """An API token, and its seconds (RFC 8693).

        Raises:
            UpstreamRefused, UpstreamUnavailable: as `log_in`.
        """
        answer = await self._post(
            token_endpoint,
            {
                "grant_type": api_psc.TOKEN_EXCHANGE,
                "subject_token": access,
                "subject_token_type": api_psc.ACCESS_TOKEN,
                "scope": scope,
                "cnf": self._cnf,
            },
        )
        if "access_token" not in answer:
            raise UpstreamRefused(str(answer.get("error_description") or answer.get("error")))
        return str(answer["access_token"]), int(answer.get("expires_in", 0))

    async def log_out(self, id_token: str) -> None:
        """End the session at PSC; what it answers changes nothing here."""
        try:
            await self._http.request(
                "POST",
                self._issuer + psc.END_SESSION,
                headers=(("Content-Type", FORM_TYPE),),
                content=build_form({"id_token_hint": id_token}),
            )
        except HttpFailure:
            return

    async def _post(self, url: str, form: Mapping[str, str]) -> Mapping[str, Any]:
        try:
            answer = await self._http.request(
                "POST", url, headers=(("Content-Type", FORM_TYPE),), content=build_form(form)
            )
            said = json.loads(answer.body)
        except (HttpFailure, ValueError) as error:
            raise UpstreamUnavailable(str(error)) from error
        if answer.status >= 500 or not isinstance(said, dict):
            raise UpstreamUnavailable(f"HTTP {answer.status}")
        return said
