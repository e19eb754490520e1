"""A native product's PACS as the steps speak of it: images come and go, and the DMP must follow."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bench.attending import instruct
from bench.changes import ByHand
from bench.deadline import until
from bench.holdings import kos_of
from bench.imagery import add_series, held
from bench.publishing import Publishing
from bench.story import PlannedExam
from protocols.kos import Manifest

__all__ = ["Within"]


@dataclass(slots=True)
class Within:
    """What happens to the scenario's only exam after its publication (DB.SO.27)."""

    publishing: Publishing
    by_hand: str = ""
    """What was left to a person to do; what follows of it is then a person's to see."""

    # -- Quand -------------------------------------------------------------------------------

    def add_image(self) -> None:
        """One more series comes as the others came.

        Raises:
            CannotVerify: the product does not take it.
        """
        story = self.publishing.story
        uid = story.case.uid("la série ajoutée")
        story.stage.publish_case()
        add_series(story.archive, self._exam, story.patient, uid)

    def remove_image(self) -> None:
        """The exam's first image goes."""
        pacs = self.publishing.story.bed.pacs
        first = pacs.instances(self._exam.study_uid)[0].sop_instance
        self._change("remove-instance", self._exam.study_uid, self._exam.series[0].uid, first)
        pacs.remove(instance=first)

    def remove_exam(self) -> None:
        """Every image of the exam goes."""
        self._change("remove-study", self._exam.study_uid)
        self.publishing.story.bed.pacs.remove(study=self._exam.study_uid)

    def _change(self, action: str, *identifiers: str) -> None:
        story = self.publishing.story
        try:
            story.bed.changes(action, identifiers)
        except ByHand as asked:
            if story.stage.operator.present:
                instruct(story.stage, str(asked))
                return
            self.by_hand = str(asked)
            story.stage.leave_to_a_person(f"{asked} ; source.changes le ferait")

    # -- Alors -------------------------------------------------------------------------------

    def expect_replaced(self) -> None:
        """One approved KOS is left, another one, which references what the PACS holds."""
        first = self.publishing.manifests()[0].sop_instance
        wanted = held(self.publishing.story.bed.pacs, self._exam.study_uid)

        def found() -> tuple[list[str | None], set[str]]:
            manifests = self._approved()
            images = {ref.sop_instance for one in manifests for ref in one.instances()}
            return [one.sop_instance for one in manifests], images

        def followed() -> bool:
            uids, images = found()
            return len(uids) == 1 and uids[0] != first and images == wanted

        def told() -> str:
            uids, images = found()
            return (
                f"{len(uids)} KOS actif(s){', le premier encore' if first in uids else ''}, "
                f"{len(images)} instance(s) dont {len(images ^ wanted)} en écart"
            )

        self._expect(
            "le KOS est remplacé",
            followed,
            expected=f"1 KOS actif, nouveau, de {len(wanted)} instances",
            told=told,
        )

    def expect_withdrawn(self) -> None:
        """No approved KOS is left of the exam."""
        self._expect(
            "le KOS est supprimé",
            lambda: not self._approved(),
            expected="aucun KOS actif de cet examen",
            told=lambda: f"{len(self._approved())} KOS actif(s)",
        )

    def _expect(
        self, what: str, followed: Callable[[], bool], *, expected: str, told: Callable[[], str]
    ) -> None:
        stage = self.publishing.story.stage
        if self.by_hand:
            stage.leave_to_a_person(f"après l'étape « {self.by_hand} » : {what}, {expected}")
            return
        deadline = stage.profile.timing.effect_s
        met = until(followed, deadline_s=deadline)
        stage.expect(
            what,
            met,
            expected=expected,
            actual=told(),
            exchanges=[seen.id for seen in stage.seen("ITI-41", "ITI-57", "ITI-18")],
            deadline_s=deadline,
        )

    def _approved(self) -> list[Manifest]:
        """The KOS of the exam that the DMP shows, those that can be read."""
        held = kos_of(self.publishing.story, self._exam)
        return [one.manifest for one in held if one.approved]

    @property
    def _exam(self) -> PlannedExam:
        return self.publishing.story.exams[0]
