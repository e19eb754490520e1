"""Étant donné un PACS ou un DMP en panne, association par association, requête par requête."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytest_bdd import given, parsers, then, when

from bench.breaking import Breaking
from bench.imaging import Imaging
from bench.living import Living
from bench.story import Story
from simulators.dmp import Cut

_MOMENTS = {
    "avant d'enregistrer": Cut.BEFORE,
    "après avoir enregistré": Cut.AFTER,
    "au milieu de sa réponse": Cut.HALF,
}


@pytest.fixture
def breaking(story: Story) -> Iterator[Breaking]:
    """The faults of this scenario."""
    one = Breaking(story)
    yield one
    one.mend()


@given(parsers.re(r"un DMP qui coupera la connexion (?P<moment>.+)"))
def dmp_will_cut(breaking: Breaking, moment: str) -> None:
    """Once, at the next submission."""
    breaking.cut_submission(_MOMENTS[moment])


@given("un DMP occupé au prochain dépôt, et en panne au suivant")
def dmp_busy(breaking: Breaking) -> None:
    """XDSRepositoryBusy, then HTTP 503."""
    breaking.answer_busy()


@given("un DMP qui refuse les dépôts")
def dmp_refuses(breaking: Breaking) -> None:
    """Every ITI-41, from now on."""
    breaking.refuse_lots()


@given("un PACS qui refusera les deux prochaines associations")
def pacs_refuses(breaking: Breaking) -> None:
    """A-ASSOCIATE-RJ, transient."""
    breaking.refuse_associations(2)


@given("un PACS qui ment sur ses comptes")
def pacs_lies(breaking: Breaking) -> None:
    """In C-FIND, C-MOVE and C-GET: one less than the truth."""
    breaking.lie_about_counts()


@given("un PACS qui n'envoie plus la dernière image de ce qu'on lui demande")
def pacs_keeps_one(breaking: Breaking) -> None:
    """A sub-operation fails, B000."""
    breaking.keep_last_image()


@when("le DMP accepte de nouveau les dépôts et le RIS renvoie le compte rendu corrigé")
def accepted_again(breaking: Breaking, living: Living) -> None:
    """What was refused is sent once more."""
    breaking.mend()
    living.send_again()


@when("le PACS envoie de nouveau toutes ses images")
def pacs_mended(breaking: Breaking) -> None:
    """The fault is over."""
    breaking.mend()


@then("la Source ne fait pas passer une série incomplète pour entière")
def not_whole(breaking: Breaking, imaging: Imaging) -> None:
    """Refused, 206, or cut."""
    breaking.expect_not_whole(imaging)
