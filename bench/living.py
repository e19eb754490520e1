"""The life of a KOS as the steps speak of it: replaced, withdrawn, left as it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from bench.deadline import until
from bench.feed import Seen
from bench.holdings import Holding, kos_of
from bench.imagery import held, load_exam, notes_of
from bench.imaging import Imaging
from bench.outcomes import CannotVerify
from bench.story import PlannedExam, plan_exam
from bench.submissions import accepted, changes, names, submitted_manifests
from simulators.ris.messages import Options, Steering
from spec.dicom import EXPLICIT_VR_LITTLE_ENDIAN
from spec.dmp import Masking
from spec.hl7v2 import DOCUMENT_STATUSES, MDM_EVENTS
from spec.xds import AssociationType, SlotName, Status

__all__ = ["Living"]

_SECOND_REPORT = "le second compte rendu"
_CREATE, _REPLACE, _DELETE = "NW", "RO", "CA"
_EVENTS = {control: event for event, control in MDM_EVENTS.items()}


@dataclass(slots=True)
class Living:
    """What happens to the scenario's only exam once its KOS is published, or before."""

    imaging: Imaging
    steering: Steering = field(default_factory=Steering)
    """What the last version of the report asks of the DMP."""
    other: PlannedExam | None = None
    """Another exam of the same patient, which has a report of its own."""
    _before: tuple[Holding, ...] = ()
    """The KOS of the exam as the DMP held them when the last message was sent."""
    _mark: int = 0
    """Where in the feed that was."""

    # -- Étant donné -------------------------------------------------------------------------

    def publish_another(self) -> None:
        """One more exam is in the PACS and in the DMP, under another report.

        Raises:
            CannotVerify: the Source does not publish it.
        """
        story = self.imaging.story
        site = story.bed.site
        self.other = plan_exam(
            story.case,
            len(story.exams) + 1,
            site.accession_oid,
            site.placer_oid,
            modality="MR",
            series=1,
            images=1,
            transfer_syntax=EXPLICIT_VR_LITTLE_ENDIAN,
        )
        load_exam(story.archive, self.other, story.patient)
        self.imaging.publishing.send_beside(self.other)
        until(lambda: self._other_kos() is not None, deadline_s=story.stage.profile.timing.effect_s)
        if self._other_kos() is None:
            raise CannotVerify("l'autre examen n'a pas pu être publié")
        self.imaging.publishing.settle()

    def mask_in_dmp(self) -> None:
        """Somebody masks the KOS by the DMP's own pages: its entryUUID is another one.

        Raises:
            CannotVerify: there is no KOS in force, or the DMP is a real one.
        """
        in_force = self._in_force(self._held())
        self.imaging.story.bed.dmp.hide(in_force.entry.unique_id, Masking.LEGAL_REPRESENTATIVES)

    # -- Quand -------------------------------------------------------------------------------

    def send(self, control: str = _CREATE, *, mdm: bool = False) -> None:
        """The RIS sends the report under that order control, in a message of its own."""
        story = self.imaging.story
        self.begin()
        options = Options(
            identity_status=story.identity_status,
            order_control=control,
            result_status=DOCUMENT_STATUSES[control],
            steering=self.steering,
        )
        self.imaging.publishing.send(options, event=_EVENTS[control] if mdm else "")

    def begin(self) -> None:
        """Something is going to happen to the exam: what follows is compared with now."""
        self._before, self._mark = self._held(), self.imaging.story.stage.feed.mark()

    def correct(self, *, mdm: bool = False) -> None:
        """A new version gives another order number."""
        story = self.imaging.story
        story.correct_order()
        story.version += 1
        self.send(_REPLACE, mdm=mdm)

    def mask(self) -> None:
        """A new version is masked to professionals."""
        self.steering = Steering(masque_ps=True, modif_conf_code=True)
        self.imaging.story.version += 1
        self.send(_REPLACE)

    def cancel(self, *, mdm: bool = False) -> None:
        """The last version is withdrawn, unchanged."""
        self.send(_DELETE, mdm=mdm)

    def cancel_first(self) -> None:
        """The RIS creates the report, then withdraws it; the withdrawal arrives first."""
        self._reverse(self._message(_CREATE), self._message(_DELETE))

    def correct_first(self) -> None:
        """The RIS creates the report, then corrects it; the correction arrives first."""
        first = self._message(_CREATE)
        self.imaging.story.correct_order()
        self.imaging.story.version += 1
        self._reverse(first, self._message(_REPLACE))

    def _message(self, control: str) -> bytes:
        story = self.imaging.story
        options = Options(
            identity_status=story.identity_status,
            order_control=control,
            result_status=DOCUMENT_STATUSES[control],
        )
        return story.bed.ris.message(story.report(), options)

    def _reverse(self, first: bytes, second: bytes) -> None:
        self.imaging.story.stage.publish_case()
        for message in (second, first):
            self.imaging.publishing.sent = message
            self.imaging.publishing.deliver()

    def report_again(self) -> None:
        """Another report, with a life of its own, is about the same exam."""
        publishing = self.imaging.publishing
        publishing.sent = publishing.message_beside(self.exam, _SECOND_REPORT)
        publishing.deliver()

    def send_again(self) -> None:
        """The RIS sends once more, in another message, the last version that it had sent."""
        self.send(_REPLACE)

    def ask_images(self) -> None:
        """A DRIMbox asks for the exam, between two right requests for the other one."""
        other = self._other_kos()
        if self.other is None or other is None:
            raise CannotVerify("aucun autre examen publié")
        self.imaging.ask_beside(self.other, other)

    # -- Alors -------------------------------------------------------------------------------

    def expect_replaced(self) -> None:
        """One approved KOS is left, another one, and each that was in force is deprecated; an
        accepted lot named the entry in force as what it replaces (TD2.1b).
        """
        former = self._in_force(self._before)

        def followed() -> bool:
            uids = {one.entry.unique_id: one.entry.status for one in self._held()}
            in_force = [uid for uid, status in uids.items() if status == Status.APPROVED]
            others = {status for status in uids.values() if status != Status.APPROVED}
            return (
                len(in_force) == 1
                and in_force[0] != former.entry.unique_id
                and others == {Status.DEPRECATED}
            )

        self._expect(
            "le KOS en vigueur est remplacé par un autre",
            followed,
            expected="1 KOS actif, nouveau ; les autres obsolètes (Deprecated)",
        )
        self.imaging.publishing.settle()
        stage = self.imaging.story.stage
        lots = [seen for seen in self._since("ITI-41") if accepted(seen.exchange)]
        named = {
            link.target
            for seen in lots
            for link in changes(seen.exchange)
            if link.type == AssociationType.REPLACE
        }
        stage.expect(
            "le lot remplace l'entrée en vigueur (RPLC)",
            former.entry.id in named,
            expected=f"association RPLC vers {former.entry.id}",
            actual=f"{len(lots)} lot(s), RPLC vers {', '.join(sorted(named)) or 'rien'}",
            exchanges=[seen.id for seen in lots],
        )
        self._expect_new_uid(former, lots)

    def _expect_new_uid(self, former: Holding, lots: Sequence[Seen]) -> None:
        uids = {one.sop_instance for seen in lots for one in submitted_manifests(seen.exchange)}
        self.imaging.story.stage.expect(
            "le nouveau KOS a un SOP Instance UID qui lui est propre",
            bool(uids) and former.manifest.sop_instance not in uids,
            expected=f"un autre que {former.manifest.sop_instance}",
            actual=", ".join(str(uid) for uid in uids) or "aucun",
        )

    def expect_looked_up(self) -> None:
        """The DMP was asked for the entry of the KOS by its uniqueId (TD3.1b)."""
        former = self._in_force(self._before)
        stage = self.imaging.story.stage
        found = [
            seen
            for seen in self._since("ITI-18")
            if seen.exchange.detail == "TD3.1b" and names(seen.exchange, former.entry.unique_id)
        ]
        stage.expect(
            "la Source a cherché dans le DMP l'entrée du KOS par son identifiant",
            bool(found),
            expected=f"un TD3.1b qui nomme {former.entry.unique_id}",
            actual=f"{len(found)} TD3.1b",
            exchanges=[seen.id for seen in found],
        )

    def expect_order_number(self) -> None:
        """The KOS in force gives the corrected order number, in its file and in its metadata."""
        number = self.exam.placer.value
        kos = self._in_force(self._held())
        written = {request.placer_order_number for request in kos.manifest.requests or ()}
        described = any(number in one for one in kos.entry.reference_ids)
        self.imaging.story.stage.expect(
            "le nouveau KOS porte le numéro de demande corrigé",
            number in written and described,
            expected=f"{number} dans le KOS et dans referenceIdList",
            actual=f"dans le KOS : {', '.join(map(str, written)) or 'aucun'} ; dans "
            f"referenceIdList : {'oui' if described else 'non'}",
        )

    def expect_masked(self) -> None:
        """The KOS in force is masked to professionals."""
        kos = self._in_force(self._held())
        codes = [code.code for code in kos.entry.confidentiality_codes]
        self.imaging.story.stage.expect(
            "le nouveau KOS est masqué aux professionnels de santé",
            Masking.PROFESSIONALS in codes,
            expected=f"confidentialityCode {Masking.PROFESSIONALS.value}",
            actual=", ".join(codes),
        )

    def expect_images(self) -> None:
        """The KOS in force references what the PACS holds of the exam."""
        kos = self._in_force(self._held())
        pacs = self.imaging.story.bed.pacs
        # A rejection note that the PACS shows is in the exam, and no image of it.
        notes = notes_of(pacs, self.exam.study_uid)
        wanted = held(pacs, self.exam.study_uid) - notes
        got = {reference.sop_instance for reference in kos.manifest.instances()} - notes
        self.imaging.story.stage.expect(
            "le nouveau KOS référence exactement les images de l'examen",
            got == wanted,
            expected=f"{len(wanted)} instances",
            actual=f"{len(got)} instances, dont {len(got ^ wanted)} en écart",
        )

    def expect_archived(self) -> None:
        """The local archive holds the KOS in force and the version of the report that made it."""
        uid = self._in_force(self._held()).manifest.sop_instance
        report = self.imaging.story.report().id
        self.imaging.publishing.administration.expect(
            "archive",
            "l'archive contient le nouveau KOS et la version du compte rendu qui l'a causé",
            lambda row: row.get("kos_uid") == uid and report in str(row.get("reports")),
            expected=f"KOS {uid} et compte rendu {report}",
        )

    def expect_both_archived(self) -> None:
        """One KOS is in force, and the local archive knows both reports that are about it."""
        uid = self._in_force(self._held()).manifest.sop_instance
        case = self.imaging.story.case
        reports = (self.imaging.story.report().id, case.uid(_SECOND_REPORT))
        self.imaging.publishing.administration.expect(
            "archive",
            "l'archive contient le KOS en vigueur et les deux comptes rendus",
            lambda row: (
                row.get("kos_uid") == uid and all(one in str(row.get("reports")) for one in reports)
            ),
            expected=f"KOS {uid} et comptes rendus {', '.join(reports)}",
        )

    def expect_depublished(self) -> None:
        """The KOS that was in force is Deleted, by an ITI-57 that says so (TD3.3c)."""
        former = self._in_force(self._before)

        def followed() -> bool:
            held = self._held()
            return not any(one.approved for one in held) and any(
                one.entry.id == former.entry.id and one.entry.status == Status.DELETED
                for one in held
            )

        self._expect(
            "le KOS est dépublié du DMP",
            followed,
            expected="aucun KOS actif ; celui qui était en vigueur a le statut Deleted",
        )
        self.imaging.publishing.settle()
        asked = [
            seen
            for seen in self._since("ITI-57")
            if accepted(seen.exchange)
            and any(
                link.target == former.entry.id and link.value(SlotName.NEW_STATUS) == Status.DELETED
                for link in changes(seen.exchange)
            )
        ]
        self.imaging.story.stage.expect(
            "la Source a demandé la suppression (TD3.3c)",
            bool(asked),
            expected=f"un ITI-57 accepté, de {former.entry.id} vers Deleted",
            actual=f"{len(asked)} ITI-57",
            exchanges=[seen.id for seen in asked],
        )

    def expect_kept(self) -> None:
        """What was in force before the last message still is, and it alone."""
        former = self._in_force(self._before)
        in_force = [one.entry.id for one in self._held() if one.approved]
        self.imaging.story.stage.expect(
            "le KOS d'avant reste en vigueur, seul",
            in_force == [former.entry.id],
            expected=f"1 KOS actif, {former.manifest.sop_instance}",
            actual=self._told(),
        )

    # -- reading -----------------------------------------------------------------------------

    def in_force(self) -> Holding:
        """The KOS that the DMP now shows.

        Raises:
            CannotVerify: there is none, or there are several.
        """
        return self._in_force(self._held())

    @property
    def mark(self) -> int:
        """Where in the feed what happened last began."""
        return self._mark

    def former(self) -> Holding:
        """The one that it showed before what happened last. Raises as `in_force`."""
        return self._in_force(self._before)

    def since(self, *transactions: str) -> tuple[Seen, ...]:
        """The scenario's exchanges of those transactions, since what happened last began."""
        return tuple(self._since(*transactions))

    @property
    def exam(self) -> PlannedExam:
        """The scenario's exam."""
        return self.imaging.exam

    def _expect(self, what: str, followed: Callable[[], bool], *, expected: str) -> None:
        stage = self.imaging.story.stage
        deadline = stage.profile.timing.effect_s
        stage.expect(
            what,
            until(followed, deadline_s=deadline),
            expected=expected,
            actual=self._told(),
            exchanges=[seen.id for seen in self._since("ITI-18", "ITI-41", "ITI-57")],
            deadline_s=deadline,
        )

    def _held(self) -> tuple[Holding, ...]:
        return kos_of(self.imaging.story, self.exam)

    def _told(self) -> str:
        counts: dict[str, int] = {}
        for one in self._held():
            word = one.entry.status.rpartition(":")[2]
            counts[word] = counts.get(word, 0) + 1
        return ", ".join(f"{count} {word}" for word, count in counts.items()) or "aucun KOS"

    def _other_kos(self) -> str | None:
        """The SOP Instance UID of the other exam's KOS, None until there is one."""
        if self.other is None:
            return None
        found = [one for one in kos_of(self.imaging.story, self.other) if one.approved]
        return found[0].manifest.sop_instance if found else None

    def _since(self, *transactions: str) -> Iterator[Seen]:
        """The scenario's exchanges since the last message was sent."""
        return (
            seen
            for seen in self.imaging.story.stage.seen(*transactions)
            if seen.serial >= self._mark
        )

    @staticmethod
    def _in_force(kos: Sequence[Holding]) -> Holding:
        """The one approved KOS.

        Raises:
            CannotVerify: there is none, or there are several.
        """
        found = [one for one in kos if one.approved]
        if len(found) != 1:
            raise CannotVerify(f"{len(found)} KOS en vigueur dans le DMP pour cet examen")
        return found[0]
