"""What the PACS says of a changed exam: an IOCM note or OMI^O23, and what becomes of its KOS."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from lxml import etree

from drimbox_ref.source.backoff import Backoff
from drimbox_ref.source.delivery import Delivery
from drimbox_ref.source.note_door import NoteDoor
from drimbox_ref.source.notices import PacsNotices
from drimbox_ref.source.publication import Publication
from drimbox_ref.source.reception import Reception
from drimbox_ref.source.values import (
    ArchiveEntry,
    EntryState,
    FoundInstance,
    FoundStudy,
    Operation,
)
from protocols import ebrim, kos
from protocols.dicom import split_part10
from protocols.hl7v2 import build, parse, segment
from spec.dicom import KEY_OBJECT_SELECTION_STORAGE, REJECTION_TITLES
from tests.drimbox_ref.source.world import STUDIES, World, cda_report, found_study, oru
from wire.dimse import AssociationInfo, StoreRequest
from wire.mllp import PeerInfo

pytestmark = pytest.mark.anyio

BACKOFF = Backoff(5, 60)
STUDY = STUDIES[0]
PACS = "KITPACS"


def omi(studies: Sequence[str] = (STUDY,), *, control_id: str = "OMI-1", **wrong: str) -> bytes:
    """OMI^O23 as a PACS writes it: MSH-17, 18 and 21 absent."""
    steps = [segment("IPC", {1: "ACC-1", 2: "RP-1", 3: uid, 4: "SPS-1"}) for uid in studies]
    return build(
        [
            segment(
                "MSH",
                {
                    3: "PACS", 4: "CLINIQUE", 5: "DRIMBOX", 6: "CLINIQUE", 7: "20261122100000+0100",
                    9: ("OMI", wrong.get("event", "O23"), "OMI_O23"), 10: control_id, 11: "T",
                    12: wrong.get("version", "2.5.1"),
                },
            ),
            segment("PID", {3: [("IPP-77", "", "", ("RIS", "1.2.250.1.999.3", "ISO"), "PI")]}),
            segment("ORC", {1: "NW", 5: "SC"}),
            segment("OBR", {4: ("34555-3", "", "LN")}),
            segment("OBX", {1: "1", 2: "ST", 3: ("1", "Modification Examen Imagerie"), 11: "O"}),
            *steps,
        ]
    )  # fmt: skip


def note(study: str = STUDY, *, title: str = "113037", uid: str = "1.2.250.1.999.4.1") -> bytes:
    """An IOCM note that rejects the first image of a study."""
    rejected = kos.InstanceRef("1.2.840.10008.5.1.4.1.1.2", f"{study}.1.1")
    series = kos.SeriesEvidence(series_uid=f"{study}.1", instances=(rejected,))
    return kos.encode(
        kos.Manifest(
            sop_instance=uid,
            study_uid=study,
            series_uid=f"{uid}.1",
            studies=(kos.StudyEvidence(study, (series,)),),
            content=(),
            title=(kos.Code(*REJECTION_TITLES[title]),),
        )
    )


def stored(file: bytes, *, calling_ae: str = PACS, data: bytes | None = None) -> StoreRequest:
    """What a PACS that sends it by C-STORE asks."""
    part10 = split_part10(file)
    return StoreRequest(
        sop_class=part10.sop_class,
        sop_instance=part10.sop_instance,
        transfer_syntax=part10.transfer_syntax,
        dataset=part10.dataset if data is None else data,
        message_id=1,
        move_originator_ae="",
        move_originator_message_id=None,
        association=AssociationInfo(
            calling_ae=calling_ae, called_ae="DRIMBOX", address="127.0.0.1", port=1, connection="1"
        ),
    )


class Box:
    """A Source that has published one exam, without its loops."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.reception = Reception(world.parts, wake=lambda: None)
        self.woken = 0
        self.door = NoteDoor(world.parts, senders=frozenset({PACS}), wake=self._wake)
        self.publication = Publication(world.parts, backoff=BACKOFF, exam_retry_s=())
        self.delivery = Delivery(world.parts, backoff=BACKOFF, ask_entry_uuid=True)

    def _wake(self) -> None:
        self.woken += 1

    async def take(self, message: bytes) -> str:
        ack = await self.reception.handle(message, PeerInfo(name="pacs", connection="1"))
        assert ack is not None
        return parse(ack).value("MSA-1")

    async def settle(self) -> None:
        while await self.publication.step() or await self.delivery.step():
            continue

    async def publish(self, message: bytes) -> ArchiveEntry:
        assert await self.take(message) == "AA"
        await self.settle()
        return self.current()

    async def note(self, file: bytes) -> int:
        status = self.door.store(stored(file))
        await self.settle()
        return status

    def current(self) -> ArchiveEntry:
        entry = self.world.parts.archive.current(STUDY)
        assert entry is not None
        return entry

    def traced(self, event: str) -> list[str]:
        events = self.world.parts.audit.everything(100)
        return [
            str(one["EventOutcomeDescription"]) for one in reversed(events) if one["event"] == event
        ]

    def bans(self) -> list[object]:
        return [alert["kind"] for alert in self.world.parts.alerts.everything(100)]


