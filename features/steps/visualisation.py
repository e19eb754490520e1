"""Quand le radiologue regarde des images, alors la Consommatrice les demande comme il faut."""

from __future__ import annotations

import pytest
from pytest_bdd import parsers, then, when

from bench.consulting import Consulting
from bench.viewing import Viewing


@pytest.fixture
def viewing(consulting: Consulting) -> Viewing:
    """The radiologist in front of a viewer."""
    return Viewing(consulting)


@when("le radiologue ouvre la visionneuse sur l'examen")
def look(viewing: Viewing) -> None:
    """From the list of exams."""
    viewing.look()


@when(
    parsers.re(r"le radiologue ouvre la visionneuse sur la série (?P<number>\d+)"),
    converters={"number": int},
)
def look_at(viewing: Viewing, number: int) -> None:
    """From the list of series."""
    viewing.look(number)


@then("la Consommatrice demande la série à la Source")
def series_asked(viewing: Viewing) -> None:
    """By WADO-RS, at series level."""
    viewing.expect_series_asked()


@then("elle préfère les syntaxes de transfert avec perte")
def lossy_first(viewing: Viewing) -> None:
    """By their q."""
    viewing.expect_lossy_first()
