"""Series fetched once for all their readers: what is shared, what never is, what is tried again."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from drimbox_ref.consumer.ports import Fetch
from drimbox_ref.consumer.values import Exam, ExportFailed, Failure, Ins, Use
from protocols.dicom import read_texts, split_part10
from tests.drimbox_ref.consumer.world import (
    EXPLICIT,
    INS,
    PROFESSIONAL,
    STUDY,
    World,
    call,
    image,
    make_copies,
    make_grant,
    make_library,
)

pytestmark = pytest.mark.anyio

STRANGER = Ins(value="162018885045327", oid=INS.oid)


class Case:
    def __init__(self, world: World, **options: Any) -> None:
        self.world = world
        self.library = make_library(world, **options)
        self.exam = world.exam(series=2)
        self.login = world.login()

    def open(self, *, number: int = 0, use: Use = Use.VIEW, **changes: Any) -> Fetch:
        given: dict[str, Any] = {"call": call(), "login": self.login, "exam": self.exam}
        given |= changes
        exam: Exam = given["exam"]
        return self.library.open(given["call"], given["login"], exam, exam.series[number], use=use)

    async def ended(self, fetch: Fetch) -> ExportFailed | None:
        await asyncio.wait_for(_end(fetch), 10)
        return fetch.failure


async def _end(fetch: Fetch) -> None:
    while not fetch.ended:
        await fetch.changed(len(fetch.received))


async def test_images_come_in_their_order_and_bear_the_local_ipp(world: World) -> None:
    case = Case(world)
    fetch = case.open()
    assert (fetch.total, fetch.received, fetch.ended) == (3, (), False)
    assert await case.ended(fetch) is None
    assert [one.sop_instance for one in fetch.received] == [
        f"{STUDY}.1.{rank}" for rank in (1, 2, 3)
    ]
    for one in fetch.received:
        data = one.path.read_bytes()
        assert len(data) == one.size
        texts = read_texts(split_part10(data).dataset, transfer_syntax=EXPLICIT, tags=(0x00100020,))
        assert texts[0x00100020] == "LOCAL-77"
    await case.library.aclose()


async def test_readers_share_one_download_and_its_files_stay_for_the_last(world: World) -> None:
    case = Case(world)
    world.images.gate = asyncio.Event()
    first, second = case.open(), case.open()
    await asyncio.wait_for(second.changed(1), 10)
    first.close()
    first.close()
    assert not second.ended
    world.images.gate.set()
    assert await case.ended(second) is None
    assert len(world.images.asked) == 1
    assert all(one.path.exists() for one in second.received)
    second.close()
    await case.library.aclose()


async def test_a_viewer_joins_an_export_but_no_export_takes_what_was_to_be_seen(
    world: World,
) -> None:
    case = Case(world)
    world.images.syntax = "1.2.840.10008.1.2.4.50"
    export = case.open(use=Use.EXPORT)
    await case.ended(case.open(use=Use.VIEW))
    assert world.images.asked == [(f"{STUDY}.1", Use.EXPORT)]
    seen = case.open(number=1, use=Use.VIEW)
    await case.ended(seen)
    await case.ended(case.open(number=1, use=Use.EXPORT))
    assert world.images.asked[1:] == [(f"{STUDY}.2", Use.VIEW), (f"{STUDY}.2", Use.EXPORT)]
    assert export.failure is None
    await case.library.aclose()


async def test_nothing_is_lent_to_another_professional_patient_or_kos(world: World) -> None:
    case = Case(world)
    other = world.parts.sessions.log_in(
        replace(PROFESSIONAL, id="899700990032"), make_grant(world.clock)
    )
    same = world.parts.sessions.log_in(PROFESSIONAL, make_grant(world.clock))
    fetches = [
        case.open(),
        case.open(login=same),
        case.open(login=other),
        case.open(call=call(ipp="AUTRE-IPP")),
        case.open(exam=replace(case.exam, kos_uid=f"{STUDY}.998")),
    ]
    for fetch in fetches:
        assert await case.ended(fetch) is None
    assert len(world.images.asked) == 4
    stranger = case.open(call=call(ins=STRANGER))
    failure = await case.ended(stranger)
    assert failure is not None
    assert failure.failure is Failure.IDENTITY
    await case.library.aclose()


async def test_nothing_of_another_patient_s_series_stays_in_sight(world: World) -> None:
    case = Case(world)
    files = world.images.files[f"{STUDY}.1"]
    files[-1] = (files[-1][0], image(files[-1][0], STRANGER))
    fetch = case.open()
    failure = await case.ended(fetch)
    assert failure is not None
    assert failure.failure is Failure.IDENTITY
    assert fetch.received == ()
    await case.library.aclose()


async def test_a_cut_transfer_is_asked_again_and_what_came_is_kept(world: World) -> None:
    case = Case(world)
    world.images.cut = 2
    fetch = case.open()
    await asyncio.wait_for(fetch.changed(1), 10)
    before = [one.path for one in fetch.received[:2]]
    assert await case.ended(fetch) is None
    assert len(world.images.asked) == 3
    assert [one.path for one in fetch.received[:2]] == before
    assert [one.sop_instance for one in fetch.received] == [
        f"{STUDY}.1.{rank}" for rank in (1, 2, 3)
    ]
    await case.library.aclose()


async def test_attempts_are_counted(world: World) -> None:
    case = Case(world, retries=2)
    world.images.cut = 3
    failure = await case.ended(case.open())
    assert str(failure) == "coupé"
    assert len(world.images.asked) == 3
    await case.library.aclose()


@pytest.mark.parametrize(
    "refusal",
    [
        ExportFailed(Failure.PROFESSION, "403"),
        ExportFailed(Failure.RETRIEVAL, "404"),
        ExportFailed(Failure.RETRIEVAL, "503, dans une heure", again=3600),
    ],
)
async def test_a_refusal_is_not_argued_with(world: World, refusal: ExportFailed) -> None:
    case = Case(world)
    world.images.faults = [refusal]
    assert await case.ended(case.open()) is refusal
    assert len(world.images.asked) == 1
    await case.library.aclose()


async def test_after_a_failure_the_series_is_asked_anew(world: World) -> None:
    case = Case(world)
    world.images.faults = [ExportFailed(Failure.RETRIEVAL, "404")]
    failed = case.open()
    await case.ended(failed)
    assert await case.ended(case.open()) is None
    await case.library.aclose()


async def test_what_nobody_waits_for_any_more_is_not_asked(world: World) -> None:
    case = Case(world, parallel=1)
    world.images.gate = asyncio.Event()
    first, second = case.open(), case.open(number=1)
    await asyncio.wait_for(first.changed(0), 10)
    second.close()
    world.images.gate.set()
    assert await case.ended(first) is None
    assert [uid for uid, _ in world.images.asked] == [f"{STUDY}.1"]
    await case.library.aclose()


async def test_after_a_logout_a_download_without_reader_stops(world: World) -> None:
    case = Case(world)
    world.images.gate = asyncio.Event()
    fetch = case.open()
    await asyncio.wait_for(fetch.changed(0), 10)
    world.parts.sessions.expire(case.login)
    fetch.close()
    assert await case.ended(fetch) is not None
    await case.library.aclose()


async def test_series_are_fetched_side_by_side_within_bounds(world: World) -> None:
    case = Case(world, parallel=2)
    case.exam = world.exam(series=3)
    world.images.gate = asyncio.Event()
    fetches = [case.open(number=number) for number in range(3)]
    await asyncio.gather(*(asyncio.wait_for(one.changed(0), 10) for one in fetches[:2]))
    assert len(world.images.asked) == 2
    world.images.gate.set()
    for fetch in fetches:
        assert await case.ended(fetch) is None
    await case.library.aclose()


async def test_an_unlisted_source_hears_nothing(world: World) -> None:
    case = Case(world)
    case.exam = world.exam(host="db9.drimbench.test")
    failure = await case.ended(case.open())
    assert failure is not None
    assert failure.failure is Failure.UNTRUSTED
    assert world.images.asked == []
    await case.library.aclose()


async def test_what_was_had_is_not_asked_for_again_even_by_the_next_process(world: World) -> None:
    case = Case(world)
    fetch = case.open()
    await case.ended(fetch)
    fetch.close()
    again = case.open()
    assert await case.ended(again) is None
    assert again.received == fetch.received
    await case.library.aclose()
    world.parts = replace(world.parts, copies=make_copies(world.directory))
    case.library = make_library(world)
    once_more = case.open(use=Use.EXPORT)
    assert await case.ended(once_more) is None
    assert once_more.received == fetch.received
    assert len(world.images.asked) == 1
    await case.library.aclose()


async def test_half_a_series_is_no_copy(world: World) -> None:
    case = Case(world)
    world.images.faults = [ExportFailed(Failure.RETRIEVAL, "404")]
    fetch = case.open()
    await case.ended(fetch)
    fetch.close()
    await case.library.aclose()
    assert list((world.directory / "images").iterdir()) == []


async def test_what_somebody_reads_is_not_deleted_to_make_room(world: World) -> None:
    world.parts = replace(world.parts, copies=make_copies(world.directory, quota=0))
    case = Case(world)
    first, second = case.open(), case.open(number=1)
    assert await case.ended(first) is None
    assert await case.ended(second) is None
    second.close()
    third = case.open(number=1)
    assert await case.ended(third) is None
    assert all(one.path.exists() for one in first.received)
    assert len(world.images.asked) == 3
    await case.library.aclose()


async def test_a_copy_grows_old(world: World) -> None:
    case = Case(world)
    fetch = case.open()
    await case.ended(fetch)
    fetch.close()
    world.clock.advance(86_400)
    await case.ended(case.open(login=world.login()))
    assert len(world.images.asked) == 2
    await case.library.aclose()


async def test_seeing_is_written_down_each_time_and_exports_speak_for_themselves(
    world: World,
) -> None:
    case = Case(world)
    for use in (Use.VIEW, Use.VIEW, Use.EXPORT):
        fetch = case.open(use=use)
        await case.ended(fetch)
        fetch.close()
    await case.library.aclose()
    events = [(one.event, one.subject, one.patient, one.outcome) for one in world.trail.events]
    assert events == [("ITI-43", PROFESSIONAL.id, INS.value, 0)] * 2
    assert world.trail.events[0].objects["series"] == f"{STUDY}.1"


async def test_another_patient_s_images_are_told_to_the_administrator(world: World) -> None:
    case = Case(world)
    case.exam = world.exam(ins=None)
    await case.ended(case.open())
    await case.library.aclose()
    assert [one.outcome for one in world.trail.events] == [8]
    assert [one.ban for one in world.trail.alerts] == ["identite"]
