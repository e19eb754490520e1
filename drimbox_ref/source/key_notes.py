"""The key image notes of an exam, read in the PACS: which images they point at, and why.

A KOS lists a note as it does any object; it also says, at each image that a note points at, which
note that is, under which title and with which text.

Réf.: DRIM-M_DATA "informatif/KIN/Manifest_KOS.xml", grade: sample; DICOM PS3.3 A.35.4, IHE RAD TF
Vol. 2, 4.31 (KIN), grade: standard.
"""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace

from drimbox_ref.dmp import PeerUnavailable
from drimbox_ref.source.ports import Alerts, Clock, Images
from drimbox_ref.source.values import (
    Ban,
    FoundSeries,
    FoundStudy,
    RetrievalFailed,
    StoredObject,
    Wanted,
)
from drimbox_ref.trail import Alert
from protocols import kos
from protocols.dicom import build_part10
from protocols.errors import LocalProtocolError, RemoteProtocolError
from protocols.kos import KeyObjectRef
from spec.dicom import DCM, KEY_OBJECT_SELECTION_STORAGE, MANIFEST_TITLES, REJECTION_TITLES

__all__ = ["NoKeyNotes", "PacsKeyNotes"]

_log = logging.getLogger(__name__)


class NoKeyNotes:
    """A `KeyNotes` that reads none: the option `none`."""

    async def read(self, study: FoundStudy) -> FoundStudy:
        """The study as it is."""
        return study


class PacsKeyNotes:
    """A `KeyNotes` that asks the PACS for them, as it is asked for images.

    What a note says is no reason to publish nothing: one that cannot be had in `patience_s`, or
    read, is an alert, and the KOS lists it as an object among others.
    """

    def __init__(self, images: Images, *, alerts: Alerts, clock: Clock, patience_s: float) -> None:
        self._images = images
        self._alerts = alerts
        self._clock = clock
        self._patience = patience_s

    async def read(self, study: FoundStudy) -> FoundStudy:
        """The study, its images knowing the notes that point at them."""
        pointed: dict[str, list[KeyObjectRef]] = defaultdict(list)
        for series in study.series:
            notes = [
                one.sop_instance
                for one in series.instances
                if one.sop_class == KEY_OBJECT_SELECTION_STORAGE
            ]
            if not notes:
                continue
            try:
                found = await self._fetch(study, series, frozenset(notes))
                for note in notes:
                    for image, reference in _read(found[note], series.uid):
                        pointed[image].append(reference)
            except (PeerUnavailable, RetrievalFailed, RemoteProtocolError, TimeoutError) as error:
                await self._tell(study, str(error) or "le PACS ne répond pas à temps")
        return _with_notes(study, pointed) if pointed else study

    async def _fetch(
        self, study: FoundStudy, series: FoundSeries, notes: frozenset[str]
    ) -> Mapping[str, StoredObject]:
        wanted = Wanted(
            pacs=study.pacs,
            study_uid=study.uid,
            series_uid=series.uid,
            instance_uid=None,
            instances=notes,
        )
        async with asyncio.timeout(self._patience):
            retrieval = await self._images.open(wanted)
            try:
                objects: AsyncIterator[StoredObject] = retrieval.objects()
                found = {one.sop_instance: one async for one in objects}
            finally:
                await retrieval.close()
        if missing := notes - found.keys():
            raise RetrievalFailed(f"{len(missing)} note(s) non reçue(s)", gone=True)
        return found

    async def _tell(self, study: FoundStudy, reason: str) -> None:
        _log.warning("notes d'images clés de %s : %s", study.uid, reason)
        alert = Alert(
            ban=Ban.KEY_NOTES.value,
            message=f"Les notes d'images clés de l'examen {study.uid} n'ont pas pu être lues "
            f"dans le PACS {study.pacs} : {reason}. Le KOS est publié sans leurs renvois.",
            advice="Vérifier que le PACS envoie ses images à la DRIMbox, puis renvoyer le "
            "compte-rendu.",
            study_uid=study.uid,
        )
        await asyncio.to_thread(self._alerts.raise_, alert, now=self._clock.now())


def _read(stored: StoredObject, series_uid: str) -> list[tuple[str, KeyObjectRef]]:
    """Each instance that a note points at, with the reference to the note; nothing for what is a
    rejection note or a manifest.

    Raises:
        RemoteProtocolError: it cannot be read.
    """
    try:
        file = build_part10(
            sop_class=stored.sop_class,
            sop_instance=stored.sop_instance,
            transfer_syntax=stored.transfer_syntax,
            dataset=stored.data,
        )
    except LocalProtocolError as error:
        raise RemoteProtocolError(f"note {stored.sop_instance} : {error}") from error
    note = kos.decode(file)
    title = note.title[0] if note.title else None
    if (
        title
        and title.scheme == DCM
        and (title.value in REJECTION_TITLES or title.value in MANIFEST_TITLES)
    ):
        return []
    reference = KeyObjectRef(
        sop_instance=stored.sop_instance,
        sop_class=stored.sop_class,
        series_uid=series_uid,
        title=title,
        text=note.description(),
    )
    pointed = (instance for item in note.content for _, instance in item.references)
    return [(instance, reference) for instance in dict.fromkeys(pointed)]


def _with_notes(study: FoundStudy, pointed: Mapping[str, list[KeyObjectRef]]) -> FoundStudy:
    return replace(
        study,
        series=tuple(
            replace(
                series,
                instances=tuple(
                    replace(one, key_notes=tuple(pointed.get(one.sop_instance, ())))
                    for one in series.instances
                ),
            )
            for series in study.series
        ),
    )
