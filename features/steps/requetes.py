"""Quand la demande elle-même est piégée, alors elle n'obtient rien, et n'arrête personne."""

from __future__ import annotations

import pytest
from pytest_bdd import parsers, then, when

from bench.attacking import Attacking
from bench.debug_attacks import DebugAttacks
from bench.import_attacks import ImportAttacks
from bench.request_attacks import RequestAttacks
from features.steps.securite import several


@pytest.fixture
def request_attacks(attacking: Attacking) -> RequestAttacks:
    """What is done with addresses, verbs and headers."""
    return RequestAttacks(attacking)


@pytest.fixture
def debug_attacks(attacking: Attacking) -> DebugAttacks:
    """What whoever made the product may have left."""
    return DebugAttacks(attacking)


@when(parsers.parse("un membre demande, à chaque porte HTTP de la Source : {listed}"))
def left_open(debug_attacks: DebugAttacks, listed: str) -> None:
    """None of these pages is one of images."""
    debug_attacks.pages(several(listed))


@when(parsers.parse("la première série est demandée sans jeton, au lieu duquel : {listed}"))
def instead_of_token(debug_attacks: DebugAttacks, listed: str) -> None:
    """Then by queries that turn a check off."""
    debug_attacks.switches(several(listed))


@when("une page d'une autre origine demande la Source et la première série")
def of_another_origin(debug_attacks: DebugAttacks) -> None:
    """As a browser asks for it."""
    debug_attacks.of_another_origin()


@then("aucune réponse n'est permise à une page d'une autre origine")
def no_other_origin(debug_attacks: DebugAttacks) -> None:
    """No Access-Control-Allow-Origin that names it, or everybody."""
    debug_attacks.expect_no_other_origin()


@pytest.fixture
def import_attacks(attacking: Attacking) -> ImportAttacks:
    """What is handed over."""
    return ImportAttacks(attacking)


@when(parsers.parse("le KOS d'un examen non publié est remis sans authentification par : {listed}"))
def handed_over(import_attacks: ImportAttacks, listed: str) -> None:
    """Then the exam is asked for under it."""
    import_attacks.unasked(several(listed))


@when(parsers.parse("la première série est demandée sous un UID piégé : {listed}"))
def trapped(request_attacks: RequestAttacks, listed: str) -> None:
    """As the address is written, so it leaves."""
    request_attacks.trapped(several(listed))


@when(parsers.parse("un membre demande, sous son jeton et sans KOS : {listed}"))
def without_kos(request_attacks: RequestAttacks, listed: str) -> None:
    """Of what no KOS names, nothing is to be had."""
    request_attacks.aside(several(listed), with_token=True)


@when(parsers.parse("un membre demande, sans jeton : {listed}"))
def without_token(request_attacks: RequestAttacks, listed: str) -> None:
    """The sign of life asks for none; it leads nowhere."""
    request_attacks.aside(several(listed), with_token=False)


@when(parsers.parse("la première série est demandée sous un Accept étrange : {listed}"))
def accepting(request_attacks: RequestAttacks, listed: str) -> None:
    """Served or refused."""
    request_attacks.accepting(several(listed))


@when(parsers.parse("la première série est demandée avec ces en-têtes : {listed}"))
def demanding(request_attacks: RequestAttacks, listed: str) -> None:
    """Heeded or not."""
    request_attacks.demanding(several(listed))


@when(
    parsers.re(r"la première série est demandée (?P<count>\d+) fois au même instant"),
    converters={"count": int},
)
def at_once(request_attacks: RequestAttacks, count: int) -> None:
    """With one token."""
    request_attacks.at_once(count)


@then("aucune tentative n'apprend rien à personne")
def untold(attacking: Attacking) -> None:
    """A refusal, or a service that describes itself."""
    attacking.expect_untold()


@then("chaque tentative a une réponse entière")
def answered(attacking: Attacking) -> None:
    """And the next right request is served."""
    attacking.expect_answered()
