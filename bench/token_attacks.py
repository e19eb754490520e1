"""Attacks on the access token: what a Source is shown for one, and what PSC is made to say of it.

Each is an attempt of `bench.attacking`, by the French words of the scenarios.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from bench.attacking import Attacking, Attempt
from bench.deadline import until
from bench.outcomes import CannotVerify
from protocols.jose import SigningKey, read, sign
from protocols.multipart import Event
from protocols.oauth import thumbprint, thumbprint_in_hex
from simulators.peer import Manners, Retrieved
from simulators.psc import Active, Body, Keys, Psc, Said, Who
from spec.api_psc import THUMBPRINT
from wire.exchange import Exchange
from wire.faults import Value
from wire.http_faults import Shown, Towards

__all__ = ["BINDINGS", "COMPARED", "FAULTS", "TOKENS", "WORDS", "TokenAttacks"]

COMPARED = "cnf"
"""The option of a profile that says what a Source compares a token's `cnf` with."""

Fault = tuple[str, str, Mapping[str, Value]]


def _active(vaut: Active) -> Fault:
    return "active", "introspection", {"vaut": vaut}


def _said(quoi: Said) -> Fault:
    return "mention", "introspection", {"quoi": quoi}


def _body(quoi: Body) -> Fault:
    return "corps", "introspection", {"quoi": quoi}


def _status(code: int) -> Fault:
    return "http", "introspection", {"code": code}


FAULTS: Mapping[str, Fault] = {
    'active "true"': _active(Active.TEXT_TRUE),
    'active "false"': _active(Active.TEXT_FALSE),
    "active 1": _active(Active.ONE),
    "active null": _active(Active.NULL),
    "active absent": _active(Active.ABSENT),
    "active deux fois": _active(Active.TWICE),
    "une page": _body(Body.PAGE),
    "rien": _body(Body.EMPTY),
    "un objet profond": _body(Body.DEEP),
    "10 Mio": ("enorme", "introspection", {"mio": 10}),
    "une bombe gzip": ("bombe", "introspection", {"mio": 100}),
    "401": _status(401),
    "403": _status(403),
    "404": _status(404),
    "429": _status(429),
    "500": _status(500),
    "503": _status(503),
    "coupure": ("coupure", "introspection", {}),
    "renvoi ailleurs": ("redirection", "introspection", {"vers": Towards.OTHER_HOST}),
    "certificat expiré": ("certificat", "TLS", {"montre": Shown.EXPIRED}),
    "certificat d'un autre hôte": ("certificat", "TLS", {"montre": Shown.OTHER_NAME}),
    "exp passé": _said(Said.EXPIRED),
    "exp en texte": _said(Said.EXPIRY_TEXT),
    "exp infini": _said(Said.EXPIRY_ENDLESS),
    "nbf à venir": _said(Said.NOT_BEFORE),
    "iat à venir": _said(Said.ISSUED_LATER),
    "iss d'ailleurs": _said(Said.ISSUER),
    "typ Refresh": _said(Said.REFRESH),
    "typ ID": _said(Said.IDENTITY),
    "un autre client": _said(Said.OTHER_CLIENT),
    "sans acr": _said(Said.NO_ACR),
    "sans openid": _said(Said.NO_OPENID),
    "une autre personne": _said(Said.OTHER_PERSON),
    "sub d'un autre": ("sub", "userinfo", {"qui": Who.OTHER}),
    "sans sub": ("sub", "userinfo", {"qui": Who.NOBODY}),
    "cinq minutes de retard": ("horloge", "introspection", {"secondes": -300}),
    "cinq minutes d'avance": ("horloge", "introspection", {"secondes": 300}),
}
"""Words -> what PSC does wrong while a right token is shown."""

_UNREADABLE = frozenset({"active deux fois", "exp infini"})
"""Answers that a strict reader of JSON does not read: to it PSC has not answered, 503."""

