"""From a report on disk to submissions on disk: read, look in the PACS, compare, build, describe.

Every decision of the publication is here, none of its formats. What cannot be published is told
to the administrator and to the audit trail; what may succeed later is postponed; nothing is lost.
"""

from __future__ import annotations

import asyncio
import logging
from datetime import datetime, timedelta
from itertools import accumulate

from drimbox_ref.credentials import Credentials
from drimbox_ref.dmp import PeerUnavailable, Rejected
from drimbox_ref.source.backoff import Backoff, Postponed
from drimbox_ref.source.desk import DmpDesk
from drimbox_ref.source.orders import read_order
from drimbox_ref.source.parts import Parts
from drimbox_ref.source.renewal import Renewal
from drimbox_ref.source.values import (
    Action,
    ArchiveEntry,
    Ban,
    EntryState,
    Exam,
    Follow,
    FoundStudy,
    InboxItem,
    Ins,
    Kos,
    Mismatch,
    Order,
    Refusal,
    ReportOrder,
    Submission,
)
from drimbox_ref.trail import Alert, AuditEvent

__all__ = ["Publication", "follow_of"]

_log = logging.getLogger(__name__)


class Publication:
    """Turns inbox messages into outbox submissions.

    `step` does all that is due and returns; the loop that calls it belongs to the service, so
    that no test needs to sleep.
    """

    def __init__(
        self,
        parts: Parts,
        *,
        backoff: Backoff,
        exam_retry_s: tuple[float, ...],
    ) -> None:
        self._parts = parts
        self._desk = DmpDesk(parts)
        self._renewal = Renewal(parts)
        self._backoff = backoff
        self._exam_retry = exam_retry_s

    async def step(self) -> int:
        """Work on every message that is due; how many there were."""
        items = await asyncio.to_thread(self._parts.inbox.due, self._parts.clock.now())
        for item in items:
            await self._take(item)
        return len(items)

    async def _take(self, item: InboxItem) -> None:
        parts = self._parts
        studies: frozenset[str] = frozenset()
        try:
            notice = read_order(item.raw)
            if notice is None and parts.notices.concerns(item.raw):
                notice = await asyncio.to_thread(parts.notices.read, item.raw)
            if notice is not None:
                studies = frozenset(notice.studies)
                await self._wait_turn(item, studies)
                state, detail = await self._renewal.follow(item, notice)
            else:
                report = await asyncio.to_thread(parts.reports.read, item.raw)
                if not isinstance(report, Refusal):
                    studies = frozenset(exam.study_uid for exam in report.exams)
                    await asyncio.to_thread(parts.versions.note, item.id, report)
                state, detail = await self._process(item, report, studies)
        except (Postponed, PeerUnavailable) as reason:
            pause = parts.clock.now() + self._backoff.delay(item.attempts)
            due = (reason.due if isinstance(reason, Postponed) else None) or pause
            await asyncio.to_thread(
                parts.inbox.postpone, item.id, due=due, detail=str(reason), studies=studies
            )
            return
        except Exception as error:
            # One message that we cannot handle must not hold up all the others.
            _log.exception("message %s : erreur interne", item.control_id)
            await self._alert(
                item,
                None,
                Ban.INTERNAL,
                f"Erreur interne pendant le traitement du message ({type(error).__name__}).",
                "Transmettre le journal de la DRIMbox à son éditeur ; le message est conservé.",
            )
            state, detail = "stopped", Ban.INTERNAL.value
        await asyncio.to_thread(parts.inbox.close, item.id, state=state, detail=detail)

    async def _process(
        self, item: InboxItem, report: ReportOrder | Refusal, studies: frozenset[str]
    ) -> tuple[str, str]:
        """The final state of a message and the word to keep about it."""
        if isinstance(report, Refusal):
            await self._alert(item, None, report.ban, report.message, report.advice)
            return "stopped", report.ban.value
        if await asyncio.to_thread(self._parts.versions.overtaken, item.id, report):
            await self._leave(
                item,
                report,
                "Message dépassé : une version suivante ou l'annulation de ce compte-rendu est "
                "arrivée avant lui. Rien n'est publié de ce message.",
            )
            return "done", "dépassé"
        await self._wait_turn(item, studies)
        credentials = self._parts.directory.of(report.structure.id)
        if credentials is None:
            await self._alert(
                item,
                report,
                Ban.CERTIFICATE,
                "Aucun certificat ORG AUTH_CLI et ORG SIGN pour la structure "
                f"{report.structure.id or '(absente)'} qui a validé le compte-rendu.",
                "Installer les certificats de cette structure dans la DRIMbox, puis renvoyer le "
                "compte-rendu.",
            )
            return "stopped", Ban.CERTIFICATE.value
        words = {}
        later: Postponed | PeerUnavailable | None = None
        for exam in report.exams:
            try:
                done = await self._exam(item, report, exam, credentials)
            except (Postponed, PeerUnavailable) as reason:
                later = reason
            except Rejected as refusal:
                await self._alert(
                    item,
                    report,
                    Ban.DMP,
                    f"Le DMP refuse la recherche du KOS de l'examen {exam.study_uid} : {refusal}",
                    "Lire le motif du DMP, corriger, puis renvoyer le compte-rendu.",
                    exam,
                )
                words[exam.study_uid] = Ban.DMP.value
            else:
                words[exam.study_uid] = "ok" if done else "alerte"
        if later:
            raise later
        state = "done" if all(word == "ok" for word in words.values()) else "stopped"
        return state, "; ".join(f"{uid} : {word}" for uid, word in words.items())

    async def _wait_turn(self, item: InboxItem, studies: frozenset[str]) -> None:
        """What was said of an exam is done in the order in which it was said."""
        if studies & await asyncio.to_thread(self._parts.inbox.earlier, item.id):
            raise Postponed("un message antérieur sur le même examen attend encore")

    async def _exam(
        self, item: InboxItem, report: ReportOrder, exam: Exam, credentials: Credentials
    ) -> bool:
        """One exam of a report; False when it ended in an alert."""
        parts = self._parts
        if await asyncio.to_thread(parts.outbox.has, item.id, exam.study_uid):
            return True
        if await asyncio.to_thread(parts.outbox.pending, exam.study_uid):
            raise Postponed(f"une publication de {exam.study_uid} n'est pas encore confirmée")
        current = await asyncio.to_thread(parts.archive.current, exam.study_uid)
        if report.action is Action.DELETE:
            return await self._depublish(item, report, exam, credentials, current)
        study = await asyncio.to_thread(parts.examinations.find, exam.study_uid, report.orders)
        if study is None:
            return await self._absent(item, report, exam)
        orders = parts.matcher.match(report, study)
        if isinstance(orders, Mismatch):
            await self._alert(item, report, orders.ban, orders.message, orders.advice, exam)
            return False
        study = await parts.key_notes.read(study)
        return await self._feed(item, report, exam, study, orders, credentials, current)

    async def _absent(self, item: InboxItem, report: ReportOrder, exam: Exam) -> bool:
        now = self._parts.clock.now()
        for offset in accumulate(self._exam_retry):
            again = item.received + timedelta(seconds=offset)
            if again > now:
                raise Postponed(f"l'examen {exam.study_uid} n'est pas encore dans le PACS", again)
        await self._alert(
            item,
            report,
            Ban.ABSENT,
            f"L'examen {exam.study_uid} est absent du PACS : KOS ni créé ni publié.",
            "Vérifier que les images sont archivées, puis renvoyer le compte-rendu.",
            exam,
        )
        return False

    async def _feed(
        self,
        item: InboxItem,
        report: ReportOrder,
        exam: Exam,
        study: FoundStudy,
        orders: tuple[Order, ...],
        credentials: Credentials,
        current: ArchiveEntry | None,
    ) -> bool:
        parts = self._parts
        now = parts.clock.now()
        follow = follow_of(report)
        live = current if current and current.state is EntryState.PUBLISHED else None
        kos = await asyncio.to_thread(
            parts.kos.build,
            report,
            exam,
            study,
            orders,
            version=(current.version + 1) if current else 1,
            now=now,
        )
        if live and live.ins != report.patient.ins:
            await self._alert(
                item,
                report,
                Ban.IDENTITY,
                f"Un KOS de l'examen {exam.study_uid} est publié pour un autre INS.",
                "Vérifier l'identité du patient ; dépublier l'ancien KOS avant de republier.",
                exam,
            )
            return False
        replaces = await self._entry_uuid(live, follow) if live else None
        if live and replaces is None:
            return await self._unknown_to_dmp(item, report, exam, live)
        submission = await asyncio.to_thread(
            parts.metadata.feed,
            report,
            exam,
            kos,
            study,
            orders,
            replaces=replaces,
            credentials=credentials,
            now=now,
        )
        fingerprint = f"{kos.fingerprint}:{submission.fingerprint}"
        if live and live.fingerprint == fingerprint:
            await asyncio.to_thread(
                parts.archive.add_report, live.kos_uid, str(report.report), now=now
            )
            return True
        entry = _entry(report, study, kos, submission, follow, fingerprint, current, now)
        await asyncio.to_thread(parts.outbox.put, item.id, submission, follow, entry, now=now)
        return True

    async def _entry_uuid(self, live: ArchiveEntry, follow: Follow) -> str | None:
        """Target of a replacement or deletion: asked for anew, the DMP changes it (TD3.1b)."""
        found = await self._desk.reference(live.kos_uid, follow)
        if found and found != live.entry_uuid:
            await asyncio.to_thread(self._parts.archive.set_entry_uuid, live.kos_uid, found)
        return found

    async def _unknown_to_dmp(
        self, item: InboxItem, report: ReportOrder, exam: Exam, live: ArchiveEntry
    ) -> bool:
        await self._alert(
            item,
            report,
            Ban.UNKNOWN,
            f"Le DMP ne connaît pas le KOS {live.kos_uid} publié pour l'examen {exam.study_uid}.",
            "Vérifier dans le DMP si le document a été supprimé, puis dépublier ou republier "
            "l'examen.",
            exam,
        )
        return False

    async def _depublish(
        self,
        item: InboxItem,
        report: ReportOrder,
        exam: Exam,
        credentials: Credentials,
        current: ArchiveEntry | None,
    ) -> bool:
        parts = self._parts
        if await asyncio.to_thread(parts.versions.others, report, exam.study_uid):
            await self._leave(
                item,
                report,
                f"Un autre compte-rendu en vigueur porte sur l'examen {exam.study_uid} : son KOS "
                "est maintenu.",
            )
            return True
        if current is None and await asyncio.to_thread(parts.versions.known, item.id, report):
            return True
        if current is None:
            await self._alert(
                item,
                report,
                Ban.UNKNOWN,
                f"Dépublication demandée pour l'examen {exam.study_uid}, dont aucun KOS n'est "
                "connu.",
                "Vérifier que le compte-rendu initial a bien été reçu par cette DRIMbox.",
                exam,
            )
            return False
        if current.state is not EntryState.PUBLISHED:
            return True
        now = parts.clock.now()
        follow = follow_of(report)
        target = await self._entry_uuid(current, follow)
        if target is None:
            return await self._unknown_to_dmp(item, report, exam, current)
        submission = await asyncio.to_thread(
            parts.metadata.delete, report, target, credentials=credentials, now=now
        )
        await asyncio.to_thread(parts.outbox.put, item.id, submission, follow, current, now=now)
        return True

    async def _leave(self, item: InboxItem, report: ReportOrder, why: str) -> None:
        """Nothing is to be done of a message, and nobody has to act: it is only traced."""
        await asyncio.to_thread(
            self._parts.audit.record,
            AuditEvent(
                event="ITI-41",
                outcome=4,
                description=why,
                subject=report.professional.id,
                patient=report.patient.ins.value,
                objects={"message": item.control_id, "report": str(report.report)},
            ),
            now=self._parts.clock.now(),
        )
        _log.info("message %s : %s", item.control_id, why)

    async def _alert(
        self,
        item: InboxItem,
        report: ReportOrder | None,
        ban: Ban,
        message: str,
        advice: str,
        exam: Exam | None = None,
    ) -> None:
        """Tell the administrator (DB.SO.21) and the audit trail (DB.SO.45)."""
        parts = self._parts
        now = parts.clock.now()
        study = exam.study_uid if exam else ""
        document = str(report.report) if report else ""
        fresh = await asyncio.to_thread(
            parts.alerts.raise_,
            Alert(
                ban=ban.value,
                message=message,
                advice=advice,
                control_id=item.control_id,
                report=document,
                study_uid=study,
            ),
            now=now,
        )
        if not fresh:
            return
        await asyncio.to_thread(
            parts.audit.record,
            AuditEvent(
                event="ITI-41",
                outcome=8,
                description=message,
                subject=report.professional.id if report else "",
                patient=report.patient.ins.value if report else "",
                objects={"message": item.control_id, "report": document, "study": study},
            ),
            now=now,
        )
        _log.warning("message %s : %s", item.control_id, ban.value)


