"""Quand une personne suit le lien d'un compte rendu, alors la visionneuse de la Source s'ouvre."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytest_bdd import given, parsers, then, when

from bench.corresponding import Corresponding
from bench.depositing import Depositing
from bench.imaging import Imaging
from bench.linking import Linking
from bench.living import Living


@pytest.fixture
def linking(imaging: Imaging, living: Living) -> Iterator[Linking]:
    """Somebody who holds the report."""
    made = Linking(imaging, living)
    yield made
    made.leave()


@given("une Source dont les comptes rendus mènent à sa visionneuse")
def claimed(linking: Linking) -> None:
    """At an address that the bench knows."""
    linking.claimed()


@when("une personne suit le lien du compte rendu")
def follow(linking: Linking) -> None:
    """In an empty browser."""
    linking.follow()


@when("cette personne se dit professionnelle et s'authentifie avec Pro Santé Connect")
def go_on(linking: Linking) -> None:
    """Then looks at the images."""
    linking.go_on()


@when("cette personne se dit patiente")
def say_patient(linking: Linking) -> None:
    """The other choice."""
    linking.say_patient()


@when("un professionnel suit le lien du compte rendu pendant que le PACS est arrêté")
def without_pacs(linking: Linking) -> None:
    """Connections are refused."""
    linking.follow_without_pacs()


@when("un professionnel suit le lien du compte rendu jusqu'aux images")
def open_link(linking: Linking) -> None:
    """Profile, PSC, images."""
    linking.open_as_professional()


@when(
    parsers.re(
        r"un professionnel suit le lien où (?P<words>.+) n'est pas le bon, entre deux liens justes"
    )
)
def alter(linking: Linking, words: str) -> None:
    """The other exam's, then nobody's."""
    linking.alter(words)


@when(parsers.parse("un professionnel suit tour à tour un lien mal écrit : {listed}"))
def miswrite(linking: Linking, listed: str) -> None:
    """Each between two right ones."""
    linking.miswrite(one.strip() for one in listed.split(";"))


@when("un professionnel suit le lien de l'examen dépublié, entre deux liens de l'autre")
def depublished(linking: Linking) -> None:
    """A printed report stays where it is."""
    linking.follow_depublished()


@pytest.fixture
def corresponding(linking: Linking, depositing: Depositing) -> Corresponding:
    """Whoever got the report."""
    return Corresponding(linking, depositing)


@given("le compte rendu reçu par MSSanté par un correspondant")
def received(corresponding: Corresponding) -> None:
    """An XDM archive, and the page."""
    corresponding.receive()


@given("le compte rendu publié par le RIS dans le DMP")
def published(corresponding: Corresponding) -> None:
    """TD2.1."""
    corresponding.publish()


@when("ce correspondant suit jusqu'aux images le lien qu'il y lit")
def follow_mail(corresponding: Corresponding) -> None:
    """A click on the page."""
    corresponding.follow()


@when("le patient suit le lien qu'il lit dans Mon espace santé")
def follow_space(corresponding: Corresponding) -> None:
    """Nobody is logged in."""
    corresponding.follow_as_patient()


@then("la visionneuse lui demande si elle est patient ou professionnel")
def asked(linking: Linking) -> None:
    """Two choices."""
    linking.expect_asked()


@then("rien du patient ni de l'examen n'est montré")
def nothing(linking: Linking) -> None:
    """Before anybody logs in."""
    linking.expect_nothing_shown()


@then("la visionneuse montre les images de l'examen")
def images(linking: Linking) -> None:
    """Of it alone."""
    linking.expect_images()


@then("les traits du patient")
def traits(linking: Linking) -> None:
    """As the INS has them."""
    linking.expect_traits()


@then("la mention d'un usage non diagnostique")
def not_diagnostic(linking: Linking) -> None:
    """Where the images are."""
    linking.expect_not_diagnostic()


@then("chaque lien est refusé par un message qui ne montre rien")
def refused(linking: Linking) -> None:
    """No patient, no image."""
    linking.expect_refused()


@then("un message dit que l'accès des patients n'est pas ouvert")
def patients_told(linking: Linking) -> None:
    """What to do instead is for the product to say."""
    linking.expect_patients_told()


@then("l'ouverture est tracée avec le professionnel")
def traced(linking: Linking) -> None:
    """Outcome 0."""
    linking.expect_traced()


@then("chaque refus est tracé avec le professionnel et sa raison")
def refusal_traced(linking: Linking) -> None:
    """A failure."""
    linking.expect_refusals_traced()


@then("le passage de cette personne est tracé comme un échec")
def visit_traced(linking: Linking) -> None:
    """Nobody is known yet."""
    linking.expect_visit_traced()
