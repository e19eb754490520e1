"""Quand le PACS dit qu'un examen a changé, alors la Source l'interroge et le KOS suit."""

from __future__ import annotations

import pytest
from pytest_bdd import given, parsers, then, when

from bench.changing import Changing
from bench.living import Living

_WHAT = {
    "une série": Changing.reject_series,
    "une image de chaque série": Changing.reject_from_each,
    "tout l'examen": Changing.reject_exam,
}


@pytest.fixture
def changing(living: Living) -> Changing:
    """The exam in the PACS, and what the PACS says of it."""
    return Changing(living)


@given("une DRIMbox de la liste blanche qui en a déjà obtenu chaque série")
def obtained(changing: Changing) -> None:
    """What a cache might keep."""
    changing.obtain_all()


@when(
    parsers.re(
        rf"le PACS rejette (?P<what>{'|'.join(_WHAT)}) par une note (?P<title>1130\d\d),"
        r" qu'il transmet à la Source"
    )
)
def rejected(changing: Changing, what: str, title: str) -> None:
    """RAD-66, after the archive applied it."""
    _WHAT[what](changing, title)


@when("le PACS rejette une série par une note 113001, la montre encore et transmet la note")
def rejected_and_shown(changing: Changing) -> None:
    """Regular use of what is rejected for its quality."""
    changing.reject_and_show()


@when("le PACS supprime l'examen")
def removed(changing: Changing) -> None:
    """Every image, of its own accord."""
    changing.remove_exam()


@when("le PACS annonce par OMI^O23 que l'examen a changé")
def announced(changing: Changing) -> None:
    """IPC-3 names it."""
    changing.announce()


@when("une DRIMbox de la liste blanche demande la série rejetée, entre deux demandes de l'autre")
def asked_for_rejected(changing: Changing) -> None:
    """Under both KOS."""
    changing.ask_rejected()


@when("une DRIMbox de la liste blanche demande la première série sous le nouveau KOS")
def asked_for_rest(changing: Changing) -> None:
    """As a Consumer that found it in the DMP."""
    changing.ask_series()


@then("la Source accepte la note")
def taken(changing: Changing) -> None:
    """C-STORE status."""
    changing.expect_taken()


@then("la Source interroge de nouveau le PACS")
def asked_again(changing: Changing) -> None:
    """C-FIND on the exam."""
    changing.expect_asked_again()


@then("la Source agit au nom de la structure et du professionnel du lot précédent")
def same_actor(changing: Changing) -> None:
    """VIHF of what was written."""
    changing.expect_same_actor()


@then("aucune image rejetée n'est rendue")
def rest_served(changing: Changing) -> None:
    """In the series that is left."""
    changing.expect_only_kept()


@then("rien de rejeté n'est rendu")
def nothing_rejected(changing: Changing) -> None:
    """404 under either KOS."""
    changing.expect_nothing_rejected()
