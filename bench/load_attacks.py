"""How often a Source asks Pro Santé Connect when it is pressed, and where tokens remain.

A token is a secret of its bearer: whatever the box hands out, to the attacker or to its own
administrator, has none of those that were shown to it (TOK-27). PSC is everybody's: a crowd at the
door of one box is not a crowd at PSC's (TOK-26).
"""

from __future__ import annotations

import asyncio
import secrets
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from bench.administration import Administration
from bench.attacking import Attacking, Attempt
from bench.outcomes import CannotVerify
from protocols.oauth import FORM_TYPE, FormError, parse_form
from simulators.peer import Manners, Retrieved
from wire.exchange import Exchange

__all__ = ["LoadAttacks"]

_PAGES = ("alerts", "audit", "archive", "inbox", "outbox")
_ADMITTED = (429, 503)


@dataclass(frozen=True, slots=True)
class _Asked:
    """What came to PSC while a crowd stood at the door."""

    requests: int
    introspections: int
    shown: int
    """How many of the requests show one token, the same for each token."""
    of_one: int
    """... and how many introspections were of one token, at most."""


@dataclass(slots=True)
class LoadAttacks:
    """Makes the attempts; whoever attacks and judges is `attacking`."""

    attacking: Attacking
    asked: dict[str, _Asked] = field(default_factory=dict)
    """By the words of a crowd."""
    shown: set[str] = field(default_factory=set)
    """Every token that was shown."""

    # -- Quand -------------------------------------------------------------------------------

    def one_token(self, count: int) -> None:
        """The first series, so many times at once with one token."""
        token = self.attacking.imaging.token()
        self._burst(f"{count} demandes d'un jeton", [token] * count)

    def random_tokens(self, count: int) -> None:
        """The first series under so many tokens that PSC never gave, all at once."""
        tokens = [f"kit.{secrets.token_urlsafe(300)}.kit" for _ in range(count)]
        self._burst(f"{count} jetons au hasard", tokens)

    def remember(self) -> None:
        """A right token, one that is not, one in the address and one under Basic."""
        imaging = self.attacking.imaging
        right, forged = imaging.token(), imaging.token(forged=True)
        self.shown |= {right, forged}
        good = imaging.good_manners()
        basic = replace(good, token=None, more=(("Authorization", f"Basic {right}"),))

        def play(manners: Manners) -> Retrieved:
            return self.attacking.ask(manners=manners)

        self.attacking.play(
            [
                Attempt(words="un jeton juste", play=lambda: play(replace(good, token=right))),
                Attempt(words="un jeton faux", play=lambda: play(replace(good, token=forged))),
                Attempt(words="un jeton sous Basic", play=lambda: play(basic)),
                Attempt(words="un jeton dans l'adresse", play=lambda: self._address(right)),
            ]
        )

    # -- Alors -------------------------------------------------------------------------------

    def expect_psc_spared(self) -> None:
        """Never more introspections than requests, nor of a token than requests that showed it: a
        box may turn most of a crowd away before it asks, and still ask twice for the others."""
        if not self.asked:
            raise CannotVerify("aucune demande n'a été faite")
        for words, asked in self.asked.items():
            self.attacking.imaging.story.stage.expect(
                f"« {words} » : Pro Santé Connect n'est pas noyé",
                asked.introspections <= asked.requests and asked.of_one <= asked.shown,
                expected=f"{asked.requests} introspections au plus, et {asked.shown} par jeton",
                actual=f"{asked.introspections}, jusqu'à {asked.of_one} par jeton",
            )

    def expect_no_token(self) -> None:
        """Neither in an answer nor on a page of the administration, whole or without signature."""
        stage, administration = self.attacking.imaging.story.stage, self._administration
        texts = {
            f"la réponse à « {one.attempt.words} »": f"{one.answer.headers} {one.answer.text}"
            for one in self.attacking.played
        }
        if administration.address:
            texts |= {f"la page « {page} »": administration.text(page)[1] for page in _PAGES}
        for where, text in texts.items():
            found = any(secret in text for token in self.shown for secret in _secrets(token))
            stage.expect(
                f"{where} ne dit aucun jeton",
                not found,
                expected="aucun jeton, une empreinte tout au plus",
                actual="un jeton" if found else "aucun",
            )

    def expect_named(self) -> None:
        """The access that was served is in the trail: who, of which structure, what, under which
        KOS (DB.SO.46, DB.SO.47)."""
        imaging = self.attacking.imaging
        exam, manifest = imaging.exam, imaging.manifest
        wanted = (exam.study_uid, manifest.sop_instance or "", imaging.story.bed.site.reader)
        self._administration.expect(
            "audit",
            "un accès nomme son bénéficiaire, l'examen et le KOS",
            lambda row: (
                row.get("EventOutcomeIndicator") == 0
                and str(row.get("event", "")).startswith("ITI-43")
                and all(one in str(row) for one in wanted)
            ),
            expected="un événement ITI-43 d'issue 0 qui nomme RPPS, examen et KOS",
        )

    # -- inside ------------------------------------------------------------------------------

    @property
    def _administration(self) -> Administration:
        return self.attacking.imaging.administration

    def _address(self, token: str) -> Retrieved:
        imaging = self.attacking.imaging
        bed, exam = imaging.story.bed, imaging.exam
        url = imaging.url(exam.study_uid, exam.series[0].uid)
        manners = replace(imaging.good_manners(), token=None)
        peer = bed.peer(bed.papers.clients["peer"])
        return bed.call(peer.retrieve, f"{url}?access_token={token}", manners)

    def _burst(self, words: str, tokens: Sequence[str]) -> None:
        imaging = self.attacking.imaging
        bed = imaging.story.bed
        url = imaging.url(imaging.exam.study_uid, imaging.exam.series[0].uid)
        good = imaging.good_manners()
        feed = imaging.story.stage.feed

        async def burst() -> list[Retrieved]:
            peer = bed.peer(bed.papers.clients["peer"])
            return await asyncio.gather(
                *(peer.retrieve(url, replace(good, token=one)) for one in tokens)
            )

        def play() -> Retrieved:
            since = feed.mark()
            answers = bed.call(burst)
            asked = Counter(
                _introspected(one.exchange)
                for one in feed.since(since)
                if one.exchange.transaction == "introspection"
            )
            self.asked[words] = _Asked(
                requests=len(tokens),
                introspections=asked.total(),
                shown=max(Counter(tokens).values()),
                of_one=max(asked.values(), default=0),
            )
            wrong = [one for one in answers if not (one.images and one.complete)]
            return next((one for one in wrong if one.status not in _ADMITTED), answers[0])

        self.attacking.play([Attempt(words=words, play=play, unavailable=True, traced=False)])


def _introspected(exchange: Exchange) -> str:
    """The token that was asked about (RFC 7662 2.1), "" when the request names none."""
    if exchange.request is None:
        return ""
    try:
        return parse_form(FORM_TYPE, exchange.request.body).get("token", "")
    except FormError:
        return ""


def _secrets(token: str) -> tuple[str, ...]:
    """The whole, and its signature: the rest says what anybody may know."""
    return token, token.rpartition(".")[2]
