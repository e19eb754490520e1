"""Exporting an exam: trust first, then its images, and at last the local PACS.

Nothing of an exam reaches the PACS unless all of it came and all of it is this patient's.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping

from drimbox_ref.consumer.accounts import account
from drimbox_ref.consumer.addresses import address_of
from drimbox_ref.consumer.parts import Parts
from drimbox_ref.consumer.ports import Fetch, Library
from drimbox_ref.consumer.sessions import Context, Job, JobState, Login
from drimbox_ref.consumer.trust import require_listed
from drimbox_ref.consumer.values import (
    Call,
    Exam,
    ExportFailed,
    Failure,
    Received,
    Use,
)
from protocols.dicom import split_part10

__all__ = ["Exporter"]

_log = logging.getLogger(__name__)


class Exporter:
    """Runs exports in the background, a few at a time (DB.CO.76, DB.CO.78).

    Args:
        limit: bytes that the images of one export may take on disk.
        parallel: exports under way at once.
        parallel_series: series of one export under way at once.
    """

    def __init__(
        self, parts: Parts, library: Library, *, limit: int, parallel: int, parallel_series: int
    ) -> None:
        self._parts = parts
        self._library = library
        self._limit = limit
        self._turn = asyncio.Semaphore(parallel)
        self._parallel_series = parallel_series

    def start(self, context: Context, login: Login, exam: Exam) -> Job:
        """Begin an export, unless the latest one of this exam waits or runs: that one then."""
        running = context.jobs.get(exam.kos_uid)
        if running is not None and running.active:
            return running
        job = Job(exam)
        context.jobs[exam.kos_uid] = job
        job.task = asyncio.create_task(
            self._run(context, login, job), name=f"export {exam.kos_uid}"
        )
        return job

    async def _run(self, context: Context, login: Login, job: Job) -> None:
        failed: ExportFailed | None = None
        try:
            async with self._turn:
                job.state = JobState.RUNNING
                await self._export(context.call, login, job)
        except ExportFailed as error:
            failed = error
        except asyncio.CancelledError:
            job.state = JobState.FAILED
            job.message = "L'export a été interrompu."
            raise
        except Exception:
            _log.exception("export : erreur imprévue")
            failed = ExportFailed(
                Failure.INTERNAL, "L'export a échoué à cause d'une erreur interne."
            )
        try:
            await self._conclude(context.call, job, login, failed)
        except Exception:
            _log.exception("export : trace impossible")
        # Last: whoever sees the state may rely on the trail.
        job.failure = failed.failure.value if failed else ""
        job.message = str(failed) if failed else ""
        job.state = JobState.FAILED if failed else JobState.DONE

    async def _export(self, call: Call, login: Login, job: Job) -> None:
        exam = job.exam
        hosts = {address_of(exam, series).host for series in exam.series}
        for host in sorted(hosts):
            await require_listed(self._parts.trust, host, clock=self._parts.clock)
        fetches: dict[int, Fetch] = {}
        try:
            await self._gather(call, login, job, fetches)
            received = [image for _, fetch in sorted(fetches.items()) for image in fetch.received]
            await asyncio.to_thread(self._parts.pacs.store, received, _load, _stored(job))
        finally:
            for fetch in fetches.values():
                fetch.close()

    async def _gather(self, call: Call, login: Login, job: Job, fetches: dict[int, Fetch]) -> None:
        """Every series, by its rank; after the first failure none is asked for any more."""
        series = iter(enumerate(job.exam.series))

        async def work() -> None:
            for rank, one in series:
                fetch = fetches[rank] = self._library.open(
                    call, login, job.exam, one, use=Use.EXPORT
                )
                while not fetch.ended:
                    await fetch.changed(len(fetch.received))
                    self._count(job, fetches)
                if fetch.failure is not None:
                    raise fetch.failure

        workers = [asyncio.create_task(work()) for _ in range(self._parallel_series)]
        try:
            await asyncio.gather(*workers)
        finally:
            for worker in workers:
                worker.cancel()
            await asyncio.gather(*workers, return_exceptions=True)
            self._count(job, fetches)

    def _count(self, job: Job, fetches: Mapping[int, Fetch]) -> None:
        received = [image for fetch in fetches.values() for image in fetch.received]
        job.fetched = len(received)
        if sum(image.size for image in received) > self._limit:
            raise ExportFailed(
                Failure.RETRIEVAL, "Erreur de récupération : l'examen dépasse la taille admise."
            )

    async def _conclude(
        self, call: Call, job: Job, login: Login, failed: ExportFailed | None
    ) -> None:
        await account(
            self._parts,
            job.exam,
            failed,
            subject=login.professional.id,
            patient=call.ins,
            fetched=str(job.fetched),
            stored=str(job.stored),
        )


def _load(image: Received) -> bytes:
    """The data set to store: the library's files bear the local IPP already (DB.CO.77)."""
    return split_part10(image.path.read_bytes()).dataset


def _stored(job: Job) -> Callable[[Received], None]:
    def stored(image: Received) -> None:
        job.stored += 1

    return stored
