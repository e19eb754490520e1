"""The DRIM-M white list: its namespaces, its signer, how often it is fetched.

Sources: ansforge/DRIM-M_DATA, TEST white lists and their readme (grade: sample); ANS FAQ.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = [
    "FETCH_PERIOD_HOURS",
    "NAMESPACES",
    "ROOT",
    "SIGNER",
    "VERSION_FORMAT",
    "Signer",
]

NAMESPACES = (
    "https://github.com/ansforge/DRIM-M_DATA",
    "https://listeblanche.mesimagesmedicales.fr/schema",
)
"""The first is that of the current TEST lists and the one that we write; the second, of 2024."""

ROOT = "ListeBlancheDRIM-M"
VERSION_FORMAT = "1.0.0"

FETCH_PERIOD_HOURS = 24
"""Fetched daily, and verified each time (ANS FAQ, grade: faq)."""


@dataclass(frozen=True, slots=True)
class Signer:
    """What the signing certificate's subject must hold, besides being an ORG SIGN."""

    cn: str
    ou: str


SIGNER = Signer(cn="Liste Blanche DRIM-M", ou="318751275100020")
"""The signer that ANS announces in its readme; a test bed announces its own (grade: sample)."""
