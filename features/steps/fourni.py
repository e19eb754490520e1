"""La chaîne entière, avec un compte rendu fourni (`drimbench run --report`)."""

from __future__ import annotations

import pytest
from pytest_bdd import given, then, when

from bench.consulting import Consulting
from bench.plugin import CAMPAIGN
from bench.provided import Provided, read_report
from bench.publishing import Publishing
from bench.story import Story


@pytest.fixture
def provided(
    request: pytest.FixtureRequest, story: Story, publishing: Publishing, consulting: Consulting
) -> Provided:
    """The report given on the command line."""
    options = request.config.stash[CAMPAIGN].options
    assert options.report is not None
    return Provided(story, publishing, consulting, read_report(options.report), options.images)


@given("le compte rendu fourni, dont les examens sont dans le PACS")
def prepared(provided: Provided) -> None:
    """Patient, exams, images."""
    provided.prepare()


@when("le RIS envoie le compte rendu fourni")
def send(provided: Provided) -> None:
    """Its bytes, unchanged."""
    provided.send()


@then("un KOS est publié pour chaque examen du compte rendu")
def published(provided: Provided) -> None:
    """As many as StudyInstanceUIDs."""
    provided.expect_published()


@then("la Source n'interroge le PACS que sur ces examens")
def queried(provided: Provided) -> None:
    """Nothing for an act without StudyInstanceUID."""
    provided.expect_queries()


@when("le radiologue consulte ce patient depuis un autre site")
def consult(consulting: Consulting) -> None:
    """Contextual call and login."""
    consulting.call()
    consulting.login()


@then("la page présente tous les examens")
def shown(consulting: Consulting) -> None:
    """Each with a way to export it."""
    consulting.expect_exam_shown()


@when("le radiologue demande l'export de chaque examen")
def export(provided: Provided) -> None:
    """One after the other."""
    provided.export_all()


@then("toutes les images de tous les examens arrivent dans le PACS local")
def exported(provided: Provided) -> None:
    """C-STORE of everything."""
    provided.expect_all_exported()
