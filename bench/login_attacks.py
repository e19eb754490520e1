"""Attacks on the login of a Consumer: what Pro Santé Connect is made to say, and how it is judged.

Each attempt is a contextual call and a login in an empty browser, between two right ones that show
the exam. What must come of a wrong one: an answer that is no breakdown, nothing of the patient on
it, and no question to the DMP. 503 is an answer where PSC's own was unusable.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

from bench.attacking import shows_stack
from bench.consulted import by_consumer
from bench.consulting import Consulting
from bench.feed import Seen
from bench.outcomes import CannotVerify, NotClaimed, Refused
from bench.process import BoxFailure
from simulators.psc import (
    Acknowledged,
    Forged,
    Given,
    Identity,
    Leads,
    Person,
    Polled,
    Psc,
    Returned,
    Stranger,
)
from simulators.psc.forging import HOSTILE
from simulators.ris.contextual_call import body, parameters
from simulators.user import Page, UserError
from wire.faults import Value
from wire.http_client import HttpFailure

__all__ = ["FAULTS", "FORGED", "LoginAttacks", "Played"]

Fault = tuple[str, str, Mapping[str, Value]]

_ANOTHER_WAITS = "state d'un autre navigateur"
_UNAVAILABLE = 503
_NONCES = ("autre nonce", "sans nonce")
"""CIBA has none."""
_BY_CIBA = "connexion par le navigateur : options.login_mode est « ciba »"


def _identity(quoi: Identity) -> Fault:
    return "jeton-id", "token", {"quoi": quoi}


def _returned(quoi: Returned) -> Fault:
    return "retour", "login", {"quoi": quoi}


def _given(quoi: Given) -> Fault:
    return "reponse", "token", {"quoi": quoi}


def _person(quoi: Person) -> Fault:
    return "personne", "userinfo", {"quoi": quoi}


def _polled(erreur: Polled) -> Fault:
    return "interrogation", "token", {"erreur": erreur}


FAULTS: Mapping[str, Fault] = {
    "sans state": _returned(Returned.NO_STATE),
    "state inconnu": _returned(Returned.STATE),
    _ANOTHER_WAITS: _returned(Returned.OTHER_BROWSER),
    "sans iss de retour": _returned(Returned.NO_ISSUER),
    "iss de retour d'un autre": _returned(Returned.ISSUER),
    "sans code": _returned(Returned.NO_CODE),
    "code inconnu": _returned(Returned.CODE),
    "code déjà servi": _returned(Returned.USED),
    "code d'un autre client": _returned(Returned.OTHER_CLIENT),
    "code et retour chariot": _returned(Returned.NEW_LINE),
    "erreur qui porte du HTML": _returned(Returned.ERROR),
    "iss": _identity(Identity.ISSUER),
    "aud": _identity(Identity.AUDIENCE),
    "azp": _identity(Identity.PARTY),
    "sans sub": _identity(Identity.NO_SUBJECT),
    "exp passé": _identity(Identity.EXPIRED),
    "sans exp": _identity(Identity.NO_EXPIRY),
    "iat à venir": _identity(Identity.ISSUED_LATER),
    "autre nonce": _identity(Identity.NONCE),
    "sans nonce": _identity(Identity.NO_NONCE),
    "autre clé": _identity(Identity.SIGNATURE),
    "alg none": _identity(Identity.UNSIGNED),
    "HS256 par la clé publique": _identity(Identity.SYMMETRIC),
    "at_hash": _identity(Identity.HASH),
    "sans expires_in": _given(Given.NO_EXPIRY),
    "expires_in négatif": _given(Given.NEGATIVE),
    "expires_in en texte": _given(Given.TEXT),
    "type BEARER": _given(Given.CAPITALS),
    "type inconnu": _given(Given.UNKNOWN),
    "sans refresh_token": _given(Given.NO_REFRESH),
    "sub d'un autre": ("sub", "userinfo", {"qui": "autre"}),
    "userinfo sans sub": ("sub", "userinfo", {"qui": "absent"}),
    "découverte d'un autre issuer": ("emetteur", "discovery", {}),
    "découverte d'adresses http": ("adresses", "discovery", {"quoi": Leads.CLEAR}),
    "découverte de clés d'un autre": ("adresses", "discovery", {"quoi": Leads.KEYS}),
    "découverte renvoyée ailleurs": ("redirection", "discovery", {}),
    "une activité": _person(Person.ONE),
    "aucune activité": _person(Person.NO_ACTIVITY),
    "cinquante activités": _person(Person.FIFTY),
    "textes vides": _person(Person.EMPTY),
    "sans SubjectRefPro": _person(Person.NO_REFERENCE),
    "noms qui portent du HTML": _person(Person.MARKUP),
    "noms qui renversent l'écriture": _person(Person.REVERSED),
    "noms sur plusieurs lignes": _person(Person.LINES),
    "noms de 10 Ko": _person(Person.LONG),
    "accès refusé": _polled(Polled.DENIED),
    "demande expirée": _polled(Polled.EXPIRED),
    "demande inconnue": _polled(Polled.INVALID),
    "sans auth_req_id": ("accuse-ciba", "ciba", {"quoi": Acknowledged.NO_ID}),
    "session d'un autre professionnel": ("autre-identite", "token", {"quoi": Stranger.SESSION}),
    "jeton d'identité d'un autre": ("autre-identite", "token", {"quoi": Stranger.IDENTITY}),
    "JWT non signé": ("jwt", "userinfo", {"signe": "aucune"}),
    "JWT d'une clé inconnue": ("jwt", "userinfo", {"signe": "autre-cle"}),
}
"""Words -> what PSC does wrong while the radiologist logs in."""

_UNUSABLE = frozenset(
    {
        "sans auth_req_id",
        "type inconnu",
        "sans refresh_token",
        "expires_in négatif",
        "expires_in en texte",
    }
    | {"sans expires_in", "JWT non signé", "JWT d'une clé inconnue"}
    | {one for one, (_, on, _) in FAULTS.items() if on == "discovery"}
)
"""Answers that a Consumer may take for none."""

FORGED: Mapping[str, Forged] = {
    "alg none": Forged.UNSIGNED,
    "autre clé": Forged.SIGNATURE,
    "iss": Forged.ISSUER,
    "aud": Forged.AUDIENCE,
    "nonce": Forged.NONCE,
    "sans events": Forged.NO_EVENTS,
    "autre events": Forged.OTHER_EVENT,
    "ni sub ni sid": Forged.NOBODY,
    "autre sid": Forged.OTHER_SESSION,
}
"""Words -> what is wrong with a logout token."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """A login that was tried."""

    words: str
    page: Page | None
    """None: there was no answer, `told` says why."""
    told: str
    asked: tuple[str, ...]
    """The exchanges by which the DMP was asked."""
    offers: bool


@dataclass(slots=True)
class LoginAttacks:
    """Whoever attacks a login, and the radiologist who logs in around."""

    consulting: Consulting
    played: list[Played] = field(default_factory=list)
    forged: list[tuple[str, int, bool]] = field(default_factory=list)
    """Words, HTTP status of the answer to a logout token, whether the exam is shown after."""
    _begun: int = 0

    # -- Quand -------------------------------------------------------------------------------

    def log_in_under(self, words: Iterable[str]) -> None:
        """A login under each of these faults, between two right ones; those tried before are
        judged already.

        Raises:
            NotClaimed: the product logs its users in by CIBA, and meets none of them.
            CannotVerify: PSC is real, or a right login shows no exam before anything was tried.
        """
        psc, played = self.psc, self._of_this_mode(words)
        self.played.clear()
        self.twin("avant")
        for one in played:
            self.play(one, lambda one=one: self._under(psc, one))  # type: ignore[misc]

    def _of_this_mode(self, words: Iterable[str]) -> list[str]:
        """Those that a product can meet which logs its users in as the profile says.

        Raises:
            NotClaimed: none is.
        """
        if not self._by_ciba:
            return list(words)
        kept = [one for one in words if FAULTS[one][1] != "login" and one not in _NONCES]
        if not kept:
            raise NotClaimed(_BY_CIBA)
        return kept

    @property
    def _by_ciba(self) -> bool:
        """Whether the product sends no browser to Pro Santé Connect."""
        return self.consulting.story.stage.profile.options.get("login_mode") == "ciba"

    def start_again_under(self, words: Iterable[str]) -> None:
        """The Consumer starts anew under each of these faults, and somebody logs in; it starts anew
        once more when it is over.

        Raises:
            CannotVerify: PSC is real, the Consumer is not the bench's to start, or does not start.
        """
        psc = self.psc
        self.played.clear()
        self.twin("avant")
        for one in words:
            self.play(one, lambda one=one: self._anew(psc, one))  # type: ignore[misc]

    def _anew(self, psc: Psc, words: str) -> None:
        kind, on, more = FAULTS[words]
        placed = psc.faults.set(kind, on, more)
        try:
            self._start_again()
            self.consulting.call()
            # A Consumer that found no Pro Santé Connect says so instead of sending there.
            if self.consulting.asks_login:
                self.consulting.login()
        finally:
            psc.faults.clear(placed)
            self._start_again()

    def _start_again(self) -> None:
        """The Consumer is stopped and started; it forgets what it had read of PSC."""
        try:
            self.consulting.story.bed.restart_consumer()
        except BoxFailure as error:
            raise CannotVerify(f"la Consommatrice ne redémarre pas : {error}") from error

    def come_back_elsewhere(self) -> None:
        """The address by which a login would come back, opened in another browser: before it has
        served, then after."""
        self.twin("avant")
        self.play("retour pris à un autre", lambda: self._open_elsewhere(self._kept()))
        self.play("retour déjà servi", lambda: self._open_elsewhere(self._served()))

    def _kept(self) -> str:
        """Where somebody's login comes back, that did not yet.

        Raises:
            CannotVerify: PSC shows it to nobody.
        """
        placed = self.psc.faults.set("retour", "login", {"quoi": Returned.KEPT})
        try:
            self._right()
        finally:
            self.psc.faults.clear(placed)
        links = self.consulting.shown.links
        if not links:
            raise CannotVerify("le retour de Pro Santé Connect n'a pas été vu")
        return links[0].url

    def _served(self) -> str:
        """Where a login came back."""
        feed = self.consulting.story.stage.feed
        begun = feed.mark()
        self._right()
        return _location(feed.since(begun))

    def _open_elsewhere(self, address: str) -> None:
        """In a browser that was sent to PSC too, for the same patient."""
        consulting = self.consulting
        consulting.call()
        self._begun = consulting.story.stage.feed.mark()
        assert consulting.user is not None
        consulting.page = consulting.story.bed.call(consulting.user.get, address)

    def forge(self, words: Iterable[str]) -> None:
        """Each of these logout tokens, of the session of the page shown.

        Raises:
            NotClaimed: the profile says that the product takes no logout token.
            CannotVerify: PSC is real, or has no session of the radiologist.
        """
        story, psc = self.consulting.story, self.psc
        if story.stage.profile.options.get("back_channel_logout") == "non":
            raise NotClaimed("KIT-FIN-SESSION : options.back_channel_logout est « non »")
        reader, user = story.bed.site.reader, self.consulting.user
        session = next((s for s in reversed(psc.sessions) if s.professional.id == reader), None)
        if session is None or user is None:
            raise CannotVerify("Pro Santé Connect n'a pas de session de ce radiologue")
        client = story.bed.site.consumer_client
        for one in words:
            status = story.bed.call(psc.forge_logout, session.sid, client, FORGED[one])
            try:
                self.consulting.page = story.bed.call(user.reload)
            except (HttpFailure, UserError) as error:
                raise Refused(f"la page ne répond plus : {error}") from error
            self.forged.append((one, status, self._offers))

    def log_in_twice(self) -> None:
        """Two right logins, each in an empty browser.

        Raises:
            NotClaimed: the product sends no browser to Pro Santé Connect.
        """
        if self._by_ciba:
            raise NotClaimed(_BY_CIBA)
        self._begun = self.consulting.story.stage.feed.mark()
        self.twin("la première fois")
        self.twin("la seconde fois")

    # -- Alors -------------------------------------------------------------------------------

    def expect_refused(self) -> None:
        """Nobody is logged in: nothing of the patient, nothing asked of the DMP, no breakdown."""
        for one in self.all():
            seen = self._seen_of_patient(one)
            self._expect(
                one,
                "ne connecte personne",
                not one.offers and not seen and not one.asked,
                "ni patient, ni examen, ni demande au DMP",
                f"{one.told} ; du patient : {', '.join(seen) or 'rien'} ; "
                f"{len(one.asked)} demande(s) au DMP",
            )
            self._expect_answered(one)

    def expect_usable(self) -> None:
        """Whatever becomes of the login, it is no breakdown."""
        for one in self.all():
            self._expect_answered(one)

    def expect_served(self) -> None:
        """The login shows the exam."""
        for one in self.all():
            self._expect(one, "montre l'examen", one.offers, "la page de l'examen", one.told)

    def expect_escaped(self) -> None:
        """No text of the answer of PSC is markup on the page."""
        for one in self.all():
            text = one.page.body.decode(errors="replace") if one.page else ""
            self._expect(
                one, "ne porte aucun script", HOSTILE not in text, f"sans {HOSTILE}", one.told
            )

    def expect_sessions_kept(self) -> None:
        """Each wrong logout token is refused, and the page shown is still there."""
        if not self.forged:
            raise CannotVerify("aucun jeton de déconnexion n'a été posté")
        for words, status, shown in self.forged:
            right = 200 <= status < 500 if words == "autre sid" else status == 400
            self.consulting.story.stage.expect(
                f"le jeton de déconnexion « {words} » est refusé et la session demeure",
                right and shown,
                expected="HTTP 400, et la page de l'examen",
                actual=f"HTTP {status or 'aucune réponse'}, "
                f"{'la page de l’examen' if shown else 'plus d’examen'}",
            )

    def expect_challenges(self) -> None:
        """Each authorization request has its own challenge of method S256 (RFC 7636 4.2, 7.1)."""
        stage = self.consulting.story.stage
        asked = [
            (seen.id, parse_qs(urlsplit(seen.exchange.request.start_line.split(" ")[1]).query))
            for seen in stage.feed.since(self._begun)
            if seen.exchange.transaction == "PSC-authorize" and seen.exchange.request
        ]
        methods = {"".join(query.get("code_challenge_method", ["absent"])) for _, query in asked}
        challenges = {"".join(query.get("code_challenge", [""])) for _, query in asked}
        stage.expect(
            "chaque demande d'autorisation a son défi S256",
            len(asked) >= 2 and methods == {"S256"} and len(challenges) == len(asked),
            expected="code_challenge_method=S256, un défi différent chaque fois",
            actual=f"{len(asked)} demande(s), méthode {', '.join(sorted(methods)) or 'aucune'}, "
            f"{len(challenges)} défi(s)",
            exchanges=[id for id, _ in asked],
        )

    # -- inside ------------------------------------------------------------------------------

    @property
    def psc(self) -> Psc:
        """The Pro Santé Connect that lies.

        Raises:
            CannotVerify: it is real.
        """
        found = self.consulting.story.bed.simulators.psc
        if found is None:
            raise CannotVerify("Pro Santé Connect est réel : il ne ment pas sur demande")
        return found

    @property
    def _offers(self) -> bool:
        page = self.consulting.page
        return page is not None and any(one.id.startswith("export-") for one in page.forms)

    def all(self) -> list[Played]:
        """Those that were tried.

        Raises:
            CannotVerify: none was.
        """
        if not self.played:
            raise CannotVerify("aucune connexion n'a été tentée")
        return self.played

    def _right(self) -> None:
        self.consulting.call()
        self.consulting.login()

    def twin(self, place: str) -> None:
        """The right login.

        Raises:
            CannotVerify: it never showed the exam.
            NotMet: it did, until something was tried.
        """
        try:
            self._right()
        except Refused as error:
            if not self.played:
                raise CannotVerify(f"la connexion conforme, {place} : {error}") from error
            raise
        if not self._offers and not self.played:
            raise CannotVerify(f"la connexion conforme, {place}, ne montre pas l'examen")
        self.consulting.story.stage.expect(
            f"la connexion conforme, {place}, montre l'examen",
            self._offers,
            expected="la page de l'examen",
            actual=_told(self.consulting.shown),
        )

    def play(self, words: str, attempt: Callable[[], None]) -> None:
        """One attempt, which leaves its page in `consulting`, and the right login after it."""
        consulting = self.consulting
        self._begun, consulting.page = consulting.story.stage.feed.mark(), None
        why = ""
        try:
            attempt()
        except (Refused, HttpFailure, UserError) as error:
            consulting.page, why = None, str(error)
        self.keep(words, why)
        self.twin(f"après « {words} »")

    def keep(self, words: str, why: str) -> None:
        """What became of an attempt: the page of `consulting`, or why there is none."""
        consulting = self.consulting
        page = consulting.page
        since = range(self._begun, consulting.story.stage.feed.mark())
        asked = [
            one.id for one in by_consumer(consulting.story, "TD0.2", "ITI-18")
            if one.serial in since
        ]  # fmt: skip
        told = _told(page) if page is not None else why
        self.played.append(
            Played(words=words, page=page, told=told, asked=tuple(asked), offers=self._offers)
        )

    def _under(self, psc: Psc, words: str) -> None:
        story = self.consulting.story
        waiting = story.bed.user() if words == _ANOTHER_WAITS else None
        self.consulting.call()
        try:
            if waiting is not None:
                values = parameters(self.consulting.here(story.patient))
                address = f"https://{story.bed.site.names.consumer}/drim"
                story.bed.call(waiting.call, address, body(list(values)))
            kind, on, more = FAULTS[words]
            placed = psc.faults.set(kind, on, more)
            try:
                self.consulting.login()
            finally:
                psc.faults.clear(placed)
        finally:
            if waiting is not None:
                story.bed.call(waiting.aclose)

    def _seen_of_patient(self, one: Played) -> list[str]:
        patient = self.consulting.story.patient
        text = one.page.body.decode(errors="replace") if one.page else ""
        names = (patient.family, patient.ins.value if patient.ins else "")
        return [name for name in names if name and name in text]

    def _expect_answered(self, one: Played) -> None:
        status = one.page.status if one.page else 0
        allowed = status == _UNAVAILABLE and one.words in _UNUSABLE
        text = one.page.body.decode(errors="replace") if one.page else ""
        self._expect(
            one,
            "a une réponse qui n'est pas une panne",
            (200 <= status < 500 or allowed) and not shows_stack(text),
            "une page, sans pile d'exécution",
            one.told,
        )

    def _expect(self, one: Played, what: str, met: bool, expected: str, actual: str) -> None:
        self.consulting.story.stage.expect(
            f"la connexion « {one.words} » {what}",
            met,
            expected=expected,
            actual=actual,
            exchanges=one.asked,
        )


def _told(page: Page) -> str:
    said = " / ".join(page.alerts) or page.title
    return f"HTTP {page.status} de {urlsplit(page.url).netloc} : {said}"


def _location(seen: list[Seen]) -> str:
    """Where PSC sent the browser back to.

    Raises:
        CannotVerify: the bench did not see it.
    """
    for one in reversed(seen):
        answer = one.exchange.response
        if one.exchange.transaction == "PSC-login" and answer and answer.header("location"):
            return str(answer.header("location"))
    raise CannotVerify("le retour de Pro Santé Connect n'a pas été vu")
