"""Quand un compte rendu est corrigé, masqué ou annulé, alors le KOS suit dans le DMP."""

from __future__ import annotations

import pytest
from pytest_bdd import given, then, when

from bench.imaging import Imaging
from bench.living import Living
from bench.publishing import Publishing
from bench.within import Within


@pytest.fixture
def living(imaging: Imaging) -> Living:
    """The exam's KOS, and what becomes of it."""
    return Living(imaging)


@given("un autre examen du patient publié sous un autre compte rendu")
def another(living: Living) -> None:
    """The twin of what will be refused."""
    living.publish_another()


@given("un KOS dont la visibilité a été modifiée entre-temps dans le DMP")
def masked_in_dmp(living: Living) -> None:
    """Its entryUUID changed."""
    living.mask_in_dmp()


@when("le RIS crée puis annule le compte rendu, et l'annulation arrive d'abord")
def cancelled_first(living: Living) -> None:
    """MSH-7 tells in which order they were sent."""
    living.cancel_first()


@when("le RIS crée puis corrige le compte rendu, et la correction arrive d'abord")
def corrected_first(living: Living) -> None:
    """versionNumber tells which one is the later."""
    living.correct_first()


@when("le RIS envoie un second compte rendu du même examen")
def reported_again(living: Living) -> None:
    """Another document, of another set."""
    living.report_again()


@when("des images s'ajoutent à l'examen dans le PACS")
def more_images(publishing: Publishing) -> None:
    """One more series, of which nobody says anything."""
    Within(publishing).add_image()


@when("le RIS renvoie le compte rendu dans un nouveau message")
def sent_anew(living: Living) -> None:
    """The same document, another MSH-10."""
    living.send()


@when("le RIS envoie le compte rendu corrigé, au numéro de demande changé")
def corrected(living: Living) -> None:
    """ORC-1 RO, OBX-11 C."""
    living.correct()


@when("le RIS envoie le compte rendu masqué aux professionnels de santé")
def masked(living: Living) -> None:
    """MASQUE_PS, MODIF_CONF_CODE."""
    living.mask()


@when("le RIS annule le compte rendu")
def cancelled(living: Living) -> None:
    """ORC-1 CA, OBX-11 D."""
    living.cancel()


@when("le RIS envoie le compte rendu par MDM^T02")
def created_by_mdm(living: Living) -> None:
    """Create."""
    living.send(mdm=True)


@when("le RIS envoie par MDM^T10 le compte rendu corrigé, au numéro de demande changé")
def corrected_by_mdm(living: Living) -> None:
    """Replace: TXA-13 names the former version."""
    living.correct(mdm=True)


@when("le RIS annule le compte rendu par MDM^T04")
def cancelled_by_mdm(living: Living) -> None:
    """Delete."""
    living.cancel(mdm=True)


@when("une DRIMbox de la liste blanche demande l'examen dépublié, entre deux demandes de l'autre")
def asked(living: Living) -> None:
    """Under the KOS that was in force."""
    living.ask_images()


@then("le KOS en vigueur est remplacé par un autre")
def replaced(living: Living) -> None:
    """TD2.1b: one approved, the former deprecated, another SOP Instance UID."""
    living.expect_replaced()


@then("la Source avait cherché dans le DMP l'entrée du KOS")
def looked_up(living: Living) -> None:
    """TD3.1b, by the uniqueId."""
    living.expect_looked_up()


@then("le nouveau KOS porte le numéro de demande corrigé")
def order_number(living: Living) -> None:
    """File and metadata."""
    living.expect_order_number()


@then("le nouveau KOS est masqué aux professionnels de santé")
def is_masked(living: Living) -> None:
    """confidentialityCode."""
    living.expect_masked()


@then("le nouveau KOS référence exactement les images de l'examen")
def images(living: Living) -> None:
    """Evidence against the PACS."""
    living.expect_images()


@then("le KOS en vigueur porte le numéro de demande corrigé")
def kept_order_number(living: Living) -> None:
    """That of the later version."""
    living.expect_order_number()


@then("l'archive de la Source contient le nouveau KOS")
def archived(living: Living) -> None:
    """With the version of the report that made it."""
    living.expect_archived()


@then("l'archive de la Source contient le KOS en vigueur et les deux comptes rendus")
def both_archived(living: Living) -> None:
    """The ids of the reports that triggered it."""
    living.expect_both_archived()


@then("le KOS est dépublié du DMP")
def depublished(living: Living) -> None:
    """TD3.3c: Deleted."""
    living.expect_depublished()


@then("la demande reçoit un refus précis, sans donnée du patient")
def gone(imaging: Imaging) -> None:
    """410, or 404, between two positive twins."""
    imaging.expect_withdrawn()


@then("la Source rend encore des images sous ce KOS")
def still_served(imaging: Imaging) -> None:
    """What is in force in the DMP is in force in the Source."""
    imaging.expect_served()


@then("rien n'est écrit dans le DMP")
def nothing_written(publishing: Publishing) -> None:
    """Judged by a sentinel."""
    publishing.expect_nothing_written()


@then("le KOS d'avant reste en vigueur, seul")
def kept(living: Living) -> None:
    """Nothing is lost."""
    living.expect_kept()
