"""Quand la poignée de main TLS est écrite à la main, alors la Source n'y perd rien."""

from __future__ import annotations

import pytest
from pytest_bdd import parsers, then, when

from bench.address_attacks import AddressAttacks
from bench.attacking import Attacking
from bench.crowd_attacks import CrowdAttacks
from bench.kept_attacks import KeptAttacks
from bench.mislisting import Mislisting
from bench.raw_attacks import RawAttacks
from bench.revocation_attacks import RevocationAttacks
from bench.tls_attacks import TlsAttacks
from features.steps.securite import several


@pytest.fixture
def tls_attacks(attacking: Attacking) -> TlsAttacks:
    """What is done with records."""
    return TlsAttacks(attacking)


@pytest.fixture
def raw_attacks(attacking: Attacking) -> RawAttacks:
    """What is done with the bytes of a request."""
    return RawAttacks(attacking)


@pytest.fixture
def address_attacks(attacking: Attacking) -> AddressAttacks:
    """What is written in certificates, and the port where it leads."""
    return AddressAttacks(attacking)


@pytest.fixture
def kept_attacks(attacking: Attacking, mislisting: Mislisting) -> KeptAttacks:
    """Who keeps what it was given."""
    return KeptAttacks(attacking, mislisting)


@when(
    parsers.parse(
        "la première série est demandée sous un certificat dont les adresses mènent à l'attaquant "
        ": {listed}"
    )
)
def leading_elsewhere(address_attacks: AddressAttacks, listed: str) -> None:
    """CRL, status and issuer: there."""
    address_attacks.leading(several(listed))


@then("personne n'est venu aux adresses de l'attaquant")
def nobody_came(address_attacks: AddressAttacks) -> None:
    """Neither by HTTP nor by LDAP."""
    address_attacks.expect_nobody_came()


@when(parsers.parse("un pair ôté de la liste blanche redemande la première série par : {listed}"))
def unlisted_meanwhile(kept_attacks: KeptAttacks, listed: str) -> None:
    """Served while it was listed."""
    kept_attacks.unlisted_meanwhile(several(listed))


@pytest.fixture
def revocation_attacks(attacking: Attacking) -> RevocationAttacks:
    """What the authority says, or somebody in its place."""
    return RevocationAttacks(attacking)


@when(
    parsers.parse(
        "la première série est demandée deux fois sous un certificat dont la CRL est : {listed}"
    )
)
def under_a_bad_list(revocation_attacks: RevocationAttacks, listed: str) -> None:
    """Each certificate names a list of its own."""
    revocation_attacks.lists(several(listed))


@when(
    parsers.parse(
        "la première série est demandée sous un certificat révoqué dont l'OCSP répond : {listed}"
    )
)
def under_a_false_answer(revocation_attacks: RevocationAttacks, listed: str) -> None:
    """Good, by an answer that proves nothing."""
    revocation_attacks.answers(several(listed))


@pytest.fixture
def crowd_attacks(attacking: Attacking) -> CrowdAttacks:
    """Who comes, and stays at the door."""
    return CrowdAttacks(attacking)


@when(parsers.parse("la première série est demandée pendant que 300 connexions sont : {listed}"))
def amid_a_crowd(crowd_attacks: CrowdAttacks, listed: str) -> None:
    """Held until it is served or not."""
    crowd_attacks.crowds(several(listed))


@when("une poignée de main porte cent certificats, puis un message de 16 Mio")
def heavy(crowd_attacks: CrowdAttacks) -> None:
    """Each on a connection of its own."""
    crowd_attacks.heavy()


@then("la demande conforme est servie au milieu de chaque foule")
def served_amid(crowd_attacks: CrowdAttacks) -> None:
    """Whoever has a right does not wait for who has none."""
    crowd_attacks.expect_served()


@when(parsers.parse("une poignée de main n'offre que : {listed}"))
def old_protocols(tls_attacks: TlsAttacks, listed: str) -> None:
    """One version in each."""
    tls_attacks.protocols(several(listed))


@when(parsers.parse("une poignée de main n'offre que les suites : {listed}"))
def weak_suites(tls_attacks: TlsAttacks, listed: str) -> None:
    """One family in each."""
    tls_attacks.suites(several(listed))


@when(parsers.parse("une poignée de main n'offre, deux fois, que les suites : {listed}"))
def advised_against(tls_attacks: TlsAttacks, listed: str) -> None:
    """What is chosen is told in the report."""
    tls_attacks.suites(several(listed), times=2)


@when("une poignée de main feint un repli, offre la compression, puis recommence dans sa session")
def downgrades(tls_attacks: TlsAttacks) -> None:
    """Three of them."""
    tls_attacks.downgrades()


@when(
    "la Source est abordée deux fois sans SNI, sous celui d'un autre hôte, puis sous son en-tête "
    "Host"
)
def other_names(tls_attacks: TlsAttacks) -> None:
    """Whatever becomes of it must not change."""
    tls_attacks.other_names()


@when("la première série est demandée en clair à chaque port HTTP de la Source")
def in_clear(raw_attacks: RawAttacks) -> None:
    """With a right token."""
    raw_attacks.in_clear()


@when(parsers.parse("un membre envoie une demande ambiguë : {listed}"))
def ambiguous(raw_attacks: RawAttacks, listed: str) -> None:
    """Its body hides another request."""
    raw_attacks.ambiguous(several(listed))


@then("aucun port ne rend rien en clair")
def nothing_in_clear(raw_attacks: RawAttacks) -> None:
    """Closed, refused, or sent to https."""
    raw_attacks.expect_nothing_in_clear()


@then("chaque demande ambiguë est refusée, et sa connexion fermée")
def one_answer(raw_attacks: RawAttacks) -> None:
    """Nothing answers what was hidden."""
    raw_attacks.expect_one_answer()
