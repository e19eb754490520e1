"""Publication as the steps speak of it: the RIS sends, the PACS is asked, the DMP receives."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass, field, replace
from threading import Event

from bench.administration import Administration, Row
from bench.deadline import until
from bench.feed import Seen
from bench.imagery import held, load_exam
from bench.outcomes import CannotVerify, NotMet, NotSendable
from bench.story import PlannedExam, Story, plan_exam, report_of
from bench.submissions import accepted, names, submitted_manifests
from protocols import kos
from protocols.dicom import read_texts
from protocols.errors import RemoteProtocolError
from protocols.kos import Manifest
from simulators.dmp import DmpState
from simulators.dmp import Patient as DmpPatient
from simulators.ris.messages import Options
from simulators.ris.people import Coded, Patient
from simulators.ris.report import CIM10, Exam
from simulators.ris.service import Ack, Link
from spec.dicom import (
    EXPLICIT_VR_LITTLE_ENDIAN,
    IMPLICIT_VR_LITTLE_ENDIAN,
    value_type_of,
)
from spec.dmp import KOS_TYPE_CODE
from wire.exchange import Exchange
from wire.mllp import MllpTimeout

__all__ = ["Publishing", "register"]

_STUDY_UID = 0x0020000D


_BYTES_PER_S = 1 << 20
"""What a Source takes in and keeps in a second, at least, of a message that is megabytes long."""


@dataclass(slots=True)
class Publishing:
    """What a RIS, a PACS and a DMP do around a Source in one scenario."""

    story: Story
    ack: Ack | None = None
    sent: bytes = b""
    no_ack: str = "aucun message envoyé"
    via: Link | None = None
    """How the RIS brings its messages to the door that speaks TLS; None: to the usual one."""
    preloaded: list[Manifest] = field(default_factory=list)
    """KOS that the DMP held before the scenario, as the Source's own."""

    # -- Étant donné -------------------------------------------------------------------------

    def open_dmp(self, state: DmpState = DmpState.OPEN) -> None:
        """The patient's DMP is in that state."""
        self.story.admit(state)

    def screening_act(self) -> None:
        """One more act in the report, without study identifier."""
        self.story.other_acts.append(
            Exam(act=Coded("Z13.9", "Examen spécial de dépistage, sans précision", CIM10))
        )

    def stop_dmp(self) -> None:
        """The DMP is down."""
        self.story.bed.call(self.story.bed.dmp.kill)

    def restart_dmp_after_failure(self) -> None:
        """The DMP comes back once the Source has met it down."""
        bed = self.story.bed
        try:
            met = until(
                lambda: (
                    any(
                        self._about_us(row) and row.get("attempts")
                        for row in self.administration.rows("outbox")
                    )
                    or not self.administration.address
                ),
                deadline_s=self.story.stage.profile.timing.effect_s,
            )
        finally:
            bed.call(bed.dmp.restart)
        if not met:
            raise NotMet("la Source n'a pas tenté de publier pendant que le DMP était arrêté")

    # -- Quand -------------------------------------------------------------------------------

    def send(self, options: Options | None = None, *, event: str = "") -> None:
        """The RIS sends the report, in an MDM of that event if there is one; the acknowledgement
        is kept, whatever it says.
        """
        story = self.story
        options = options or Options(identity_status=story.identity_status)
        self.sent = story.bed.ris.message(story.report(), options, event=event)
        story.stage.publish_case()
        self.deliver()

    def send_in_version(self, version: str, profile: str) -> None:
        """The RIS sends the report in a version of HL7 (MSH-12) and of the volet (MSH-21)."""
        story = self.story
        message = story.bed.ris.message(story.report())
        header, _, rest = message.partition(b"\r")
        fields = header.split(b"|")
        fields[11], fields[20] = version.encode(), profile.encode()
        self.sent = b"|".join(fields) + b"\r" + rest
        story.stage.publish_case()
        self.deliver()

    def send_beside(self, exam: PlannedExam) -> None:
        """The RIS sends the report of another exam of the same patient, and that exam alone."""
        story = self.story
        message = self.message_beside(exam, "un autre compte rendu")
        # Its effect is awaited, whatever is acknowledged.
        with suppress(MllpTimeout, ConnectionError, RemoteProtocolError):
            story.bed.call(
                story.bed.ris.send,
                message,
                self.destination,
                story.stage.profile.timing.ack_s,
            )

    def message_beside(self, exam: PlannedExam, name: str) -> bytes:
        """The message of a report of that exam alone, whose identifiers have that name."""
        story, case = self.story, self.story.case
        report = replace(
            report_of(case, story.patient, story.author, story.structure, [exam.reported()]),
            id=case.uid(name),
            set_id=case.uid(f"le lot de versions de « {name} »"),
        )
        story.stage.publish_case()
        return story.bed.ris.message(report)

    def deliver(self) -> None:
        """Send the message as it is, once (more)."""
        try:
            (self.ack,) = self.story.bed.call(self._bring)
        except (MllpTimeout, ConnectionError, RemoteProtocolError) as error:
            self.ack, self.no_ack = None, str(error) or type(error).__name__

    async def _bring(self) -> list[Ack]:
        # What is megabytes long takes longer to send, to read and to keep.
        timeout = self.story.stage.profile.timing.ack_s + len(self.sent) / _BYTES_PER_S
        ris = self.story.bed.ris
        to = self.destination if self.via is None else self.story.publisher.pair("mllps")
        return await ris.send_each([self.sent], to, timeout, link=self.via)

    @property
    def destination(self) -> tuple[str, int]:
        """The Source that this scenario publishes through."""
        where = self.story.publisher
        if not where:
            raise NotSendable("aucune Source dans ce banc")
        return where.pair("mllp" if where.get("mllp") else "mllps")

    # -- Alors -------------------------------------------------------------------------------

    def expect_ack(self, code: str) -> None:
        """The Source acknowledged with that code."""
        self.story.stage.expect(
            f"la Source acquitte par {code}",
            self.ack is not None and self.ack.code == code,
            expected=f"MSA-1 = {code}",
            actual=f"MSA-1 = {self.ack.code}" if self.ack else f"rien ({self.no_ack})",
        )

    def expect_not_taken(self) -> None:
        """Refused by AE or AR, or acknowledged: that it has no effect is what is judged.

        Silence is no refusal: the RIS must know that it is to correct its message.
        """
        self.story.stage.expect(
            "la Source répond au message",
            self.ack is not None,
            expected="un acquittement, AE ou AR de préférence",
            actual=f"MSA-1 = {self.ack.code}" if self.ack else f"rien ({self.no_ack})",
        )
        refused = self.ack is not None and self.ack.code in ("AE", "AR")
        if refused and "ITI-41" in self.story.stage.profile.unseen():
            # Of a DMP that is out of sight, the refusal is all that there is to see.
            return
        self.expect_nothing_published()

    def expect_queries(self, count: int) -> None:
        """The PACS was asked about that many studies.

        A hierarchical client's several C-FIND on one study count as one.
        """
        stage = self.story.stage
        if stage.omits("DB.SO.14"):
            # A native box asks its own database: nobody sees it.
            return
        stage.await_exchanges("C-FIND", "la Source interroge le PACS")
        asked: set[str] = set()

        def studies() -> int:
            asked.update(uid for seen in self._queries() for uid in _studies_asked(seen.exchange))
            return len(asked)

        until(lambda: studies() >= count, deadline_s=stage.profile.timing.effect_s)
        found = self._queries()
        strange = asked - {exam.study_uid for exam in self.story.exams}
        stage.expect(
            f"la Source interroge le PACS {count} fois",
            studies() == count and not strange,
            expected=f"{count} examen(s) du compte rendu demandé(s) par C-FIND",
            actual=f"{len(asked)} examen(s), dont {len(strange)} étranger(s) au compte rendu ; "
            f"{len(found)} C-FIND",
            exchanges=[seen.id for seen in found],
        )

    def expect_published(self, count: int) -> None:
        """Exactly that many KOS were accepted by the DMP for this report."""
        stage = self.story.stage
        stage.await_exchanges(
            "ITI-41",
            f"{count} KOS publié(s) dans le DMP",
            count=count,
            where=lambda seen: accepted(seen.exchange),
        )
        self.expect_settled()
        found = self.manifests()
        stage.expect(
            f"{count} KOS publié(s), ni plus ni moins",
            len(found) == count,
            expected=f"{count} KOS",
            actual=f"{len(found)} KOS",
        )

    def expect_contents(self) -> None:
        """Each KOS references the instances that the PACS holds for its study, no other."""
        by_study = {manifest.study_uid: manifest for manifest in self.manifests()}
        for exam in self.story.exams:
            wanted = held(self.story.pacs_of(exam), exam.study_uid)
            manifest = by_study.get(exam.study_uid)
            got = {ref.sop_instance for ref in manifest.instances()} if manifest else set()
            self.story.stage.expect(
                f"le KOS de l'examen {exam.study_uid} référence ses images",
                got == wanted,
                expected=f"{len(wanted)} instances",
                actual=f"{len(got)} instances, dont {len(got ^ wanted)} en écart",
            )

    def expect_without_dmp(self) -> None:
        """Of a report that is not for the DMP: what the profile's named option says."""
        if self.story.stage.profile.options.get("without_dmp", "stop") == "publish":
            self.expect_published(1)
        else:
            self.expect_nothing_published()

    def expect_kinds(self) -> None:
        """Each reference of the content is of the kind that its SOP class has: IMAGE for images
        alone, WAVEFORM for waveforms alone, COMPOSITE for any (PS3.3 C.18.3 to C.18.5)."""
        wrong = [
            f"{item.value_type} pour {sop_class}"
            for manifest in self.manifests()
            for item in manifest.content
            for sop_class, _ in item.references
            if item.value_type not in (value_type_of(sop_class), "COMPOSITE")
        ]
        kinds = {
            item.value_type for one in self.manifests() for item in one.content if item.references
        }
        self.story.stage.expect(
            "chaque objet est référencé selon sa nature",
            not wrong and len(kinds) > 1,
            expected="IMAGE pour les images, WAVEFORM ou COMPOSITE pour les tracés, COMPOSITE "
            "pour le reste",
            actual="; ".join(wrong[:3]) or ", ".join(sorted(map(str, kinds))),
        )

    def expect_orders(self) -> None:
        """Each KOS names the order of its exam, and no other of the report."""
        by_study = {manifest.study_uid: manifest for manifest in self.manifests()}
        for exam in self.story.exams:
            manifest = by_study.get(exam.study_uid)
            requests = (manifest.requests or ()) if manifest else ()
            got = {(one.accession_number, one.placer_order_number) for one in requests}
            wanted = {(exam.accession.value, exam.placer.value)}
            self.story.stage.expect(
                f"le KOS de l'examen {exam.study_uid} porte la demande de cet examen seul",
                got == wanted,
                expected=_told(wanted),
                actual=_told(got),
            )

    def expect_nothing_published(self) -> None:
        """No ITI-41 for this patient, judged by a sentinel that must be published."""
        self._expect_none("aucun KOS n'est publié", "ITI-41")

    def expect_nothing_written(self) -> None:
        """No ITI-41 nor ITI-57 for this patient, judged by a sentinel that must be published."""
        self._expect_none("rien n'est écrit dans le DMP", "ITI-41", "ITI-57")

    def _expect_none(self, what: str, *transactions: str) -> None:
        self._await_sentinel()
        stage, sentinel = self.story.stage, self._sentinel_ins
        unwanted = [s for s in stage.seen(*transactions) if not names(s.exchange, sentinel)]
        named = " ni ".join(transactions)
        stage.expect(
            what,
            not unwanted,
            expected=f"aucun {named} pour ce patient",
            actual=f"{len(unwanted)} {named}",
            exchanges=[seen.id for seen in unwanted],
        )

    def expect_no_more(self) -> None:
        """After the sentinel, still one accepted KOS per exam."""
        self._await_sentinel()
        # The submission says whose it is, whatever its KOS says.
        found = self.manifests(besides=self._sentinel_ins)
        self.story.stage.expect(
            "aucun autre KOS n'est publié",
            len(found) == len(self.story.exams),
            expected=f"{len(self.story.exams)} KOS",
            actual=f"{len(found)} KOS",
        )

    def expect_still_publishes(self) -> None:
        """A conform report, of another patient, goes all the way after whatever was sent."""
        try:
            self._await_sentinel()
        except CannotVerify as reason:
            raise NotMet(f"la Source ne publie plus : {reason}") from reason

    def expect_held_once(self) -> None:
        """The DMP holds exactly one KOS per exam, whatever happened on the way."""
        stage = self.story.stage
        until(lambda: all(self._held().values()), deadline_s=stage.profile.timing.effect_s)
        self.expect_settled()
        counts = self._held()
        stage.expect(
            "le DMP détient exactement un KOS par examen",
            all(count == 1 for count in counts.values()),
            expected="; ".join(f"{uid} : 1" for uid in counts),
            actual="; ".join(f"{uid} : {count}" for uid, count in counts.items()),
            exchanges=[seen.id for seen in stage.seen("ITI-41", "ITI-18")],
        )

    def expect_settled(self) -> None:
        """The Source knows that it is published: nothing waits in its outbox, nor was given up.

        Raises:
            CannotVerify: its page does not answer.
        """
        stage, administration = self.story.stage, self.administration
        self.settle()
        if not administration.address:
            return
        waiting = len(administration.answered("outbox", state="pending"))
        refused = sum(map(self._about_us, administration.answered("outbox", state="refused")))
        stage.expect(
            "la Source tient la publication pour faite",
            not waiting and not refused,
            expected="aucun envoi en attente, aucun abandonné",
            actual=f"{waiting} envoi(s) en attente, {refused} abandonné(s)",
        )

    def settle(self) -> None:
        """Let the Source take note of what the DMP answered."""
        timing, administration = self.story.stage.profile.timing, self.administration
        if not administration.address:
            Event().wait(timing.retry_window_s)
            return
        until(
            lambda: administration.look("outbox", state="pending") == [],
            deadline_s=timing.effect_s,
        )

    def expect_alert(self) -> None:
        """The administrator was told."""
        self.administration.expect(
            "alerts",
            "l'administrateur est alerté",
            self._about_us,
            expected="une alerte qui nomme ce message, ce patient ou cet examen",
        )

    def expect_failure_traced(self) -> None:
        """An audit event says that feeding failed, and why."""
        self.administration.expect(
            "audit",
            "l'échec est tracé avec sa raison",
            lambda row: (
                self._about_us(row)
                and row.get("EventOutcomeIndicator") in (4, 8, 12)
                and bool(row.get("EventOutcomeDescription"))
            ),
            expected="EventOutcomeIndicator 4, 8 ou 12 et EventOutcomeDescription",
        )

    def expect_reception_traced(self) -> None:
        """An audit event says that the report was received."""
        self.administration.expect(
            "audit",
            "la réception est tracée",
            lambda row: (
                self.control_id in str(row)
                and str(row.get("event", "")).startswith("RAD-128")
                and row.get("EventOutcomeIndicator") == 0
            ),
            expected="un événement RAD-128 d'issue 0 qui nomme le message",
        )

    def expect_publication_traced(self) -> None:
        """An audit event says that the KOS was published."""
        self.administration.expect(
            "audit",
            "la publication est tracée",
            lambda row: (
                self._about_us(row)
                and str(row.get("event", "")).startswith("ITI-41")
                and row.get("EventOutcomeIndicator") == 0
            ),
            expected="un événement ITI-41 d'issue 0",
        )

    def expect_archived(self) -> None:
        """The local archive holds the KOS that was published and the report's id."""
        uids = {manifest.sop_instance for manifest in self.manifests()}
        report = self.story.report().id
        self.administration.expect(
            "archive",
            "l'archive contient le KOS publié et l'identifiant du compte rendu",
            lambda row: row.get("kos_uid") in uids and report in str(row.get("reports")),
            expected=f"KOS {', '.join(map(str, uids))} et compte rendu {report}",
        )

    # -- reading -----------------------------------------------------------------------------

    def manifests(self, *, besides: str = "") -> list[Manifest]:
        """The KOS of this scenario that the DMP holds or accepted, in order; `besides` those whose
        submission names that identifier."""
        published = (
            manifest
            for seen in self.story.stage.seen("ITI-41")
            if accepted(seen.exchange) and not (besides and names(seen.exchange, besides))
            for manifest in submitted_manifests(seen.exchange)
        )
        return [*self.preloaded, *published]

    @property
    def administration(self) -> Administration:
        """The publishing Source's pages."""
        return Administration(self.story.publisher.get("admin", ""), self.story.stage)

    def alerts(self) -> list[Row]:
        """What its administrator was told of this scenario so far."""
        return [row for row in self.administration.rows("alerts") if self._about_us(row)]

    @property
    def control_id(self) -> str:
        """MSH-10 of the message sent, "" before."""
        return self.sent.split(b"|", 10)[9].decode() if self.sent else ""

    def _held(self) -> dict[str, int]:
        ins = self.story.patient.ins
        assert ins is not None
        counts = {exam.study_uid: 0 for exam in self.story.exams}
        for stored in self.story.bed.dmp.documents(ins.value, ins.oid):
            code = stored.entry.type_code
            if code is not None and code.code == KOS_TYPE_CODE[0]:
                study = kos.decode(stored.content).study_uid or ""
                counts[study] = counts.get(study, 0) + 1
        return counts

    def _queries(self) -> list[Seen]:
        """The C-FIND of this scenario, and those that name nobody that we know."""
        stage = self.story.stage
        return [
            seen
            for seen in stage.feed.since(stage.origin)
            if seen.exchange.transaction == "C-FIND" and seen.scenario in (stage.info.id, None)
        ]

    def _about_us(self, row: Row) -> bool:
        text = str(row)
        mine = (*self.story.case.identifiers.values(), self.control_id)
        return any(value and value in text for value in mine)

    # -- the sentinel ------------------------------------------------------------------------

    @property
    def _sentinel_ins(self) -> str:
        return self.story.stage.sentinel().patient.ins

    def _await_sentinel(self) -> None:
        """A conform report goes all the way: an absence may then be told.

        Raises:
            CannotVerify: it does not.
        """
        stage = self.story.stage
        mark = stage.feed.mark()
        self._send_sentinel()
        sentinel = self._sentinel_ins
        try:
            stage.await_exchanges(
                "ITI-41",
                "la sentinelle, conforme, est publiée",
                since=mark,
                where=lambda seen: accepted(seen.exchange) and names(seen.exchange, sentinel),
            )
        except NotMet as reason:
            raise CannotVerify(f"une absence ne se constate pas ici : {reason}") from reason
        Event().wait(stage.profile.timing.retry_window_s)

    def _send_sentinel(self) -> None:
        story, site = self.story, self.story.bed.site
        case = story.stage.sentinel()
        patient = story.admit_another(case, DmpState.OPEN)
        exam = plan_exam(
            case,
            1,
            site.accession_oid,
            site.placer_oid,
            modality="MR",
            series=1,
            images=1,
            transfer_syntax=EXPLICIT_VR_LITTLE_ENDIAN,
        )
        report = report_of(case, patient, site.radiologist, site.structure, [exam.reported()])
        story.stage.adopt(case, "sentinelle")
        load_exam(story.archive, exam, patient)
        # Without acknowledgement its effect may still come: the effect is what counts.
        with suppress(MllpTimeout, ConnectionError):
            story.bed.call(
                story.bed.ris.send,
                story.bed.ris.message(report),
                self.destination,
                story.stage.profile.timing.ack_s,
            )


def register(story: Story, patient: Patient, state: DmpState) -> None:
    """The DMP knows this very patient."""
    assert patient.ins is not None
    story.bed.register.know(
        DmpPatient(
            matricule=patient.ins.value,
            oid=patient.ins.oid,
            family=patient.family,
            given=patient.given,
            birth_date=patient.birth_date,
            gender=patient.sex,
            state=state,
        )
    )


def _told(orders: Collection[tuple[str | None, str | None]]) -> str:
    return "; ".join(f"accession {one}, demande {other}" for one, other in orders) or "aucune"


def _studies_asked(exchange: Exchange) -> tuple[str, ...]:
    """The StudyInstanceUIDs that a C-FIND names, none when it searches otherwise."""
    request = exchange.request
    if request is None:
        return ()
    syntax = request.header("TransferSyntaxUID") or IMPLICIT_VR_LITTLE_ENDIAN
    try:
        texts = read_texts(request.body, transfer_syntax=syntax, tags=(_STUDY_UID,))
    except RemoteProtocolError:
        return ()
    return tuple(uid for uid in texts.get(_STUDY_UID, "").split("\\") if uid)
