"""The export queue: what a restart goes on with, what is stored once, what is remembered."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from drimbox_ref.consumer.exporter import Exporter
from drimbox_ref.consumer.jobs import Job, JobState
from drimbox_ref.consumer.queue import SqlQueue
from drimbox_ref.consumer.sessions import Context
from drimbox_ref.consumer.values import Exam, ExportFailed, Failure, Received, Use
from protocols.ebrim import DocumentEntry
from tests.drimbox_ref.consumer.test_exporter import make_exporter
from tests.drimbox_ref.consumer.world import (
    CT,
    EXPLICIT,
    HOST,
    INS,
    PROFESSIONAL,
    STUDY,
    FakeClock,
    World,
    call,
    make_copies,
    make_grant,
    make_library,
    make_queue,
)

pytestmark = pytest.mark.anyio

OTHER = replace(PROFESSIONAL, id="899700990032")
SECOND = "db9.drimbench.test"


class Life:
    """One life of the process: a library, an exporter, one context of the radiologist."""

    def __init__(self, world: World, *, again: bool = False) -> None:
        self.world = world
        if again:
            world.parts = replace(
                world.parts,
                copies=make_copies(world.directory),
                queue=make_queue(world.directory),
            )
        self.library = make_library(world)
        self.exporter: Exporter = make_exporter(world, self.library)
        world.parts.sessions.listen(self.exporter.resume)

    def context(self) -> Context:
        context = self.world.context()
        self.world.parts.sessions.claim(context, self.world.login())
        return context

    async def ended(self, job: Job) -> Job:
        assert job.task is not None
        await asyncio.wait([job.task], timeout=10)
        return job

    async def over(self) -> None:
        await self.exporter.aclose()
        await self.library.aclose()


def of_two_sources(world: World) -> Exam:
    """The second series is held by another Source."""
    world.trust.listed = {HOST, SECOND}
    exam = world.exam()
    first, second = exam.series
    elsewhere = second.retrieve_url.replace(HOST, SECOND)
    return replace(exam, series=(first, replace(second, retrieve_url=elsewhere)))


async def test_what_was_fetched_is_stored_by_the_next_process_without_anybody(
    world: World,
) -> None:
    reached, released = asyncio.Event(), threading.Event()
    loop = asyncio.get_running_loop()

    class Stalling:
        """A PACS that takes two images, then hears the process no more."""

        def store(
            self,
            images: list[Received],
            load: Callable[[Received], bytes],
            stored: Callable[[Received], None],
            *,
            to: str,
        ) -> None:
            world.pacs.store(images[:2], load, stored, to=to)
            loop.call_soon_threadsafe(reached.set)
            released.wait(10)

    right = world.parts
    world.parts = replace(right, pacs=Stalling())
    life = Life(world)
    job = life.exporter.start(life.context(), world.login(), world.exam())
    await asyncio.wait_for(reached.wait(), 10)
    await life.over()
    released.set()
    asked, world.parts = list(world.images.asked), right
    life = Life(world, again=True)
    await life.exporter.restore()
    (again,) = (one for one in life.exporter._unfinished.values())
    assert (again.id, again.state) == (job.id, JobState.WAITING)
    await life.ended(again)
    assert (again.state, again.stored) == (JobState.DONE, 6)
    assert sorted(world.pacs.uids) == sorted(
        uid for series in job.exam.series for uid in series.instances
    )
    assert world.images.asked == asked
    assert world.images.tokens == ["access-0", "access-0"]
    await life.over()


async def test_what_was_not_fetched_waits_for_its_professional(world: World) -> None:
    world.images.gate = asyncio.Event()
    life = Life(world)
    life.exporter.start(life.context(), world.login(), world.exam())
    await asyncio.wait_for(world.images.begun.wait(), 10)
    await life.over()
    world.images.gate.set()
    life = Life(world, again=True)
    await life.exporter.restore()
    (job,) = life.exporter._unfinished.values()
    await life.ended(job)
    assert (job.state, job.failure) == (JobState.SUSPENDED, Failure.LOGIN.value)
    assert len(world.images.tokens) == 1
    world.parts.sessions.log_in(OTHER, make_grant(world.clock))
    assert job.state is JobState.SUSPENDED
    world.parts.sessions.log_in(PROFESSIONAL, make_grant(world.clock, "fresh"))
    await life.ended(job)
    assert (job.state, job.stored) == (JobState.DONE, 6)
    assert world.images.tokens[1:] == ["fresh", "fresh"]
    await life.over()


async def test_a_page_finds_again_what_goes_on_and_what_was_done(world: World) -> None:
    life = Life(world)
    job = await life.ended(
        life.exporter.start(life.context(), world.login(), world.exam(), destination="SECOURS")
    )
    assert world.pacs.to == ["SECOURS"]
    await life.over()
    life = Life(world, again=True)
    mine, theirs = life.context(), world.context()
    theirs.owner = OTHER.id
    await life.exporter.recall(mine)
    await life.exporter.recall(theirs)
    # What is over is a mark, for everybody; the state of an export is for its own page.
    assert mine.jobs == theirs.jobs == {}
    for context in (mine, theirs):
        (done,) = context.exported[job.exam.kos_uid]
        assert (done.destination, done.owner) == ("SECOURS", PROFESSIONAL.id)
    assert await life.exporter.destination(world.login()) == "SECOURS"
    other = world.parts.sessions.log_in(OTHER, make_grant(world.clock))
    assert await life.exporter.destination(other) == "LOCAL"
    await life.over()


async def test_a_new_page_shows_the_export_that_goes_on(world: World) -> None:
    world.images.gate = asyncio.Event()
    life = Life(world)
    job = life.exporter.start(life.context(), world.login(), world.exam())
    await asyncio.wait_for(world.images.begun.wait(), 10)
    page, other = life.context(), world.context()
    other.owner = OTHER.id
    await life.exporter.recall(page)
    await life.exporter.recall(other)
    assert page.jobs[job.exam.kos_uid] is job
    assert other.jobs == {}
    # Asked for again there, it is the same one.
    assert life.exporter.start(page, world.login(), job.exam) is job
    world.images.gate.set()
    await life.ended(job)
    assert len(world.pacs.uids) == 6
    await life.over()


async def test_nothing_is_said_to_be_exported_of_another_patient(world: World) -> None:
    life = Life(world)
    await life.ended(life.exporter.start(life.context(), world.login(), world.exam()))
    context = world.context(ins=replace(INS, value="162018885045327"))
    context.owner = PROFESSIONAL.id
    await life.exporter.recall(context)
    assert (context.jobs, context.exported) == ({}, {})
    await life.over()


async def test_a_dead_source_does_not_keep_the_others_away(world: World) -> None:
    life = Life(world)
    exam = of_two_sources(world)
    world.images.faults = [ExportFailed(Failure.CONNECTION, "Connexion impossible à db4.")]
    context = life.context()
    job = await life.ended(life.exporter.start(context, world.login(), exam))
    assert (job.state, job.failure) == (JobState.PARTIAL, Failure.CONNECTION.value)
    assert "3 image(s) sur 6" in job.message
    assert "db4" in job.message
    assert set(world.pacs.uids) == exam.series[1].instances
    # Asked for again: only what is missing is fetched and stored.
    asked = len(world.images.asked)
    assert life.exporter.start(context, world.login(), exam) is job
    await life.ended(job)
    assert (job.state, job.stored) == (JobState.DONE, 6)
    assert [uid for uid, _ in world.images.asked[asked:]] == [f"{STUDY}.1"]
    assert len(world.pacs.uids) == len(set(world.pacs.uids)) == 6
    await life.over()


async def test_of_a_source_that_fails_nothing_is_stored(world: World) -> None:
    life = Life(world)
    exam = of_two_sources(world)
    first, second = exam.series
    url = f"https://{SECOND}/rs/studies/{STUDY}/series/{STUDY}.3"
    third = replace(first, uid=f"{STUDY}.3", retrieve_url=url)
    world.images.files[third.uid] = []
    exam = replace(exam, series=(first, second, third))
    job = await life.ended(life.exporter.start(life.context(), world.login(), exam))
    assert job.state is JobState.PARTIAL
    assert set(world.pacs.uids) == first.instances
    await life.over()


async def test_another_patient_s_image_stops_every_source(world: World) -> None:
    life = Life(world)
    exam = of_two_sources(world)
    files = world.images.files[f"{STUDY}.2"]
    files[0] = (files[0][0], world.images.files[f"{STUDY}.1"][0][1].replace(b"27903", b"16201"))
    job = await life.ended(life.exporter.start(life.context(), world.login(), exam))
    assert (job.state, job.failure) == (JobState.FAILED, Failure.IDENTITY.value)
    assert world.pacs.uids == []
    await life.over()


async def test_after_a_refusal_of_the_pacs_only_the_rest_is_stored(world: World) -> None:
    life = Life(world)
    world.pacs.refuses = 4
    context, exam = life.context(), world.exam()
    job = await life.ended(life.exporter.start(context, world.login(), exam))
    assert (job.state, job.stored) == (JobState.FAILED, 4)
    world.pacs.refuses = -1
    await life.ended(life.exporter.start(context, world.login(), exam))
    assert (job.state, job.stored) == (JobState.DONE, 6)
    assert len(world.pacs.uids) == len(set(world.pacs.uids)) == 6
    await life.over()


async def test_another_pacs_or_syntax_is_another_export(world: World) -> None:
    life = Life(world)
    world.pacs.refuses = 4
    context, exam = life.context(), world.exam()
    job = await life.ended(life.exporter.start(context, world.login(), exam))
    world.pacs.refuses = -1
    other = life.exporter.start(context, world.login(), exam, destination="SECOURS")
    assert other is not job
    await life.ended(other)
    lossy = life.exporter.start(context, world.login(), exam, use=Use.EXPORT_LOSSY)
    assert lossy not in (job, other)
    await life.ended(lossy)
    assert len(world.pacs.uids) == 4 + 6 + 6
    await life.over()


async def test_the_modality_decides_when_nobody_chose(world: World) -> None:
    life = Life(world)
    exam = world.exam()
    first, second = exam.series
    exam = replace(exam, series=(first, replace(second, modality="US")))
    await life.ended(life.exporter.start(life.context(), world.login(), exam))
    assert world.images.asked == [
        (f"{STUDY}.1", Use.EXPORT),
        (f"{STUDY}.2", Use.EXPORT_LOSSY),
    ]
    await life.over()


async def test_a_logout_is_an_end_that_a_restart_respects(world: World) -> None:
    world.images.gate = asyncio.Event()
    life = Life(world)
    login, context = world.login(), world.context()
    world.parts.sessions.claim(context, login)
    job = life.exporter.start(context, login, world.exam())
    await asyncio.wait_for(world.images.begun.wait(), 10)
    world.parts.sessions.log_out(login)
    await life.ended(job)
    assert (job.state, job.failure) == (JobState.FAILED, Failure.INTERRUPTED.value)
    await life.over()
    life = Life(world, again=True)
    await life.exporter.restore()
    assert life.exporter._unfinished == {}
    await life.over()


# On disk ---------------------------------------------------------------------------------------


def make_job(clock: FakeClock, exam: Exam, id: str = "a", **changes: object) -> Job:
    job = Job(
        id=id,
        owner=PROFESSIONAL.id,
        call=call(),
        exam=exam,
        destination="LOCAL",
        use=None,
        began=clock.now(),
    )
    return replace(job, **changes)  # type: ignore[arg-type]


def image_of(uid: str) -> Received:
    return Received(
        path=Path(uid), sop_class=CT, sop_instance=uid, transfer_syntax=EXPLICIT, size=1
    )


def test_a_job_comes_back_as_it_was(world: World) -> None:
    kept = make_queue(world.directory)
    exam = world.exam()
    job = make_job(
        world.clock,
        exam,
        use=Use.EXPORT_LOSSY,
        state=JobState.SUSPENDED,
        fetched=3,
        stored=2,
        message="é",
        failure="jeton",
    )
    kept.save(job)
    (found,) = make_queue(world.directory).unfinished()
    # What the DMP said of the document serves no more.
    assert found == replace(job, exam=replace(exam, entry=DocumentEntry(id="")))


def test_states_that_are_over_are_not_gone_on_with(world: World) -> None:
    kept = make_queue(world.directory)
    for number, state in enumerate(JobState):
        kept.save(make_job(world.clock, world.exam(), str(number), state=state))
    assert {job.state for job in kept.unfinished()} == {
        JobState.WAITING,
        JobState.RUNNING,
        JobState.SUSPENDED,
    }


def test_acknowledged_images_survive_and_a_torn_line_is_not_one(world: World) -> None:
    kept = make_queue(world.directory)
    with kept.storing("a") as note:
        note(image_of("1.2.3"))
        note(image_of("1.2.4"))
    with (world.directory / "exports" / "a").open("ab") as file:
        file.write(b"1.2.5")
    again: SqlQueue = make_queue(world.directory)
    assert again.stored("a") == {"1.2.3", "1.2.4"}
    assert again.stored("b") == frozenset()


def test_old_exports_are_forgotten_and_unfinished_ones_are_not(world: World) -> None:
    kept = make_queue(world.directory)
    exam = world.exam()
    for id, state in (("done", JobState.DONE), ("waiting", JobState.WAITING)):
        kept.save(make_job(world.clock, exam, id, state=state))
        with kept.storing(id) as note:
            note(image_of("1.2.3"))
    kept.forget(now=world.clock.now() + timedelta(days=365))
    assert {job.id for job in kept.of_patient(INS)} == {"done", "waiting"}
    kept.forget(now=world.clock.now() + timedelta(days=366))
    assert {job.id for job in kept.of_patient(INS)} == {"waiting"}
    assert {one.name for one in (world.directory / "exports").iterdir()} == {"waiting"}
