"""How far each text can be trusted: every requirement, rule and code carries one grade."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["Grade", "Reference"]


class Grade(StrEnum):
    """Origin of what we demand, strongest first."""

    FAQ = "faq"
    """A current answer of the ANS industry FAQ."""
    STANDARD = "standard"
    """DICOM, IHE, HL7, W3C or RFC text."""
    SAMPLE = "sample"
    """Official ANS or GIE SESAM-Vitale test data or message example."""
    DRAFT = "draft"
    """The draft REM of 2022-2023: final texts may differ."""
    DEMONSTRATOR = "demonstrator"
    """The ANS proof of concept: only warns unless an option says otherwise."""
    INFERRED = "inferred"
    """Our own reading: only warns unless an option says otherwise."""

    @property
    def weight(self) -> int:
        """Comparable with a floor: 3 for `faq` and `standard`, down to 0."""
        return _WEIGHT[self]

    @property
    def only_warns(self) -> bool:
        """Whether an error of that grade is turned into a warning by default."""
        return self.weight == 0


_WEIGHT = {
    Grade.FAQ: 3,
    Grade.STANDARD: 3,
    Grade.SAMPLE: 2,
    Grade.DRAFT: 1,
    Grade.DEMONSTRATOR: 0,
    Grade.INFERRED: 0,
}


@dataclass(frozen=True, slots=True)
class Reference:
    """Where a demand is written."""

    document: str
    section: str = ""
    grade: Grade = Grade.STANDARD

    def __str__(self) -> str:
        return f"{self.document}, {self.section}" if self.section else self.document
