"""A bed of its own for a benchmark, in a temporary directory, and a series published through it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.bed import Bed
from bench.feed import Feed
from bench.imaging import Imaging
from bench.profile import EMBEDDED, Profile
from bench.publishing import Publishing
from bench.stage import ScenarioInfo, Stage
from bench.story import PlannedExam, Story
from simulators import modality
from wire.shard import Shard

__all__ = ["PublishedSeries", "Workbench", "workbench"]

_MATRIX = 512
"""Rows and columns of a CT image: half a megabyte each."""
_SMALL_MATRIX = 8


@dataclass(slots=True)
class PublishedSeries:
    """One exam of one series, in the PACS and in the DMP."""

    story: Story
    exam: PlannedExam
    imaging: Imaging


@dataclass(slots=True)
class Workbench:
    """A started bed."""

    bed: Bed
    seed: int

    def publish(self, images: int) -> PublishedSeries:
        """A CT series of that many images of 512 × 512, loaded and published by the RIS.

        Raises:
            bench.outcomes.NotMet: the Source did not publish it.
        """
        story, exam = self._planned(images, f"BENCH-{images}", _MATRIX)
        publishing = Publishing(story)
        publishing.open_dmp()
        publishing.send()
        publishing.expect_published(1)
        return PublishedSeries(story, exam, Imaging(story, publishing))

    def message(self, images: int, name: str) -> bytes:
        """The ORU of a series of that many small images, which is in the PACS; nobody sends it."""
        story, _ = self._planned(images, name, _SMALL_MATRIX)
        Publishing(story).open_dmp()
        story.stage.publish_case()
        return self.bed.ris.message(story.report())

    def _planned(self, images: int, name: str, matrix: int) -> tuple[Story, PlannedExam]:
        """A story of one exam of one series, whose images are in the PACS."""
        story = self.story(name, f"Une série de {images} images")
        exam = story.plan("CT", images=images)
        for file in modality.make(self.acquired(exam, story, matrix)):
            self.bed.pacs.load(file)
        return story, exam

    def story(self, name: str, title: str) -> Story:
        """A story of a scenario that no campaign plays, without any exam."""
        info = ScenarioInfo(
            id=name,
            title=title,
            feature="",
            domain="bench",
            requirements=(),
            roles=frozenset({"source"}),
            steps=(),
        )
        stage = Stage(info, self.bed.feed, self.bed.feed.shard, self.bed.profile, self.seed)
        stage.open()
        return Story(stage, self.bed)

    @staticmethod
    def acquired(exam: PlannedExam, story: Story, matrix: int = _MATRIX) -> modality.Exam:
        """What the modality makes of a planned exam, in images of `matrix` rows and columns."""
        patient = story.patient
        assert patient.ipp is not None
        return modality.Exam(
            patient=modality.Patient(
                name=f"{patient.family}^{patient.given}",
                patient_id=patient.ipp.value,
                issuer=patient.ipp.authority,
                issuer_oid=patient.ipp.oid,
                birth_date=patient.birth_date,
                sex=patient.sex,
            ),
            study_uid=exam.study_uid,
            accession=exam.accession.value,
            accession_issuer_oid=exam.accession.oid,
            series=tuple(
                modality.Series(
                    modality=exam.modality,
                    description=one.description,
                    count=one.images,
                    transfer_syntax=one.transfer_syntax,
                    uid=one.uid,
                )
                for one in exam.series
            ),
            date=f"{exam.started:%Y%m%d}",
            time=f"{exam.started:%H%M%S}",
            matrix=matrix,
        )


@contextmanager
def workbench(*, seed: int = 1, profile: Profile = EMBEDDED) -> Iterator[Workbench]:
    """Start world and boxes as a campaign does, and stop them in the end."""
    with tempfile.TemporaryDirectory(prefix="drimbench-") as name:
        shard = Shard(Path(name), "bench")
        bed = Bed(profile, Feed(shard), Path(name), seed)
        try:
            bed.start()
            yield Workbench(bed, seed)
        finally:
            bed.stop()
            shard.close()
