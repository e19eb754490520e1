"""Sources that do not give what was asked for: another resource, another syntax, one at a time."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace

from drimbox_ref.dmp import PeerUnavailable
from drimbox_ref.source.parts import Parts
from drimbox_ref.source.ports import Catalogue, Images, Negotiator, Retrieval
from drimbox_ref.source.transfer import Transfer
from drimbox_ref.source.values import (
    Denied,
    Representation,
    RetrievalFailed,
    Served,
    StoredObject,
    Wanted,
)
from mutants.registry import mutant
from protocols.dicomweb import Resource

__all__: list[str] = []


class WholeSeries:
    """A `Catalogue` that knows no level below the series."""

    def __init__(self, inner: Catalogue) -> None:
        self._inner = inner

    def resolve(self, resource: Resource, kos_uid: str) -> Served | Denied:
        """The series of the image."""
        return self._inner.resolve(replace(resource, instance=None), kos_uid)


@mutant(
    "serie-pour-une-image",
    breaks="La demande d'une image rend toute sa série.",
    requirements=("DB.SO.32",),
    consequences=("DB.SO.103",),
)
def series_for_an_image(parts: Parts) -> Parts:
    """The end of the path is not read."""
    return replace(parts, catalogue=WholeSeries(parts.catalogue))


class Unframed:
    """A `Catalogue` that has no frames to give."""

    def __init__(self, inner: Catalogue) -> None:
        self._inner = inner

    def resolve(self, resource: Resource, kos_uid: str) -> Served | Denied:
        """Not found, whatever the capabilities say."""
        if resource.frames:
            return Denied(status=404, error="", message="Ressource inconnue.")
        return self._inner.resolve(resource, kos_uid)


@mutant(
    "annonce-non-tenue",
    breaks="Les capacités annoncent les images d'une instance, qui ne sont pas servies.",
    requirements=("DB.SO.103",),
)
def announced_not_served(parts: Parts) -> Parts:
    """The description of another version."""
    return replace(parts, catalogue=Unframed(parts.catalogue))


class Unweighted:
    """A `Negotiator` that walks the syntaxes as they are written."""

    def __init__(self, inner: Negotiator) -> None:
        self._inner = inner

    def read(self, resource: Resource, accept: Sequence[str]) -> Representation | Denied:
        """What is taken, every q the same."""
        return self._inner.read(resource, [line.replace("; q=0.9", "; q=0.4") for line in accept])


@mutant(
    "q-ignore",
    breaks="Les syntaxes de transfert sont prises dans l'ordre écrit, sans lire q.",
    requirements=("DB.SO.85",),
)
def weights_ignored(parts: Parts) -> Parts:
    """What the client prefers is nobody's business."""
    return replace(parts, negotiator=Unweighted(parts.negotiator))


class AnySyntax:
    """A `Negotiator` for which every client takes everything."""

    def __init__(self, inner: Negotiator) -> None:
        self._inner = inner

    def read(self, resource: Resource, accept: Sequence[str]) -> Representation | Denied:
        """The right form, in whatever syntax the PACS has."""
        found = self._inner.read(resource, accept)
        return found if isinstance(found, Denied) else replace(found, syntaxes=("*",))


@mutant(
    "accept-ignore",
    breaks="Les images sont rendues comme le PACS les garde, quoi que dise Accept.",
    requirements=("DB.SO.85",),
)
def accept_ignored(parts: Parts) -> Parts:
    """The reader gets what it cannot decode."""
    return replace(parts, negotiator=AnySyntax(parts.negotiator))


class Finicky:
    """A `Negotiator` that wants no empty element in a list."""

    def __init__(self, inner: Negotiator) -> None:
        self._inner = inner

    def read(self, resource: Resource, accept: Sequence[str]) -> Representation | Denied:
        """400 for a trailing comma, which RFC 9110 5.6.1 has recipients ignore."""
        if any(line.rstrip().endswith(",") for line in accept):
            return Denied(status=400, error="", message="En-tête Accept illisible.")
        return self._inner.read(resource, accept)


@mutant(
    "virgule-finale-refusee",
    breaks="Un Accept qui finit par une virgule, comme dans les échantillons, est refusé.",
    requirements=("DB.SO.32",),
)
def trailing_comma_refused(parts: Parts) -> Parts:
    """A reader of its own of an old header."""
    return replace(parts, negotiator=Finicky(parts.negotiator))


class OneAtATime:
    """`Images` that refuse a second transfer while one is under way."""

    def __init__(self, inner: Images) -> None:
        self._inner = inner
        self._busy = False

    async def open(self, wanted: Wanted) -> Retrieval:
        """The first one comes first."""
        if self._busy:
            raise PeerUnavailable("un transfert est en cours")
        self._busy = True
        try:
            return _Alone(await self._inner.open(wanted), self)
        except BaseException:
            self._busy = False
            raise

    def free(self) -> None:
        """The transfer is over."""
        self._busy = False


