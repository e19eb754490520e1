"""Quand un radiologue se connecte par CIBA, alors la Consommatrice attend comme il faut."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytest_bdd import given, parsers, then, when

from bench.ciba_attacks import CibaAttacks
from bench.login_attacks import LoginAttacks
from features.steps.securite import several


@pytest.fixture
def ciba_attacks(login_attacks: LoginAttacks) -> Iterator[CibaAttacks]:
    """What is done to a login by CIBA."""
    made = CibaAttacks(login_attacks)
    yield made
    made.leave()


@given("une Consommatrice qui authentifie par CIBA")
def by_telephone(ciba_attacks: CibaAttacks) -> None:
    """As the profile says; the reference starts anew so."""
    ciba_attacks.log_in_by_telephone()


@when("le radiologue tarde à répondre, et Pro Santé Connect demande de ralentir")
def slowly(ciba_attacks: CibaAttacks) -> None:
    """`authorization_pending`, then `slow_down`."""
    ciba_attacks.log_in_slowly()


@when(
    parsers.parse(
        "des connexions attendent côte à côte alors que Pro Santé Connect accuse réception : "
        "{listed}"
    )
)
def side_by_side(ciba_attacks: CibaAttacks, listed: str) -> None:
    """Each in a browser of its own."""
    ciba_attacks.log_in_side_by_side(several(listed))


@when(parsers.parse("{times:d} connexions commencent, chacune dans un navigateur"))
def often(ciba_attacks: CibaAttacks, times: int) -> None:
    """None of them is accepted."""
    ciba_attacks.begin_often(times)


@then("l'intervalle entre deux interrogations est tenu")
def paced(ciba_attacks: CibaAttacks) -> None:
    """By the times at which Pro Santé Connect was asked."""
    ciba_attacks.expect_paced()


@then("la fin de chaque demande est dite, et elle n'est plus interrogée")
def ended(ciba_attacks: CibaAttacks) -> None:
    """Not even while the next login goes on."""
    ciba_attacks.expect_ended_at_once()


@then("chaque interrogation nomme une demande que Pro Santé Connect a donnée")
def none_astray(ciba_attacks: CibaAttacks) -> None:
    """An acknowledgement without `auth_req_id` is asked about by nobody."""
    ciba_attacks.expect_none_astray()


@then("aucune attente ne dure plus que sa demande")
def over(ciba_attacks: CibaAttacks) -> None:
    """The page shows the exam, or says why not."""
    ciba_attacks.expect_over()


@then("la connexion sans interval aboutit")
def default(ciba_attacks: CibaAttacks) -> None:
    """By the usual one."""
    ciba_attacks.expect_default()


@then("chaque page montre les deux chiffres du téléphone, que rien n'annonce")
def digits(ciba_attacks: CibaAttacks) -> None:
    """Those that were sent to Pro Santé Connect."""
    ciba_attacks.expect_digits()
