"""Consumers that ask the DMP wrongly: rights, VIHF, certificates, results of somebody else."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from datetime import datetime

from lxml import etree

from drimbox_ref.consumer.parts import Parts
from drimbox_ref.consumer.ports import Clock, Directory, Documents, Registry, Vihf
from drimbox_ref.consumer.values import Access, Behalf, Document, Professional, Search
from drimbox_ref.credentials import Credentials
from drimbox_ref.dmp import PeerUnavailable
from mutants.registry import mutant
from protocols import saml
from protocols.ebrim import DocumentEntry
from protocols.saml import Assertion, Attribute, CodedValue
from spec.vihf import AttributeName, AuthenticationMode

__all__: list[str] = []


class _Wrapped:
    """A `Registry` that does as it should."""

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


# Whether it may be asked -----------------------------------------------------------------------


class Unasked(_Wrapped):
    """A `Registry` that takes every DMP for open."""

    async def access(self, behalf: Behalf, assertion: etree._Element, *, now: datetime) -> Access:
        """Granted, without a question."""
        return Access(granted=True)


@mutant(
    "acces-non-verifie",
    breaks="Le DMP est consulté sans vérifier les droits d'accès (TD0.2).",
    requirements=("DMP/UX.08",),
    role="consumer",
)
def access_unasked(parts: Parts) -> Parts:
    """The search is the first thing that the DMP hears of."""
    return replace(parts, registry=Unasked(parts.registry))


class Unheard(_Wrapped):
    """A `Registry` whose answer about rights is not listened to."""

    async def access(self, behalf: Behalf, assertion: etree._Element, *, now: datetime) -> Access:
        """Granted, whatever the DMP says."""
        await self._inner.access(behalf, assertion, now=now)
        return Access(granted=True)


@mutant(
    "dmp-ferme-ignore",
    breaks="Les droits d'accès sont demandés au DMP, et la réponse ignorée.",
    requirements=("DMP/UX.08",),
    role="consumer",
)
def closed_dmp_searched(parts: Parts) -> Parts:
    """A closed DMP is searched."""
    return replace(parts, registry=Unheard(parts.registry))


class AskedAfterwards(Unasked):
    """A `Registry` that is searched first, and asked about rights then."""

    def __init__(self, inner: Registry, clock: Clock) -> None:
        super().__init__(inner)
        self._clock = clock

    async def find(
        self, behalf: Behalf, assertion: etree._Element, search: Search
    ) -> tuple[DocumentEntry, ...]:
        """What the DMP holds, unless it turns out that it was not to be asked."""
        again = deepcopy(assertion)  # an element belongs to one envelope
        found = await self._inner.find(behalf, assertion, search)
        access = await self._inner.access(behalf, again, now=self._clock.now())
        return found if access.granted else ()


@mutant(
    "acces-verifie-apres",
    breaks="Les droits d'accès ne sont vérifiés qu'après la recherche.",
    requirements=("DMP/UX.08",),
    role="consumer",
)
def access_asked_afterwards(parts: Parts) -> Parts:
    """Both are asked, in the wrong order."""
    return replace(parts, registry=AskedAfterwards(parts.registry, parts.clock))


# In whose name ---------------------------------------------------------------------------------


class Altered:
    """A `Vihf` that says something else, and signs it properly."""

    def __init__(self, inner: Vihf, change: Callable[[Assertion], Assertion]) -> None:
        self._inner = inner
        self._change = change

    def assertion(self, behalf: Behalf, *, now: datetime) -> etree._Element:
        """The assertion changed, then signed by the structure's ORG SIGN certificate."""
        right = saml.parse(self._inner.assertion(behalf, now=now))
        return saml.build(
            self._change(right),
            key=behalf.credentials.sign_key,
            certificate=behalf.credentials.sign_chain[0],
        )


def _with(name: str, *values: str | CodedValue) -> Callable[[Assertion], Assertion]:
    """Change the values of one attribute."""

    def change(assertion: Assertion) -> Assertion:
        attributes = tuple(
            Attribute(one.name, values) if one.name.lower() == name.lower() else one
            for one in assertion.attributes
        )
        return replace(assertion, attributes=attributes)

    return change


@mutant(
    "vihf-indirect",
    breaks="Le DMP est consulté en authentification indirecte simple, non renforcée.",
    requirements=("DB.CO.67",),
    # The DMP refuses whatever token comes with it, whenever it answers again.
    consequences=("KIT-API-PSC", "KIT-DMP-DIT"),
    role="consumer",
)
def plain_indirect(parts: Parts) -> Parts:
    """The mode of a Source."""
    mode = _with(AttributeName.AUTHENTIFICATION_MODE, AuthenticationMode.INDIRECTE.value)
    return replace(parts, vihf=Altered(parts.vihf, mode))


@mutant(
    "identifiant-generique",
    breaks="Le VIHF porte l'identifiant de la structure au lieu de celui du professionnel.",
    requirements=("DMP/AIRS.06",),
    role="consumer",
)
def generic_identifier(parts: Parts) -> Parts:
    """Nobody in particular consulted."""

    def change(assertion: Assertion) -> Assertion:
        return replace(assertion, name_id=assertion.text(AttributeName.IDENTIFIANT_STRUCTURE))

    return replace(parts, vihf=Altered(parts.vihf, change))


