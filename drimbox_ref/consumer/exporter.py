"""Exporting exams: trust first, then the images, and at last the local PACS.

Nothing that a Source holds of an exam reaches the PACS unless all of it came and all of it is this
patient's. The queue is on disk: a process that comes back goes on with what the former one was
doing. It has no token then: images that are here are stored, the others wait for their
professional to log in again, because nobody may use another's rights, nor keep a token for later.

Réf.: export in the background, DB.CO.76, queue, DB.CO.78, duplicates, DB.CO.79, transfer syntaxes,
DB.CO.74, by modality, DB.CO.75, grade: draft.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

from drimbox_ref.consumer.accounts import account
from drimbox_ref.consumer.addresses import address_of
from drimbox_ref.consumer.jobs import Job, JobState
from drimbox_ref.consumer.parts import Parts
from drimbox_ref.consumer.ports import Fetch, Library
from drimbox_ref.consumer.sessions import Context, Login
from drimbox_ref.consumer.trust import require_listed
from drimbox_ref.consumer.values import (
    Exam,
    ExportFailed,
    Failure,
    Ins,
    Professional,
    Received,
    Use,
)
from drimbox_ref.psc_login import Grant
from protocols.dicom import split_part10

__all__ = ["Exporter"]

_log = logging.getLogger(__name__)

_OF_ONE_SOURCE = frozenset(
    {
        Failure.CONNECTION,
        Failure.RETRIEVAL,
        Failure.SOP_CLASS,
        Failure.TRANSFER_SYNTAX,
        Failure.TOKEN,
        Failure.PROFESSION,
    }
)
"""What keeps one Source's images away and says nothing of another's."""


class Exporter:
    """Runs exports in the background, a few at a time (DB.CO.76, DB.CO.78).

    Args:
        destinations: names of the local PACS, the first one for whoever chose none yet.
        use_of: the transfer syntaxes for a modality, when the professional chose none.
        limit: bytes that the images of one export may take on disk.
        parallel: exports under way at once.
        parallel_series: series of one export under way at once.
    """

    def __init__(
        self,
        parts: Parts,
        library: Library,
        *,
        destinations: Sequence[str],
        use_of: Callable[[str], Use],
        limit: int,
        parallel: int,
        parallel_series: int,
    ) -> None:
        self.destinations = tuple(destinations)
        self._parts = parts
        self._library = library
        self._use_of = use_of
        self._limit = limit
        self._turn = asyncio.Semaphore(parallel)
        self._parallel_series = parallel_series
        self._unfinished: dict[str, Job] = {}
        self._closing = False

    # What people ask

    def start(
        self,
        context: Context,
        login: Login,
        exam: Exam,
        *,
        destination: str = "",
        use: Use | None = None,
    ) -> Job:
        """Begin an export, or go on with the latest one of this exam if it did not end well.

        One that waits or runs is left alone, and so is what the PACS has of it.
        """
        job = context.jobs.get(exam.kos_uid)
        if job is not None:
            job = context.jobs[exam.kos_uid] = self._unfinished.get(job.id, job)
        if job is not None and job.active:
            return job
        destination = destination or self.destinations[0]
        asked = (destination, use, context.call.ipp)
        if (
            job is not None
            and job.state is not JobState.DONE
            and (job.destination, job.use, job.call.ipp) == asked
        ):
            job.exam, job.call = exam, context.call
            self._begin(job, login)
            return job
        job = Job(
            id=self._parts.uids.uuid().hex,
            owner=login.professional.id,
            call=context.call,
            exam=exam,
            destination=destination,
            use=use,
            began=self._parts.clock.now(),
        )
        context.jobs[exam.kos_uid] = job
        self._begin(job, login)
        return job

    async def recall(self, context: Context) -> None:
        """Put in the context what was exported for this patient before, in this life or another."""
        kept = await self._kept(context.call.ins)
        if any(job.unfinished and job.id not in self._unfinished for job in kept):
            # It ended while it was being read.
            kept = await self._kept(context.call.ins)
        mine: dict[str, Job] = {}
        exported: dict[str, list[Job]] = {}
        for one in kept:
            job = self._unfinished.get(one.id, one)
            goes_on = job.unfinished or job.state is JobState.PARTIAL
            if job.owner == context.owner and goes_on:
                mine.setdefault(job.exam.kos_uid, job)
            if job.state is JobState.DONE:
                exported.setdefault(job.exam.kos_uid, []).append(job)
        for kos_uid, job in mine.items():
            known = context.jobs.get(kos_uid)
            if known is None or not known.unfinished:
                context.jobs[kos_uid] = job
        context.exported = {kos_uid: tuple(jobs) for kos_uid, jobs in exported.items()}

    async def _kept(self, ins: Ins) -> Sequence[Job]:
        return await asyncio.to_thread(self._parts.queue.of_patient, ins)

    async def destination(self, login: Login) -> str:
        """Where this professional exported last, if that PACS is still there (DB.CO.62)."""
        last = await asyncio.to_thread(self._parts.queue.destination, login.professional.id)
        return last if last in self.destinations else self.destinations[0]

    def resume(self, login: Login) -> None:
        """Go on with what waits for this professional."""
        for job in tuple(self._unfinished.values()):
            if job.state is JobState.SUSPENDED and job.owner == login.professional.id:
                self._begin(job, login)

    # The life of the process

    async def restore(self) -> None:
        """Go on with what the former process was doing."""
        queue, now = self._parts.queue, self._parts.clock.now()
        await asyncio.to_thread(queue.forget, now=now)
        for job in await asyncio.to_thread(queue.unfinished):
            self._begin(job, _former_login(job.owner, now))

    async def aclose(self) -> None:
        """Stop; the next process will go on."""
        self._closing = True
        tasks = [job.task for job in self._unfinished.values() if job.task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    # One export

    def _begin(self, job: Job, login: Login) -> None:
        job.state, job.failure, job.message, job.ended = JobState.WAITING, "", "", None
        self._unfinished[job.id] = job
        job.task = asyncio.create_task(self._run(job, login), name=f"export {job.exam.kos_uid}")

    async def _run(self, job: Job, login: Login) -> None:
        state, failed = JobState.DONE, None
        try:
            await asyncio.to_thread(self._parts.queue.save, job)
            async with self._turn:
                job.state = JobState.RUNNING
                failed = await self._export(job, login)
                state = JobState.PARTIAL if failed else JobState.DONE
        except ExportFailed as error:
            failed = error
            suspended = error.failure is Failure.LOGIN
            state = JobState.SUSPENDED if suspended else JobState.FAILED
        except asyncio.CancelledError:
            if not self._closing:
                failed = ExportFailed(Failure.INTERRUPTED, "L'export a été interrompu.")
                await self._end(job, JobState.FAILED, failed)
            raise
        except Exception:
            _log.exception("export : erreur imprévue")
            state = JobState.FAILED
            failed = ExportFailed(
                Failure.INTERNAL, "L'export a échoué à cause d'une erreur interne."
            )
        try:
            await account(
                self._parts,
                job.exam,
                failed,
                subject=job.owner,
                patient=job.call.ins,
                fetched=str(job.fetched),
                stored=str(job.stored),
                destination=job.destination,
            )
        except Exception:
            _log.exception("export : trace impossible")
        # Last: whoever sees the state may rely on the trail.
        await self._end(job, state, failed)

    async def _end(self, job: Job, state: JobState, failed: ExportFailed | None) -> None:
        job.failure = failed.failure.value if failed else ""
        job.message = str(failed) if failed else ""
        if state is not JobState.SUSPENDED:
            job.ended = self._parts.clock.now()
        job.state = state
        try:
            await asyncio.to_thread(self._parts.queue.save, job)
        except Exception:
            _log.exception("export : état impossible à garder")
        # Its owner may have had it go on meanwhile.
        if not job.unfinished:
            self._unfinished.pop(job.id, None)

    async def _export(self, job: Job, login: Login) -> ExportFailed | None:
        """Fetch and store; what is said of the Sources that failed while others did not."""
        hosts = [address_of(job.exam, series).host for series in job.exam.series]
        for host in sorted(set(hosts)):
            await require_listed(self._parts.trust, host, clock=self._parts.clock)
        fetches: dict[int, Fetch] = {}
        try:
            failures = await self._gather(job, login, hosts, fetches)
            if failures and len(failures) == len(set(hosts)):
                raise next(iter(failures.values()))
            received = [
                image
                for rank, fetch in sorted(fetches.items())
                if hosts[rank] not in failures
                for image in fetch.received
            ]
            await asyncio.to_thread(self._store, job, received)
        finally:
            for fetch in fetches.values():
                fetch.close()
        return _partial(job, failures) if failures else None

    async def _gather(
        self, job: Job, login: Login, hosts: Sequence[str], fetches: dict[int, Fetch]
    ) -> dict[str, ExportFailed]:
        """Every series, by its rank; the failures by Source, of which nothing more is asked."""
        failures: dict[str, ExportFailed] = {}
        series = iter(enumerate(job.exam.series))

        async def work() -> None:
            for rank, one in series:
                if hosts[rank] in failures:
                    continue
                fetch = fetches[rank] = self._library.open(
                    job.call, login, job.exam, one, use=job.use or self._use_of(one.modality)
                )
                while not fetch.ended:
                    await fetch.changed(len(fetch.received))
                    self._count(job, fetches)
                if fetch.failure is not None:
                    if fetch.failure.failure not in _OF_ONE_SOURCE:
                        raise fetch.failure
                    failures.setdefault(hosts[rank], fetch.failure)

        workers = [asyncio.create_task(work()) for _ in range(self._parallel_series)]
        try:
            await asyncio.gather(*workers)
        finally:
            for worker in workers:
                worker.cancel()
            await asyncio.gather(*workers, return_exceptions=True)
            self._count(job, fetches)
        return failures

    def _count(self, job: Job, fetches: Mapping[int, Fetch]) -> None:
        received = [image for fetch in fetches.values() for image in fetch.received]
        job.fetched = len(received)
        if sum(image.size for image in received) > self._limit:
            raise ExportFailed(
                Failure.RETRIEVAL, "Erreur de récupération : l'examen dépasse la taille admise."
            )

    def _store(self, job: Job, received: Sequence[Received]) -> None:
        queue = self._parts.queue
        before = queue.stored(job.id)
        left = [image for image in received if image.sop_instance not in before]
        job.stored = len(received) - len(left)
        with queue.storing(job.id) as note:

            def stored(image: Received) -> None:
                note(image)
                job.stored += 1

            if left or not before:
                self._parts.pacs.store(left, _load, stored, to=job.destination)


def _load(image: Received) -> bytes:
    """The data set to store: the library's files bear the local IPP already (DB.CO.77)."""
    return split_part10(image.path.read_bytes()).dataset


def _partial(job: Job, failures: Mapping[str, ExportFailed]) -> ExportFailed:
    said = " ".join(dict.fromkeys(str(failure) for failure in failures.values()))
    first = next(iter(failures.values()))
    return ExportFailed(
        first.failure,
        f"{job.stored} image(s) sur {job.exam.count} sont dans le PACS local {job.destination}. "
        f"{said}",
    )


def _former_login(owner: str, now: datetime) -> Login:
    """The login of a former process: it opens what is here already, and has no token."""
    return Login(
        id="",
        professional=Professional(id=owner, family="", given="", situations=()),
        grant=Grant(
            access_token="",
            expires=datetime(1970, 1, 1, tzinfo=UTC),
            refresh_token="",
            id_token="",
            subject="",
            authenticated=now,
        ),
        opened=now,
        seen=now,
        closed=True,
    )
