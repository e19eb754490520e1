"""Sources that believe a token on less than what Pro Santé Connect says, or on more."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from drimbox_ref.psc import PscChannel, PscUnavailable
from drimbox_ref.source.asked_once import AskedOnce
from drimbox_ref.source.parts import Parts
from drimbox_ref.source.ports import Bearer, Tokens, Trust
from drimbox_ref.source.tokens import PscTokens
from drimbox_ref.source.values import Accepted, Denied, TokenVerdict, TrustVerdict
from mutants.registry import mutant
from mutants.source.passing import PassingTrust
from protocols import jose
from protocols.errors import RemoteProtocolError
from wire.http_client import HttpFailure

__all__: list[str] = []

_FAR = 4_000_000_000
"""Seconds since 1970: in 2096."""


def _channel(parts: Parts) -> PscChannel:
    """How the right box asks PSC."""
    assert isinstance(parts.tokens, AskedOnce)
    assert isinstance(parts.tokens.inner, PscTokens)
    return parts.tokens.inner.psc


# What PSC answers ------------------------------------------------------------------------------


class Truthy(PscTokens):
    """For which whatever is not false, empty or absent is true."""

    async def _introspect(self, token: str) -> Mapping[str, Any]:
        claims = await super()._introspect(token)
        return {**claims, "active": bool(claims.get("active"))}


@mutant(
    "active-approximatif",
    breaks="Un « active » qui n'est pas un booléen vaut vrai dès qu'il n'est ni nul ni vide.",
    requirements=("KIT-SEC-TOK-07",),
)
def truthy_active(parts: Parts) -> Parts:
    """The text "false" is true."""
    return replace(parts, tokens=Truthy(_channel(parts)))


class OnlyActive(PscTokens):
    """Who reads `active` and takes the rest for what it should be."""

    async def _introspect(self, token: str) -> Mapping[str, Any]:
        claims = await super()._introspect(token)
        right = {"typ": "Bearer", "iss": self.psc.issuer, "exp": _FAR, "iat": 0, "nbf": 0}
        return {**claims, **right}


@mutant(
    "active-seul-lu",
    breaks="De l'introspection, seul « active » est lu : ni exp, ni nbf, ni iat, ni iss, ni typ.",
    requirements=("KIT-SEC-TOK-10", "KIT-SEC-TOK-11", "KIT-SEC-TOK-12", "KIT-SEC-TOK-28"),
)
def only_active_read(parts: Parts) -> Parts:
    """As the ANS's prototype did."""
    return replace(parts, tokens=OnlyActive(_channel(parts)))


class Open(PscTokens):
    """Who takes a PSC that cannot be asked for a PSC that agrees."""

    async def _introspect(self, token: str) -> Mapping[str, Any]:
        try:
            return await super()._introspect(token)
        except PscUnavailable:
            claims = dict(jose.read(token).claims)
            return {**claims, "active": True}


@mutant(
    "psc-en-panne-ouvre",
    breaks="Quand l'introspection n'aboutit pas, le jeton est cru sur ce qu'il dit.",
    requirements=("KIT-SEC-TOK-08", "KIT-SEC-TOK-09"),
    consequences=("KIT-SEC-TOK-07",),
)
def open_without_psc(parts: Parts) -> Parts:
    """Images matter more than who sees them."""
    return replace(parts, tokens=Open(_channel(parts)))


class Follows(PscChannel):
    """Who asks again where PSC says, with what it was going to ask PSC."""

    async def raw(
        self,
        method: str,
        url: str,
        *,
        transaction: str,
        headers: tuple[tuple[str, str], ...] = (),
        content: bytes = b"",
    ) -> tuple[int, bytes]:
        """The last answer."""
        try:
            answer = await self.client.request(method, url, headers=headers, content=content)
            place = answer.headers.get("location")
            if answer.status == 307 and place:
                answer = await self.client.request(method, place, headers=headers, content=content)
        except HttpFailure as error:
            raise PscUnavailable(str(error)) from error
        return answer.status, answer.body


@mutant(
    "renvoi-de-psc-suivi",
    breaks="Le jeton est reposté là où une redirection de PSC mène, fût-ce chez un autre.",
    requirements=("KIT-SEC-TOK-09",),
    # Its client reads whatever comes, to the end.
    consequences=("KIT-SEC-TOK-08",),
)
def redirection_followed(parts: Parts) -> Parts:
    """A token that leaves."""
    right = _channel(parts)
    return replace(parts, tokens=PscTokens(Follows(right.issuer, client=right.client)))


class SubIgnored(PscTokens):
    """Who does not compare whom userinfo speaks of."""

    async def _userinfo(self, token: str) -> Mapping[str, Any] | None:
        person = await super()._userinfo(token)
        return None if person is None else {**person, "sub": self._subject}

    async def _introspect(self, token: str) -> Mapping[str, Any]:
        claims = await super()._introspect(token)
        self._subject = claims.get("sub")
        return claims