WORDS: Mapping[str, Callable[[str], tuple[tuple[str, str], ...]]] = {
    "Basic": lambda _: (("Authorization", "Basic bW9pOm1vaQ=="),),
    "Bearer seul": lambda _: (("Authorization", "Bearer"),),
    "Bearer deux fois": lambda token: (("Authorization", f"Bearer Bearer {token}"),),
    "deux en-têtes": lambda token: (("Authorization", f"Bearer {token}"),) * 2,
    "64 Kio": lambda _: (("Authorization", "Bearer " + "a" * 65_536),),
    "jeton entre guillemets": lambda token: (("Authorization", f'Bearer "{token}"'),),
    "Bearer derrière Basic": lambda token: (("Authorization", f"Basic Bearer {token}"),),
    "Bearer collé": lambda token: (("Authorization", f"Bearer%20{token}"),),
}
"""Words -> the Authorization lines that carry a right token wrongly."""


def _part(value: object) -> str:
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _header(token: str, **changes: object) -> str:
    """The token under a header changed so, its signature left as it was."""
    _, claims, signature = token.split(".")
    return f"{_part({**read(token).header, **changes})}.{claims}.{signature}"


def _unsigned(algorithm: str) -> Callable[[str], str]:
    return lambda token: f"{_part({'alg': algorithm, 'typ': 'JWT'})}.{token.split('.')[1]}."


def _by_public_key(token: str, published: bytes) -> str:
    return sign(read(token).claims, SigningKey(str(read(token).header["kid"]), published))


def _altered(token: str) -> str:
    """Same `jti`, same signature, a claim more: what a cache by a part of the token takes."""
    header, _, signature = token.split(".")
    return f"{header}.{_part({**read(token).claims, 'kit': 1})}.{signature}"


_ELSEWHERE = "https://db9.drimbench.test/cles"

TOKENS: Mapping[str, Callable[[str], str]] = {
    "alg none": _unsigned("none"),
    "alg nOnE": _unsigned("nOnE"),
    "signature vide": lambda token: token.rpartition(".")[0] + ".",
    "ES256 nulle": lambda token: (
        _header(token, alg="ES256").rpartition(".")[0] + "." + _part(bytes(64))
    ),
    "crit inconnu": lambda token: _header(token, crit=["kit"], kit=True),
    "jku": lambda token: _header(token, jku=_ELSEWHERE),
    "x5u": lambda token: _header(token, x5u=_ELSEWHERE),
    "kid en chemin": lambda token: _header(token, kid="../../../../dev/null"),
    "kid en SQL": lambda token: _header(token, kid="x' UNION SELECT 'a"),
    "kid en adresse": lambda token: _header(token, kid=_ELSEWHERE),
    "membres répétés": lambda token: (
        token.split(".")[0]
        + "."
        + _part(b'{"active":true,"exp":1,"exp":9999999999}')
        + "."
        + token.split(".")[2]
    ),
    "hors UTF-8": lambda token: f"{token.split('.')[0]}.{_part(bytes([255] * 40))}.AAAA",
    "mille niveaux": lambda token: f"{token.split('.')[0]}.{_part(b'[' * 1000 + b']' * 1000)}.AAAA",
    "jeton en cinq parties": lambda _: f"{_part({'alg': 'RSA1_5', 'enc': 'A128GCM'})}.AA.AA.AA.AA",
    "charge changée": _altered,
    "jeton tronqué": lambda token: token[:-8],
    "jeton allongé": lambda token: f"{token}AAAA",
}
"""Words -> what is made of a right token."""


def _issuer_of(shown: bytes) -> str:
    """Of the certificate without its last bytes: any other certificate than the one shown."""
    return thumbprint(hashlib.sha256(shown).digest())


BINDINGS: Mapping[str, Callable[[bytes], object]] = {
    "d'un autre certificat": lambda shown: {THUMBPRINT: _issuer_of(shown)},
    "d'un autre, forme ANS": lambda shown: {THUMBPRINT: thumbprint_in_hex(shown + b"x")},
    "sans empreinte": lambda shown: {},
    "empreinte tronquée": lambda shown: {THUMBPRINT: thumbprint(shown)[:-4]},
    "empreinte en capitales": lambda shown: {THUMBPRINT: thumbprint(shown).upper()},
    "empreinte hexadécimale": lambda shown: {THUMBPRINT: hashlib.sha256(shown).hexdigest()},
}
"""Words -> a `cnf` that is not that of the certificate shown."""


