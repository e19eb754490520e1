"""Quand des images entrent dans le PACS d'un produit native ou en sortent."""

from __future__ import annotations

import pytest
from pytest_bdd import then, when

from bench.publishing import Publishing
from bench.within import Within


@pytest.fixture
def within(publishing: Publishing) -> Within:
    """The PACS of the product, and what the DMP then holds."""
    return Within(publishing)


@when("une image s'ajoute à l'examen dans le PACS du produit")
def added(within: Within) -> None:
    """As a modality sends it."""
    within.add_image()


@when("une image de l'examen est retirée du PACS du produit")
def taken(within: Within) -> None:
    """By the vendor's program, or by a person."""
    within.remove_image()


@when("l'examen est retiré du PACS du produit")
def exam_taken(within: Within) -> None:
    """By the vendor's program, or by a person."""
    within.remove_exam()


@then("le KOS du DMP est remplacé par un autre, qui référence exactement les images de l'examen")
def replaced(within: Within) -> None:
    """TD2.1b: one approved KOS, the first one deprecated."""
    within.expect_replaced()


@then("le KOS est supprimé du DMP")
def withdrawn(within: Within) -> None:
    """TD3.3c: no approved KOS is left."""
    within.expect_withdrawn()
