"""From a report to the DMP: what is published, once, and what is not."""

from __future__ import annotations

from pathlib import Path

import pytest
from lxml import etree

from drimbox_ref.credentials import Credentials
from drimbox_ref.source.backoff import Backoff
from drimbox_ref.source.delivery import Delivery
from drimbox_ref.source.publication import Publication
from drimbox_ref.source.reception import Reception
from drimbox_ref.source.values import EntryState, Operation
from protocols import kos
from protocols.hl7v2 import parse
from tests.drimbox_ref.source.world import (
    STUDIES,
    Killed,
    World,
    cda_report,
    found_study,
    kos_uid,
    make_world,
    oru,
)
from wire.mllp import PeerInfo

PEER = PeerInfo(name="ris", connection="1")
BACKOFF = Backoff(5, 60)


class Box:
    """The three steps of a publication, without their loops."""

    def __init__(self, world: World, exam_retry_s: tuple[float, ...] = ()) -> None:
        self.world = world
        self.reception = Reception(world.parts, wake=lambda: None)
        self.publication = Publication(world.parts, backoff=BACKOFF, exam_retry_s=exam_retry_s)
        self.delivery = Delivery(world.parts, backoff=BACKOFF, ask_entry_uuid=True)

    async def take(self, message: bytes) -> str:
        ack = await self.reception.handle(message, PEER)
        assert ack is not None
        return parse(ack).value("MSA-1")

    async def settle(self) -> None:
        while await self.publication.step() or await self.delivery.step():
            continue

    async def publish(self, message: bytes) -> None:
        assert await self.take(message) == "AA"
        await self.settle()

    def bans(self) -> list[object]:
        return [alert["kind"] for alert in self.world.parts.alerts.everything(100)]


pytestmark = pytest.mark.anyio


async def test_one_kos_for_each_study(world: World) -> None:
    box = Box(world)
    await box.publish(oru(cda_report(STUDIES)))
    assert world.pacs.asked == list(STUDIES), "one C-FIND each, none for the screening act"
    assert len(world.dmp.documents) == 3
    for uid in STUDIES:
        entry = world.parts.archive.current(uid)
        assert entry is not None
        assert entry.state is EntryState.PUBLISHED
        assert entry.entry_uuid == world.dmp.documents[entry.kos_uid]
        manifest = kos.decode(entry.kos)
        assert manifest.study_uid == uid
        assert [one.sop_instance for one in manifest.instances()] == [
            instance for listed in entry.series.values() for instance in listed
        ]
        assert entry.reports == ("1.2.250.1.999.5.1",)
        assert etree.fromstring(entry.metadata).tag.endswith("SubmitObjectsRequest")
    events = world.parts.audit.everything(100)
    assert sorted(str(event["event"]) for event in events) == ["ITI-41"] * 3 + ["RAD-128"]
    assert box.bans() == []


async def test_the_same_message_twice_is_acknowledged_and_worked_on_once(world: World) -> None:
    box = Box(world)
    await box.publish(oru())
    await box.publish(oru())
    assert len(world.dmp.submissions) == 1
    assert len(world.parts.inbox.everything(10)) == 1


async def test_the_same_report_again_changes_nothing(world: World) -> None:
    box = Box(world)
    await box.publish(oru())
    await box.publish(oru(cda_report(report_id="1.2.250.1.999.5.2"), control_id="MSG-2"))
    assert len(world.dmp.submissions) == 1
    entry = world.parts.archive.current(STUDIES[0])
    assert entry is not None
    assert entry.reports == ("1.2.250.1.999.5.1", "1.2.250.1.999.5.2")


async def test_changed_content_replaces_the_kos(world: World) -> None:
    box = Box(world)
    await box.publish(oru())
    first = world.parts.archive.current(STUDIES[0])
    assert first is not None
    world.pacs.studies[STUDIES[0]] = found_study(instances=4)
    await box.publish(oru(control_id="MSG-2"))
    second = world.parts.archive.current(STUDIES[0])
    assert second is not None
    assert second.kos_uid != first.kos_uid
    assert second.version == 2
    assert kos.decode(second.kos).instance_number == "2"
    former = world.parts.archive.by_kos(first.kos_uid)
    assert former is not None
    assert former.state is EntryState.REPLACED
    submission = world.dmp.submissions[-1]
    assert submission.operation is Operation.REPLACE
    assert first.entry_uuid.encode() in submission.request


