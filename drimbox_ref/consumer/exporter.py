"""Exporting an exam: trust first, then tokens, images, identity, and at last the local PACS.

Nothing of an exam reaches the PACS unless all of it came and all of it is this patient's.
"""

from __future__ import annotations

import asyncio
import logging
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from drimbox_ref.consumer.addresses import address_of
from drimbox_ref.consumer.parts import Parts
from drimbox_ref.consumer.sessions import Context, Job, JobState, Login
from drimbox_ref.consumer.values import (
    Call,
    Exam,
    ExportFailed,
    Failure,
    LoginExpired,
    Received,
    Series,
    TrustVerdict,
)
from drimbox_ref.psc import PscUnavailable
from drimbox_ref.trail import Alert, AuditEvent
from protocols.dicom import split_part10
from spec.dicom import STORAGE_SOP_CLASSES

__all__ = ["Exporter"]

_log = logging.getLogger(__name__)

_SOP_CLASSES = frozenset(STORAGE_SOP_CLASSES)
_ADVICE = {
    Failure.UNTRUSTED: "Vérifier la liste blanche et l'adresse que donne le KOS ; aucun jeton n'a "
    "été envoyé.",
    Failure.IDENTITY: "Signaler l'écart d'identité à la structure qui a publié l'examen et à la "
    "cellule d'identitovigilance ; rien n'a été exporté.",
    Failure.LOCAL_PACS: "Vérifier que le PACS local est joignable et accepte ces objets.",
}
"""What the administrator can do; other failures are the user's or the network's."""


