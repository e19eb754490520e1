"""What a PACS answered of an exam, by C-FIND."""

from __future__ import annotations

from collections import Counter

from spec.imaging_metadata import MODALITIES
from validators.cfind import Answers
from validators.cross.fact import Facts, Speaker, Subject, Voice
from validators.cross.from_dicom import image_request, patient
from validators.dicom_tree import DataSet

__all__ = ["answers"]

_STUDY, _SERIES, _INSTANCE = 0x0020000D, 0x0020000E, 0x00080018
_MODALITIES = (0x00080060, 0x00080061)
_STUDY_COUNTS = ((0x00201206, Subject.SERIES_COUNT), (0x00201208, Subject.INSTANCE_COUNT))
_SERIES_COUNT = 0x00201209


def answers(found: Answers, name: str) -> Facts:
    """What each identifier says, and how many objects the IMAGE level lists."""
    said = Speaker(Voice.ANSWER, name)
    for one in found.identifiers:
        yield from _identifier(said, one)
    yield from _listed(said, found)


def _identifier(said: Speaker, one: DataSet) -> Facts:
    study, series, uid = one.text(_STUDY), one.text(_SERIES), one.text(_INSTANCE)
    yield said.says(Subject.STUDY, study, one.where(_STUDY))
    yield said.says(Subject.SERIES, series, one.where(_SERIES))
    yield said.says(Subject.INSTANCE, uid, one.where(_INSTANCE))
    if uid and series:
        yield said.says(Subject.PLACE, f"{study} / {series}", one.where(_SERIES), uid)
    yield said.says(Subject.SOP_CLASS, one.text(0x00080016), one.where(0x00080016), uid)
    for tag in _MODALITIES:
        for modality in one.values(tag):
            if modality in MODALITIES:
                yield said.says(Subject.MODALITY, modality, one.where(tag), study)
    yield from patient(said, one)
    yield from image_request(said, one)
    for tag, subject in _STUDY_COUNTS:
        yield said.says(subject, one.text(tag), one.where(tag), study)
    yield said.says(
        Subject.INSTANCE_COUNT, one.text(_SERIES_COUNT), one.where(_SERIES_COUNT), series
    )


def _listed(said: Speaker, found: Answers) -> Facts:
    """The counts that a whole IMAGE-level answer makes; a file of one response makes none."""
    images = [one for one in found.identifiers if one.text(0x00080052) == "IMAGE"]
    if len(images) < 2:
        return
    for tag in (_STUDY, _SERIES):
        for uid, count in Counter(one.text(tag) for one in images).items():
            yield said.says(Subject.INSTANCE_COUNT, str(count), "réponses de niveau IMAGE", uid)
    for study in {one.text(_STUDY) for one in images}:
        series = {one.text(_SERIES) for one in images if one.text(_STUDY) == study}
        where = "réponses de niveau IMAGE"
        yield said.says(Subject.SERIES_COUNT, str(len(series)), where, study)
