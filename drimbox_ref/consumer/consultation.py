"""What a call is answered: consent, right to the DMP, KOS, exams. The DMP hears only what it must.

The first thing that forbids to go on decides, and nothing after it is asked.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

from drimbox_ref.consumer.parts import Parts
from drimbox_ref.consumer.refusals import explain, explain_document, explain_part
from drimbox_ref.consumer.sessions import Consultation, Context, Login
from drimbox_ref.consumer.values import (
    Behalf,
    Consent,
    Document,
    Exam,
    ExamUnreadable,
    Partial,
    Search,
    Situation,
)
from drimbox_ref.dmp import PeerUnavailable, Rejected
from drimbox_ref.trail import Alert, AuditEvent
from protocols.ebrim import DocumentEntry
from spec.vihf import ModeAcces

__all__ = ["NO_DMP", "Consulting", "consent_bar"]

_log = logging.getLogger(__name__)

NO_DMP = "Le DMP ne répond pas : réessayez dans un moment."
_PARALLEL = 4
"""KOS fetched at the same time."""
_BARS = {
    Consent.REFUSED: "Le patient s'oppose à la consultation de ses documents : "
    "rien n'est recherché ni affiché.",
    Consent.UNKNOWN: "Le consentement du patient n'est pas connu : informez le patient, recueillez "
    "son consentement dans le RIS, puis relancez l'appel.",
}


def consent_bar(context: Context) -> str:
    """Why the patient's consent stops everything (DB.CO.93, DB.CO.94), "" when it does not."""
    return _BARS.get(context.call.consent, "")


