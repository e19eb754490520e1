"""Consumers that let in what they should not: bad calls, missing consent, anybody at an address."""

from __future__ import annotations

import secrets
from dataclasses import replace
from datetime import datetime

from lxml import etree

from drimbox_ref.consumer.parts import Parts
from drimbox_ref.consumer.ports import Calls, Clock, Registry
from drimbox_ref.consumer.sessions import Context, Login, Sessions
from drimbox_ref.consumer.values import (
    Access,
    Behalf,
    Call,
    CallRefused,
    Consent,
    Ins,
    Professional,
    Search,
)
from drimbox_ref.psc_login import Grant
from mutants.registry import mutant
from protocols.ebrim import DocumentEntry

__all__: list[str] = []

_IDLE_S = 900


# What the RIS must say -------------------------------------------------------------------------


class Guessing:
    """`Calls` that do without the local identifier."""

    def __init__(self, inner: Calls) -> None:
        self._inner = inner

    def read(self, content_type: str, query: str, body: bytes) -> Call:
        """The call, its PatientID made up when it has none."""
        given = body if b"PatientID=" in body else body + b"&PatientID=INCONNU"
        return self._inner.read(content_type, query, given)


@mutant(
    "parametre-devine",
    breaks="Un appel sans PatientID est pris, l'identifiant local inventé.",
    requirements=("DB.CO.48",),
    role="consumer",
)
def parameter_guessed(parts: Parts) -> Parts:
    """The RIS never learns that its call lacks something."""
    return replace(parts, calls=Guessing(parts.calls))


class Laconic:
    """`Calls` that refuse without saying what is wrong."""

    def __init__(self, inner: Calls) -> None:
        self._inner = inner

    def read(self, content_type: str, query: str, body: bytes) -> Call:
        """The call, or a refusal that names nothing."""
        try:
            return self._inner.read(content_type, query, body)
        except CallRefused as refused:
            raise CallRefused("appel illisible", status=refused.status) from None


@mutant(
    "refus-sans-motif",
    breaks="L'appel incomplet est refusé sans nommer le paramètre qui manque.",
    requirements=("DB.CO.48",),
    role="consumer",
)
def refusal_unexplained(parts: Parts) -> Parts:
    """HTTP 400, and nothing to mend."""
    return replace(parts, calls=Laconic(parts.calls))


# What the patient agreed to --------------------------------------------------------------------


class Overruling:
    """`Calls` that take one answer about consent for a yes, and remember whose it was."""

    def __init__(self, inner: Calls, answer: Consent) -> None:
        self._inner = inner
        self._answer = answer
        self.overruled: set[Ins] = set()

    def read(self, content_type: str, query: str, body: bytes) -> Call:
        """The call, its consent given."""
        call = self._inner.read(content_type, query, body)
        if call.consent is not self._answer:
            return call
        self.overruled.add(call.ins)
        return replace(call, consent=Consent.GIVEN)


@mutant(
    "refus-du-patient-ignore",
    breaks="Le refus du patient n'empêche ni la recherche, ni l'affichage.",
    requirements=("DB.CO.93",),
    role="consumer",
)
def opposition_ignored(parts: Parts) -> Parts:
    """« Non » is read as « oui »."""
    return replace(parts, calls=Overruling(parts.calls, Consent.REFUSED))


@mutant(
    "consentement-presume",
    breaks="Un consentement inconnu vaut accord.",
    requirements=("DB.CO.94",),
    role="consumer",
)
def consent_presumed(parts: Parts) -> Parts:
    """Nobody is asked to ask the patient."""
    return replace(parts, calls=Overruling(parts.calls, Consent.UNKNOWN))


class HidingAfterwards:
    """A `Registry` that is asked all the same, and whose answer is hidden."""

    def __init__(self, inner: Registry, calls: Overruling) -> None:
        self._inner = inner
        self._calls = calls

    async def access(self, behalf: Behalf, assertion: etree._Element, *, now: datetime) -> Access:
        """What the DMP says, then what the patient had said."""
        access = await self._inner.access(behalf, assertion, now=now)
        if behalf.patient in self._calls.overruled:
            return Access(granted=False, reason="Le patient s'oppose à la consultation.")
        return access

    async def find(
        self, behalf: Behalf, assertion: etree._Element, search: Search
    ) -> tuple[DocumentEntry, ...]:
        """As it should."""
        return await self._inner.find(behalf, assertion, search)

    async def fetch(self, behalf: Behalf, assertion: etree._Element, entry: DocumentEntry) -> bytes:
        """As it should."""
        return await self._inner.fetch(behalf, assertion, entry)