@mutant(
    "userinfo-non-compare",
    breaks="Le sub de userinfo n'est pas comparé à celui de l'introspection.",
    requirements=("KIT-SEC-TOK-24",),
)
def userinfo_not_compared(parts: Parts) -> Parts:
    """The profession of somebody else."""
    return replace(parts, tokens=SubIgnored(_channel(parts)))


class Fragile(PscTokens):
    """Who falls on what it did not expect of an introspection."""

    async def _introspect(self, token: str) -> Mapping[str, Any]:
        claims = await super()._introspect(token)
        told = jose.read(token).claims if claims.get("active") is True else claims
        for name in ("acr", "azp", "scope", "sub"):
            if claims.get(name) != told.get(name):
                raise LookupError(name)
        return claims


@mutant(
    "introspection-inattendue-fatale",
    breaks="La Source tombe en erreur (500) quand l'introspection ne dit pas ce que dit le jeton.",
    requirements=("KIT-SEC-TOK-13", "KIT-SEC-TOK-14", "KIT-SEC-TOK-21"),
    # A refresh token is one of those.
    consequences=("DB.SO.33", "KIT-SEC-TOK-12"),
)
def fragile(parts: Parts) -> Parts:
    """Neither served nor refused."""
    return replace(parts, tokens=Fragile(_channel(parts)))


# What is shown ---------------------------------------------------------------------------------


class Anywhere:
    """A `Bearer` that takes what follows its word, wherever it is."""

    def __init__(self, inner: Bearer) -> None:
        self._inner = inner

    def read(self, authorization: Sequence[str]) -> str | Denied:
        """What follows the last "Bearer", else as it should."""
        found = re.findall(r"Bearer(?: |%20)([\w.-]+)", " ".join(authorization))
        return str(found[-1]) if found else self._inner.read(authorization)


@mutant(
    "bearer-cherche-partout",
    breaks="Le jeton est ce qui suit le mot Bearer, où qu'il soit et autant de fois qu'il y soit.",
    requirements=("KIT-SEC-TOK-02", "KIT-SEC-TOK-03"),
)
def bearer_anywhere(parts: Parts) -> Parts:
    """As the ANS's prototype did."""
    return replace(parts, bearer=Anywhere(parts.bearer))


class Decodes:
    """`Tokens` that decode before they ask, without expecting that they cannot."""

    def __init__(self, inner: Tokens) -> None:
        self._inner = inner

    async def check(self, token: str, *, now: datetime) -> TokenVerdict:
        """As it should, of a token that can be read."""
        jose.read(token)
        return await self._inner.check(token, now=now)


@mutant(
    "jeton-illisible-fatal",
    breaks="Un jeton qui ne se décode pas met la Source en erreur (500).",
    requirements=("KIT-SEC-TOK-22",),
)
def unreadable_token_fatal(parts: Parts) -> Parts:
    """An exception that nobody catches."""
    return replace(parts, tokens=Decodes(parts.tokens))


class KeptByJti:
    """`Tokens` that never forget an acceptance, and know a token by its `jti`."""

    def __init__(self, inner: Tokens) -> None:
        self._inner = inner
        self._kept: dict[object, Accepted] = {}

    async def check(self, token: str, *, now: datetime) -> TokenVerdict:
        """As it was once answered."""
        try:
            jti = jose.read(token).claims.get("jti")
        except RemoteProtocolError:
            return await self._inner.check(token, now=now)
        if jti in self._kept:
            return self._kept[jti]
        verdict = await self._inner.check(token, now=now)
        if isinstance(verdict, Accepted):
            self._kept[jti] = verdict
        return verdict


@mutant(
    "acceptation-gardee-par-jti",
    breaks="Un jeton accepté une fois l'est toujours, et tout jeton de même jti avec lui.",
    requirements=("KIT-SEC-TOK-06", "KIT-SEC-TOK-25"),
    consequences=("KIT-SEC-TOK-29", "KIT-SEC-TOK-18", "KIT-SEC-TOK-19"),
)
def kept_by_jti(parts: Parts) -> Parts:
    """A cache without end, under too short a name."""
    return replace(parts, tokens=KeptByJti(parts.tokens))


class Lasting:
    """`Tokens` that ask about a token until it was accepted."""

    def __init__(self, inner: Tokens) -> None:
        self._inner = inner
        self._accepted: dict[str, Accepted] = {}

    async def check(self, token: str, *, now: datetime) -> TokenVerdict:
        """What was accepted is."""
        if token in self._accepted:
            return self._accepted[token]
        verdict = await self._inner.check(token, now=now)
        if isinstance(verdict, Accepted):
            self._accepted[token] = verdict
        return verdict


@mutant(
    "jeton-jamais-redemande",
    breaks="Un jeton accepté n'est plus jamais demandé à PSC, même une fois fini.",
    requirements=("KIT-SEC-TOK-29",),
    consequences=("KIT-SEC-TOK-06",),
)
def never_asked_again(parts: Parts) -> Parts:
    """Faster, says the vendor."""
    return replace(parts, tokens=Lasting(parts.tokens))