@mutant(
    "savoir-faire-constant",
    breaks="Le VIHF dit tout professionnel médecin généraliste, quoi que dise UserInfo.",
    requirements=("DB.CO.92",),
    role="consumer",
)
def constant_skill(parts: Parts) -> Parts:
    """Constants where userinfo should be read, as the ANS demonstrator's Source has them."""
    roles = (
        CodedValue("Role", "10", "1.2.250.1.71.1.2.7", "", "Médecin"),
        CodedValue("Role", "SM26", "1.2.250.1.71.4.2.5", "", "Qualifié en médecine générale (SM)"),
    )
    return replace(parts, vihf=Altered(parts.vihf, _with(AttributeName.ROLE, *roles)))


class OtherStructure:
    """A `Directory` that always gives the same structure's certificates."""

    def __init__(self, inner: Directory, structure: str) -> None:
        self._inner = inner
        self._structure = structure

    def of(self, structure: str) -> Credentials | None:
        """Those of its own structure."""
        return self._inner.of(self._structure)


@mutant(
    "certificat-d-une-autre-structure",
    breaks="Le certificat employé n'est pas celui de la situation d'exercice.",
    requirements=("DB.CO.91",),
    role="consumer",
)
def another_structure(parts: Parts) -> Parts:
    """The first certificate of the configuration serves everybody."""
    # The bed certifies two structures: the reader's, and the one that publishes.
    from bench.site import Site

    return replace(parts, directory=OtherStructure(parts.directory, Site().structure.id))


# What it answers -------------------------------------------------------------------------------


class Blind(_Wrapped):
    """A `Registry` whose results are lost."""

    async def find(
        self, behalf: Behalf, assertion: etree._Element, search: Search
    ) -> tuple[DocumentEntry, ...]:
        """Asked, and forgotten."""
        await self._inner.find(behalf, assertion, search)
        return ()


@mutant(
    "resultats-perdus",
    breaks="Les KOS que le DMP a trouvés ne sont pas présentés.",
    requirements=("DB.CO.54",),
    # No exam is read at the DMP, and none comes when it answers again.
    consequences=("KIT-API-PSC", "KIT-DMP-DIT"),
    role="consumer",
)
def results_lost(parts: Parts) -> Parts:
    """The page is empty: whatever needs an exam is starved."""
    return replace(parts, registry=Blind(parts.registry))


class Remembering(_Wrapped):
    """A `Registry` that remembers what was found in a login, not for whom.

    `mixed` adds what is found for the patient; otherwise the first answer serves all.
    """

    def __init__(self, inner: Registry, *, mixed: bool) -> None:
        super().__init__(inner)
        self._mixed = mixed
        self._found: dict[int, tuple[Professional, tuple[DocumentEntry, ...]]] = {}
        # By login: two of one second are told apart by who logged in as an object, kept beside.
        self._documents: dict[str, bytes] = {}

    async def find(
        self, behalf: Behalf, assertion: etree._Element, search: Search
    ) -> tuple[DocumentEntry, ...]:
        """What this login was answered before, if anything."""
        login = id(behalf.professional)
        _, before = self._found.get(login, (behalf.professional, ()))
        if before and not self._mixed:
            return before
        found = await self._inner.find(behalf, assertion, search)
        every = (*before, *(one for one in found if one not in before))
        self._found[login] = (behalf.professional, every)
        return every

    async def fetch(self, behalf: Behalf, assertion: etree._Element, entry: DocumentEntry) -> bytes:
        """The document, kept: the DMP would not give it for another patient."""
        if entry.unique_id not in self._documents:
            document = await self._inner.fetch(behalf, assertion, entry)
            self._documents[entry.unique_id] = document
        return self._documents[entry.unique_id]


@mutant(
    "recherche-du-precedent",
    breaks="La recherche faite pour un patient sert aux suivants, tant que dure la session.",
    requirements=("DB.CO.54",),
    # Whoever is looked for otherwise in the same login is not either.
    consequences=("DB.CO.55", "DMP/UX.27"),
    role="consumer",
)
def search_of_the_one_before(parts: Parts) -> Parts:
    """The next patient's page shows the exams of the one before."""
    return replace(parts, registry=Remembering(parts.registry, mixed=False))


@mutant(
    "patients-meles",
    breaks="Les examens du patient précédent restent sur la page du suivant.",
    requirements=("DB.CO.54",),
    # Whoever is looked for otherwise in the same login is not either.
    consequences=("DB.CO.55", "DMP/UX.27"),
    role="consumer",
)
def patients_mixed(parts: Parts) -> Parts:
    """One list for the session, as in a demonstrator that keeps one map for everybody."""
    return replace(parts, registry=Remembering(parts.registry, mixed=True))


class Quiet(_Wrapped):
    """A `Registry` for which an answer that cannot be read has found nothing."""

    async def find(
        self, behalf: Behalf, assertion: etree._Element, search: Search
    ) -> tuple[DocumentEntry, ...]:
        """As it should, or nothing."""
        try:
            return await super().find(behalf, assertion, search)
        except PeerUnavailable:
            return ()


class QuietToo:
    """`Documents` that are as few."""

    def __init__(self, inner: Documents) -> None:
        self._inner = inner

    async def find(self, behalf: Behalf, assertion: etree._Element) -> tuple[Document, ...]:
        """As it should, or nothing."""
        try:
            return await self._inner.find(behalf, assertion)
        except PeerUnavailable:
            return ()


@mutant(
    "reponse-illisible-tue",
    breaks="Une réponse du DMP qui ne se lit pas passe pour une recherche sans résultat.",
    requirements=("KIT-SEC-SML-05",),
    consequences=("KIT-DMP-DIT",),
    role="consumer",
)
def unreadable_is_nothing(parts: Parts) -> Parts:
    """The radiologist believes that the patient has no images."""
    return replace(parts, registry=Quiet(parts.registry), documents=QuietToo(parts.documents))
