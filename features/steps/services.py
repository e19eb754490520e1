"""Étant donné deux services d'imagerie, deux PACS et deux domaines d'identifiants."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytest_bdd import given, parsers, then, when

from bench.bringing import Bringing
from bench.departments import Departments
from bench.publishing import Publishing


@pytest.fixture
def departments(publishing: Publishing) -> Iterator[Departments]:
    """The second department, left as it was."""
    one = Departments(publishing)
    yield one
    one.restart()


@given(
    parsers.re(r"un examen (?P<modality>CT|MR) de (?P<series>\d+) séries? dans le second PACS"),
    converters={"series": int},
)
def exam_in_second(departments: Departments, modality: str, series: int) -> None:
    """Under an accession number of the second authority."""
    departments.load(modality, series)


@given("un examen CT dans le second PACS, dont le premier détient une image")
def exam_in_both(departments: Departments) -> None:
    """As when a specialty PACS archives into a general one."""
    departments.load_with_partial_copy("CT")


@given("un examen CT dans le second PACS, où le patient a un autre IPP")
def exam_under_second_ipp(departments: Departments) -> None:
    """PID-3 has both."""
    departments.load_under_another_ipp("CT")


@given("le second PACS arrêté")
def second_down(departments: Departments) -> None:
    """Connections are refused."""
    departments.stop()


@when("le RIS envoie un compte rendu pour chacun")
def one_by_one(bringing: Bringing) -> None:
    """In the order of the exams, on one connection."""
    bringing.one_by_one()


@when("le second PACS redémarre")
def second_back(departments: Departments) -> None:
    """Same address, same images."""
    departments.restart()


@then("seul l'examen du premier PACS est publié")
def first_published(departments: Departments) -> None:
    """The other one waits."""
    departments.expect_first_published()
