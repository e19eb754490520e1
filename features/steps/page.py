"""Quand le radiologue cherche, lit ou change d'onglet, alors la page suit."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytest_bdd import given, parsers, then, when

from bench.consulting import Consulting
from bench.paging import Paging
from bench.soap_attacks import SoapAttacks


@pytest.fixture
def paging(consulting: Consulting) -> Iterator[Paging]:
    """The page, and a DMP that is itself again in the end."""
    one = Paging(consulting)
    yield one
    one.mend()


@given("un compte rendu de niveau 3 de cet examen dans le DMP")
def report_held(paging: Paging) -> None:
    """Deposited by somebody else."""
    paging.hold_report()


@pytest.fixture
def soap_attacks(consulting: Consulting) -> SoapAttacks:
    """A DMP whose answers are traps."""
    return SoapAttacks(consulting)


@when(parsers.parse("le DMP répond tour à tour par : {listed}, et la page est ouverte chaque fois"))
def opened_under(soap_attacks: SoapAttacks, listed: str) -> None:
    """TD3.1, or TD3.2 for what strikes a document."""
    soap_attacks.open_under(one.strip() for one in listed.split(";"))


@then("la page dit chaque fois pourquoi rien n'est montré")
def each_explained(soap_attacks: SoapAttacks) -> None:
    """A message, no exam."""
    soap_attacks.expect_explained()


@then("la réponse sans fin du DMP est coupée")
def endless_cut(soap_attacks: SoapAttacks) -> None:
    """By the Consumer."""
    soap_attacks.expect_cut()


@then("la page montre l'examen quand les réponses du DMP sont justes")
def right_again(soap_attacks: SoapAttacks) -> None:
    """The twin after."""
    soap_attacks.expect_shown_again()


@given(parsers.re(r"un DMP qui répond aux recherches par l'erreur « (?P<code>\w+) »"))
def searches_refused(paging: Paging, code: str) -> None:
    """TD3.1."""
    paging.break_searches(code)


@given("un DMP qui ne donne aux recherches qu'une partie de ce qu'il trouve")
def searches_halved(paging: Paging) -> None:
    """TD3.1."""
    paging.halve_searches()


@then("la page montre l'examen, et dit que le DMP n'a pas tout donné")
def partial_told(paging: Paging) -> None:
    """PartialSuccess."""
    paging.consulting.expect_partial_told()


@when(
    parsers.re(
        r"le radiologue ne cherche plus que les examens de modalité « (?P<modality>[A-Z]+) »"
    )
)
def narrowed(paging: Paging, modality: str) -> None:
    """In the page's own form."""
    paging.narrow(modality)


@when("le radiologue ouvre le compte rendu")
def report_opened(paging: Paging) -> None:
    """From the list."""
    paging.open_report()


@when("le radiologue recharge l'onglet de l'autre patient")
def first_tab_reloaded(paging: Paging) -> None:
    """After the second call."""
    paging.reload_first_tab()


@then(parsers.re(r"la recherche demande au DMP la modalité « (?P<modality>[A-Z]+) »"))
def modality_asked(paging: Paging, modality: str) -> None:
    """In the query's event codes."""
    paging.expect_asked_for(modality)


@then("la page ne présente plus l'examen")
def none_shown(paging: Paging) -> None:
    """It is of another modality."""
    paging.expect_none_shown()


@then("le texte du compte rendu se lit")
def report_read(paging: Paging) -> None:
    """Its own words."""
    paging.expect_read()


@then("la page montre l'examen quand le DMP répond de nouveau")
def shown_again(paging: Paging) -> None:
    """By a new call."""
    paging.expect_shown_again()


@then("cet onglet montre toujours l'autre patient et son examen")
def first_patient(paging: Paging) -> None:
    """Whoever was called after."""
    paging.expect_first_patient()
