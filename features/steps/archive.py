"""Quand l'administrateur exporte l'archive locale, ou la compare avec le PACS."""

from __future__ import annotations

import pytest
from pytest_bdd import then, when

from bench.archiving import Archiving
from bench.imaging import Imaging
from bench.living import Living


@pytest.fixture
def archiving(imaging: Imaging) -> Archiving:
    """The local archive, as it leaves the Source."""
    return Archiving(imaging)


@when("l'administrateur exporte l'archive locale de la Source en XDM")
def exported(archiving: Archiving) -> None:
    """By the vendor's program, the reference's command, or a person."""
    archiving.export()


@when("l'administrateur lance la resynchronisation de la Source avec le PACS")
def resynchronised(archiving: Archiving, living: Living) -> None:
    """Nobody had told the Source."""
    living.begin()
    archiving.resynchronise()


@then("l'archive exportée contient le KOS publié, l'identifiant du compte rendu et l'entryUUID")
def complete(archiving: Archiving) -> None:
    """To the byte."""
    archiving.expect_lot()


@then("le lot exporté se juge conforme")
def conform(archiving: Archiving) -> None:
    """By the rules of XDM."""
    archiving.expect_conform()