def without_first(study: FoundStudy) -> FoundStudy:
    """The study without the first image of its first series."""
    first = study.series[0]
    return replace(study, series=(replace(first, instances=first.instances[1:]), *study.series[1:]))


async def published(world: World) -> tuple[Box, ArchiveEntry]:
    box = Box(world)
    return box, await box.publish(oru())


@pytest.mark.parametrize("title", REJECTION_TITLES)
async def test_rejected_images_leave_the_kos_whatever_the_title(world: World, title: str) -> None:
    box, former = await published(world)
    world.pacs.studies[STUDY] = without_first(found_study())
    assert await box.note(note(title=title)) == 0
    entry = box.current()
    assert entry.kos_uid != former.kos_uid
    assert entry.version == former.version + 1
    assert f"{STUDY}.1.1" not in {uid for listed in entry.series.values() for uid in listed}
    manifest = kos.decode(entry.kos)
    assert {one.sop_instance for one in manifest.instances()} == {
        uid for listed in entry.series.values() for uid in listed
    }
    assert manifest.instance_number == "2"
    submission = world.dmp.submissions[-1]
    assert submission.operation is Operation.REPLACE
    assert former.entry_uuid.encode() in submission.request
    assert world.dmp.lookups.count(former.kos_uid) == 2, "after the feed, then before replacing"
    assert box.bans() == []


async def test_the_next_kos_says_of_the_report_what_the_former_one_said(world: World) -> None:
    box, former = await published(world)
    world.pacs.studies[STUDY] = without_first(found_study())
    await box.note(note())
    entry = box.current()
    assert (entry.follow, entry.reports, entry.ins) == (former.follow, former.reports, former.ins)
    before, after = (ebrim.parse_submit(etree.fromstring(one.metadata)) for one in (former, entry))
    assert not after.defects
    own = {"unique_id": "", "creation_time": "", "hash": "", "size": ""}
    assert replace(after.entries[0], **own) == replace(before.entries[0], **own)
    fresh = {"unique_id": "", "submission_time": ""}
    assert replace(after.submission_set, **fresh) == replace(before.submission_set, **fresh)
    assert after.submission_set.unique_id != before.submission_set.unique_id
    said, says = kos.decode(former.kos), kos.decode(entry.kos)
    assert says.requests == said.requests
    assert says.patient_name == said.patient_name
    assert says.description() == said.description()


async def test_the_report_sent_again_has_nothing_to_add(world: World) -> None:
    box, _ = await published(world)
    world.pacs.studies[STUDY] = without_first(found_study())
    await box.note(note())
    entry = box.current()
    assert await box.publish(oru(control_id="MSG-2")) == replace(entry, updated=world.clock.now())


async def test_without_an_image_the_kos_is_withdrawn(world: World) -> None:
    box, former = await published(world)
    del world.pacs.studies[STUDY]
    await box.note(note())
    assert box.current().state is EntryState.DEPUBLISHED
    request = world.dmp.submissions[-1].request
    assert world.dmp.submissions[-1].operation is Operation.DELETE
    assert former.entry_uuid.encode() in request
    assert former.follow.structure.encode() in request, "on behalf of whom published"


async def test_key_objects_alone_are_no_exam(world: World) -> None:
    box, _ = await published(world)
    study = found_study(series=1)
    left = FoundInstance(
        sop_class=KEY_OBJECT_SELECTION_STORAGE, sop_instance=f"{STUDY}.9", number=1, frames=None
    )
    world.pacs.studies[STUDY] = replace(
        study, series=(replace(study.series[0], instances=(left,)),)
    )
    await box.note(note())
    assert box.current().state is EntryState.DEPUBLISHED


async def test_an_exam_that_is_what_it_was_is_only_traced(world: World) -> None:
    box, former = await published(world)
    assert await box.note(note(title="113001")) == 0
    assert len(world.dmp.submissions) == 1
    assert box.current().kos_uid == former.kos_uid
    assert box.traced("RAD-66") == ["", "Sans effet : examen inchangé dans le PACS."]


async def test_a_note_on_an_exam_without_kos_is_only_traced(world: World) -> None:
    box = Box(world)
    assert await box.note(note()) == 0
    assert world.dmp.submissions == []
    assert world.pacs.asked == []
    assert box.traced("RAD-66") == ["", "Sans effet : aucun KOS publié."]
    assert box.bans() == []


async def test_the_same_note_twice_is_worked_on_once(world: World) -> None:
    box, _ = await published(world)
    world.pacs.studies[STUDY] = without_first(found_study())
    assert [await box.note(note()), await box.note(note())] == [0, 0]
    assert len(world.dmp.submissions) == 2
    assert box.woken == 1


async def test_a_note_waits_for_a_pacs_that_is_down(world: World) -> None:
    box, former = await published(world)
    world.pacs.studies[STUDY] = without_first(found_study())
    world.pacs.down = True
    await box.note(note())
    assert box.current().kos_uid == former.kos_uid
    world.pacs.down = False
    world.clock.advance(60)
    await box.settle()
    assert box.current().kos_uid != former.kos_uid


