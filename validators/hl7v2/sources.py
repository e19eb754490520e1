"""The texts that the HL7 v2 rules quote."""

from __future__ import annotations

from spec.grade import Grade, Reference
from validators.expect import one_of, same

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
