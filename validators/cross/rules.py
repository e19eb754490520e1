"""The rule set of a whole exam, and the texts that its rules quote."""

from __future__ import annotations

from collections.abc import Iterator

from spec.grade import Grade, Reference
from validators.context import Context
from validators.cross.exam import Exam, read_artefacts
from validators.examples import exam as example
from validators.rule import Broken, RuleSet
from validators.zip_archive import pack, unpack

__all__ = [
    "CROSS",
    "CROSS_VALIDATOR",
    "DEMONSTRATOR",
    "DMP",
    "FAQ_9313",
    "Findings",
    "IMG_KOS",
    "REFERENCES",
    "TD21",
    "dicom",
    "iti",
    "read",
]

Findings = Iterator[Broken]

CROSS_VALIDATOR = Reference(
    "DRIM-M_DATA, test à blanc, Cross-validateur", "OK_Cas_Passant", Grade.SAMPLE
)
IMG_KOS = Reference(
    "CI-SIS IMG-KOS, reconstruit d'après les KOS de DRIM-M_DATA", "Examens A à Z", Grade.SAMPLE
)
REFERENCES = Reference("REM DRIM-M, systèmes liés (projet 2023)", "DB/RIS.09", Grade.DRAFT)
DMP = Reference("IG-FHIR-PDSM4DMP-EEDS", "DocumentEntry", Grade.STANDARD)
FAQ_9313 = Reference("FAQ des industriels ANS", "9313", Grade.FAQ)
TD21 = Reference("GIE SESAM-Vitale, exemples de messages DMP", "TD2.1", Grade.SAMPLE)
DEMONSTRATOR = Reference("Démonstrateur DRIMbox de l'ANS", grade=Grade.DEMONSTRATOR)


def dicom(section: str) -> Reference:
    """A clause of DICOM."""
    return Reference("DICOM", section, Grade.STANDARD)


def iti(section: str) -> Reference:
    """A clause of the IHE ITI technical framework."""
    return Reference("IHE ITI TF", section, Grade.STANDARD)


CROSS = RuleSet(
    "examen",
    good=lambda: pack(example.exam()),
    syntax="CROSS-000",
    unreadable=lambda: b"PK\x03\x04 pas une archive",
    reference=Reference("PKWARE APPNOTE", "4.3", Grade.STANDARD),
    requirements=("DB.SO.18", "DB.SO.19"),
)


def read(data: bytes, context: Context) -> Exam:
    """Read the archive of an exam.

    Raises:
        ExamError: not an archive that can be read, or too large a one.
    """
    return read_artefacts(unpack(data), context)
