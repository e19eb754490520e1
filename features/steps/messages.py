"""Quand un message HL7 est piégé, alors la Source n'en publie rien, ou le publie sans effet."""

from __future__ import annotations

import pytest
from pytest_bdd import parsers, then, when

from bench.message_attacks import MessageAttacks
from bench.publishing import Publishing
from features.steps.securite import several


@pytest.fixture
def message_attacks(publishing: Publishing) -> MessageAttacks:
    """Who sends them."""
    return MessageAttacks(publishing)


@when(parsers.parse("le RIS envoie un compte rendu dont le document est : {listed}"))
def trapped_documents(message_attacks: MessageAttacks, listed: str) -> None:
    """OBX-5.5."""
    message_attacks.documents(several(listed))


@when(
    parsers.parse(
        "le RIS envoie un compte rendu où patient, auteur et structure se nomment : {listed}"
    )
)
def injected_names(message_attacks: MessageAttacks, listed: str) -> None:
    """In PID-5, in PRT, and in the header of the CDA."""
    message_attacks.injections(several(listed))


@when(
    parsers.parse(
        "le RIS envoie un compte rendu où le nom du patient porte un échappement : {listed}"
    )
)
def wrong_escapes(message_attacks: MessageAttacks, listed: str) -> None:
    """In PID-5.1, as it is."""
    message_attacks.escapes(several(listed))


@then("chaque message est refusé, ou l'administrateur en est alerté")
def refused_or_told(message_attacks: MessageAttacks) -> None:
    """AE, AR, or an alert."""
    message_attacks.expect_refused()


@then("chaque nom est publié tel quel, ou refusé, et montré échappé")
def verbatim(message_attacks: MessageAttacks) -> None:
    """In the metadata, and on the pages."""
    message_attacks.expect_verbatim()


@then("chaque message a une réponse")
def heard(message_attacks: MessageAttacks) -> None:
    """Of any kind."""
    message_attacks.expect_heard()


@then("un compte rendu juste est publié ensuite")
def still_publishes(publishing: Publishing) -> None:
    """The sentinel."""
    publishing.expect_still_publishes()
