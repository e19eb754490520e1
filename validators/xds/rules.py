"""The ITI-41 rule set, the texts that it quotes, and the words its rules share."""

from __future__ import annotations

from collections.abc import Iterator

from spec.grade import Grade, Reference
from validators.carriage import host_rule
from validators.examples import xds as example
from validators.rule import Broken, RuleSet

__all__ = ["DATA", "Findings", "pdsm", "TD21", "XDS", "iti", "same", "vihf", "w3c"]

Findings = Iterator[Broken]

TD21 = Reference("GIE SESAM-Vitale, exemples de messages DMP", "TD2.1", Grade.SAMPLE)
DATA = Reference("DRIM-M_DATA", "Validateur XDS, informatif/XDS", Grade.SAMPLE)


def iti(section: str) -> Reference:
    """A clause of the IHE ITI technical framework."""
    return Reference("IHE ITI TF", section, Grade.STANDARD)


def w3c(document: str, section: str) -> Reference:
    """A clause of a W3C, OASIS or IETF text."""
    return Reference(document, section, Grade.STANDARD)


def pdsm(model: str) -> Reference:
    """A model of the guide that describes the DMP's metadata."""
    return Reference("IG-FHIR-PDSM4DMP-EEDS", model, Grade.STANDARD)


def vihf(section: str) -> Reference:
    """The VIHF, as the guide of the HL7v2 volet maps it."""
    return Reference(
        "CI-SIS, volet Transmission d'un document CDA-R2 en HL7v2",
        f"mapping VIHF, {section}",
        Grade.STANDARD,
    )


XDS = RuleSet(
    "iti-41",
    good=example.iti41,
    syntax="XDS-000",
    unreadable=lambda: b"POST / HTTP/1.1\r\nContent-Type: application/soap+xml\r\n\r\n<Envelope",
    reference=iti("Vol. 2, 3.41"),
    requirements=("DB.SO.19",),
)
host_rule(XDS, lambda xds: (xds.start_line, xds.headers))


def same(actual: str, expected: str, where: str, what: str) -> Findings:
    """Broken when two values differ."""
    if actual != expected:
        yield Broken(
            message=f"{what} n'est pas la valeur attendue.",
            expected=expected,
            actual=actual,
            where=where,
        )
