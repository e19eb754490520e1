"""The KOS rule set, and the words its rules share."""

from __future__ import annotations

from collections.abc import Iterator

from spec.grade import Grade, Reference
from validators.dicom_tree import DataSet
from validators.examples import kos as example
from validators.rule import Broken, RuleSet

__all__ = ["IMG_KOS", "KOS", "Findings", "dicom", "filled", "present"]

Findings = Iterator[Broken]

IMG_KOS = Reference(
    "CI-SIS IMG-KOS, reconstruit d'après les KOS de DRIM-M_DATA", "Examens A à Z", Grade.SAMPLE
)


def dicom(section: str) -> Reference:
    """A clause of DICOM."""
    return Reference("DICOM", section, Grade.STANDARD)


KOS = RuleSet(
    "kos",
    good=example.kos,
    syntax="KOS-000",
    unreadable=lambda: bytes(128) + b"DICM" + b"\x02\x00\x10\x00UI\x14\x00",
    reference=dicom("PS3.10 7.1"),
    requirements=("DB.SO.18",),
)


def present(data: DataSet, tag: int, name: str) -> Findings:
    """Broken when an element is absent; empty is enough (type 2)."""
    if tag not in data:
        yield Broken(message=f"{name} est absent.", expected="présent", where=data.where(tag))


def filled(data: DataSet, tag: int, name: str) -> Findings:
    """Broken when an element is absent or empty (type 1)."""
    element = data.elements.get(tag)
    if element is None or not (element.text or element.items):
        yield Broken(
            message=f"{name} est {'absent' if element is None else 'vide'}.",
            expected="une valeur",
            where=data.where(tag),
        )
