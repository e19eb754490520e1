"""Quand le radiologue joue les scénarios du projet, alors chaque pas laisse la preuve demandée."""

from __future__ import annotations

import pytest
from pytest_bdd import given, parsers, then, when

from bench.consulting import Consulting
from bench.project import Project
from bench.project_proofs import ProjectProofs

_PROOF = r"(?P<proof>SCN_DB/CO(\.\d\d){3})"
_SERIES = r"la série (?P<number>\d) de l'examen (?P<letter>[AB])"


@pytest.fixture
def project(consulting: Consulting) -> Project:
    """The radiologist of the drafts."""
    return Project(consulting)


@pytest.fixture
def proofs(project: Project) -> ProjectProofs:
    """What each step of theirs leaves."""
    return ProjectProofs(project)


@given(
    "deux examens de ce patient à une autre DRIMbox : A, de deux séries, la première avec perte, "
    "et B"
)
def situation(project: Project) -> None:
    """KOS in the DMP, images at the neighbour."""
    project.publish()


@given("le radiologue devant la liste des examens A et B")
def at_the_list(project: Project) -> None:
    """CO.01, unjudged."""
    project.open_list()


@when("le RIS fait l'appel contextuel")
def call(project: Project) -> None:
    """CO.01.01."""
    project.call()


@when("le radiologue passe par Pro Santé Connect")
def login(project: Project) -> None:
    """CO.01.02."""
    project.login()


@when(parsers.re(rf"le radiologue demande {_SERIES}"), converters={"number": int})
def look(project: Project, letter: str, number: int) -> None:
    """CO.01.04, CO.02.03, CO.02.05."""
    project.look(letter, number)


@when("le radiologue revient à la liste des examens")
def back(project: Project) -> None:
    """CO.02.05."""
    project.back()


@when(parsers.re(r"le radiologue exporte l'examen (?P<letter>[AB]) vers le PACS local"))
def export(project: Project, letter: str) -> None:
    """CO.02.07."""
    project.export(letter)


_LOGGED = {
    "l'appel contextuel": ("appel-contextuel", ""),
    "la recherche des KOS": ("ITI-18", "TD3.1a"),
    "la lecture des KOS": ("ITI-43", ""),
    "l'ouverture de la visionneuse": ("consumer-page", ""),
}


@then(parsers.re(rf"le journal porte la preuve {_PROOF}, (?P<what>{'|'.join(_LOGGED)})"))
def logged(proofs: ProjectProofs, proof: str, what: str) -> None:
    """An exchange since the last gesture."""
    transaction, detail = _LOGGED[what]
    proofs.logged(proof, transaction, what, detail=detail)


@then(parsers.re(rf"l'écran garde la preuve {_PROOF}, la fenêtre de Pro Santé Connect"))
def psc_window(proofs: ProjectProofs, proof: str) -> None:
    """A capture."""
    proofs.psc_window(proof)


@then(parsers.re(rf"l'écran garde la preuve {_PROOF}, les examens A et B et le professionnel"))
def listing(proofs: ProjectProofs, proof: str) -> None:
    """A capture."""
    proofs.listing(proof)


@then(parsers.re(rf"l'écran garde la preuve {_PROOF}, la visionneuse"))
def viewer(proofs: ProjectProofs, proof: str) -> None:
    """A capture."""
    proofs.viewer(proof)


@then(parsers.re(rf"la demande de {_SERIES} porte la preuve {_PROOF}"), converters={"number": int})
def asked(proofs: ProjectProofs, proof: str, letter: str, number: int) -> None:
    """WADO-RS, besides what its validator finds."""
    proofs.asked(proof, letter, number)


@then(
    parsers.re(rf"la réponse de {_SERIES} porte la preuve {_PROOF}, (?P<how>avec|sans) perte"),
    converters={"number": int},
)
def answered(proofs: ProjectProofs, proof: str, letter: str, number: int, how: str) -> None:
    """Its transfer syntax."""
    proofs.answered(proof, letter, number, lossy=how == "avec")


@then(
    parsers.re(rf"la mesure {_PROOF} est celle de la première image de {_SERIES}"),
    converters={"number": int},
)
def first_image(proofs: ProjectProofs, proof: str, letter: str, number: int) -> None:
    """From the wire and from the browser."""
    proofs.first_image(proof, letter, number)


@then(
    parsers.re(
        rf"le PACS local porte la preuve {_PROOF}, l'examen (?P<letter>[AB]) sous l'IPP local"
    )
)
def found_by_ipp(proofs: ProjectProofs, proof: str, letter: str) -> None:
    """All of it."""
    proofs.found_by_ipp(proof, letter)


@then(
    parsers.re(rf"le PACS local porte la preuve {_PROOF}, les images de l'examen (?P<letter>[AB])")
)
def same_images(proofs: ProjectProofs, proof: str, letter: str) -> None:
    """Element by element."""
    proofs.same_images(proof, letter)


@then(parsers.re(rf"la mesure {_PROOF} est celle de l'export de l'examen (?P<letter>[AB])"))
def export_rate(proofs: ProjectProofs, proof: str, letter: str) -> None:
    """C-STORE after C-STORE."""
    proofs.export_rate(proof, letter)
