"""A rule of our site, on a kind of artefact that the bench knows."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from typing import Any

import pydicom

from drimbench.api import Broken, Grade, Reference, Severity, ruleset

__all__ = ["KOS"]

KOS = ruleset("kos")
_INSTITUTION_NAME = 0x00080080


def _named(name: str) -> bytes:
    """The bench's own good example, with or without an institution."""
    document = pydicom.dcmread(BytesIO(KOS.good()))
    document.InstitutionName = name
    written = BytesIO()
    document.save_as(written, enforce_file_format=True)
    return written.getvalue()


@KOS.rule(
    "ACME-001",
    "Le KOS d'ACME nomme son établissement",
    reference=Reference("Règles du site ACME", "2.1", Grade.INFERRED),
    severity=Severity.WARNING,
    requirements=(),
    good=lambda: _named("CLINIQUE ACME"),
    bad=lambda: _named(""),
)
def names_its_institution(kos: Any) -> Iterator[Broken]:
    """Our archive sorts by it."""
    if not kos.root.text(_INSTITUTION_NAME):
        yield Broken(
            message="Le KOS ne nomme pas l'établissement.",
            expected="une valeur",
            where="(0008,0080)",
        )
