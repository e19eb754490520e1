"""Consumers whose local cache serves nobody, or everybody, and that choose for the professional."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from drimbox_ref.consumer.images import PROFILES, WadoImages
from drimbox_ref.consumer.parts import Parts
from drimbox_ref.consumer.ports import Copies
from drimbox_ref.consumer.values import Copy, CopyKey, Use
from mutants.registry import mutant

__all__: list[str] = []


class Kept:
    """`Copies` that do as they should; what follows changes one thing."""

    def __init__(self, inner: Copies) -> None:
        self._inner = inner

    def directory(self) -> Path:
        """As it should."""
        return self._inner.directory()

    def find(self, key: CopyKey, use: Use, *, now: datetime) -> Copy | None:
        """As it should."""
        return self._inner.find(key, use, now=now)

    def keep(self, key: CopyKey, use: Use, copy: Copy, *, now: datetime) -> None:
        """As it should."""
        self._inner.keep(key, use, copy, now=now)

    def trim(self, open_: Collection[Path], *, now: datetime) -> None:
        """As it should."""
        self._inner.trim(open_, now=now)

    def delete(self, directory: Path) -> None:
        """As it should."""
        self._inner.delete(directory)


class Unread(Kept):
    """`Copies` that are kept and never looked up."""

    def find(self, key: CopyKey, use: Use, *, now: datetime) -> Copy | None:
        """Nothing is here."""
        return None


@mutant(
    "cache-ignore",
    breaks="Le cache local se remplit et n'est jamais consulté avant la Source.",
    requirements=("DB.CO.70",),
    role="consumer",
)
def cache_ignored(parts: Parts) -> Parts:
    """Every export asks the Source for everything."""
    return replace(parts, copies=Unread(parts.copies))


class Lent(Kept):
    """`Copies` that are anybody's."""

    def find(self, key: CopyKey, use: Use, *, now: datetime) -> Copy | None:
        """Whoever obtained it."""
        return self._inner.find(replace(key, owner=""), use, now=now)

    def keep(self, key: CopyKey, use: Use, copy: Copy, *, now: datetime) -> None:
        """For whoever comes."""
        self._inner.keep(replace(key, owner=""), use, copy, now=now)


@mutant(
    "cache-partage",
    breaks="Le cache local sert à un professionnel des images qu'un autre a obtenues.",
    requirements=("KIT-DROITS-PERSONNELS",),
    role="consumer",
)
def cache_lent(parts: Parts) -> Parts:
    """One of them has the right, all of them see."""
    return replace(parts, copies=Lent(parts.copies))


@mutant(
    "choix-de-syntaxe-ignore",
    breaks="Un export demandé avec perte est récupéré sans perte.",
    requirements=("DB.CO.73", "DB.CO.74"),
    role="consumer",
)
def choice_ignored(parts: Parts) -> Parts:
    """The page offers a choice that changes nothing."""
    profiles = {**PROFILES, Use.EXPORT_LOSSY: PROFILES[Use.EXPORT]}
    return replace(parts, images=WadoImages(parts.network, profiles=profiles))
