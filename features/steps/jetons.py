"""Quand un jeton est faux, ou que Pro Santé Connect en parle mal, alors il n'ouvre rien."""

from __future__ import annotations

import pytest
from pytest_bdd import parsers, then, when

from bench.attacking import Attacking
from bench.load_attacks import LoadAttacks
from bench.token_attacks import TokenAttacks
from bench.trail_attacks import TrailAttacks
from features.steps.securite import several


@pytest.fixture
def token_attacks(attacking: Attacking) -> TokenAttacks:
    """What is done with tokens."""
    return TokenAttacks(attacking)


@pytest.fixture
def load_attacks(attacking: Attacking) -> LoadAttacks:
    """What is done with many of them, and what remains of them."""
    return LoadAttacks(attacking)


@pytest.fixture
def trail_attacks(attacking: Attacking) -> TrailAttacks:
    """What is asked for so that it is traced wrongly."""
    return TrailAttacks(attacking)


@when(parsers.parse("la première série est demandée alors que l'introspection dit : {listed}"))
def under_lies(token_attacks: TokenAttacks, listed: str) -> None:
    """An answer, and a wrong one: 503 is none to it."""
    token_attacks.under(several(listed))


@when(parsers.parse("la première série est demandée alors que l'introspection rend : {listed}"))
def under_breakdowns(token_attacks: TokenAttacks, listed: str) -> None:
    """No answer: 503 is one to it."""
    token_attacks.under(several(listed), unavailable=True)


@when(parsers.parse("la première série est demandée alors que userinfo dit : {listed}"))
def under_userinfo(token_attacks: TokenAttacks, listed: str) -> None:
    """Of a Source that asks for it."""
    token_attacks.under(several(listed))


@when(parsers.parse("la première série est demandée sous un Authorization mal fait : {listed}"))
def badly_said(token_attacks: TokenAttacks, listed: str) -> None:
    """A right token, said wrongly."""
    token_attacks.badly_said(several(listed))


@when("la première série est demandée avec le jeton dans l'adresse seulement")
def in_the_address(token_attacks: TokenAttacks) -> None:
    """Where logs would keep it."""
    token_attacks.in_the_address()


@when("la première série est demandée encore une fois, la session du jeton fermée")
def revoked(token_attacks: TokenAttacks) -> None:
    """Served first."""
    token_attacks.revoked()


@when("la session du jeton est fermée pendant la réponse, puis la série redemandée")
def closed_meanwhile(token_attacks: TokenAttacks) -> None:
    """As the first image comes."""
    token_attacks.closed_meanwhile()


@then("la réponse commencée va à son terme")
def begun_ended(token_attacks: TokenAttacks) -> None:
    """Each image of the series."""
    token_attacks.expect_begun_ended()


@when(
    "la première série est demandée avec un jeton de rafraîchissement "
    "que PSC prend pour un jeton d'accès"
)
def refresh(token_attacks: TokenAttacks) -> None:
    """Introspection says active, userinfo answers: `typ` alone tells."""
    token_attacks.refresh_as_access("Refresh")


@when("la première série est demandée deux fois par un autre membre que celui du jeton")
def by_another(token_attacks: TokenAttacks) -> None:
    """A bearer token is what it is."""
    token_attacks.by_another()


@when(parsers.parse("la première série est demandée avec un jeton lié : {listed}"))
def bound(token_attacks: TokenAttacks, listed: str) -> None:
    """By a `cnf` that is not that of the certificate shown."""
    token_attacks.bound(several(listed))


@when(parsers.parse("la première série est demandée avec un jeton refait : {listed}"))
def made(token_attacks: TokenAttacks, listed: str) -> None:
    """Of one that was just served."""
    token_attacks.made(several(listed))


@then("rien n'est demandé à un autre hôte")
def nothing_elsewhere(token_attacks: TokenAttacks) -> None:
    """Neither by PSC's redirection nor by a header of the token."""
    token_attacks.expect_nothing_elsewhere()


@when(
    parsers.parse(
        "la première série est demandée avec un jeton d'une clé inconnue alors que PSC publie : "
        "{listed}"
    )
)
def rotating(token_attacks: TokenAttacks, listed: str) -> None:
    """Its JWKS."""
    token_attacks.while_keys_change(several(listed))


@when(
    parsers.re(r"la première série est demandée (?P<count>\d+) fois à la fois avec un même jeton"),
    converters={"count": int},
)
def crowd_of_one(load_attacks: LoadAttacks, count: int) -> None:
    """As a viewer that opens a large exam."""
    load_attacks.one_token(count)


@when(
    parsers.re(
        r"la première série est demandée (?P<count>\d+) fois à la fois, "
        r"chaque fois avec un jeton au hasard"
    ),
    converters={"count": int},
)
def crowd_of_many(load_attacks: LoadAttacks, count: int) -> None:
    """As somebody who guesses."""
    load_attacks.random_tokens(count)


@when("la première série est demandée avec des jetons que l'on reconnaîtra")
def remembered(load_attacks: LoadAttacks) -> None:
    """Right, wrong, and in the wrong places."""
    load_attacks.remember()


@then("Pro Santé Connect n'est pas interrogé plus souvent que la Source")
def psc_spared(load_attacks: LoadAttacks) -> None:
    """One introspection for each request at most."""
    load_attacks.expect_psc_spared()


@then("aucun de ces jetons ne se lit dans une réponse ni sur une page d'administration")
def no_token(load_attacks: LoadAttacks) -> None:
    """A digest at most."""
    load_attacks.expect_no_token()


@then("chaque accès servi nomme dans la trace le professionnel, l'examen et le KOS")
def named(load_attacks: LoadAttacks) -> None:
    """DB.SO.46."""
    load_attacks.expect_named()


@when(
    parsers.parse("la première série est demandée en écrivant une ligne de trace après : {listed}")
)
def written(trail_attacks: TrailAttacks, listed: str) -> None:
    """Whatever ends a line for some reader."""
    trail_attacks.name(several(listed))


@then("aucune ligne de la trace n'est forgée")
def none_forged(trail_attacks: TrailAttacks) -> None:
    """A record for each request, and no other."""
    trail_attacks.expect_none_forged()
