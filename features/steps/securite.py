"""Quand un inconnu attaque une Source, alors il n'obtient rien."""

from __future__ import annotations

import pytest
from pytest_bdd import parsers, then, when

from bench.attacking import Attacking
from bench.imaging import Imaging


@pytest.fixture
def attacking(imaging: Imaging) -> Attacking:
    """Who attacks, and who asks rightly around."""
    return Attacking(imaging)


def several(text: str) -> list[str]:
    """What a step lists, `a ; b`."""
    return [one.strip() for one in text.split(";")]


@when(parsers.parse("la première série est demandée sous un certificat : {listed}"))
def asked_under(attacking: Attacking, listed: str) -> None:
    """Each of them, between two right requests."""
    attacking.play(attacking.with_papers(several(listed)))


@when(parsers.parse("la première série est demandée deux fois sous un certificat : {listed}"))
def asked_twice_under(attacking: Attacking, listed: str) -> None:
    """No text says what becomes of it: whatever does must not change."""
    attacking.play(attacking.with_papers([one for one in several(listed) for _ in range(2)]))


@when(
    parsers.parse(
        "la première série est demandée sans certificat, puis sous un nom absent de la liste, "
        "un en-tête de frontal portant celui d'un membre : {listed}"
    )
)
def asked_with_headers(attacking: Attacking, listed: str) -> None:
    """All of the headers at once: whichever is believed, somebody is let in."""
    attacking.play(attacking.with_headers(several(listed)))


@then("chaque tentative est refusée sans rien livrer")
def refused(attacking: Attacking) -> None:
    """Handshake or 4xx, nothing told, traced."""
    attacking.expect_refused()


@then("chaque tentative est servie ou refusée, toujours de même")
def consistent(attacking: Attacking) -> None:
    """Recorded; it is for the vendor to have documented it."""
    attacking.expect_consistent()
