"""Quand Pro Santé Connect, ou qui le joue, ment à la connexion, alors personne n'est connecté."""

from __future__ import annotations

import pytest
from pytest_bdd import parsers, then, when

from bench.consulting import Consulting
from bench.login_attacks import LoginAttacks
from bench.session_attacks import SessionAttacks
from features.steps.securite import several


@pytest.fixture
def login_attacks(consulting: Consulting) -> LoginAttacks:
    """What is done to a login."""
    return LoginAttacks(consulting)


@pytest.fixture
def session_attacks(consulting: Consulting) -> SessionAttacks:
    """What is done to a session."""
    return SessionAttacks(consulting)


@when(parsers.parse("le radiologue s'authentifie alors que Pro Santé Connect rend : {listed}"))
def under(login_attacks: LoginAttacks, listed: str) -> None:
    """Each of them, between two right logins."""
    login_attacks.log_in_under(several(listed))


@when(
    parsers.parse(
        "la Consommatrice redémarre et le radiologue s'authentifie alors que Pro Santé Connect "
        "rend : {listed}"
    )
)
def anew(login_attacks: LoginAttacks, listed: str) -> None:
    """Each of them, read by a Consumer that starts."""
    login_attacks.start_again_under(several(listed))


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


@when(parsers.parse("une connexion est menée ailleurs par ses paramètres : {listed}"))
def led(session_attacks: SessionAttacks, listed: str) -> None:
    """At the call, on the way back, at the logout."""
    session_attacks.lead_elsewhere(several(listed))


@then("la Consommatrice ne mène jamais ailleurs")
def not_led(session_attacks: SessionAttacks) -> None:
    """By an answer, by Pro Santé Connect, by a page."""
    session_attacks.expect_not_led()


@when("le radiologue se connecte, se déconnecte et revient, ses cookies rejoués à chaque fois")
def replayed(session_attacks: SessionAttacks) -> None:
    """Those of before the login, of the session, of the next one."""
    session_attacks.live()


@then("les cookies de la session sont hors de portée des scripts et des autres sites")
def guarded(session_attacks: SessionAttacks) -> None:
    """RFC 6265."""
    session_attacks.expect_guarded()


@then("aucun identifiant de session n'est dans une adresse")
def not_in_addresses(session_attacks: SessionAttacks) -> None:
    """Nor in a Referer."""
    session_attacks.expect_not_in_addresses()


@then("la session commence à la connexion et finit à la déconnexion")
def lived(session_attacks: SessionAttacks) -> None:
    """Its cookies show the patient then, and only then."""
    session_attacks.expect_lived()
