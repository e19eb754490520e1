"""An exam that changes in the PACS, which says so: an IOCM note by C-STORE, or OMI^O23 by MLLP.

Whatever it says, the Source is to ask the PACS again: what it then publishes is what the PACS
shows. It acts in the name of those whom the former lot named.

Réf.: ANS FAQ 8801, grade: faq; DB.SO.25, DB.SO.26, grade: draft; IHE RAD TF Vol. 2, 4.66, grade:
standard.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace

from bench.dataset.manifest import Subject, rejection_note
from bench.living import Living
from bench.outcomes import CannotVerify, Refused
from bench.story import PlannedExam
from bench.submissions import accepted, actor
from protocols.errors import RemoteProtocolError
from protocols.kos import InstanceRef
from simulators.peer import Manners, Retrieved
from simulators.ris.messages import omi
from simulators.ris.service import Ris
from simulators.ris.subject import Subject as Told
from wire.dimse import DimseFailure, is_failure
from wire.mllp import MllpTimeout

__all__ = ["Changing"]

_GONE = (404, 410)


@dataclass(slots=True)
class Changing:
    """What happens in the PACS to the scenario's only exam, and what is asked of it then."""

    living: Living
    status: int | None = None
    """What was answered to the note."""
    _rejected: set[str] = field(default_factory=set)
    _answers: list[Retrieved] = field(default_factory=list)

    # -- Étant donné -------------------------------------------------------------------------

    def obtain_all(self) -> None:
        """Each series was delivered once.

        Raises:
            CannotVerify: one was not.
        """
        for series in self._exam.series:
            answer = self.living.imaging.ask(series=series.uid)
            if not answer.images or not answer.complete:
                raise CannotVerify(f"la série {series.uid} n'est pas rendue")

    # -- Quand -------------------------------------------------------------------------------

    def reject_series(self, title: str) -> None:
        """The exam's last series is rejected, for the reason that this code gives."""
        self._reject(title, self._held(self._exam.series[-1].uid))

    def reject_from_each(self, title: str) -> None:
        """The first image of each series is rejected."""
        first = {uid: held[:1] for uid, held in self._held().items()}
        self._reject(title, first)

    def reject_exam(self, title: str) -> None:
        """Every image is rejected."""
        self._reject(title, self._held())

    def reject_and_show(self) -> None:
        """A series is rejected for its quality by an archive that goes on showing it."""
        self._reject("113001", self._held(self._exam.series[-1].uid), regular_use=True)

    def remove_exam(self) -> None:
        """The PACS has not one image of it left, and says nothing yet."""
        self.living.imaging.story.bed.pacs.remove(study=self._exam.study_uid)

    def announce(self) -> None:
        """The PACS says by OMI^O23 that the exam changed; the acknowledgement is kept."""
        story, publishing = self.living.imaging.story, self.living.imaging.publishing
        bed = story.bed
        sender = Ris(
            observe=bed.observe,
            clock=bed.clock,
            ids=bed.control_id,
            actor="pacs",
            link=bed.intake,
        )
        message = omi(
            Told.of(story.report()),
            sender.header(sending_application=bed.pacs.ae_title),
            study_uid=self._exam.study_uid,
            modality=self._exam.modality,
            ae_title=bed.pacs.ae_title,
        )
        self.living.begin()
        publishing.sent = message
        timeout = story.stage.profile.timing.ack_s
        try:
            publishing.ack = bed.call(sender.send, message, publishing.destination, timeout)
        except (MllpTimeout, ConnectionError, RemoteProtocolError) as error:
            publishing.ack, publishing.no_ack = None, str(error) or type(error).__name__

    def ask_series(self) -> None:
        """A DRIMbox asks for the first series, under the KOS in force."""
        self.living.imaging.ask(manners=self._under(self._in_force()))

    def ask_rejected(self) -> None:
        """A DRIMbox asks for the last series, under the former KOS then under the one in force,
        between two requests for the first one.
        """
        imaging, last = self.living.imaging, self._exam.series[-1].uid
        former, now = self.living.former().entry.unique_id, self._in_force()
        imaging.twins = [imaging.ask(manners=self._under(now))]
        self._answers = [
            imaging.ask(series=last, manners=self._under(one)) for one in (former, now)
        ]
        imaging.twins.append(imaging.ask(manners=self._under(now)))

    # -- Alors -------------------------------------------------------------------------------

    def expect_taken(self) -> None:
        """The note was taken: status 0000, or a warning."""
        self.living.imaging.story.stage.expect(
            "la Source accepte la note",
            self.status is not None and not is_failure(self.status),
            expected="statut C-STORE 0000",
            actual="rien" if self.status is None else f"{self.status:#06x}",
            exchanges=[seen.id for seen in self.living.since("C-STORE")],
        )

    def expect_asked_again(self) -> None:
        """A C-FIND on the exam came after the notice."""
        stage, study = self.living.imaging.story.stage, self._exam.study_uid
        stage.await_exchanges(
            "C-FIND",
            "la Source interroge de nouveau le PACS",
            since=self.living.mark,
            where=lambda seen: (
                seen.exchange.request is not None and study.encode() in seen.exchange.request.body
            ),
        )

    def expect_same_actor(self) -> None:
        """What was written in the DMP is in the name of those of the former lot: structure and
        professional of the VIHF.
        """
        stage = self.living.imaging.story.stage
        lots = [seen for seen in stage.seen("ITI-41", "ITI-57") if accepted(seen.exchange)]
        before = [actor(one.exchange) for one in lots if one.serial < self.living.mark]
        after = [one for one in lots if one.serial >= self.living.mark]
        if not before or before[-1] is None:
            raise CannotVerify("le lot précédent n'a pas de VIHF lisible")
        said = {actor(one.exchange) for one in after}
        stage.expect(
            "la Source agit au nom de ceux du lot précédent",
            said == {before[-1]},
            expected=" / ".join(before[-1]),
            actual=", ".join(" / ".join(one or ("VIHF illisible",)) for one in said) or "aucun lot",
            exchanges=[one.id for one in after],
        )

    def expect_only_kept(self) -> None:
        """Images came, none of them rejected; whether all came is for other scenarios to say.

        Raises:
            CannotVerify: none came.
        """
        imaging = self.living.imaging
        got = imaging.instances()
        if not got:
            raise CannotVerify("aucune image n'est rendue sous le nouveau KOS")
        imaging.story.stage.expect(
            "aucune image rejetée n'est rendue dans la série",
            self._rejected.isdisjoint(got),
            expected=f"aucune des {len(self._rejected)} images rejetées",
            actual=f"{len(got)} images, dont {len(self._rejected & got)} rejetée(s)",
            exchanges=[one.id for one in self.living.since("WADO-RS")],
        )

    def expect_nothing_rejected(self) -> None:
        """Each request for the rejected images was refused, by a status that says that they are
        not there, and nothing of them came.

        Raises:
            CannotVerify: what is still to be served is not.
        """
        imaging, patient = self.living.imaging, self.living.imaging.story.patient
        for twin in imaging.twins:
            if not twin.images or not twin.complete:
                raise CannotVerify("la série qui reste n'est pas rendue")
        words = (patient.ins, patient.ipp)
        known = (*(one.value for one in words if one), patient.family)
        stage = imaging.story.stage
        for under, answer in zip(("l'ancien", "le nouveau"), self._answers, strict=True):
            told = [one for one in known if one in answer.text]
            stage.expect(
                f"rien de rejeté n'est rendu sous {under} KOS",
                answer.status in _GONE and not answer.parts and not told,
                expected="HTTP 404, ou 410, sans image ni donnée du patient",
                actual=f"HTTP {answer.status}, {len(answer.parts)} image(s), "
                f"{len(told)} donnée(s) du patient",
                exchanges=[one.id for one in self.living.since("WADO-RS")],
            )

    # -- how ---------------------------------------------------------------------------------

    def _reject(
        self,
        title: str,
        instances: dict[str, tuple[InstanceRef, ...]],
        *,
        regular_use: bool = False,
    ) -> None:
        """The PACS applies a note on these instances, then sends it to the Source.

        Raises:
            Refused: the Source does not take it.
        """
        story = self.living.imaging.story
        bed, case = story.bed, story.case
        note = rejection_note(
            Subject(
                patient=story.patient,
                structure=story.structure,
                exam=self._exam,
                uid=case.uid("la note IOCM"),
                series_uid=case.uid("la série de la note IOCM"),
                written=bed.clock(),
            ),
            instances,
            title=title,
        )
        story.stage.publish_case()
        self.living.begin()
        self._rejected = {one.sop_instance for held in instances.values() for one in held}
        bed.pacs.reject(note, regular_use=regular_use)
        try:
            self.status = bed.pacs.forward(note, bed.note_door)
        except DimseFailure as failure:
            raise Refused(f"la Source ne prend pas la note : {failure}") from failure

    def _held(self, series: str | None = None) -> dict[str, tuple[InstanceRef, ...]]:
        """SeriesInstanceUID -> what the PACS holds of it."""
        found: dict[str, list[InstanceRef]] = defaultdict(list)
        for one in self.living.imaging.story.bed.pacs.instances(self._exam.study_uid, series):
            found[one.series_uid].append(InstanceRef(one.sop_class, one.sop_instance))
        return {uid: tuple(held) for uid, held in found.items()}

    def _under(self, kos_uid: str) -> Manners:
        return replace(self.living.imaging.good_manners(), kos_uid=kos_uid)

    def _in_force(self) -> str:
        return self.living.in_force().entry.unique_id

    @property
    def _exam(self) -> PlannedExam:
        return self.living.exam
