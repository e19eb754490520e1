"""What is no image beside those of an exam: a tracing, a structured report, a key image note."""

from __future__ import annotations

from dataclasses import replace

from bench.dataset.manifest import Subject, key_image_note
from bench.dataset.writing import reference_to
from bench.imagery import acquisition, files_of
from bench.story import PlannedExam, Story
from simulators import modality

__all__ = ["load_companions"]

_SERIES = (("ECG", 901), ("SR", 902))
"""Made of the real files that ship with pydicom; numbered after those of the exam."""


def load_companions(story: Story, exam: PlannedExam) -> None:
    """Put them in the site's PACS; the note keeps the exam's first image.

    Raises:
        CannotVerify: the PACS of a native product does not take them.
    """
    others = replace(
        acquisition(exam, story.patient),
        series=tuple(
            modality.Series(modality=kind, description=kind, count=1, number=number)
            for kind, number in _SERIES
        ),
    )
    series, files = next(iter(files_of(exam, story.patient).items()))
    about = Subject(
        patient=story.patient,
        structure=story.structure,
        exam=exam,
        uid=story.case.uid("la note d'images clés"),
        series_uid=story.case.uid("la série de la note d'images clés"),
        written=exam.started,
    )
    note = key_image_note(about, {series: (reference_to(files[0]),)})
    story.archive.load([*modality.from_pydicom_files(others), note])
