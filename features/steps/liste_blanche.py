"""Quand l'agence publie une fausse liste blanche, alors la Source garde la dernière qui vaut."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytest_bdd import parsers, then, when

from bench.attacking import Attacking
from bench.mislisting import Mislisting
from features.steps.securite import several


@pytest.fixture
def mislisting(attacking: Attacking) -> Iterator[Mislisting]:
    """The agency, whose right list is in force again afterwards."""
    made = Mislisting(attacking)
    yield made
    made.restore()


@when(parsers.parse("l'agence publie pour liste blanche, un inconnu y étant nommé : {listed}"))
def published(mislisting: Mislisting, listed: str) -> None:
    """Each in its turn, read by the Source, and the stranger asks."""
    mislisting.publish(several(listed))


@then("une alerte parle de la liste blanche")
def alerted(mislisting: Mislisting) -> None:
    """Whoever administers the Source is told."""
    mislisting.expect_alerted()


@then("personne n'est venu aux adresses que ces listes portent")
def nobody_came(mislisting: Mislisting) -> None:
    """Neither for an entity, nor for a key, nor for what was signed."""
    mislisting.expect_nobody_came()


@then("chacune de ces listes est mise en vigueur")
def taken(mislisting: Mislisting) -> None:
    """Whom it names is served."""
    mislisting.expect_taken()
