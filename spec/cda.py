"""Values of the CDA header of an imaging report: templates, code systems, roots.

Sources: CI-SIS "Structuration minimale des documents de santé" and volet IMG-CR-IMG 2024.01,
DICOM PS3.20, grade `standard`; DRIM-M_DATA reports (IMG-CR-IMG 2022.01, level 1), grade `sample`,
where a line says so.
"""

from __future__ import annotations

__all__ = [
    "CATALOG",
    "CATALOG_SERIES",
    "CATALOG_STUDY",
    "CCAM_SYSTEMS",
    "CONCLUSION",
    "CONFIDENTIALITIES",
    "DCM",
    "FRENCH_TEMPLATES",
    "IMAGING_ACT",
    "LEVEL_1_TEMPLATE",
    "LEVEL_3_TEMPLATES",
    "LOINC",
    "MODALITY_QUALIFIER",
    "NAME_QUALIFIERS",
    "PDFA_LEVELS",
    "PROFESSION_SYSTEM",
    "REGION_QUALIFIER",
    "SEXES",
    "SEX_SYSTEM",
    "SNOMED_CT",
    "SOP_CLASS_SYSTEM",
    "TYPE_ID",
]

TYPE_ID = ("2.16.840.1.113883.1.3", "POCD_HD000040")
"""CDA R2 4.2.1: the same for every document."""
FRENCH_TEMPLATES = ("2.16.840.1.113883.2.8.2.1", "1.2.250.1.213.1.1.1.1")
"""HL7 France and CI-SIS."""
LEVEL_1_TEMPLATE = "1.3.6.1.4.1.19376.1.2.20"
"""IHE XDS-SD: a document that only wraps a file."""
LEVEL_3_TEMPLATES = (
    "1.2.840.10008.9.1",
    "1.2.840.10008.9.20",
    "1.2.840.10008.9.21",
    "1.2.250.1.213.1.1.1.45",
)
"""DICOM PS3.20 report, general header and imaging header; model IMG-CR-IMG of the CI-SIS."""

LOINC = "2.16.840.1.113883.6.1"
SNOMED_CT = "2.16.840.1.113883.6.96"
DCM = "1.2.840.10008.2.16.4"
CCAM_SYSTEMS = ("1.2.250.1.213.2.5", "1.2.250.1.215.300.1")
"""DRIM-M_DATA writes the first, the 2024.01 example of level 3 the second (grade `sample`)."""
CONFIDENTIALITIES = ("N", "R", "V")
"""HL7 v3 Confidentiality, as CDA R2 binds it; official reports write N."""
MODALITY_QUALIFIER = "121139"
"""DCM: what a translation of an act says about its modality."""
REGION_QUALIFIER = "39111-0"
"""LOINC: what a translation of an act says about its body region."""

SEX_SYSTEM = "2.16.840.1.113883.5.1"
SEXES = ("F", "M", "U")
"""U exists for identities that the INS does not know; the INS itself says F or M."""
NAME_QUALIFIERS = ("BR", "CL")
"""Birth and used names; SP and others are rejected by the minimal structure."""
PROFESSION_SYSTEM = "1.2.250.1.213.1.1.4.5"

PDFA_LEVELS = ("1A", "1B")
"""PDF/A-1, which documents sent by MSSanté want (REM RIS MSS/CONF.23, grade `draft`)."""

IMAGING_ACT = "55111-9"
CONCLUSION = "19005-8"
CATALOG = "121181"
"""Sections of level 3: act, conclusion (LOINC), catalogue of DICOM objects (DCM)."""
CATALOG_STUDY = "113014"
CATALOG_SERIES = "113015"
"""Acts of the catalogue (DCM)."""
SOP_CLASS_SYSTEM = "1.2.840.10008.2.6.1"
