"""Quand Pro Santé Connect, ou qui le joue, ment à la connexion, alors personne n'est connecté."""

from __future__ import annotations

import pytest
from pytest_bdd import parsers, then, when

from bench.consulting import Consulting
from bench.login_attacks import LoginAttacks
from features.steps.securite import several


@pytest.fixture
def login_attacks(consulting: Consulting) -> LoginAttacks:
    """What is done to a login."""
    return LoginAttacks(consulting)


@when(parsers.parse("le radiologue s'authentifie alors que Pro Santé Connect rend : {listed}"))
def under(login_attacks: LoginAttacks, listed: str) -> None:
    """Each of them, between two right logins."""
    login_attacks.log_in_under(several(listed))


@when(
    "l'adresse de retour d'une connexion est ouverte dans un autre navigateur, "
    "avant puis après avoir servi"
)
def again(login_attacks: LoginAttacks) -> None:
    """A browser that has a login of its own under way."""
    login_attacks.come_back_elsewhere()


@when("le radiologue s'authentifie deux fois, dans deux navigateurs")
def twice(login_attacks: LoginAttacks) -> None:
    """Rightly."""
    login_attacks.log_in_twice()


@when(parsers.parse("un jeton de déconnexion faux est posté à la Consommatrice : {listed}"))
def forged(login_attacks: LoginAttacks, listed: str) -> None:
    """Of the session of the page shown, which is asked for again."""
    login_attacks.forge(several(listed))


@then("chaque tentative ne connecte personne")
def nobody(login_attacks: LoginAttacks) -> None:
    """Nothing of the patient, nothing asked of the DMP, no breakdown."""
    login_attacks.expect_refused()


@then("chaque tentative est utilisable ou refusée clairement")
def usable(login_attacks: LoginAttacks) -> None:
    """No breakdown."""
    login_attacks.expect_usable()


@then("chaque tentative montre l'examen")
def served(login_attacks: LoginAttacks) -> None:
    """What is odd there is right."""
    login_attacks.expect_served()


@then("aucune page ne porte le script que disait Pro Santé Connect")
def escaped(login_attacks: LoginAttacks) -> None:
    """Escaped, or not shown."""
    login_attacks.expect_escaped()


@then("chaque jeton de déconnexion est refusé et la session demeure")
def kept(login_attacks: LoginAttacks) -> None:
    """HTTP 400; the page still shows the exam."""
    login_attacks.expect_sessions_kept()


@then("chaque demande d'autorisation porte son propre défi S256")
def challenged(login_attacks: LoginAttacks) -> None:
    """RFC 7636."""
    login_attacks.expect_challenges()