@mutant(
    "refus-apres-consultation",
    breaks="Le refus du patient est affiché, mais le DMP a déjà été interrogé.",
    requirements=("DB.CO.93",),
    role="consumer",
)
def hidden_afterwards(parts: Parts) -> Parts:
    """The page looks right; the DMP's own trace does not."""
    calls = Overruling(parts.calls, Consent.REFUSED)
    return replace(parts, calls=calls, registry=HidingAfterwards(parts.registry, calls))


class SilentlyEmpty:
    """A `Registry` that finds nothing, and asks nothing, for some patients."""

    def __init__(self, inner: Registry, calls: Overruling) -> None:
        self._inner = inner
        self._calls = calls

    async def access(self, behalf: Behalf, assertion: etree._Element, *, now: datetime) -> Access:
        """Granted without a question."""
        if behalf.patient in self._calls.overruled:
            return Access(granted=True)
        return await self._inner.access(behalf, assertion, now=now)

    async def find(
        self, behalf: Behalf, assertion: etree._Element, search: Search
    ) -> tuple[DocumentEntry, ...]:
        """Nothing."""
        if behalf.patient in self._calls.overruled:
            return ()
        return await self._inner.find(behalf, assertion, search)

    async def fetch(self, behalf: Behalf, assertion: etree._Element, entry: DocumentEntry) -> bytes:
        """As it should."""
        return await self._inner.fetch(behalf, assertion, entry)


@mutant(
    "consentement-inconnu-tu",
    breaks="Le consentement inconnu donne une page vide, sans inviter à le recueillir.",
    requirements=("DB.CO.94",),
    role="consumer",
)
def unknown_consent_unsaid(parts: Parts) -> Parts:
    """The radiologist believes that the patient has no exam."""
    calls = Overruling(parts.calls, Consent.UNKNOWN)
    return replace(parts, calls=calls, registry=SilentlyEmpty(parts.registry, calls))


# Who looks at the page -------------------------------------------------------------------------


class AddressEnough(Sessions):
    """`Sessions` for which whoever knows a page's address is its owner."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(mint=lambda: secrets.token_urlsafe(32), now=clock.now, idle_s=_IDLE_S)
        self._by_professional: dict[str, Login] = {}
        self._asked: Context | None = None

    def log_in(self, professional: Professional, grant: Grant) -> Login:
        """The right login, remembered by its owner."""
        login = super().log_in(professional, grant)
        self._by_professional[professional.id] = login
        return login

    def context(self, id: str) -> Context | None:
        """The right context, remembered as the one asked for."""
        self._asked = super().context(id)
        return self._asked

    def login(self, id: str, *, activity: bool = True) -> Login | None:
        """The cookie's login, else that of whoever owns the context."""
        found = super().login(id, activity=activity)
        if found is not None or self._asked is None:
            return found
        return self._by_professional.get(self._asked.owner)


@mutant(
    "adresse-suffisante",
    breaks="Qui connaît l'adresse d'une page la voit sans s'authentifier.",
    requirements=("DB.CO.63",),
    # A session that PSC has ended is one more that nobody looks at.
    consequences=("KIT-FIN-SESSION",),
    role="consumer",
)
def address_enough(parts: Parts) -> Parts:
    """A link copied in a message opens the patient's exams."""
    return replace(parts, sessions=AddressEnough(parts.clock))


class TokenAsCookie(Sessions):
    """`Sessions` whose identifier of a login is its access token."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(mint=self._minted, now=clock.now, idle_s=_IDLE_S)
        self._token = ""

    def _minted(self) -> str:
        return self._token or secrets.token_urlsafe(32)

    def log_in(self, professional: Professional, grant: Grant) -> Login:
        """A login that the token itself opens."""
        self._token = grant.access_token
        try:
            return super().log_in(professional, grant)
        finally:
            self._token = ""


@mutant(
    "jeton-dans-le-cookie",
    breaks="Le cookie de session est le jeton d'accès lui-même.",
    requirements=("DB.VI-CO.12",),
    role="consumer",
)
def token_as_cookie(parts: Parts) -> Parts:
    """The browser holds what opens every Source."""
    return replace(parts, sessions=TokenAsCookie(parts.clock))