async def test_depublication_keeps_the_identification(world: World) -> None:
    box = Box(world)
    await box.publish(oru())
    await box.publish(oru(control_id="MSG-2", control="CA", status="D"))
    entry = world.parts.archive.current(STUDIES[0])
    assert entry is not None
    assert entry.state is EntryState.DEPUBLISHED
    assert len(world.dmp.deleted) == 1
    assert b"UpdateAvailabilityStatus" in world.dmp.submissions[-1].request


@pytest.mark.parametrize(
    ("message", "ban"),
    [
        (oru(identity="PROV"), "ins-non-qualifiee"),
        (oru(ipp="AUTRE"), "ipp-different"),
        (oru(cda_report(accession="AUTRE")), "accession-different"),
        (oru(cda_report(("1.2.3.4.5",))), "examen-absent"),
        (oru(cda_report(structure="1999999999")), "certificat-absent"),
    ],
)
async def test_refusals_alert_and_keep_the_message(world: World, message: bytes, ban: str) -> None:
    box = Box(world)
    await box.publish(message)
    assert world.dmp.submissions == []
    assert box.bans() == [ban]
    (item,) = world.parts.inbox.everything(10)
    assert (item.state, item.raw) == ("stopped", message)
    descriptions = [
        event["EventOutcomeDescription"]
        for event in world.parts.audit.everything(10)
        if event["event"] == "ITI-41"
    ]
    assert len(descriptions) == 1
    assert descriptions[0]


async def test_a_stopped_message_sent_again_is_taken_up_again(world: World) -> None:
    box = Box(world)
    world.pacs.studies.clear()
    await box.publish(oru())
    world.pacs.studies[STUDIES[0]] = found_study()
    await box.publish(oru())
    assert len(world.dmp.documents) == 1


async def test_an_absent_exam_may_be_awaited(world: World) -> None:
    box = Box(world, exam_retry_s=(10, 20))
    study = world.pacs.studies.pop(STUDIES[0])
    await box.publish(oru())
    assert box.bans() == []
    world.clock.advance(10)
    world.pacs.studies[STUDIES[0]] = study
    await box.settle()
    assert len(world.dmp.documents) == 1


async def test_an_exam_awaited_in_vain_alerts(world: World) -> None:
    box = Box(world, exam_retry_s=(10, 20))
    world.pacs.studies.clear()
    await box.publish(oru())
    for _ in range(3):
        world.clock.advance(15)
        await box.settle()
    assert box.bans() == ["examen-absent"]


async def test_pacs_down_is_retried(world: World) -> None:
    box = Box(world)
    world.pacs.down = True
    await box.publish(oru())
    assert box.bans() == []
    world.pacs.down = False
    world.clock.advance(5)
    await box.settle()
    assert len(world.dmp.documents) == 1


async def test_a_later_report_does_not_overtake_an_earlier_one(world: World) -> None:
    box = Box(world)
    world.pacs.down = True
    await box.publish(oru())
    world.pacs.down = False
    world.clock.advance(1)
    await box.publish(oru(cda_report(placer="OPN-2"), control_id="MSG-2"))
    assert world.dmp.submissions == []
    for _ in range(4):
        world.clock.advance(10)
        await box.settle()
    assert [one.operation for one in world.dmp.submissions] == [
        Operation.CREATE,
        Operation.REPLACE,
    ]
    entry = world.parts.archive.current(STUDIES[0])
    assert entry is not None
    assert kos.decode(entry.kos).requests[0].placer_order_number == "OPN-2"


async def test_dmp_refusal_alerts_and_stops(world: World) -> None:
    box = Box(world)
    world.dmp.faults = ["refused"]
    await box.publish(oru())
    assert box.bans() == ["refus-dmp"]
    assert world.parts.archive.current(STUDIES[0]) is None
    await box.publish(oru())
    assert len(world.dmp.documents) == 1, "sent again by the RIS after correction"


async def test_dmp_down_is_retried_with_growing_pauses(world: World) -> None:
    box = Box(world)
    world.dmp.faults = ["down", "down"]
    await box.publish(oru())
    assert await box.delivery.step() == 0
    world.clock.advance(5)
    await box.settle()
    (item,) = world.parts.outbox.everything(10)
    assert item.attempts == 2
    assert (item.due - world.clock.now()).total_seconds() > 5
    world.clock.advance(60)
    await box.settle()
    assert len(world.dmp.documents) == 1