@dataclass(slots=True)
class TokenAttacks:
    """Makes the attempts; whoever attacks and judges is `attacking`."""

    attacking: Attacking
    begun: Retrieved | None = None
    """The answer that had begun when its token ended."""

    # -- Quand -------------------------------------------------------------------------------

    def under(self, words: Iterable[str], *, unavailable: bool = False) -> None:
        """A right token, while PSC does each of these things."""

        def attempt(one: str) -> Attempt:
            return Attempt(
                words=one,
                play=lambda: self._under(FAULTS[one]),
                unavailable=unavailable or one in _UNREADABLE,
            )

        self.attacking.play([attempt(one) for one in words])

    def badly_said(self, words: Iterable[str]) -> None:
        """A right token, in each of these Authorizations."""

        def attempt(one: str) -> Attempt:
            return Attempt(words=one, play=lambda: self._headers(WORDS[one](self._token())))

        self.attacking.play([attempt(one) for one in words])

    def made(self, words: Iterable[str]) -> None:
        """Each of these tokens, made of a right one that was just served."""
        imaging = self.attacking.imaging

        def play(one: str) -> Retrieved:
            token = self._token()
            self.attacking.ask(manners=replace(imaging.good_manners(), token=token))
            return self._show(TOKENS[one](token))

        self.attacking.play([Attempt(words=one, play=lambda one=one: play(one)) for one in words])  # type: ignore[misc]

    def in_the_address(self) -> None:
        """A right token in the query of the address, and in no header."""
        imaging = self.attacking.imaging

        def play() -> Retrieved:
            bed, exam = imaging.story.bed, imaging.exam
            url = imaging.url(exam.study_uid, exam.series[0].uid)
            manners = replace(imaging.good_manners(), token=None)
            peer = bed.peer(bed.papers.clients["peer"])
            return bed.call(peer.retrieve, f"{url}?access_token={self._token()}", manners)

        self.attacking.play([Attempt(words="le jeton dans l'adresse", play=play)])

    def revoked(self) -> None:
        """A token that was served, its session closed since, for as long as the profile says that
        an acceptance is kept."""
        imaging = self.attacking.imaging

        def play() -> Retrieved:
            token = self._token()
            manners = replace(imaging.good_manners(), token=token)
            if not self.attacking.ask(manners=manners).images:
                raise CannotVerify("le jeton n'est pas servi avant que sa session soit fermée")
            self._psc.end_session(str(read(token).claims["sid"]))
            answers: list[Retrieved] = []

            def refused() -> bool:
                answers.append(self.attacking.ask(manners=manners))
                return not answers[-1].images

            until(refused, deadline_s=imaging.story.stage.profile.timing.effect_s)
            return answers[-1]

        self.attacking.play([Attempt(words="la session fermée depuis", play=play)])

    def closed_meanwhile(self) -> None:
        """A token that ends as its answer begins to come; then another request under it."""
        imaging = self.attacking.imaging

        def play() -> Retrieved:
            bed, token = imaging.story.bed, self._token()
            manners = replace(imaging.good_manners(), token=token)
            peer = bed.peer(bed.papers.clients["peer"])
            url = imaging.url(imaging.exam.study_uid, imaging.exam.series[0].uid)
            ended: list[str] = []

            def watch(_: Event) -> None:
                if not ended:
                    ended.append(str(read(token).claims["sid"]))
                    self._psc.end_session(ended[0])

            async def retrieve() -> Retrieved:
                return await peer.retrieve(url, manners, watch=watch)

            self.begun = bed.call(retrieve)
            if not ended:
                raise CannotVerify("le jeton n'est pas servi avant que sa session soit fermée")
            answers: list[Retrieved] = []

            def refused() -> bool:
                answers.append(self.attacking.ask(manners=manners))
                return not answers[-1].images

            until(refused, deadline_s=imaging.story.stage.profile.timing.effect_s)
            return answers[-1]

        self.attacking.play([Attempt(words="la session fermée pendant la réponse", play=play)])

    def expect_begun_ended(self) -> None:
        """What was granted is given to its end."""
        imaging, begun = self.attacking.imaging, self.begun
        if begun is None:
            raise CannotVerify("aucune réponse n'avait commencé")
        imaging.story.stage.expect(
            "la réponse commencée avant la fin du jeton va à son terme",
            begun.complete and begun.images == imaging.exam.series[0].images,
            expected=f"{imaging.exam.series[0].images} image(s), réponse entière",
            actual=imaging.summary(begun),
        )

    def by_another(self) -> None:
        """A token of one member of the list, shown twice by another."""
        imaging = self.attacking.imaging
        papers = imaging.story.bed.papers.clients["consumer"]

        def play() -> Retrieved:
            return self.attacking.ask(papers=papers)

        self.attacking.play([Attempt(words="par un autre membre", play=play)] * 2)

    def bound(self, words: Iterable[str]) -> None:
        """Tokens bound to each of these.

        Raises:
            CannotVerify: the Source does not compare, as the profile says.
        """
        imaging = self.attacking.imaging
        if imaging.story.stage.profile.options.get(COMPARED, "ans") == "ignore":
            raise CannotVerify("le profil dit que la Source ne compare pas cnf ([options] cnf)")
        shown = imaging.story.bed.papers.clients["peer"].certificate.read_bytes()
        der = x509.load_pem_x509_certificates(shown)[0].public_bytes(Encoding.DER)

        def play(one: str) -> Retrieved:
            return self._show(imaging.token(changes={"cnf": BINDINGS[one](der)}))

        self.attacking.play([Attempt(words=one, play=lambda one=one: play(one)) for one in words])  # type: ignore[misc]

    def refresh_as_access(self, typ: str) -> None:
        """A refresh or ID token, which PSC takes everywhere."""
        imaging = self.attacking.imaging

        def play() -> Retrieved:
            with_any = self._psc.faults.set("tout-jeton", "userinfo")
            try:
                return self._show(imaging.token(typ=typ))
            finally:
                self._psc.faults.clear(with_any)

        self.attacking.play([Attempt(words=f"un jeton {typ}", play=play)])

    def while_keys_change(self, words: Iterable[str]) -> None:
        """A token of a key that PSC does not know, while it publishes others each time; the right
        request that follows finds the usual ones."""
        imaging = self.attacking.imaging

        def play(keys: Keys) -> Retrieved:
            fault = self._psc.faults.set("cles", "certs", publie=keys)
            try:
                return self._show(imaging.token(forged=True))
            finally:
                self._psc.faults.clear(fault)

        self.attacking.play(
            [
                Attempt(words=f"clés : {one}", play=lambda one=one: play(Keys(one)))  # type: ignore[misc]
                for one in words
            ]
        )

    # -- Alors -------------------------------------------------------------------------------

    def expect_nothing_elsewhere(self) -> None:
        """The host that PSC, or a token, names besides received no request."""
        imaging = self.attacking.imaging
        stranger = imaging.story.bed.stranger.actor

        def came(exchange: Exchange) -> bool:
            return exchange.protocol == "HTTP" and exchange.actor == stranger

        stage = imaging.story.stage
        # Whatever came there while this was played: nothing in it need name the scenario.
        found = [one for one in stage.feed.since(stage.origin) if came(one.exchange)]
        imaging.story.stage.expect(
            "rien n'est demandé à un autre hôte",
            not found,
            expected="aucune requête",
            actual=f"{len(found)} requête(s)",
            exchanges=[one.id for one in found],
        )

    # -- inside ------------------------------------------------------------------------------

    @property
    def _psc(self) -> Psc:
        """The simulated one.

        Raises:
            CannotVerify: PSC is real: it fails when it does.
        """
        found = self.attacking.imaging.story.bed.simulators.psc
        if found is None:
            raise CannotVerify("Pro Santé Connect est réel : il ne ment pas sur demande")
        return found

    def _token(self) -> str:
        return self.attacking.imaging.token()

    def _show(self, token: str) -> Retrieved:
        manners = self.attacking.imaging.good_manners()
        return self.attacking.ask(manners=replace(manners, token=token))

    def _headers(self, lines: tuple[tuple[str, str], ...]) -> Retrieved:
        manners: Manners = replace(self.attacking.imaging.good_manners(), token=None, more=lines)
        return self.attacking.ask(manners=manners)

    def _under(self, fault: Fault) -> Retrieved:
        kind, on, values = fault
        manners = self.attacking.imaging.good_manners()
        placed = self._psc.faults.set(kind, on, values)
        try:
            if on == "TLS":
                self.attacking.imaging.story.bed.call(self._psc.hang_up)
            return self.attacking.ask(manners=manners)
        finally:
            self._psc.faults.clear(placed)