class _Alone:
    """A `Retrieval` that keeps others out."""

    def __init__(self, inner: Retrieval, owner: OneAtATime) -> None:
        self._inner = inner
        self._owner = owner

    def objects(self) -> AsyncIterator[StoredObject]:
        """As it should."""
        return self._inner.objects()

    async def close(self) -> None:
        """As it should, then others may come."""
        await self._inner.close()
        self._owner.free()


@mutant(
    "une-serie-a-la-fois",
    breaks="Une demande est refusée tant qu'une autre est servie.",
    requirements=("DB.SO.32", "DB.SO.35"),
    consequences=("DB.CO.60", "KIT-SEC-DIC-06"),
)
def one_at_a_time(parts: Parts) -> Parts:
    """Five clients, one of them happy."""
    return replace(parts, images=OneAtATime(parts.images))


class Remembered:
    """`Images` that ask the PACS once for each, and serve from memory after that."""

    def __init__(self, inner: Images) -> None:
        self._inner = inner
        self.known: dict[str, StoredObject] = {}

    async def open(self, wanted: Wanted) -> Retrieval:
        """From memory when all of it is there."""
        if wanted.instances <= self.known.keys():
            return _FromMemory([self.known[uid] for uid in sorted(wanted.instances)])
        return _Learning(await self._inner.open(wanted), self.known)


class _FromMemory:
    """A `Retrieval` that asks nobody."""

    def __init__(self, held: list[StoredObject]) -> None:
        self._held = held

    async def objects(self) -> AsyncIterator[StoredObject]:
        """What was kept."""
        for stored in self._held:
            yield stored

    async def close(self) -> None:
        """Nothing to end."""


class _Learning:
    """A `Retrieval` whose objects are remembered."""

    def __init__(self, inner: Retrieval, known: dict[str, StoredObject]) -> None:
        self._inner = inner
        self._known = known

    async def objects(self) -> AsyncIterator[StoredObject]:
        """As they should, and kept."""
        async for stored in self._inner.objects():
            self._known[stored.sop_instance] = stored
            yield stored

    async def close(self) -> None:
        """As it should."""
        await self._inner.close()


@mutant(
    "cache-sans-pacs",
    breaks="Les images gardées en cache sont rendues sans demander au PACS s'il les a encore.",
    requirements=("DB.SO.32",),
)
def cache_unconfirmed(parts: Parts) -> Parts:
    """A rejected image stays visible."""
    return replace(parts, images=Remembered(parts.images))


class CountBelieved:
    """`Images` that believe the PACS when it says how many it sent."""

    def __init__(self, inner: Images) -> None:
        self._inner = inner

    async def open(self, wanted: Wanted) -> Retrieval:
        """A retrieval that ends when the PACS has said so."""
        return _Counted(await self._inner.open(wanted), len(wanted.instances))


class _Counted:
    """A `Retrieval` that keeps the last object until the numbers agree."""

    def __init__(self, inner: Retrieval, count: int) -> None:
        self._inner = inner
        self._count = count

    async def objects(self) -> AsyncIterator[StoredObject]:
        """As they come; the last one when the PACS says that it has sent them all."""
        held: StoredObject | None = None
        async for stored in self._inner.objects():
            if held is not None:
                yield held
            held = stored
        if isinstance(self._inner, Transfer):
            told = (await self._inner.told()).completed
            if told < self._count:
                raise RetrievalFailed(f"{told} envoyée(s) sur {self._count}", gone=False)
        if held is not None:
            yield held

    async def close(self) -> None:
        """As it should."""
        await self._inner.close()


@mutant(
    "compte-du-pacs-cru",
    breaks="Une série reçue entière n'est pas rendue si le PACS en annonce moins d'envoyées.",
    requirements=("DB.SO.32",),
)
def count_believed(parts: Parts) -> Parts:
    """What the PACS says weighs more than what it sent."""
    return replace(parts, images=CountBelieved(parts.images))


class Contented:
    """`Images` for which what has come is what there is."""

    def __init__(self, inner: Images) -> None:
        self._inner = inner

    async def open(self, wanted: Wanted) -> Retrieval:
        """A retrieval that never fails once it began."""
        return _Contented(await self._inner.open(wanted))


class _Contented:
    """A `Retrieval` that ends in good order whatever is missing."""

    def __init__(self, inner: Retrieval) -> None:
        self._inner = inner

    async def objects(self) -> AsyncIterator[StoredObject]:
        """What comes."""
        any_came = False
        try:
            async for stored in self._inner.objects():
                any_came = True
                yield stored
        except RetrievalFailed:
            if not any_came:
                raise

    async def close(self) -> None:
        """As it should."""
        await self._inner.close()


@mutant(
    "serie-partielle-entiere",
    breaks="Les images que le PACS n'a pas su envoyer manquent sans que la réponse le dise.",
    requirements=("DB.SO.32",),
)
def partial_as_whole(parts: Parts) -> Parts:
    """A warning of the PACS that nobody reads."""
    return replace(parts, images=Contented(parts.images))