async def test_a_note_waits_for_the_report_that_came_before_it(world: World) -> None:
    box = Box(world)
    world.pacs.down = True
    assert await box.take(oru()) == "AA"
    await box.settle()
    assert await box.note(note()) == 0
    world.pacs.down = False
    world.pacs.studies[STUDY] = without_first(found_study())
    world.clock.advance(60)
    await box.settle()
    world.clock.advance(60)
    await box.settle()
    assert box.current().version == 1
    assert box.traced("RAD-66")[-1] == "Sans effet : examen inchangé dans le PACS."


@pytest.mark.parametrize(
    ("changed", "ban"),
    [
        (without_first(found_study(ipp="AUTRE")), "ipp-different"),
        (without_first(found_study(accession="AUTRE")), "accession-different"),
    ],
)
async def test_images_of_somebody_else_are_not_published(
    world: World, changed: FoundStudy, ban: str
) -> None:
    box, former = await published(world)
    world.pacs.studies[STUDY] = changed
    await box.note(note(title="113038"))
    assert box.current().kos_uid == former.kos_uid
    assert box.bans() == [ban]


async def test_the_patient_is_the_one_of_the_domain_of_the_pacs(world: World) -> None:
    box = Box(world)
    elsewhere = replace(found_study(ipp="IPP-99"), patient_domains=("1.2.250.1.999.4",))
    world.pacs.studies[STUDY] = elsewhere
    one = b"&1.2.250.1.999.3&ISO^PI"
    assert one in oru()
    former = await box.publish(oru().replace(one, one + b"~IPP-99^^^B&1.2.250.1.999.4&ISO^PI"))
    world.pacs.studies[STUDY] = without_first(elsewhere)
    await box.note(note())
    assert box.bans() == []
    assert box.current().kos_uid != former.kos_uid


async def test_a_replacement_that_the_dmp_refuses_is_told_and_taken_up_again(world: World) -> None:
    box, former = await published(world)
    world.pacs.studies[STUDY] = without_first(found_study())
    world.dmp.faults = ["refused"]
    await box.note(note())
    assert box.current().kos_uid == former.kos_uid
    assert box.bans() == ["refus-dmp"]
    await box.note(note())
    assert box.current().kos_uid != former.kos_uid


async def test_a_note_from_elsewhere_is_refused(world: World) -> None:
    box, _ = await published(world)
    assert box.door.store(stored(note(), calling_ae="AUTRE")) == 0x0124
    assert box.woken == 0
    anybody = NoteDoor(world.parts, senders=None, wake=lambda: None)
    assert anybody.store(stored(note(), calling_ae="AUTRE")) == 0


async def test_what_is_no_key_object_is_not_understood(world: World) -> None:
    box = Box(world)
    assert box.door.store(stored(note(), data=b"\x08\x00")) == 0xC000


async def test_omi_is_acknowledged_and_followed(world: World) -> None:
    box, former = await published(world)
    world.pacs.studies[STUDY] = found_study(instances=5)
    ack = await box.reception.handle(omi(), PeerInfo(name="pacs", connection="1"))
    assert ack is not None
    answer = parse(ack)
    assert (answer.value("MSA-1"), answer.value("MSA-2")) == ("AA", "OMI-1")
    assert (answer.value("MSH-9.2"), answer.value("MSH-12")) == ("O23", "2.5.1")
    await box.settle()
    assert box.current().kos_uid != former.kos_uid
    assert len(kos.decode(box.current().kos).instances()) == 10
    assert box.traced("OMI^O23") == [""]


async def test_omi_may_name_several_exams(world: World) -> None:
    box = Box(world)
    await box.publish(oru(cda_report(STUDIES)))
    for uid in STUDIES[:2]:
        world.pacs.studies[uid] = found_study(uid, instances=5)
    assert await box.take(omi(STUDIES[:2])) == "AA"
    await box.settle()
    operations = [one.operation for one in world.dmp.submissions]
    assert operations == [Operation.CREATE] * 3 + [Operation.REPLACE] * 2


@pytest.mark.parametrize(
    ("message", "code"),
    [
        (omi(version="2.5"), "203"),
        (omi(event="O19"), "201"),
        (omi(()), "101"),
        (omi(("pas un UID",)), "101"),
        (omi(control_id=""), "101"),
    ],
)
async def test_an_omi_that_cannot_be_followed_is_refused(
    world: World, message: bytes, code: str
) -> None:
    ack = await Box(world).reception.handle(message, PeerInfo(name="pacs", connection="1"))
    assert ack is not None
    answer = parse(ack)
    assert (answer.value("MSA-1"), answer.value("ERR-3.1")) == ("AE", code)


def test_what_concerns_whom() -> None:
    reader = PacsNotices()
    assert reader.concerns(note())
    assert reader.concerns(omi())
    assert not reader.concerns(oru())
    assert not reader.concerns(b"MSH")
