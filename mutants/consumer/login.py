"""Consumers that believe whatever comes back from the login: states, codes, tokens, userinfo."""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, urlencode

from drimbox_ref.consumer.parts import Parts
from drimbox_ref.consumer.ports import Calls, Situations
from drimbox_ref.consumer.sessions import Login, Pending, Sessions
from drimbox_ref.consumer.values import Call, Professional, Situation
from drimbox_ref.psc import PscUnavailable
from drimbox_ref.psc_login import Ended, Grant, LoginRefused
from mutants.registry import mutant
from protocols.jose import Token, TokenError, read
from spec.psc import DISCOVERY

__all__: list[str] = []

# The way back ----------------------------------------------------------------------------------


class Anybody:
    """`Sessions` that take a browser back under another's state, or under none of theirs."""

    def __init__(self, inner: Sessions, *, state: bool) -> None:
        self._inner = inner
        self._state = state
        """Whether the state is looked at."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def come_back(self, state: str, browser: str) -> Pending | None:
        """The login under way that has that state, else the latest of that browser."""
        waiting = self._inner._pending
        if self._state:
            return waiting.pop(state, None)
        mine = [one for one in waiting.values() if one.state == state or one.browser == browser]
        return waiting.pop(mine[-1].state) if mine else None


@mutant(
    "state-non-compare",
    breaks="Le state du retour de Pro Santé Connect n'est pas comparé à celui du navigateur.",
    requirements=("KIT-SEC-OIC-01",),
    role="consumer",
)
def any_state(parts: Parts) -> Parts:
    """The cookie says who comes back, and that is enough."""
    return replace(parts, sessions=Anybody(parts.sessions, state=False))  # type: ignore[arg-type]


@mutant(
    "navigateur-non-compare",
    breaks="Le retour de Pro Santé Connect vaut dans un autre navigateur que celui du départ.",
    requirements=("KIT-SEC-OIC-01",),
    role="consumer",
)
def any_browser(parts: Parts) -> Parts:
    """Whoever is sent the link is logged in as somebody else."""
    return replace(parts, sessions=Anybody(parts.sessions, state=True))  # type: ignore[arg-type]


class Careless:
    """A `Psc` that is a copy of the right one, some of its methods set aside."""

    def __init__(self, parts: Parts) -> None:
        self._right: Any = copy(parts.psc)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._right, name)


class Unaddressed(Careless):
    """The answer of any provider is taken."""

    async def redeem(self, code: str, *, nonce: str, verifier: str, issuer: str) -> Grant:
        """As it should, under the right `iss`."""
        own = self._right._channel.issuer
        grant: Grant = await self._right.redeem(code, nonce=nonce, verifier=verifier, issuer=own)
        return grant


@mutant(
    "iss-non-compare",
    breaks="L'iss de la réponse d'autorisation n'est pas lu.",
    requirements=("KIT-SEC-OIC-03",),
    role="consumer",
)
def any_provider(parts: Parts) -> Parts:
    """A code of one provider is shown to another."""
    return replace(parts, psc=Unaddressed(parts))


class Stubborn(Careless):
    """A refused code is worth what the one before was."""

    last: Grant | None = None

    async def redeem(self, code: str, *, nonce: str, verifier: str, issuer: str) -> Grant:
        """As it should, the first time."""
        try:
            self.last = await self._right.redeem(
                code, nonce=nonce, verifier=verifier, issuer=issuer
            )
        except LoginRefused:
            if self.last is None:
                raise
        assert self.last is not None
        return self.last


@mutant(
    "code-refuse-sans-effet",
    breaks="Un code que Pro Santé Connect refuse ouvre la session de qui s'est connecté avant.",
    requirements=("KIT-SEC-OIC-04",),
    consequences=("KIT-SEC-OIC-02", "KIT-SEC-OIC-03"),
    role="consumer",
)
def refused_code_taken(parts: Parts) -> Parts:
    """The tokens of the last login are at hand."""
    return replace(parts, psc=Stubborn(parts))


class Foreseen(Careless):
    """One verifier for everybody."""

    verifier = "kit" * 15

    async def authorization_url(self, *, state: str, nonce: str, verifier: str) -> str:
        """With the challenge of that verifier."""
        url: str = await self._right.authorization_url(
            state=state, nonce=nonce, verifier=self.verifier
        )
        return url

    async def redeem(self, code: str, *, nonce: str, verifier: str, issuer: str) -> Grant:
        """With that verifier."""
        grant: Grant = await self._right.redeem(
            code, nonce=nonce, verifier=self.verifier, issuer=issuer
        )
        return grant


@mutant(
    "defi-pkce-constant",
    breaks="Le défi PKCE est le même à chaque connexion.",
    requirements=("KIT-SEC-OIC-05",),
    role="consumer",
)
def constant_challenge(parts: Parts) -> Parts:
    """Whoever steals a code knows its verifier."""
    return replace(parts, psc=Foreseen(parts))


class Led:
    """`Calls` that keep the address by which the caller wants PSC to send browsers back."""

    asked = ""

    def __init__(self, inner: Calls) -> None:
        self._inner = inner

    def read(self, content_type: str, query: str, body: bytes) -> Call:
        """As it should, without that parameter."""
        given = parse_qsl(body.decode("ascii", "replace"), keep_blank_values=True)
        self.asked = dict(given).get("redirect_uri", "")
        if not self.asked:
            return self._inner.read(content_type, query, body)
        rest = [(name, value) for name, value in given if name != "redirect_uri"]
        return self._inner.read(content_type, query, urlencode(rest).encode("ascii"))


class Leading(Careless):
    """Sends browsers to PSC with the address of whoever called."""

    def __init__(self, parts: Parts, calls: Led) -> None:
        super().__init__(parts)
        self._calls = calls

    async def authorization_url(self, *, state: str, nonce: str, verifier: str) -> str:
        """With that `redirect_uri`, if one was asked for."""
        url: str = await self._right.authorization_url(state=state, nonce=nonce, verifier=verifier)
        if not self._calls.asked:
            return url
        base, _, query = url.partition("?")
        return f"{base}?{urlencode(dict(parse_qsl(query)) | {'redirect_uri': self._calls.asked})}"


@mutant(
    "redirect-uri-de-l-appel",
    breaks="L'adresse de retour de Pro Santé Connect est celle que dit l'appel contextuel.",
    requirements=("KIT-SEC-OIC-06",),
    role="consumer",
)
def caller_leads(parts: Parts) -> Parts:
    """Handy behind several names; PSC will refuse the others."""
    calls = Led(parts.calls)
    return replace(parts, calls=calls, psc=Leading(parts, calls))


# Sessions --------------------------------------------------------------------------------------


class Immortal:
    """`Sessions` that a logout does not end."""

    def __init__(self, inner: Sessions) -> None:
        self._inner = inner

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def log_out(self, login: Login) -> None:
        """The browser forgets its cookie: that will do."""


@mutant(
    "session-vivante-apres-deconnexion",
    breaks="La déconnexion efface le cookie du navigateur, et la session demeure.",
    requirements=("KIT-SEC-OIC-10",),
    role="consumer",
)
def session_outlives_logout(parts: Parts) -> Parts:
    """Whoever kept the cookie comes back."""
    return replace(parts, sessions=Immortal(parts.sessions))  # type: ignore[arg-type]


# Discovery -------------------------------------------------------------------------------------


@mutant(
    "issuer-de-la-decouverte-non-compare",
    breaks="L'issuer du document de découverte n'est pas comparé à celui qui est réglé.",
    requirements=("KIT-SEC-OIC-07",),
    role="consumer",
)
def any_issuer(parts: Parts) -> Parts:
    """Whoever answers at that address is Pro Santé Connect."""
    psc: Any = copy(parts.psc)
    channel: Any = copy(psc._channel)

    async def discovered() -> Mapping[str, Any]:
        if channel._document is None:
            _, channel._document = await channel.json(
                "GET", channel.issuer + DISCOVERY, transaction="PSC-discovery"
            )
        document: Mapping[str, Any] = channel._document
        return document

    channel._discovered = discovered
    psc._channel = channel
    return replace(parts, psc=psc)


# Tokens ----------------------------------------------------------------------------------------


def _with_id_claims(parts: Parts, change: Any) -> Parts:
    """`change(right)` is how ID tokens are validated."""
    psc: Any = copy(parts.psc)
    psc._id_claims = change(psc)
    return replace(parts, psc=psc)


@mutant(
    "nonce-non-compare",
    breaks="Le nonce du jeton d'identité n'est pas comparé.",
    requirements=("KIT-SEC-OIC-02",),
    role="consumer",
)
def any_nonce(parts: Parts) -> Parts:
    """A token of another login is as good."""

    def change(psc: Any) -> Any:
        right = psc._id_claims

        async def claims(token: str, access: str, *, nonce: str | None) -> Mapping[str, Any]:
            said: Mapping[str, Any] = await right(token, access, nonce=None)
            return said

        return claims

    return _with_id_claims(parts, change)


@mutant(
    "signature-du-jeton-d-identite-non-lue",
    breaks="La signature du jeton d'identité n'est pas vérifiée.",
    requirements=("KIT-SEC-OIC-02",),
    role="consumer",
)
def any_signature(parts: Parts) -> Parts:
    """Whoever can write JSON is whoever they say."""

    def change(psc: Any) -> Any:
        believing: Any = copy(psc)

        async def verified(token: str) -> Token:
            return read(token)

        believing._verified = verified
        return believing._id_claims

    return _with_id_claims(parts, change)


class Anytype(Careless):
    """Any `token_type` is Bearer, or has to be written so."""

    def __init__(self, parts: Parts, *, any: bool) -> None:
        super().__init__(parts)
        right = self._right._token

        async def token(
            form: Mapping[str, str], *, transaction: str
        ) -> tuple[int, Mapping[str, Any]]:
            channel = self._right._channel
            status, answer = await channel.json(
                "POST",
                await channel.endpoint("token_endpoint"),
                headers=(("Content-Type", "application/x-www-form-urlencoded"),),
                content=urlencode(form).encode("ascii"),
                transaction=transaction,
            )
            if status == 200 and not any and answer.get("token_type") != "Bearer":
                raise PscUnavailable("jeton d'un type inconnu")
            return status, answer

        assert right is not None
        self._right._token = token


@mutant(
    "type-de-jeton-non-lu",
    breaks="Un jeton d'un type inconnu est pris pour un jeton au porteur.",
    requirements=("KIT-SEC-OIC-08",),
    role="consumer",
)
def any_type(parts: Parts) -> Parts:
    """What a token is for is written in its type."""
    return replace(parts, psc=Anytype(parts, any=True))


@mutant(
    "type-de-jeton-a-la-lettre",
    breaks="BEARER en capitales n'est pas pris pour Bearer.",
    requirements=("KIT-SEC-OIC-08",),
    role="consumer",
)
def exact_type(parts: Parts) -> Parts:
    """RFC 6749 5.1 says that case does not matter."""
    return replace(parts, psc=Anytype(parts, any=False))


class Counting(Careless):
    """Adds `expires_in` to the clock without looking at it."""

    def __init__(self, parts: Parts) -> None:
        super().__init__(parts)
        right = self._right._expiry

        def expiry(answer: Mapping[str, Any]) -> Any:
            return right({**answer, "expires_in": 0 + answer["expires_in"]})

        self._right._expiry = expiry


@mutant(
    "expires-in-sans-controle",
    breaks="expires_in absent ou en texte arrête la connexion sur une panne.",
    requirements=("KIT-SEC-OIC-08",),
    role="consumer",
)
def expiry_trusted(parts: Parts) -> Parts:
    """It has always been there."""
    return replace(parts, psc=Counting(parts))


class Unconcerned(Careless):
    """Userinfo is whatever the endpoint says, of whomever."""

    async def userinfo(self, grant: Grant) -> Mapping[str, Any]:
        """Its claims, whose `sub` is not looked at."""
        channel = self._right._channel
        status, claims = await channel.json(
            "GET",
            await channel.endpoint("userinfo_endpoint"),
            headers=(("Authorization", f"Bearer {grant.access_token}"),),
            transaction="PSC-userinfo",
        )
        if status != 200:
            raise PscUnavailable(f"userinfo : HTTP {status}")
        said: Mapping[str, Any] = claims
        return said


@mutant(
    "userinfo-d-un-autre",
    breaks="Le sub de userinfo n'est pas comparé à celui du jeton d'identité.",
    requirements=("KIT-SEC-OIC-09",),
    role="consumer",
)
def any_userinfo(parts: Parts) -> Parts:
    """The token says who logged in; the page says somebody else."""
    return replace(parts, psc=Unconcerned(parts))


class Markup(str):
    """A text that says of itself that it is HTML."""

    __slots__ = ()

    def __html__(self) -> str:
        return self


class Verbatim:
    """`Situations` that give names to the page as if they were its own markup."""

    def __init__(self, inner: Situations) -> None:
        self._inner = inner

    def read(self, userinfo: Mapping[str, Any]) -> Professional:
        """As it should; the page will not escape the names."""
        right = self._inner.read(userinfo)
        return replace(right, family=Markup(right.family), given=Markup(right.given))

    def match(self, professional: Professional, wanted: str) -> tuple[Situation, ...]:
        """As it should."""
        return self._inner.match(professional, wanted)


@mutant(
    "nom-du-professionnel-non-echappe",
    breaks="Le nom que donne userinfo est écrit dans la page sans être échappé.",
    requirements=("KIT-SEC-OIC-13",),
    role="consumer",
)
def names_verbatim(parts: Parts) -> Parts:
    """Pro Santé Connect would never say such a thing."""
    return replace(parts, situations=Verbatim(parts.situations))


class Obedient(Careless):
    """Ends the session that a logout token names, whoever wrote it."""

    async def ended(self, token: str) -> Ended:
        """What it says."""
        try:
            claims = read(token).claims
        except TokenError as error:
            raise LoginRefused(str(error)) from error
        return Ended(subject=str(claims.get("sub", "")), session=str(claims.get("sid", "")))


@mutant(
    "jeton-de-deconnexion-cru",
    breaks="Un jeton de déconnexion est cru sans que rien en soit vérifié.",
    requirements=("KIT-SEC-OIC-11",),
    role="consumer",
)
def logout_believed(parts: Parts) -> Parts:
    """Anybody empties the reading room."""
    return replace(parts, psc=Obedient(parts))
