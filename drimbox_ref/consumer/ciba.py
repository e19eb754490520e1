"""Logging in on another device: CIBA in poll mode, beside everything that the code flow has.

Réf.: OpenID Connect CIBA Core 1.0, 7.1, 10.1, 11, grade: standard; `login_hint` = national
identifier, two digits in `binding_message`, `channel`: PSC documentation page and ANS proxy
e-santé, grade: sample. `access_denied` and `expired_token` end the wait, `slow_down` lengthens it:
the loop of the ANS example does neither.
"""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import urlencode

from drimbox_ref.consumer.values import Ring
from drimbox_ref.psc import PscUnavailable
from drimbox_ref.psc_login import FORM, Grant, LoginRefused, PscClient
from spec.psc import ACR_VALUES, CIBA_GRANT, SCOPE

__all__ = ["TOO_LATE", "CibaClient"]

_USUAL_INTERVAL, _SLOWER = 5, 5
"""Seconds (CIBA Core 7.3 and 11)."""
_LONGEST = 600
TOO_LATE = "Vous n'avez pas répondu à temps : recommencez."
_SAID = {
    "access_denied": "Vous avez refusé la connexion sur votre téléphone ou votre lecteur de carte.",
    "expired_token": TOO_LATE,
    "unknown_user_id": "Pro Santé Connect ne connaît pas cet identifiant national.",
}


class CibaClient(PscClient):
    """A client of PSC that may also ask on a telephone."""

    async def ring(self, national_id: str, *, message: str) -> Ring:
        """Have PSC ask that person; `message` is what both screens show."""
        form = {
            "scope": SCOPE,
            "acr_values": ACR_VALUES,
            "client_id": self._client_id,
            "login_hint": national_id,
            "binding_message": message,
            "channel": "MOBILE",
        }
        status, answer = await self._channel.json(
            "POST",
            await self._channel.endpoint("backchannel_authentication_endpoint"),
            headers=FORM,
            content=urlencode(form).encode("ascii"),
            transaction="PSC-CIBA",
        )
        if status >= 500:
            raise PscUnavailable(f"CIBA : HTTP {status}")
        id = answer.get("auth_req_id")
        if status != 200 or not isinstance(id, str) or not id:
            raise LoginRefused(
                _SAID.get(
                    str(answer.get("error", "")),
                    "Pro Santé Connect n'a pas accepté la demande de connexion.",
                )
            )
        now = self._clock.now()
        return Ring(
            id=id,
            message=message,
            asked=now,
            expires=now + timedelta(seconds=_seconds(answer.get("expires_in"), _LONGEST)),
            interval=timedelta(seconds=_seconds(answer.get("interval"), _USUAL_INTERVAL)),
        )

    async def answered(self, ring: Ring) -> Grant | Ring:
        """The tokens of who accepted, else the same ring, asked now."""
        form = {"grant_type": CIBA_GRANT, "auth_req_id": ring.id, "client_id": self._client_id}
        status, answer = await self._token(form, transaction="PSC-CIBA-poll")
        now = self._clock.now()
        if status == 200:
            return await self._grant(answer, nonce=None)
        match answer.get("error"):
            case "authorization_pending":
                return ring.waited(now)
            case "slow_down":
                return ring.waited(now, ring.interval + timedelta(seconds=_SLOWER))
            case error:
                raise LoginRefused(
                    _SAID.get(str(error), "Pro Santé Connect a refusé la connexion. Recommencez.")
                )


def _seconds(value: object, usual: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value <= _LONGEST:
        return usual
    return value
