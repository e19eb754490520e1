"""The rule set of the imaging report, and the texts that its rules quote."""

from __future__ import annotations

from collections.abc import Iterator

from spec.grade import Grade, Reference
from validators.examples import cda as example
from validators.rule import Broken, RuleSet

__all__ = ["CDA", "DATA", "DRAFT_RIS", "FAQ_9313", "Findings", "draft", "imaging", "minimal", "r2"]

Findings = Iterator[Broken]

DATA = Reference("DRIM-M_DATA, comptes rendus de référencement", "Examens A à Z", Grade.SAMPLE)
DRAFT_RIS = Reference("REM RIS (projet 2022-2023)", "DB/RIS.08, DB/RIS.11", Grade.DRAFT)
FAQ_9313 = Reference("FAQ des industriels ANS", "9313", Grade.FAQ)


def r2(section: str) -> Reference:
    """A clause of CDA R2."""
    return Reference("HL7 CDA R2 (2005)", section, Grade.STANDARD)


def minimal(section: str) -> Reference:
    """A clause of the French minimal structure of documents."""
    return Reference("CI-SIS, Structuration minimale des documents", section, Grade.STANDARD)


def imaging(section: str) -> Reference:
    """A clause of the imaging report volet."""
    return Reference("CI-SIS, volet IMG-CR-IMG 2024.01", section, Grade.STANDARD)


def draft(section: str) -> Reference:
    """A requirement of the DRIM-M draft."""
    return Reference("REM DRIM-M (projet 2022-2023)", section, Grade.DRAFT)


CDA = RuleSet(
    "cda",
    good=example.document,
    syntax="CDA-000",
    unreadable=lambda: b"<ClinicalDocument xmlns='urn:hl7-org:v3'><id></ClinicalDocument>",
    reference=r2("ClinicalDocument"),
    requirements=("DB.SO.03",),
)
