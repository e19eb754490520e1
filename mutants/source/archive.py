"""Sources whose local archive does not keep what they published: nobody can take it over."""

from __future__ import annotations

from dataclasses import replace

from drimbox_ref.source.parts import Parts
from drimbox_ref.source.values import ArchiveEntry
from mutants.registry import mutant
from mutants.source.passing import PassingArchive
from protocols import kos

__all__: list[str] = []


class Rewritten(PassingArchive):
    """An `Archive` that keeps a KOS of its own writing."""

    def record(self, entry: ArchiveEntry) -> None:
        """The same manifest, with another date."""
        manifest = replace(kos.decode(entry.kos), content_time="000000")
        self._inner.record(replace(entry, kos=kos.encode(manifest)))


@mutant(
    "archive-kos-reecrit",
    breaks="L'archive locale garde un KOS réécrit, qui n'est pas celui que le DMP a reçu.",
    requirements=("DB.SO.22", "DB.SO.29"),
)
def kos_rewritten(parts: Parts) -> Parts:
    """Its hash is no longer that of its metadata."""
    return replace(parts, archive=Rewritten(parts.archive))


class Unsigned(PassingArchive):
    """An `Archive` that keeps no signature."""

    def record(self, entry: ArchiveEntry) -> None:
        """The KOS and its metadata alone."""
        self._inner.record(replace(entry, signature=b""))


@mutant(
    "archive-sans-signature",
    breaks="L'archive locale ne garde pas la signature du lot : son export est incomplet.",
    requirements=("DB.SO.29",),
)
def signature_lost(parts: Parts) -> Parts:
    """The metadata name a document that is nowhere."""
    return replace(parts, archive=Unsigned(parts.archive))


class Unnamed(PassingArchive):
    """An `Archive` that forgets what the DMP called a KOS."""

    def record(self, entry: ArchiveEntry) -> None:
        """Without its entryUUID."""
        self._inner.record(replace(entry, entry_uuid=""))

    def set_entry_uuid(self, kos_uid: str, entry_uuid: str) -> None:
        """Nothing."""


@mutant(
    "archive-sans-entry-uuid",
    breaks="L'archive locale ne garde pas l'identifiant que le DMP a donné au KOS.",
    requirements=("DB.SO.29",),
)
def entry_uuid_lost(parts: Parts) -> Parts:
    """Whoever takes over must search the DMP for each KOS."""
    return replace(parts, archive=Unnamed(parts.archive))