class Exporter:
    """Runs exports in the background, a few at a time (DB.CO.76, DB.CO.78).

    Args:
        spool: a directory of the exporter's own; what is in it is deleted at start.
        limit: bytes that the images of one export may take there.
    """

    def __init__(self, parts: Parts, *, spool: Path, limit: int, parallel: int) -> None:
        self._parts = parts
        self._spool = spool
        self._limit = limit
        self._turn = asyncio.Semaphore(parallel)
        shutil.rmtree(spool, ignore_errors=True)
        spool.mkdir(parents=True)

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
        except LoginExpired:
            failed = ExportFailed(
                Failure.LOGIN,
                "Votre session Pro Santé Connect est terminée : reconnectez-vous, puis relancez "
                "l'export.",
            )
        except PscUnavailable:
            failed = ExportFailed(
                Failure.LOGIN, "Pro Santé Connect ne répond pas : le jeton n'a pu être renouvelé."
            )
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
            await self._conclude(job, login, failed)
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
            await self._trust(host)
        with tempfile.TemporaryDirectory(dir=self._spool, prefix="export-") as directory:
            received = await self._fetch(call, login, job, Path(directory))
            await asyncio.to_thread(self._store, call, job, received)

    async def _trust(self, host: str) -> None:
        """The host is on the white list, asked for again before it is said not to be."""
        trust, clock = self._parts.trust, self._parts.clock
        verdict = trust.judge(host, now=clock.now())
        if verdict is not TrustVerdict.LISTED:
            await trust.refresh()
            verdict = trust.judge(host, now=clock.now())
        if verdict is TrustVerdict.NO_LIST:
            raise ExportFailed(
                Failure.UNTRUSTED,
                "La liste blanche DRIM-M n'est pas disponible : aucune image n'est demandée.",
            )
        if verdict is not TrustVerdict.LISTED:
            raise ExportFailed(
                Failure.UNTRUSTED,
                f"La DRIMbox Source {host} n'est pas dans la liste blanche DRIM-M : aucune image "
                "ne lui est demandée.",
            )

    async def _fetch(self, call: Call, login: Login, job: Job, directory: Path) -> list[Received]:
        """Every instance of the exam, on disk and checked."""
        received: list[Received] = []
        left = self._limit
        for index, series in enumerate(job.exam.series):
            images = await self._fetch_series(
                call, login, job, series, directory / f"{index:04d}", left
            )
            left -= sum(image.size for image in images)
            received.extend(images)
        return received

    async def _fetch_series(
        self, call: Call, login: Login, job: Job, series: Series, directory: Path, limit: int
    ) -> list[Received]:
        """One series; a token refused once is replaced and the request made again."""
        before = job.fetched
        token = await self._parts.tokens.access(login)
        try:
            return await self._attempt(call, job, series, token, directory / "1", limit)
        except ExportFailed as refused:
            if refused.failure is not Failure.TOKEN:
                raise
        job.fetched = before
        token = await self._parts.tokens.replace(login, token)
        return await self._attempt(call, job, series, token, directory / "2", limit)

    async def _attempt(
        self, call: Call, job: Job, series: Series, token: str, directory: Path, limit: int
    ) -> list[Received]:
        await asyncio.to_thread(directory.mkdir, parents=True)
        accepted: dict[str, Received] = {}

        def accept(image: Received) -> None:
            self._accept(image, series, call, accepted)
            job.fetched += 1

        await self._parts.images.retrieve(
            job.exam, series, token, into=directory, limit=limit, accept=accept
        )
        missing = len(series.instances) - len(accepted)
        if missing:
            raise ExportFailed(
                Failure.RETRIEVAL,
                f"Erreur de récupération : {missing} image(s) sur {len(series.instances)} "
                f"manque(nt) à la série {series.uid}.",
            )
        return list(accepted.values())

    def _accept(
        self, image: Received, series: Series, call: Call, accepted: dict[str, Received]
    ) -> None:
        """Refuse an image that cannot be exported, and everything with it."""
        if image.sop_class not in _SOP_CLASSES:
            raise ExportFailed(
                Failure.SOP_CLASS,
                f"La SOP Class {image.sop_class} d'un objet reçu n'est pas prise en charge.",
            )
        if image.sop_instance not in series.instances:
            raise ExportFailed(
                Failure.RETRIEVAL,
                "Erreur de récupération : la Source a rendu une image que le KOS ne référence pas.",
            )
        if image.sop_instance in accepted:
            raise ExportFailed(
                Failure.RETRIEVAL,
                "Erreur de récupération : la Source a rendu deux fois la même image.",
            )
        differs = self._parts.identity.check(image, call.ins)
        if differs:
            raise ExportFailed(
                Failure.IDENTITY,
                f"Alerte d'identité : {differs}. Rien de cet examen n'a été exporté.",
            )
        accepted[image.sop_instance] = image

    def _store(self, call: Call, job: Job, received: list[Received]) -> None:
        self._parts.pacs.store(received, self._load(call), _count(job))

    def _load(self, call: Call) -> Callable[[Received], bytes]:
        def load(image: Received) -> bytes:
            part = split_part10(image.path.read_bytes())
            return self._parts.localizer.localize(part.dataset, part.transfer_syntax, call)

        return load

    async def _conclude(self, job: Job, login: Login, failed: ExportFailed | None) -> None:
        """Audit image access like ITI-43 (DB.CO.82); alert on what an administrator can mend."""
        now = self._parts.clock.now()
        event = AuditEvent(
            event="ITI-43",
            outcome=8 if failed else 0,
            description=str(failed) if failed else "",
            subject=login.professional.id,
            objects={
                "study": job.exam.study_uid,
                "kos": job.exam.kos_uid,
                "fetched": str(job.fetched),
                "stored": str(job.stored),
            },
        )
        await asyncio.to_thread(self._parts.audit.record, event, now=now)
        if failed and failed.failure in _ADVICE:
            alert = Alert(
                ban=failed.failure.value,
                message=str(failed),
                advice=_ADVICE[failed.failure],
                study_uid=job.exam.study_uid,
            )
            await asyncio.to_thread(self._parts.alerts.raise_, alert, now=now)


def _count(job: Job) -> Callable[[Received], None]:
    def stored(image: Received) -> None:
        job.stored += 1

    return stored
