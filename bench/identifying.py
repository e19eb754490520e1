"""Who the radiologist is, as the steps speak of it: tokens exchanged for the DMP, sessions ended.

Réf.: CI-SIS, "API Pro Santé Connectée", flows 14 to 17, grade: faq; OpenID Connect Back-Channel
Logout 1.0, grade: standard.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from bench.consulted import by_consumer
from bench.consulting import Consulting
from bench.feed import Seen
from bench.outcomes import CannotVerify, NotClaimed, Refused
from simulators.api_psc import ApiPsc, ExchangeError
from simulators.user import UserError
from spec.api_psc import TOKEN_EXCHANGE
from wire.http_client import HttpFailure

__all__ = ["Identifying"]

_REFUSAL = ExchangeError(400, "invalid_target", "service non ouvert à ce client (banc)")


@dataclass(slots=True)
class Identifying:
    """Pro Santé Connect and the authorization server of the DMP's API, around a Consumer."""

    consulting: Consulting
    answers: dict[str, int] = field(default_factory=dict)
    """What services answered to the logout token: client_id -> HTTP status, 0 of none."""

    # -- Étant donné, Quand ------------------------------------------------------------------

    def refuse_exchanges(self) -> None:
        """From now on."""
        self._server().refusal = _REFUSAL

    def accept_exchanges(self) -> None:
        """As usual."""
        server = self.consulting.story.bed.simulators.api_psc
        if server is not None:
            server.refusal = None

    def end_session(self) -> None:
        """PSC ends the session of the radiologist, says so, and the page is asked for again.

        Raises:
            NotClaimed: the profile says that the product takes no logout token.
            CannotVerify: PSC is a real one, or knows of no session.
            Refused: the Consumer does not answer any more.
        """
        story, user = self.consulting.story, self.consulting.user
        if story.stage.profile.options.get("back_channel_logout") == "non":
            raise NotClaimed("KIT-FIN-SESSION : options.back_channel_logout est « non »")
        psc = story.bed.simulators.psc
        if psc is None:
            raise CannotVerify(
                story.stage.profile.neighbours.of("psc").cannot("n'y termine aucune session")
            )
        reader = story.bed.site.reader
        # The latest is that of the page shown: sessions come oldest first.
        session = next((s for s in reversed(psc.sessions) if s.professional.id == reader), None)
        if session is None or user is None:
            raise CannotVerify("Pro Santé Connect n'a pas de session de ce radiologue")
        self.answers = story.bed.call(psc.log_out, session.sid)
        try:
            self.consulting.page = story.bed.call(user.reload)
        except (HttpFailure, UserError) as error:
            raise Refused(f"la page ne répond plus : {error}") from error

    # -- Alors -------------------------------------------------------------------------------

    def expect_exchanged(self) -> None:
        """One exchange since the RIS called, that the server granted."""
        self._server()
        stage = self.consulting.story.stage
        found = stage.await_exchanges(
            "API-PSC-token",
            "la Consommatrice échange le jeton de Pro Santé Connect (RFC 8693)",
            since=self.consulting.called,
        )
        granted = [seen for seen in found if _granted(seen)]
        stage.await_exchanges("ITI-43", "la Consommatrice lit le KOS dans le DMP")
        every = [
            seen
            for seen in stage.feed.since(self.consulting.called)
            if seen.exchange.transaction == "API-PSC-token"
        ]
        stage.expect(
            "le jeton de Pro Santé Connect ne sert qu'à un échange, qui est accordé",
            len(every) == len(granted) == 1,
            expected=f"1 échange ({TOKEN_EXCHANGE})",
            actual=f"{len(every)} échange(s), {len(granted)} accordé(s)",
            exchanges=[seen.id for seen in every],
        )

    def expect_borne(self) -> None:
        """Every request to the DMP shows the API token that was granted."""
        self._server()
        stage = self.consulting.story.stage
        since = self.consulting.called
        tokens = {
            token
            for seen in stage.feed.since(since)
            if seen.exchange.transaction == "API-PSC-token" and (token := _granted(seen))
        }
        asked = by_consumer(self.consulting.story, "TD0.2", "ITI-18", "ITI-43")
        without = [seen for seen in asked if _bearer(seen) not in tokens]
        stage.expect(
            "chaque demande au DMP porte le jeton de son API, à côté du VIHF",
            bool(asked) and not without,
            expected="Authorization: Bearer, le jeton reçu de l'échange",
            actual=f"{len(asked)} demande(s), dont {len(without)} sans ce jeton",
            exchanges=[seen.id for seen in without or asked],
        )

    def expect_told(self) -> None:
        """The Consumer understood the logout token (Back-Channel Logout 1.0, 2.8)."""
        client = self.consulting.story.bed.site.consumer_client
        status = self.answers.get(client, 0)
        self.consulting.story.stage.expect(
            "la Consommatrice accepte le jeton de déconnexion",
            status in (200, 204),
            expected="HTTP 200 ou 204",
            actual=f"HTTP {status}" if status else "aucune réponse",
            exchanges=[seen.id for seen in self.consulting.story.stage.seen("PSC-logout-token")],
        )

    def _server(self) -> ApiPsc:
        """The authorization server.

        Raises:
            NotClaimed: the product reaches the DMP without a token.
            CannotVerify: the bench plays none, PSC or the DMP being real.
        """
        story = self.consulting.story
        if story.stage.profile.options.get("acces_dmp") == "lps_mtls":
            raise NotClaimed("KIT-API-PSC : options.acces_dmp est « lps_mtls »")
        server = story.bed.simulators.api_psc
        if server is None:
            raise CannotVerify(
                "le DMP ou Pro Santé Connect est réel : le banc ne joue pas le serveur "
                "d'autorisation de son API"
            )
        return server


def _granted(seen: Seen) -> str:
    """The token that an exchange gave, "" when it gave none."""
    response = seen.exchange.response
    try:
        answer = json.loads(response.body) if response else {}
    except ValueError:
        return ""
    token = answer.get("access_token") if isinstance(answer, dict) else None
    return token if isinstance(token, str) else ""


def _bearer(seen: Seen) -> str:
    request = seen.exchange.request
    value = request.header("authorization") if request else None
    scheme, _, token = (value or "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""
