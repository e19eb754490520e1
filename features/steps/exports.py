"""Quand un examen est exporté plusieurs fois, ou d'une façon choisie."""

from __future__ import annotations

import pytest
from pytest_bdd import given, parsers, then, when

from bench.consulting import Consulting
from bench.exporting import Exporting


@pytest.fixture
def exporting(consulting: Consulting) -> Exporting:
    """One exam and its exports."""
    return Exporting(consulting)


@given(
    parsers.re(
        r"un examen CT de (?P<series>\d+) séries? de ce patient à une Source de la liste blanche"
    ),
    converters={"series": int},
)
def exam_at_a_source(exporting: Exporting, series: int) -> None:
    """Its KOS is in the DMP."""
    exporting.publish(series)


@when("le radiologue exporte l'examen vers le PACS local")
def export(exporting: Exporting) -> None:
    """All of it must arrive."""
    exporting.export()


@when("le radiologue l'exporte de nouveau après un autre appel")
def export_again(exporting: Exporting) -> None:
    """In an empty browser."""
    exporting.export_again()


@when("un autre radiologue de la même structure l'exporte à son tour")
def export_by_another(exporting: Exporting) -> None:
    """In a browser of theirs."""
    exporting.export_by_another()


@when("le radiologue choisit un export avec perte")
def export_lossy(exporting: Exporting) -> None:
    """In the form of the export."""
    exporting.export_lossy()


@then("la Source n'est pas interrogée une seconde fois")
def nothing_asked_again(exporting: Exporting) -> None:
    """No WADO-RS request."""
    exporting.expect_nothing_asked_again()


@then("la Source a reçu pour chaque série le jeton de cet autre radiologue")
def own_rights(exporting: Exporting) -> None:
    """Another token than the first radiologist's."""
    exporting.expect_own_rights()


@then("la Consommatrice préfère des syntaxes avec perte dans sa requête WADO-RS")
def lossy_preferred(exporting: Exporting) -> None:
    """By their q."""
    exporting.expect_lossy_preferred()


@then("l'examen entier est dans le PACS local")
def all_stored(exporting: Exporting) -> None:
    """Every image of the KOS."""
    exporting.expect_all_stored()
