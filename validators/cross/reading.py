"""An exam is compared from files that can be read."""

from __future__ import annotations

from spec.grade import Grade, Reference
from validators.cross.exam import Exam
from validators.cross.rules import CROSS, Findings
from validators.examples.exam import packed
from validators.finding import Severity
from validators.rule import Broken

__all__: list[str] = []

_BENCH = Reference("drimbench", "cross-validation", Grade.STANDARD)


@CROSS.rule(
    "CROSS-001",
    "Chaque artefact est lisible",
    reference=_BENCH,
    bad=packed(image=bytes(128) + b"DICM" + b"\x02\x00\x10\x00UI\x14\x00"),
)
def readable(exam: Exam) -> Findings:
    for name, reason in exam.unread:
        yield Broken(message=f"Artefact illisible : {reason}", where=name)


@CROSS.rule(
    "CROSS-002",
    "Chaque artefact est d'une sorte que l'on compare",
    reference=_BENCH,
    severity=Severity.WARNING,
    bad=packed(image=b"ni DICOM, ni XML, ni HL7"),
)
def known(exam: Exam) -> Findings:
    for name in exam.unknown:
        yield Broken(message="Sorte d'artefact non reconnue : il n'est pas comparé.", where=name)