class Consulting:
    """Asks the DMP for one context."""

    def __init__(self, parts: Parts, *, max_exams: int) -> None:
        self._parts = parts
        self._max_exams = max_exams

    async def consult(self, context: Context, login: Login, situation: Situation) -> Consultation:
        """Everything the page shows, or why it shows nothing."""
        bar = consent_bar(context)
        if bar:
            return Consultation(reason=bar)
        behalf = self.behalf(context, login, situation)
        if behalf is None:
            return await self._without_certificate(situation)
        try:
            return await self._ask(behalf, context.criteria)
        except Rejected as error:
            _log.warning("DMP : refus %s : %s", ", ".join(error.codes), error)
            await self.audit(behalf, "ITI-18", f"Le DMP a refusé : {error}")
            return Consultation(reason=explain(error))
        except PeerUnavailable as error:
            _log.warning("DMP : %s", error)
            await self.audit(behalf, "ITI-18", str(error))
            return Consultation(reason=NO_DMP, transient=True)

    async def declare(self, context: Context, login: Login, situation: Situation) -> str:
        """The patient gives this professional access (TD0.3): "", or why not, in French."""
        behalf = self.behalf(context, login, situation)
        if behalf is None:
            return (await self._without_certificate(situation)).reason
        parts = self._parts
        failure = ""
        try:
            assertion = parts.vihf.assertion(behalf, now=parts.clock.now())
            await parts.authorisations.declare(behalf, assertion)
        except Rejected as error:
            failure = f"Le DMP a refusé la déclaration : {error}"
        except PeerUnavailable as error:
            _log.warning("DMP : %s", error)
            failure = NO_DMP
        await self.audit(behalf, "TD0.3", failure)
        return failure

    def behalf(self, context: Context, login: Login, situation: Situation) -> Behalf | None:
        """On whose behalf the DMP is asked; None without a certificate for that structure."""
        credentials = self._parts.directory.of(situation.structure)
        if credentials is None:
            return None
        emergency = context.emergency
        return Behalf(
            professional=login.professional,
            situation=situation,
            credentials=credentials,
            patient=context.call.ins,
            authenticated=login.grant.authenticated,
            mode=emergency.mode if emergency else ModeAcces.NORMAL,
            authorization=self._parts.api.authorize(
                login, situation, credentials, self._parts.tokens
            ),
        )

    async def _ask(self, behalf: Behalf, search: Search) -> Consultation:
        parts = self._parts
        now = parts.clock.now()
        access = await parts.registry.access(behalf, parts.vihf.assertion(behalf, now=now), now=now)
        if not access.granted:
            await self.audit(behalf, "TD0.2", access.reason)
            return Consultation(reason=access.reason, authorisable=access.authorisable)
        # Neither the reports nor the exams are hidden by a failure of the others.
        exams, documents = await asyncio.gather(
            self._exams(behalf, search), self._documents(behalf), return_exceptions=True
        )
        if isinstance(exams, BaseException):
            raise exams
        if isinstance(documents, BaseException):
            raise documents
        exams.documents, exams.documents_reason = documents
        return exams

    async def _exams(self, behalf: Behalf, search: Search) -> Consultation:
        parts = self._parts
        assertion = parts.vihf.assertion(behalf, now=parts.clock.now())
        partial: dict[str, str] = {}
        note = ""
        try:
            entries = await parts.registry.find(behalf, assertion, search)
        except Partial as part:
            entries, note, partial = part.found, explain_part(part), {"partial": str(part)}
        await self.audit(behalf, "ITI-18", "", found=str(len(entries)), **partial)
        entries = tuple(sorted(entries, key=lambda one: one.service_start_time, reverse=True))
        read = await self._read(behalf, search, entries)
        read.partial = note
        return read

    async def _documents(self, behalf: Behalf) -> tuple[tuple[Document, ...], str]:
        """The documents beside the exams, and why they, or some of them, are not there."""
        parts = self._parts
        assertion = parts.vihf.assertion(behalf, now=parts.clock.now())
        documents: tuple[Document, ...] = ()
        reason = ""
        try:
            documents = await parts.documents.find(behalf, assertion)
        except Partial as part:
            documents, reason = part.found, explain_part(part)
            await self.audit(behalf, "ITI-18", "", documents=str(len(documents)), partial=str(part))
            return documents, reason
        except Rejected as error:
            reason = explain(error)
        except PeerUnavailable as error:
            _log.warning("DMP : documents : %s", error)
            reason = NO_DMP
        await self.audit(behalf, "ITI-18", reason, documents=str(len(documents)))
        return documents, reason

    async def _read(
        self, behalf: Behalf, search: Search, entries: Sequence[DocumentEntry]
    ) -> Consultation:
        turn = asyncio.Semaphore(_PARALLEL)

        async def one(entry: DocumentEntry) -> Exam | str:
            async with turn:
                return await self._exam(behalf, entry)

        chosen = entries[: self._max_exams]
        read = await asyncio.gather(*map(one, chosen), return_exceptions=True)
        exams: list[Exam] = []
        unreadable: list[str] = []
        transient = False
        for result in read:
            if isinstance(result, PeerUnavailable):
                _log.warning("DMP : TD3.2 : %s", result)
                unreadable.append("le DMP n'a pas rendu le document : relancez la recherche")
                transient = True
            elif isinstance(result, BaseException):
                # Every request has ended: raise only now, nothing is left running.
                raise result
            elif isinstance(result, str):
                unreadable.append(result)
            elif _wanted(result, search):
                exams.append(result)
        exams.sort(key=lambda exam: (exam.date, exam.time), reverse=True)
        return Consultation(
            transient=transient,
            exams=tuple(exams),
            unreadable=tuple(unreadable),
            left_out=len(entries) - len(chosen),
        )

    async def _exam(self, behalf: Behalf, entry: DocumentEntry) -> Exam | str:
        """One exam, or why its document cannot be used."""
        parts = self._parts
        assertion = parts.vihf.assertion(behalf, now=parts.clock.now())
        try:
            data = await parts.registry.fetch(behalf, assertion, entry)
            exam = await asyncio.to_thread(parts.manifests.read, entry, data)
        except Rejected as error:
            problem = explain_document(error)
        except PeerUnavailable as error:
            await self.audit(behalf, "ITI-43", str(error), document=entry.unique_id)
            raise
        except ExamUnreadable as error:
            problem = str(error)
        else:
            await self.audit(behalf, "ITI-43", "", document=entry.unique_id)
            return exam
        await self.audit(behalf, "ITI-43", problem, document=entry.unique_id)
        return problem

    async def _without_certificate(self, situation: Situation) -> Consultation:
        reason = (
            f"La DRIMbox n'a pas de certificat pour la structure {situation.label} : le DMP ne "
            "peut être consulté depuis cette situation d'exercice."
        )
        alert = Alert(
            ban="certificat-absent",
            message=f"Aucun certificat pour la structure {situation.structure}.",
            advice="Installer les certificats ORG AUTH_CLI et ORG SIGN de cette structure.",
        )
        await asyncio.to_thread(self._parts.alerts.raise_, alert, now=self._parts.clock.now())
        return Consultation(reason=reason)

    async def audit(self, behalf: Behalf, event: str, failure: str, **objects: str) -> None:
        """Keep what was asked of the DMP; retrieval is audited like ITI-43 (DB.CO.81)."""
        record = AuditEvent(
            event=event,
            outcome=4 if failure else 0,
            description=failure,
            subject=behalf.professional.id,
            patient=behalf.patient.value,
            objects={"structure": behalf.situation.structure, **_emergency(behalf), **objects},
        )
        await asyncio.to_thread(self._parts.audit.record, record, now=self._parts.clock.now())


def _emergency(behalf: Behalf) -> dict[str, str]:
    """What the trail says more of an access without authorisation."""
    return {} if behalf.mode is ModeAcces.NORMAL else {"mode": behalf.mode.value}


def _wanted(exam: Exam, search: Search) -> bool:
    """Whether the manifest itself answers the search; an exam without date is not hidden."""
    if exam.date and search.date_from and exam.date < search.date_from:
        return False
    if exam.date and search.date_to and exam.date > search.date_to:
        return False
    if search.study_uid and exam.study_uid != search.study_uid:
        return False
    return not search.accession or search.accession in exam.accessions
