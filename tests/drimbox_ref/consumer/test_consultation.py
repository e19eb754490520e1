"""Consulting the DMP: what is asked, in which order, and what is never asked."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest

from drimbox_ref.consumer.consultation import Consulting, consent_bar
from drimbox_ref.consumer.sessions import Consultation
from drimbox_ref.consumer.values import Access, Consent, Search
from drimbox_ref.dmp import PeerUnavailable, Rejected
from protocols import kos
from protocols.ebrim import DocumentEntry
from tests.drimbox_ref.consumer.world import CT, SITUATION, STUDY, World

pytestmark = pytest.mark.anyio


def hold(world: World, number: int, date: str = "20260101") -> None:
    """One more exam in the DMP."""
    study = f"{STUDY}.{number}"
    data = kos.encode(
        kos.Manifest(
            sop_instance=f"{study}.9",
            study_uid=study,
            series_uid=f"{study}.8",
            study_date=date,
            accession_number=f"ACC-{number}",
            studies=(
                kos.StudyEvidence(
                    study,
                    (
                        kos.SeriesEvidence(
                            series_uid=f"{study}.1",
                            instances=(kos.InstanceRef(CT, f"{study}.1.1"),),
                        ),
                    ),
                ),
            ),
            content=(),
        )
    )
    uid = f"{study}.9"
    world.dmp.documents[uid] = data
    digest = hashlib.sha1(data, usedforsecurity=False).hexdigest()
    entry = DocumentEntry(
        id=f"urn:uuid:{number}", unique_id=uid, hash=digest, service_start_time=f"{date}090000"
    )
    world.dmp.entries = (*world.dmp.entries, entry)


async def consult(world: World, *, max_exams: int = 10, **changes) -> Consultation:
    context = world.context(**changes)
    consulting = Consulting(world.parts, max_exams=max_exams)
    return await consulting.consult(context, world.login(), SITUATION)


async def test_exams_are_read_newest_first(world: World) -> None:
    for number, date in ((1, "20240101"), (2, "20260101"), (3, "20250101")):
        hold(world, number, date)
    found = await consult(world)
    assert [exam.date for exam in found.exams] == ["20260101", "20250101", "20240101"]
    assert world.dmp.asked == ["TD0.2", "TD3.1", "TD3.2", "TD3.2", "TD3.2"]
    assert [event.event for event in world.trail.events].count("ITI-43") == 3


@pytest.mark.parametrize(
    ("consent", "said"), [(Consent.REFUSED, "s'oppose"), (Consent.UNKNOWN, "RIS")]
)
async def test_without_consent_the_dmp_hears_nothing(world: World, consent, said: str) -> None:
    hold(world, 1)
    found = await consult(world, consent=consent)
    assert said in found.reason
    assert found.exams == ()
    assert world.dmp.asked == []
    assert consent_bar(world.context(consent=consent)) == found.reason


async def test_a_closed_dmp_is_not_searched(world: World) -> None:
    world.dmp.answer = Access(granted=False, reason="Le DMP de ce patient est fermé.")
    found = await consult(world)
    assert found.reason == "Le DMP de ce patient est fermé."
    assert world.dmp.asked == ["TD0.2"]
    assert world.trail.events[-1].description == found.reason


async def test_a_structure_without_certificate_alerts(world: World) -> None:
    context = world.context()
    elsewhere = replace(SITUATION, structure="499700990024001", label="CABINET")
    found = await Consulting(world.parts, max_exams=1).consult(context, world.login(), elsewhere)
    assert "CABINET" in found.reason
    assert world.dmp.asked == []
    assert world.trail.alerts[0].ban == "certificat-absent"


async def test_a_refusal_is_said_and_a_breakdown_may_pass(world: World) -> None:
    world.dmp.fault = Rejected("VIHF périmé", ["DMPx"])
    found = await consult(world)
    assert "VIHF périmé" in found.reason
    assert not found.transient
    world.dmp.fault = PeerUnavailable("injoignable")
    found = await consult(world)
    assert found.transient
    assert "réessayez" in found.reason


async def test_an_unreadable_document_does_not_hide_the_others(world: World) -> None:
    hold(world, 1)
    hold(world, 2)
    world.dmp.documents[f"{STUDY}.1.9"] = b"changed"
    found = await consult(world)
    assert [exam.study_uid for exam in found.exams] == [f"{STUDY}.2"]
    assert len(found.unreadable) == 1


async def test_a_document_that_does_not_come_is_not_forgotten(world: World) -> None:
    hold(world, 1)
    world.dmp.fetch_fault = PeerUnavailable("coupé")
    assert (await consult(world)).transient
    world.dmp.fetch_fault = Rejected("masqué", ["XDSDocumentUniqueIdError"])
    assert "masqué" in (await consult(world)).unreadable[0]


async def test_too_many_results_are_announced(world: World) -> None:
    for number in range(1, 6):
        hold(world, number)
    found = await consult(world, max_exams=2)
    assert len(found.exams) == 2
    assert found.left_out == 3


@pytest.mark.parametrize(
    ("search", "studies"),
    [
        (Search(date_from="20250101"), ["2"]),
        (Search(date_to="20241231"), ["1"]),
        (Search(study_uid=f"{STUDY}.1"), ["1"]),
        (Search(accession="ACC-2"), ["2"]),
        (Search(), ["2", "1"]),
    ],
)
async def test_the_manifest_decides_what_the_search_keeps(world: World, search, studies) -> None:
    hold(world, 1, "20240601")
    hold(world, 2, "20250601")
    found = await consult(world, search=search)
    assert [exam.study_uid.rpartition(".")[2] for exam in found.exams] == studies
