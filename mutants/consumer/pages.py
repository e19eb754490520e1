"""Consumers whose page forgets: criteria, reports, what the DMP refused, whose it is, who reads."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from lxml import etree

from drimbox_ref.consumer.parts import Parts
from drimbox_ref.consumer.ports import Clock, Documents, Registry, Situations
from drimbox_ref.consumer.sessions import Context, Sessions
from drimbox_ref.consumer.values import (
    Access,
    Behalf,
    Call,
    Document,
    Partial,
    Professional,
    Search,
    Situation,
)
from drimbox_ref.dmp import Rejected
from mutants.registry import mutant
from protocols.ebrim import DocumentEntry

__all__: list[str] = []

_IDLE_S = 900


class Around:
    """A `Registry` that hands everything on."""

    def __init__(self, inner: Registry) -> None:
        self._inner = inner

    async def access(self, behalf: Behalf, assertion: etree._Element, *, now: datetime) -> Access:
        """TD0.2."""
        return await self._inner.access(behalf, assertion, now=now)

    async def find(
        self, behalf: Behalf, assertion: etree._Element, search: Search
    ) -> tuple[DocumentEntry, ...]:
        """TD3.1."""
        return await self._inner.find(behalf, assertion, search)

    async def fetch(self, behalf: Behalf, assertion: etree._Element, entry: DocumentEntry) -> bytes:
        """TD3.2."""
        return await self._inner.fetch(behalf, assertion, entry)


class Unfiltered(Around):
    """A search without modality."""

    async def find(
        self, behalf: Behalf, assertion: etree._Element, search: Search
    ) -> tuple[DocumentEntry, ...]:
        """TD3.1 for every modality."""
        return await self._inner.find(behalf, assertion, replace(search, modalities=()))


@mutant(
    "criteres-oublies",
    breaks="La modalité que choisit le radiologue n'est pas demandée au DMP.",
    requirements=("DB.CO.55", "DMP/UX.27"),
    role="consumer",
)
def criteria_forgotten(parts: Parts) -> Parts:
    """The page says « IRM » and shows everything."""
    return replace(parts, registry=Unfiltered(parts.registry))


class OnlyOne(Around):
    """A search of which one answer is read."""

    async def find(
        self, behalf: Behalf, assertion: etree._Element, search: Search
    ) -> tuple[DocumentEntry, ...]:
        """TD3.1, cut short."""
        return (await self._inner.find(behalf, assertion, search))[:1]


@mutant(
    "un-seul-examen",
    breaks="De plusieurs examens que le DMP donne, la page n'en présente qu'un.",
    requirements=("DB.CO.54",),
    # What is not listed is neither looked at nor exported.
    consequences=("DB.CO.57", "KIT-LISTE-BLANCHE", "KIT-SOURCE-HOSTILE"),
    role="consumer",
)
def only_one(parts: Parts) -> Parts:
    """Right for whoever has a single exam."""
    return replace(parts, registry=OnlyOne(parts.registry))


class Reticent(Around):
    """A search whose refusal is an empty list."""

    async def find(
        self, behalf: Behalf, assertion: etree._Element, search: Search
    ) -> tuple[DocumentEntry, ...]:
        """TD3.1, never refused."""
        try:
            return await self._inner.find(behalf, assertion, search)
        except Rejected:
            return ()


class ReticentDocuments:
    """`Documents` whose refusal is an empty list."""

    def __init__(self, inner: Documents) -> None:
        self._inner = inner

    async def find(self, behalf: Behalf, assertion: etree._Element) -> tuple[Document, ...]:
        """TD3.1, never refused."""
        try:
            return await self._inner.find(behalf, assertion)
        except Rejected:
            return ()


@mutant(
    "erreur-du-dmp-tue",
    breaks="Quand le DMP refuse une recherche, la page montre une liste vide.",
    requirements=("KIT-DMP-DIT",),
    role="consumer",
)
def refusal_unsaid(parts: Parts) -> Parts:
    """The radiologist believes that there is nothing."""
    return replace(
        parts, registry=Reticent(parts.registry), documents=ReticentDocuments(parts.documents)
    )


class NoDocuments:
    """`Documents` that finds none."""

    async def find(self, behalf: Behalf, assertion: etree._Element) -> tuple[Document, ...]:
        """Nothing, unasked."""
        return ()


@mutant(
    "comptes-rendus-ignores",
    breaks="Les comptes rendus du DMP ne sont ni cherchés ni montrés.",
    requirements=("DB.CO.58", "DMP/UX.15"),
    role="consumer",
)
def reports_ignored(parts: Parts) -> Parts:
    """Images, and nobody's conclusion."""
    return replace(parts, documents=NoDocuments())


class OneForAll(Sessions):
    """`Sessions` in which the last call is everybody's."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(mint=lambda: secrets.token_urlsafe(32), now=clock.now, idle_s=_IDLE_S)
        self._all: list[Context] = []

    def open(self, call: Call) -> Context:
        """A context, and every other made to speak of the same patient."""
        context = super().open(call)
        for other in self._all:
            other.call = call
            other.forget()
        self._all.append(context)
        return context


@mutant(
    "appel-pour-tous",
    breaks="Le dernier appel contextuel change le patient de toutes les pages ouvertes.",
    requirements=("DB.CO.48",),
    role="consumer",
)
def one_call_for_all(parts: Parts) -> Parts:
    """The demonstrator's one map of parameters."""
    return replace(parts, sessions=OneForAll(parts.clock))


class Complacent(Around):
    """A search of which a part is all."""

    async def find(
        self, behalf: Behalf, assertion: etree._Element, search: Search
    ) -> tuple[DocumentEntry, ...]:
        """TD3.1, whatever is missing."""
        try:
            return await self._inner.find(behalf, assertion, search)
        except Partial as part:
            return part.found


class ComplacentDocuments:
    """`Documents` of which a part is all."""

    def __init__(self, inner: Documents) -> None:
        self._inner = inner

    async def find(self, behalf: Behalf, assertion: etree._Element) -> tuple[Document, ...]:
        """TD3.1, whatever is missing."""
        try:
            return await self._inner.find(behalf, assertion)
        except Partial as part:
            return part.found


@mutant(
    "partie-prise-pour-tout",
    breaks="Quand le DMP dit n'avoir donné qu'une partie des documents, la page n'en dit rien.",
    requirements=("KIT-DMP-DIT",),
    role="consumer",
)
def part_taken_for_all(parts: Parts) -> Parts:
    """The exam that matters is in the other half."""
    return replace(
        parts,
        registry=Complacent(parts.registry),
        documents=ComplacentDocuments(parts.documents),
    )


class Anonymous:
    """`Situations` that keep of a professional the identifier, and no name."""

    def __init__(self, inner: Situations) -> None:
        self._inner = inner

    def read(self, userinfo: Mapping[str, Any]) -> Professional:
        """Who it is, without a name."""
        return replace(self._inner.read(userinfo), family="", given="")

    def match(self, professional: Professional, wanted: str) -> tuple[Situation, ...]:
        """As it should."""
        return self._inner.match(professional, wanted)


@mutant(
    "professionnel-sans-nom",
    breaks="La page ne dit pas le nom du professionnel connecté.",
    requirements=("DB.CS.53",),
    role="consumer",
)
def nameless_professional(parts: Parts) -> Parts:
    """On a shared workstation nobody sees whose session it is."""
    return replace(parts, situations=Anonymous(parts.situations))
