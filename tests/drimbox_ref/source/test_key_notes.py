"""The KOS of an exam with key image notes: each image knows the notes that point at it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import Any

import pytest

from drimbox_ref.dmp import PeerUnavailable
from drimbox_ref.source.key_notes import NoKeyNotes, PacsKeyNotes
from drimbox_ref.source.values import (
    Ban,
    FoundInstance,
    FoundSeries,
    FoundStudy,
    RetrievalFailed,
    StoredObject,
    Wanted,
)
from protocols import kos
from protocols.dicom import split_part10
from protocols.kos import (
    Code,
    ContentItem,
    InstanceRef,
    KeyObjectRef,
    Manifest,
    SeriesEvidence,
    StudyEvidence,
)
from spec.dicom import (
    KEY_OBJECT_DESCRIPTION,
    KEY_OBJECT_SELECTION_STORAGE,
    MANIFEST_TITLES,
    OF_INTEREST,
    REJECTION_TITLES,
)
from tests.drimbox_ref.source.test_notices import Box
from tests.drimbox_ref.source.test_notices import note as rejection
from tests.drimbox_ref.source.world import CT, STUDIES, World, found_study, oru
from validators import api

pytestmark = pytest.mark.anyio

STUDY = STUDIES[0]
NOTES = f"{STUDY}.90"
FIRST, SECOND, OTHER = f"{STUDY}.1.1", f"{STUDY}.1.2", f"{STUDY}.2.1"
TITLE = Code(*OF_INTEREST)


def key_note(
    uid: str,
    images: Sequence[str],
    *,
    title: Code | None = TITLE,
    text: str | None = "Nodule à contrôler, lobe supérieur – œil",
) -> StoredObject:
    """A Key Object Selection document of the PACS."""
    told = ContentItem(value_type="TEXT", concept=Code(*KEY_OBJECT_DESCRIPTION), text=text)
    references = tuple(
        ContentItem(value_type="IMAGE", references=((CT, image),)) for image in images
    )
    evidence = SeriesEvidence(
        series_uid=f"{STUDY}.1", instances=tuple(InstanceRef(CT, image) for image in images)
    )
    manifest = Manifest(
        sop_instance=uid,
        study_uid=STUDY,
        series_uid=NOTES,
        studies=(StudyEvidence(STUDY, (evidence,)),),
        content=((told,) if text is not None else ()) + references,
        specific_character_set="ISO_IR 192",
        title=None if title is None else (title,),
    )
    file = split_part10(kos.encode(manifest, transfer_syntax="1.2.840.10008.1.2.1"))
    return StoredObject(
        sop_class=file.sop_class,
        sop_instance=file.sop_instance,
        transfer_syntax=file.transfer_syntax,
        data=file.dataset,
    )


def with_notes(*uids: str) -> FoundStudy:
    """The usual exam, and a series of notes."""
    study = found_study()
    series = FoundSeries(
        uid=NOTES,
        number=90,
        modality="KO",
        description="Images clés",
        instances=tuple(
            FoundInstance(
                sop_class=KEY_OBJECT_SELECTION_STORAGE, sop_instance=uid, number=rank, frames=None
            )
            for rank, uid in enumerate(uids, 1)
        ),
    )
    return replace(study, series=(*study.series, series))


async def published(world: World, *notes: StoredObject) -> Box:
    world.pacs.studies[STUDY] = with_notes(*(one.sop_instance for one in notes))
    world.images.held = list(notes)
    box = Box(world)
    await box.publish(oru())
    return box


def nested(box: Box) -> dict[str, tuple[KeyObjectRef, ...]]:
    """What the KOS in force says of each image that a note points at."""
    manifest = kos.decode(box.current().kos)
    return {one.sop_instance: one.key_objects for one in manifest.instances() if one.key_objects}


def pointing(stored: StoredObject, **changes: Any) -> KeyObjectRef:
    return replace(
        KeyObjectRef(
            sop_instance=stored.sop_instance,
            sop_class=KEY_OBJECT_SELECTION_STORAGE,
            series_uid=NOTES,
            title=TITLE,
            text="Nodule à contrôler, lobe supérieur – œil",
        ),
        **changes,
    )


async def test_an_image_knows_its_notes_and_the_kos_lists_them_as_objects(world: World) -> None:
    one = key_note(f"{NOTES}.1", [FIRST, OTHER])
    two = key_note(
        f"{NOTES}.2", [FIRST, FIRST], title=Code("113013", "DCM", "Best In Set"), text=None
    )
    box = await published(world, one, two)
    second = pointing(two, title=Code("113013", "DCM", "Best In Set"), text=None)
    assert nested(box) == {FIRST: (pointing(one), second), OTHER: (pointing(one),)}
    assert world.images.wanted == [
        Wanted(
            pacs="PACS",
            study_uid=STUDY,
            series_uid=NOTES,
            instance_uid=None,
            instances=frozenset({one.sop_instance, two.sop_instance}),
        )
    ]
    assert world.images.closed == 1
    assert box.bans() == []
    manifest = kos.decode(box.current().kos)
    assert {one.sop_instance, two.sop_instance} <= {i.sop_instance for i in manifest.instances()}
    assert manifest.specific_character_set == "ISO_IR 192", "for the text of the note"
    errors = [f for f in api.validate(box.current().kos, "kos").findings if f.severity == "error"]
    assert errors == []


async def test_an_exam_without_note_asks_the_pacs_for_nothing(world: World) -> None:
    box = Box(world)
    await box.publish(oru())
    assert (world.images.wanted, nested(box)) == ([], {})


async def test_images_of_elsewhere_are_left_out(world: World) -> None:
    box = await published(world, key_note(f"{NOTES}.1", ["1.2.3.4", SECOND]))
    assert list(nested(box)) == [SECOND]


@pytest.mark.parametrize("code", [*REJECTION_TITLES, *sorted(MANIFEST_TITLES)])
async def test_rejections_and_manifests_point_at_nothing(world: World, code: str) -> None:
    box = await published(world, key_note(f"{NOTES}.1", [FIRST], title=Code(code, "DCM", "x")))
    assert (nested(box), box.bans()) == ({}, [])


async def test_a_title_of_the_site_or_none_is_a_note_all_the_same(world: World) -> None:
    site = Code("113001", "99SITE", "À montrer en RCP")
    box = await published(
        world,
        key_note(f"{NOTES}.1", [FIRST], title=site),
        key_note(f"{NOTES}.2", [SECOND], title=None),
    )
    assert [refs[0].title for refs in nested(box).values()] == [site, None]


@pytest.mark.parametrize(
    ("end", "reason"),
    [
        (PeerUnavailable("PACS injoignable"), "PACS injoignable"),
        (RetrievalFailed("1 instance(s) sur 1 non reçue(s)", gone=False), "non reçue"),
        (None, "1 note(s) non reçue(s)"),
    ],
)
async def test_notes_that_do_not_come_are_told_and_hinder_nothing(
    world: World, end: Exception | None, reason: str
) -> None:
    world.pacs.studies[STUDY] = with_notes(f"{NOTES}.1")
    world.images.end = end
    box = Box(world)
    await box.publish(oru())
    assert nested(box) == {}
    assert f"{NOTES}.1" in {i.sop_instance for i in kos.decode(box.current().kos).instances()}
    (alert,) = world.parts.alerts.everything(10)
    assert alert["kind"] == Ban.KEY_NOTES
    assert reason in str(alert["message"])
    assert STUDY in str(alert["message"])


async def test_a_note_that_cannot_be_read_is_told(world: World) -> None:
    good = key_note(f"{NOTES}.1", [FIRST])
    box = await published(world, replace(good, data=b"\x08\x00\x18\x00UI\xff\xff"))
    assert (nested(box), box.bans()) == ({}, [Ban.KEY_NOTES])


class Silent:
    """A PACS that sends nothing, and does not say so."""

    closed = False

    async def open(self, wanted: Wanted) -> Silent:
        return self

    async def objects(self) -> AsyncIterator[StoredObject]:
        await asyncio.Event().wait()
        yield key_note(f"{NOTES}.1", [FIRST])

    async def close(self) -> None:
        self.closed = True


async def test_a_pacs_that_never_answers_is_not_waited_for(world: World) -> None:
    silent = Silent()
    patient = PacsKeyNotes(silent, alerts=world.parts.alerts, clock=world.clock, patience_s=0.0)
    study = with_notes(f"{NOTES}.1")
    assert await patient.read(study) == study
    assert silent.closed, "the transfer is given up"
    (alert,) = world.parts.alerts.everything(10)
    assert "le PACS ne répond pas à temps" in str(alert["message"])


async def test_a_note_added_later_is_told_by_the_next_kos(world: World) -> None:
    box = Box(world)
    former = await box.publish(oru())
    added = key_note(f"{NOTES}.1", [SECOND])
    world.pacs.studies[STUDY] = with_notes(added.sop_instance)
    world.images.held = [added]
    assert await box.note(rejection()) == 0
    assert box.current().version == former.version + 1
    assert nested(box) == {SECOND: (pointing(added),)}


async def test_the_same_report_again_changes_nothing(world: World) -> None:
    box = await published(world, key_note(f"{NOTES}.1", [FIRST]))
    await box.publish(oru(control_id="MSG-2"))
    assert len(world.dmp.submissions) == 1


async def test_the_option_reads_none(world: World) -> None:
    study = with_notes(f"{NOTES}.1")
    assert await NoKeyNotes().read(study) is study
