"""What a KOS lets out: the local archive is asked before any image is fetched."""

from __future__ import annotations

from drimbox_ref.source.ports import Archive
from drimbox_ref.source.values import ArchiveEntry, Denied, EntryState, Served
from protocols.dicomweb import Resource

__all__ = ["ArchiveCatalogue"]


class ArchiveCatalogue:
    """Checks study, KOS and series against the archive (DB.SO.37, DB.SO.38).

    A depublished study gets an answer of its own, as the ANS FAQ asks for.
    """

    def __init__(self, archive: Archive) -> None:
        self._archive = archive

    def resolve(self, resource: Resource, kos_uid: str) -> Served | Denied:
        """The instances of a resource that this KOS lets out."""
        current = self._archive.current(resource.study)
        if current is None:
            return _not_found("Aucun KOS n'a été publié pour cet examen.")
        if current.state is EntryState.DEPUBLISHED:
            return Denied(
                status=410, error="", message="Le KOS de cet examen a été dépublié : images closes."
            )
        if kos_uid != current.kos_uid:
            former = self._archive.by_kos(kos_uid)
            if former is not None and former.study_uid == resource.study:
                return _not_found(
                    "Ce KOS a été remplacé : relire la version en vigueur dans le DMP."
                )
            return _not_found("Ce KOS n'est pas celui de l'examen demandé.")
        return _served(current, resource)


def _served(entry: ArchiveEntry, resource: Resource) -> Served | Denied:
    if resource.series is None:
        instances = frozenset(uid for listed in entry.series.values() for uid in listed)
    elif resource.series in entry.series:
        instances = frozenset(entry.series[resource.series])
    else:
        return _not_found("Cette série n'est pas référencée par le KOS.")
    if resource.instance is not None:
        if resource.instance not in instances:
            return _not_found("Cette instance n'est pas référencée par le KOS.")
        instances = frozenset({resource.instance})
    return Served(
        entry=entry,
        series_uid=resource.series,
        instance_uid=resource.instance,
        instances=instances,
    )


def _not_found(message: str) -> Denied:
    return Denied(status=404, error="", message=message)
