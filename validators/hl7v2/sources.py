"""The texts that the HL7 v2 rules quote."""

from __future__ import annotations

from collections.abc import Iterator

from spec.grade import Grade, Reference
from validators.rule import Broken

__all__ = ["DATA", "DRAFT", "FAQ_9313", "INS_ANNEX", "PAM", "clause", "one_of", "same", "volet"]

_VOLET = "CI-SIS, volet Transmission d'un document CDA-R2 en HL7v2 2.1"


def volet(section: str) -> Reference:
    """A clause of the volet."""
    return Reference(_VOLET, section, Grade.STANDARD)


def clause(section: str) -> Reference:
    """A clause of HL7 v2.5."""
    return Reference("HL7 v2.5", section, Grade.STANDARD)


DATA = Reference("DRIM-M_DATA, messages HL7v2 de référencement", "Examens A à Z", Grade.SAMPLE)
INS_ANNEX = Reference("CI-SIS, annexe Prise en charge de l'INS", grade=Grade.STANDARD)
PAM = Reference("PAM National Extension France 2.11", "PID", Grade.STANDARD)
DRAFT = Reference("REM DRIM-M (projet 2022-2023)", "DB.SO.11, DB.SO.12, DB.SO.17", Grade.DRAFT)
FAQ_9313 = Reference("FAQ des industriels ANS", "9313", Grade.FAQ)


def same(actual: str, expected: str, where: str, what: str) -> Iterator[Broken]:
    """Broken when two values differ."""
    if actual != expected:
        yield Broken(
            message=f"{what} devrait être « {expected} ».",
            expected=expected,
            actual=actual,
            where=where,
        )


def one_of(actual: str, allowed: tuple[str, ...], where: str, what: str) -> Iterator[Broken]:
    """Broken when a value is none of those allowed."""
    if actual not in allowed:
        yield Broken(
            message=f"{what} n'est pas une valeur permise.",
            expected=" | ".join(allowed),
            actual=actual,
            where=where,
        )
