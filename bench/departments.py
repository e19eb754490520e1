"""A site of two departments as the steps speak of it: a second PACS, of another authority."""

from __future__ import annotations

from dataclasses import dataclass, replace

from bench.archives import Simulated
from bench.deadline import until
from bench.holdings import kos_of
from bench.imagery import files_of, load_exam
from bench.publishing import Publishing
from bench.story import PlannedExam
from simulators.pacs import Pacs
from simulators.ris.people import Identifier

__all__ = ["Departments"]


@dataclass(slots=True)
class Departments:
    """The second department: its exams, its local identifiers, its PACS that may be down."""

    publishing: Publishing
    _down: Pacs | None = None

    # -- Étant donné -------------------------------------------------------------------------

    def load(self, modality: str, series: int, *, pacs_ipp: str = "") -> PlannedExam:
        """One exam more, in the second PACS.

        Raises:
            CannotVerify: there is no second PACS.
        """
        story = self.publishing.story
        exam = story.plan(modality, series, second=True, pacs_ipp=pacs_ipp)
        load_exam(Simulated(story.pacs_of(exam)), exam, story.patient)
        return exam

    def load_with_partial_copy(self, modality: str) -> None:
        """The same, of which the first PACS holds one image."""
        story = self.publishing.story
        exam = self.load(modality, 2)
        first = next(iter(files_of(exam, story.patient).values()))[0]
        Simulated(story.bed.pacs).load([first])

    def load_under_another_ipp(self, modality: str) -> None:
        """The patient has an IPP in each department; the exam is under that of the second."""
        story = self.publishing.story
        number = story.case.number("l'IPP du second domaine", "IP2")
        other = Identifier(number, story.bed.site.second_ipp_oid, "KIT-RIS-2")
        story.patient = replace(story.patient, other_ipps=(other,))
        self.load(modality, 1, pacs_ipp=number)

    def stop(self) -> None:
        """The second PACS is down: connections are refused."""
        story = self.publishing.story
        pacs = story.pacs_of(next(one for one in story.exams if one.second))
        assert isinstance(pacs, Pacs)
        self._down = pacs
        pacs.stop()

    def restart(self) -> None:
        """It is up again, at the same address, with what it held."""
        down, self._down = self._down, None
        if down is not None:
            down.start()

    # -- Alors -------------------------------------------------------------------------------

    def expect_first_published(self) -> None:
        """Every exam of the first PACS has its KOS, while the second one is down."""
        story = self.publishing.story
        exams = [one for one in story.exams if not one.second]
        stage = story.stage
        found = until(
            lambda: all(kos_of(story, exam) for exam in exams),
            deadline_s=stage.profile.timing.effect_s,
        )
        others = [one for one in story.exams if one.second and kos_of(story, one)]
        stage.expect(
            "les examens de l'autre PACS sont publiés pendant que celui-ci est arrêté",
            found and not others,
            expected=f"{len(exams)} examen(s) publié(s), aucun du PACS arrêté",
            actual=f"{sum(bool(kos_of(story, one)) for one in exams)} publié(s), "
            f"{len(others)} du PACS arrêté",
            exchanges=[seen.id for seen in stage.seen("ITI-41", "C-FIND")],
        )
