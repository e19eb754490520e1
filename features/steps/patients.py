"""Étant donné : le patient, ses examens, et ce que les autres acteurs en savent."""

from __future__ import annotations

import pytest
from pytest_bdd import given, parsers

from bench.bed import Bed
from bench.companions import load_companions
from bench.imagery import load_exam
from bench.publishing import Publishing
from bench.stage import Stage
from bench.story import Story
from simulators.dmp import DmpState


@pytest.fixture
def story(stage: Stage, bed: Bed) -> Story:
    """The scenario's patient and exams."""
    return Story(stage, bed)


@pytest.fixture
def publishing(story: Story) -> Publishing:
    """RIS, PACS and DMP around a Source."""
    return Publishing(story)


_STATES = {"ouvert": DmpState.OPEN, "fermé": DmpState.CLOSED, "inexistant": DmpState.NONE}
_STATUSES = {"qualifiée": "VALI", "provisoire": "PROV"}


@given(
    parsers.re(r"un patient d'identité (?P<status>\w+) dont le DMP est (?P<state>\w+)"),
)
def patient(story: Story, publishing: Publishing, status: str, state: str) -> None:
    """Identity status of PID-32; the DMP knows the patient in that state."""
    story.identity_status = _STATUSES[status]
    publishing.open_dmp(_STATES[state])


@given(
    parsers.re(r"un examen (?P<modality>CT|MR) de (?P<series>\d+) séries? dans le PACS"),
    converters={"series": int},
)
def exam_in_pacs(story: Story, modality: str, series: int) -> None:
    """One exam, loaded."""
    load_exam(story.archive, story.plan(modality, series), story.patient)


@given(
    parsers.re(r"(?P<count>\d+) examens (?P<modality>CT|MR) dans le PACS"),
    converters={"count": int},
)
def exams_in_pacs(story: Story, count: int, modality: str) -> None:
    """Several exams of one series, loaded."""
    for _ in range(count):
        load_exam(story.archive, story.plan(modality), story.patient)


@given("un examen CT dans le PACS, avec un tracé, un document structuré et une note d'images clés")
def exam_with_companions(story: Story) -> None:
    """ECG, SR and key image note, each in a series of its own."""
    exam = story.plan("CT")
    load_exam(story.archive, exam, story.patient)
    load_companions(story, exam)


@given("un examen CT que le PACS ne connaît pas")
def exam_absent(story: Story) -> None:
    """Reported, never loaded."""
    story.plan("CT")


@given("un examen CT rangé dans le PACS sous un autre IPP")
def exam_under_another_ipp(story: Story) -> None:
    """Same study and accession, another PatientID."""
    other = story.stage.sentinel().patient.ipp
    load_exam(story.archive, story.plan("CT", pacs_ipp=other), story.patient)


@given("un examen CT rangé dans le PACS sous un autre numéro d'accession")
def exam_under_another_accession(story: Story) -> None:
    """Same study and patient, another AccessionNumber."""
    other = story.stage.sentinel().number("un autre numéro d'accession", "ACX")
    load_exam(story.archive, story.plan("CT", pacs_accession=other), story.patient)


@given("un acte de dépistage sans identifiant d'examen dans le compte rendu")
def screening(publishing: Publishing) -> None:
    """A serviceEvent without id."""
    publishing.screening_act()


@given("un compte rendu validé dans une structure dont la Source n'a pas les certificats")
def unknown_structure(story: Story) -> None:
    """legalAuthenticator's representedOrganization is nobody's."""
    story.structure = story.bed.site.unknown_structure