class Unbound:
    """`Tokens` whose `cnf` nobody reads."""

    def __init__(self, inner: Tokens) -> None:
        self._inner = inner

    async def check(self, token: str, *, now: datetime) -> TokenVerdict:
        """As it should, bound to nothing."""
        verdict = await self._inner.check(token, now=now)
        return replace(verdict, bound_to=None) if isinstance(verdict, Accepted) else verdict


@mutant(
    "cnf-ignore",
    breaks="Un jeton lié à un certificat est accepté de qui en montre un autre.",
    requirements=("KIT-SEC-TOK-16", "KIT-SEC-TOK-17"),
)
def binding_ignored(parts: Parts) -> Parts:
    """A bearer token after all."""
    return replace(parts, tokens=Unbound(parts.tokens))


class Fickle(PassingTrust):
    """A `Trust` that takes one member for a member, and the others every other time."""

    def __init__(self, inner: Trust) -> None:
        super().__init__(inner)
        self._first: bytes | None = None
        self._turn = False

    def judge(self, certificate: bytes | None, *, now: datetime) -> TrustVerdict:
        """As it should of the first that came."""
        verdict = super().judge(certificate, now=now)
        self._first = self._first or certificate
        if verdict is not TrustVerdict.LISTED or certificate == self._first:
            return verdict
        self._turn = not self._turn
        return TrustVerdict.LISTED if self._turn else TrustVerdict.UNLISTED


@mutant(
    "membre-une-fois-sur-deux",
    breaks="Une DRIMbox de la liste, si elle n'est pas la première venue, est admise une fois sur "
    "deux.",
    requirements=("KIT-SEC-TOK-15",),
    # Whatever a second member shows or asks for.
    consequences=("KIT-SEC-TLS-07", "KIT-SEC-TLS-12", "KIT-SEC-WL-12", "DB.CO.60"),
)
def fickle(parts: Parts) -> Parts:
    """Whatever the policy is, it is none."""
    return replace(parts, trust=Fickle(parts.trust))


# What it costs, and what is left of it ---------------------------------------------------------


class Insistent:
    """`Tokens` that ask again, to be sure."""

    def __init__(self, inner: Tokens) -> None:
        self._inner = inner

    async def check(self, token: str, *, now: datetime) -> TokenVerdict:
        """The second of two answers."""
        await self._inner.check(token, now=now)
        return await self._inner.check(token, now=now)


@mutant(
    "introspection-deux-fois",
    breaks="Chaque demande d'images coûte deux introspections à Pro Santé Connect.",
    requirements=("KIT-SEC-TOK-26",),
    role="source",
)
def asked_twice(parts: Parts) -> Parts:
    """One for the filter, one for the handler."""
    return replace(parts, tokens=Insistent(PscTokens(_channel(parts))))


class Quoting:
    """`Tokens` whose refusal says what was refused."""

    def __init__(self, inner: Tokens) -> None:
        self._inner = inner

    async def check(self, token: str, *, now: datetime) -> TokenVerdict:
        """As it should, in more words."""
        verdict = await self._inner.check(token, now=now)
        if isinstance(verdict, Denied):
            return replace(verdict, message=f"{verdict.message} ({token})")
        return verdict


@mutant(
    "jeton-dans-le-refus",
    breaks="Le refus d'un jeton, et sa trace, disent le jeton entier.",
    requirements=("KIT-SEC-TOK-27",),
)
def refused_token_quoted(parts: Parts) -> Parts:
    """Handy to whoever debugs, and to whoever reads the logs after."""
    return replace(parts, tokens=Quoting(parts.tokens))


class ByAnyKey:
    """`Tokens` that take a token by its form when its key is none that they know."""

    def __init__(self, inner: Tokens) -> None:
        self._inner = inner

    async def check(self, token: str, *, now: datetime) -> TokenVerdict:
        """What PSC says, else what the token says of itself."""
        verdict = await self._inner.check(token, now=now)
        if not isinstance(verdict, Denied):
            return verdict
        try:
            claims = jose.read(token).claims
        except RemoteProtocolError:
            return verdict
        return Accepted(
            subject=str(claims.get("preferred_username", "")),
            professions=("10",),
            expires=None,
            bound_to=None,
        )


@mutant(
    "cle-inconnue-admise",
    breaks="Un jeton signé d'une clé que PSC ne publie pas est pris sur ce qu'il dit de lui.",
    requirements=("KIT-SEC-TOK-20",),
    consequences=(
        "KIT-SEC-TOK-29",
        *tuple(
            f"KIT-SEC-TOK-{number:02}"
            for number in (6, 7, 8, 9, 10, 11, 12, 16, 17, 18, 19, 22, 24, 25, 27, 28)
        ),
        "DB.SO.33",
        "DB.SO.34",
        "KIT-SEC-TRC-02",
        "KIT-SEC-TOK-26",
    ),
)
def unknown_key_taken(parts: Parts) -> Parts:
    """So that a rotation of PSC's interrupts nobody."""
    return replace(parts, tokens=ByAnyKey(parts.tokens))
