"""Quand le RIS publie lui-même son compte rendu, alors la Source n'en publie que les KOS."""

from __future__ import annotations

import pytest
from pytest_bdd import then, when

from bench.depositing import Depositing
from bench.living import Living


@pytest.fixture
def depositing(living: Living) -> Depositing:
    """The RIS at the DMP."""
    return Depositing(living)


@when("le RIS publie le compte rendu dans le DMP, puis en envoie la copie")
def published(depositing: Depositing) -> None:
    """TD2.1a, then ORU^R01."""
    depositing.publish()


@when(
    "le RIS remplace le compte rendu dans le DMP, au numéro de demande corrigé,"
    " puis en envoie la copie"
)
def replaced(depositing: Depositing) -> None:
    """TD2.1b, then ORC-1 RO."""
    depositing.replace()


@when("le RIS supprime le compte rendu du DMP, puis en envoie la copie")
def deleted(depositing: Depositing) -> None:
    """TD3.3c, then ORC-1 CA."""
    depositing.delete()


@then("le compte rendu et ses KOS portent dans le DMP les mêmes numéros")
def same_numbers(depositing: Depositing) -> None:
    """referenceIdList of both."""
    depositing.expect_same_numbers()


@then("la Source ne publie pas le compte rendu")
def alone(depositing: Depositing) -> None:
    """KOS and signatures only."""
    depositing.expect_alone()
