"""The two WADO-RS rule sets and the texts that they quote."""

from __future__ import annotations

from collections.abc import Iterator

from spec.grade import Grade, Reference
from validators.carriage import host_rule
from validators.examples import wado as example
from validators.rule import Broken, RuleSet

__all__ = ["draft", "REQUEST", "RESPONSE", "SAMPLES", "Findings", "dicomweb", "rfc"]

Findings = Iterator[Broken]

SAMPLES = Reference("DRIM-M_DATA, Echantillons validateurs", "Validateur WADO-RS", Grade.SAMPLE)


def draft(requirement: str) -> Reference:
    """A requirement of the draft REM."""
    return Reference("REM DRIM-M (projet 2022-2023)", requirement, Grade.DRAFT)


def dicomweb(section: str) -> Reference:
    """A clause of DICOM PS3.18."""
    return Reference("DICOM PS3.18", section, Grade.STANDARD)


def rfc(document: str, section: str) -> Reference:
    """A clause of an RFC."""
    return Reference(document, section, Grade.STANDARD)


REQUEST = RuleSet(
    "wado-request",
    good=example.request,
    syntax="WADO-000",
    unreadable=lambda: b"GET /studies",
    reference=rfc("RFC 9112", "3"),
    requirements=("DB.VI-CO.11",),
)
host_rule(REQUEST, lambda wado: (wado.version, wado.headers))
RESPONSE = RuleSet(
    "wado-response",
    good=example.response,
    syntax="WADO-100",
    unreadable=lambda: b"HTTP/1.1 OK\r\n\r\n",
    reference=rfc("RFC 9112", "4"),
    requirements=("DB.SO.32",),
)