def follow_of(report: ReportOrder) -> Follow:
    """On whose behalf a report is published: the structure and user found in it (FAQ 8801)."""
    facility = report.facility
    return Follow(
        ins=Ins(value=report.patient.ins.value, oid=report.patient.ins.oid),
        structure=report.structure.id,
        sector=f"{facility.code}^{facility.system}" if facility else "",
        professional=report.professional.id,
        family=report.professional.family,
        given=report.professional.given,
        profession=report.professional.profession,
        specialty=report.professional.specialty,
        specialty_label=report.professional.label,
    )


def _entry(
    report: ReportOrder,
    study: FoundStudy,
    kos: Kos,
    submission: Submission,
    follow: Follow,
    fingerprint: str,
    current: ArchiveEntry | None,
    now: datetime,
) -> ArchiveEntry:
    return ArchiveEntry(
        kos_uid=kos.uid,
        study_uid=study.uid,
        set_uid=submission.set_uid,
        entry_uuid="",
        state=EntryState.PUBLISHED,
        version=(current.version + 1) if current else 1,
        fingerprint=fingerprint,
        ins=report.patient.ins,
        ipp=report.patient.ipp,
        pacs_ipp=next(iter(study.patient_ids), ""),
        pacs=study.pacs,
        series={
            series.uid: tuple(instance.sop_instance for instance in series.instances)
            for series in study.series
        },
        kos=kos.data,
        metadata=submission.metadata,
        signature=submission.signature,
        reports=(str(report.report),),
        follow=follow,
        updated=now,
    )
