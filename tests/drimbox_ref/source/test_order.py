"""Messages of one report that overtake each other, and several reports about one exam."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from drimbox_ref.source.values import EntryState, Operation
from protocols import kos
from tests.drimbox_ref.source.test_publication import Box
from tests.drimbox_ref.source.world import STUDIES, World, cda_report, found_study, oru

pytestmark = pytest.mark.anyio

STUDY = STUDIES[0]
SENT = b"20261120101500+0100"


def said(
    name: str,
    control: str = "NW",
    *,
    version: int = 1,
    minute: int = 15,
    report_set: str = "1.2.250.1.999.6.1",
    placer: str = "OPN-1",
    studies: Sequence[str] = STUDIES[:1],
) -> bytes:
    """A message sent at that minute about a version of a report of that set."""
    document = (
        cda_report(studies, placer=placer, report_id=f"{report_set}.{version}")
        .replace(b'versionNumber value="1"', b'versionNumber value="%d"' % version)
        .replace(b'1.2.250.1.999.6.1"', f'{report_set}"'.encode())
    )
    status = {"NW": "F", "RO": "C", "CA": "D"}[control]
    message = oru(document, control_id=name, control=control, status=status)
    return message.replace(SENT, SENT.replace(b"1015", b"10%02d" % minute))


def state(world: World) -> tuple[EntryState, str] | None:
    """What became of the exam, and the order number of its last KOS."""
    entry = world.parts.archive.current(STUDY)
    if entry is None:
        return None
    (request,) = kos.decode(entry.kos).requests or ()
    return entry.state, request.placer_order_number or ""


def endings(world: World) -> dict[str, str]:
    return {one.control_id: one.detail for one in world.parts.inbox.everything(100)}


async def test_a_creation_that_its_withdrawal_overtook(world: World) -> None:
    box = Box(world)
    await box.publish(said("CA", "CA", minute=20))
    assert box.bans() == ["kos-inconnu"], "the administrator knows that a creation is missing"
    await box.publish(said("NW"))
    assert state(world) is None
    assert world.dmp.submissions == []
    assert endings(world)["NW"] == "dépassé"
    traced = [one["EventOutcomeDescription"] for one in world.parts.audit.everything(10)]
    assert any("dépassé" in str(one) for one in traced)


async def test_a_report_created_again_after_its_withdrawal(world: World) -> None:
    box = Box(world)
    await box.publish(said("NW"))
    await box.publish(said("CA", "CA", minute=20))
    await box.publish(said("NW-again", minute=25))
    assert state(world) == (EntryState.PUBLISHED, "OPN-1")


async def test_a_correction_is_not_undone_by_the_first_version(world: World) -> None:
    box = Box(world)
    await box.publish(said("RO", "RO", version=2, placer="OPN-2", minute=20))
    await box.publish(said("NW"))
    assert state(world) == (EntryState.PUBLISHED, "OPN-2")
    assert len(world.dmp.submissions) == 1


async def test_the_same_version_again_is_no_late_one(world: World) -> None:
    box = Box(world)
    await box.publish(said("NW"))
    world.pacs.studies[STUDY] = found_study(instances=5)
    await box.publish(said("NW-2"))
    assert [one.operation for one in world.dmp.submissions] == [
        Operation.CREATE,
        Operation.REPLACE,
    ]


async def test_a_withdrawal_sent_before_the_version_in_force(world: World) -> None:
    box = Box(world)
    await box.publish(said("NW"))
    await box.publish(said("RO", "RO", version=2, placer="OPN-2", minute=30))
    await box.publish(said("CA", "CA", minute=20))
    assert state(world) == (EntryState.PUBLISHED, "OPN-2")
    await box.publish(said("CA-2", "CA", version=1, minute=40))
    assert state(world) == (EntryState.DEPUBLISHED, "OPN-2")


async def test_a_creation_that_waits_for_its_images_is_withdrawn_without_a_word(
    world: World,
) -> None:
    box = Box(world, exam_retry_s=(60,))
    study = world.pacs.studies.pop(STUDY)
    await box.publish(said("NW"))
    await box.publish(said("CA", "CA", minute=20))
    world.pacs.studies[STUDY] = study
    for _ in range(3):
        world.clock.advance(100)
        await box.settle()
    assert state(world) is None
    assert box.bans() == []
    assert endings(world)["NW"] == "dépassé"


async def test_several_reports_of_one_exam_have_one_kos(world: World) -> None:
    box = Box(world)
    await box.publish(said("A"))
    await box.publish(said("B", report_set="1.2.250.1.999.6.2"))
    assert len(world.dmp.documents) == 1
    entry = world.parts.archive.current(STUDY)
    assert entry is not None
    assert entry.reports == ("1.2.250.1.999.6.1.1", "1.2.250.1.999.6.2.1")


async def test_an_exam_is_withdrawn_with_the_last_of_its_reports(world: World) -> None:
    box = Box(world)
    second = "1.2.250.1.999.6.2"
    await box.publish(said("A", studies=STUDIES[:2]))
    await box.publish(said("B", report_set=second))
    await box.publish(said("A-out", "CA", studies=STUDIES[:2], minute=20))
    assert state(world) == (EntryState.PUBLISHED, "OPN-1"), "B is about it still"
    other = world.parts.archive.current(STUDIES[1])
    assert other is not None
    assert other.state is EntryState.DEPUBLISHED, "A alone was about that one"
    await box.publish(said("B-out", "CA", report_set=second, minute=25))
    assert state(world) == (EntryState.DEPUBLISHED, "OPN-1")


async def test_a_report_that_was_refused_keeps_no_kos(world: World) -> None:
    box = Box(world)
    await box.publish(said("A"))
    right = world.pacs.studies[STUDY]
    world.pacs.studies[STUDY] = found_study(accession="ACC-9")
    await box.publish(said("B", report_set="1.2.250.1.999.6.2"))
    assert box.bans() == ["accession-different"]
    world.pacs.studies[STUDY] = right
    await box.publish(said("A-out", "CA", minute=20))
    assert state(world) == (EntryState.DEPUBLISHED, "OPN-1")
