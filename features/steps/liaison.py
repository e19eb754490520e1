"""Quand des RIS envoient par TLS, en fragments ou tous à la fois, alors chacun est entendu."""

from __future__ import annotations

import pytest
from pytest_bdd import then, when

from bench.bringing import Bringing
from bench.publishing import Publishing


@pytest.fixture
def bringing(publishing: Publishing) -> Bringing:
    """The RISs and their connections."""
    return Bringing(publishing)


@when("le RIS envoie le compte rendu par TLS, sous son certificat")
def over_tls(bringing: Bringing) -> None:
    """ORU^R01 over MLLP over mutual TLS."""
    bringing.over_tls()


@when("d'autres l'envoient sans certificat, puis sous celui d'une autre autorité, avant le RIS")
def intruders(bringing: Bringing) -> None:
    """Between two right ones."""
    bringing.as_intruders()


@when("le RIS envoie un compte rendu pour chacun sur une même connexion, en fragments")
def in_pieces(bringing: Bringing) -> None:
    """Five pieces each."""
    bringing.in_pieces()


@when("autant de RIS envoient chacun un compte rendu au même instant")
def at_once(bringing: Bringing) -> None:
    """A connection each."""
    bringing.at_once()


@then("la Source acquitte chaque message par AA")
def each_taken(bringing: Bringing) -> None:
    """MSA-2 names the message."""
    bringing.expect_each_taken()


@then("seul le RIS est entendu")
def intruders_refused(bringing: Bringing) -> None:
    """No acknowledgement for the others."""
    bringing.expect_intruders_refused()
