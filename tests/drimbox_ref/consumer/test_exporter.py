"""Exports: what must come before what, and everything that must stop one."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from drimbox_ref.consumer.exporter import Exporter
from drimbox_ref.consumer.jobs import Job, JobState
from drimbox_ref.consumer.ports import Library
from drimbox_ref.consumer.values import Exam, ExportFailed, Failure, Ins, Received, Use
from protocols.dicom import read_texts
from tests.drimbox_ref.consumer.world import EXPLICIT, INS, STUDY, World, image, make_library

pytestmark = pytest.mark.anyio

STRANGER = Ins(value="162018885045327", oid=INS.oid)


def make_exporter(world: World, library: Library, *, parallel_series: int = 1) -> Exporter:
    return Exporter(
        world.parts,
        library,
        destinations=("LOCAL", "SECOURS"),
        use_of=lambda modality: Use.EXPORT_LOSSY if modality == "US" else Use.EXPORT,
        limit=10**6,
        parallel=1,
        parallel_series=parallel_series,
    )


async def export(world: World, exam: Exam, *, life: float = 120) -> Job:
    library = make_library(world)
    exporter = make_exporter(world, library)
    context = world.context()
    job = exporter.start(context, world.login(life=life), exam)
    assert job.task is not None
    await asyncio.wait([job.task], timeout=10)
    await library.aclose()
    return job


def failed(job: Job, failure: Failure) -> str:
    assert (job.state, job.failure) == (JobState.FAILED, failure.value)
    assert job.message
    return job.message


async def test_a_whole_exam_goes_to_the_pacs(world: World) -> None:
    job = await export(world, world.exam())
    assert (job.state, job.fetched, job.stored) == (JobState.DONE, 6, 6)
    identifiers = {
        read_texts(data, transfer_syntax=EXPLICIT, tags=(0x00100020,))[0x00100020]
        for data in world.pacs.stored
    }
    assert identifiers == {"LOCAL-77"}
    (event,) = world.trail.events
    assert (event.event, event.outcome, event.subject) == ("ITI-43", 0, "899700990016")
    assert world.trail.alerts == []


async def test_an_unlisted_source_never_hears_a_token(world: World) -> None:
    job = await export(world, world.exam(host="db9.drimbench.test"))
    assert "db9.drimbench.test" in failed(job, Failure.UNTRUSTED)
    assert world.images.tokens == []
    assert world.psc.renewed == 0
    assert world.trust.refreshed == 1
    assert world.trail.alerts[0].ban == "liste-blanche"


async def test_one_unlisted_series_stops_them_all(world: World) -> None:
    exam = world.exam()
    strange = replace(
        exam.series[1], retrieve_url=exam.series[1].retrieve_url.replace("db4.", "db9.")
    )
    job = await export(world, replace(exam, series=(exam.series[0], strange)))
    failed(job, Failure.UNTRUSTED)
    assert world.images.tokens == []


async def test_a_source_listed_since_is_served(world: World) -> None:
    world.trust.learns = "db9.drimbench.test"
    job = await export(world, world.exam(host="db9.drimbench.test"))
    assert job.state is JobState.DONE


async def test_without_a_list_nothing_is_asked(world: World) -> None:
    world.trust.has_list = False
    job = await export(world, world.exam())
    assert "pas disponible" in failed(job, Failure.UNTRUSTED)
    assert world.images.tokens == []


async def test_one_image_of_another_patient_exports_nothing(world: World) -> None:
    exam = world.exam()
    files = world.images.files[f"{STUDY}.2"]
    files[-1] = (files[-1][0], image(files[-1][0], STRANGER))
    job = await export(world, exam)
    assert "autre patient" in failed(job, Failure.IDENTITY)
    assert job.fetched == 3
    assert world.pacs.stored == []
    assert world.trail.alerts[0].ban == "identite"


async def test_an_image_without_ins_exports_nothing(world: World) -> None:
    job = await export(world, world.exam(ins=None))
    failed(job, Failure.IDENTITY)
    assert world.pacs.stored == []


async def test_the_token_is_renewed_before_each_series_when_short(world: World) -> None:
    await export(world, world.exam(), life=29)
    assert world.images.tokens == ["access-1", "access-1"]


async def test_a_long_token_is_not_renewed(world: World) -> None:
    await export(world, world.exam(), life=60)
    assert world.images.tokens == ["access-0", "access-0"]


async def test_a_refused_token_is_replaced_and_the_series_asked_again(world: World) -> None:
    world.images.faults = [ExportFailed(Failure.TOKEN, "refusé (401)")]
    job = await export(world, world.exam())
    assert (job.state, job.fetched) == (JobState.DONE, 6)
    assert world.images.tokens == ["access-0", "access-1", "access-1"]


async def test_a_token_refused_twice_is_said(world: World) -> None:
    world.images.faults = [ExportFailed(Failure.TOKEN, "refusé (401)")] * 2
    job = await export(world, world.exam())
    assert failed(job, Failure.TOKEN) == "refusé (401)"
    assert len(world.images.tokens) == 2
    assert world.pacs.stored == []


@pytest.mark.parametrize("failure", [Failure.CONNECTION, Failure.PROFESSION, Failure.RETRIEVAL])
async def test_a_refusal_of_the_source_is_said_once(world: World, failure: Failure) -> None:
    world.images.faults = [ExportFailed(failure, "non")]
    failed(await export(world, world.exam()), failure)
    assert len(world.images.tokens) == 1
    assert world.pacs.stored == []


async def test_a_short_series_is_counted(world: World) -> None:
    exam = world.exam()
    world.images.files[f"{STUDY}.1"].pop()
    assert "1 image(s) sur 3" in failed(await export(world, exam), Failure.RETRIEVAL)
    assert world.pacs.stored == []


async def test_an_image_outside_the_kos_or_twice_is_refused(world: World) -> None:
    exam = world.exam()
    files = world.images.files[f"{STUDY}.1"]
    files.append(("1.2.3", image("1.2.3", INS)))
    assert "ne référence pas" in failed(await export(world, exam), Failure.RETRIEVAL)
    files[-1] = files[0]
    assert "deux fois" in failed(await export(world, exam), Failure.RETRIEVAL)
    assert world.pacs.stored == []


async def test_an_unsupported_class_is_said(world: World) -> None:
    world.images.sop_class = "1.2.840.10008.5.1.4.34.7"
    assert "SOP Class" in failed(await export(world, world.exam()), Failure.SOP_CLASS)


async def test_the_end_of_the_session_asks_to_log_in(world: World) -> None:
    world.psc.over = True
    job = await export(world, world.exam(), life=10)
    assert (job.state, job.failure) == (JobState.SUSPENDED, Failure.LOGIN.value)
    assert "reconnectez-vous" in job.message
    assert world.images.tokens == []


async def test_an_error_of_ours_is_no_secret_and_no_silence(world: World) -> None:
    world.images.faults = [ZeroDivisionError("inside")]
    job = await export(world, world.exam())
    assert "inside" not in failed(job, Failure.INTERNAL)


async def test_one_export_of_an_exam_at_a_time(world: World) -> None:
    exporter = make_exporter(world, make_library(world))
    context, login, exam = world.context(), world.login(), world.exam()
    first = exporter.start(context, login, exam)
    assert exporter.start(context, login, exam) is first
    assert first.task is not None
    await asyncio.wait([first.task], timeout=10)
    again = exporter.start(context, login, exam)
    assert again is not first
    assert again.task is not None
    await asyncio.wait([again.task], timeout=10)
    assert len(world.pacs.stored) == 12


async def test_logging_out_stops_what_runs(world: World) -> None:
    exporter = make_exporter(world, make_library(world))
    context, login = world.context(), world.login()
    world.parts.sessions.claim(context, login)
    job = exporter.start(context, login, world.exam())
    world.parts.sessions.log_out(login)
    assert job.task is not None
    await asyncio.wait([job.task], timeout=10)
    assert world.pacs.stored == []


async def test_a_replaced_part_is_the_one_that_serves(world: World) -> None:
    class Blind:
        def check(self, image: Received, ins: Ins) -> str:
            return ""

    world.parts = replace(world.parts, identity=Blind())
    job = await export(world, world.exam(ins=None))
    assert job.state is JobState.DONE