async def test_half_an_answer_is_looked_up_not_sent_again(world: World) -> None:
    box = Box(world)
    world.dmp.faults = ["half-answer"]
    await box.publish(oru())
    assert world.parts.archive.current(STUDIES[0]) is None
    world.clock.advance(5)
    await box.settle()
    assert len(world.dmp.submissions) == 1
    entry = world.parts.archive.current(STUDIES[0])
    assert entry is not None
    assert entry.entry_uuid


@pytest.mark.parametrize("fault", ["killed-before", "killed-after"])
async def test_a_killed_box_publishes_once(
    world: World, credentials: Credentials, tmp_path: Path, fault: str
) -> None:
    box = Box(world)
    world.dmp.faults = [fault]
    with pytest.raises(Killed):
        await box.publish(oru())
    reborn = make_world(world.state, credentials, former=world)
    again = Box(reborn)
    await again.settle()
    reborn.clock.advance(5)
    await again.settle()
    assert len(world.dmp.documents) == 1
    entry = reborn.parts.archive.current(STUDIES[0])
    assert entry is not None
    assert entry.entry_uuid == world.dmp.documents[entry.kos_uid]
    assert [item.state for item in reborn.parts.outbox.everything(10)] == ["done"]


async def test_a_box_killed_before_closing_the_submission_records_once(
    world: World, credentials: Credentials, monkeypatch: pytest.MonkeyPatch
) -> None:
    box = Box(world)

    def die(*_: object, **__: object) -> None:
        raise Killed

    monkeypatch.setattr(type(world.parts.outbox), "close", die)
    with pytest.raises(Killed):
        await box.publish(oru())
    monkeypatch.undo()
    reborn = make_world(world.state, credentials, former=world)
    reborn.clock.advance(5)
    await Box(reborn).settle()
    assert len(world.dmp.submissions) == 1
    assert len(reborn.parts.archive.everything(10)) == 1


async def test_a_restarted_box_mints_other_uids(world: World, credentials: Credentials) -> None:
    first = {world.parts.uids.oid() for _ in range(3)}
    reborn = make_world(world.state, credentials, former=world)
    assert not first & {reborn.parts.uids.oid() for _ in range(3)}


async def test_a_message_that_cannot_be_kept_is_refused_for_later(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> bool:
        raise OSError("disque plein")

    monkeypatch.setattr(type(world.parts.inbox), "put", full)
    assert await Box(world).take(oru()) == "AR"


async def test_faults_of_form_are_answered_with_their_code(world: World) -> None:
    ack = await Box(world).reception.handle(oru(version="2.3.1"), PEER)
    assert ack is not None
    message = parse(ack)
    assert message.value("MSH-9") in ("ACK", "ACK^R01^ACK")
    assert message.value("MSH-9.2") == "R01"
    assert (message.value("MSA-1"), message.value("MSA-2")) == ("AE", "MSG-1")
    assert message.value("ERR-3.1") == "203"
    assert message.value("MSH-12") == "2.5", "ours, whatever the sender's"
    assert (message.value("MSH-3"), message.value("MSH-5")) == ("DRIMBOX", "RIS")
    assert world.parts.inbox.everything(10) == ()


async def test_submission_metadata_describe_the_kos(world: World) -> None:
    await Box(world).publish(oru(masks=("INVISIBLE_PATIENT",)))
    (submission,) = world.dmp.submissions
    root = etree.fromstring(submission.metadata)
    text = etree.tostring(root, encoding="unicode")
    uid = kos_uid(submission)
    entry = world.parts.archive.by_kos(uid)
    assert entry is not None
    for expected in (
        "279035121518989^^^&amp;1.2.250.1.213.1.4.10&amp;ISO^NH",
        "ACC-1^^^&amp;1.2.250.1.999.8&amp;ISO^urn:ihe:iti:xds:2013:accession",
        "OPN-1^^^&amp;1.2.250.1.999.7&amp;ISO^urn:ihe:iti:xds:2013:order",
        f"{STUDIES[0]}^^^^urn:ihe:iti:xds:2016:studyInstanceUID",
        "20261120083000",
        "INVISIBLE_PATIENT",
        "IMG-KOS",
        "774007",
        str(len(entry.kos)),
    ):
        assert expected in text, expected
