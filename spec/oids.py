"""OIDs of French and international authorities that several artefacts share.

Sources: ANS terminology (TestContenuCDA-3-0 value sets and schematrons, IG-FHIR-PDSM4DMP-EEDS),
grade `sample` unless a line says otherwise.
"""

from __future__ import annotations

__all__ = [
    "INS_AUTHORITIES",
    "INS_DEMONSTRATION",
    "INS_NIA",
    "INS_NIR",
    "INS_NIR_TEST",
    "PROFESSIONAL_AUTHORITY",
    "STRUCTURE_AUTHORITY",
]

INS_NIR = "1.2.250.1.213.1.4.8"
INS_NIA = "1.2.250.1.213.1.4.9"
INS_NIR_TEST = "1.2.250.1.213.1.4.10"
INS_DEMONSTRATION = "1.2.250.1.213.1.4.11"
INS_AUTHORITIES = {
    INS_NIR: "INS-NIR",
    INS_NIA: "INS-NIA",
    INS_NIR_TEST: "INS-NIR de test",
    INS_DEMONSTRATION: "INS-NIR de démonstration",
}
"""1.2.250.1.213.1.4.2 (INS-C) is obsolete and not a qualified identity."""

PROFESSIONAL_AUTHORITY = "1.2.250.1.71.4.2.1"
"""Assigns PS_IdNat (RPPS and others)."""
STRUCTURE_AUTHORITY = "1.2.250.1.71.4.2.2"
"""Assigns Struct_IdNat (FINESS, SIRET, RPPS-rang and others, by prefix)."""
