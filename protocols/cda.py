"""CDA R2 imaging reports: what the header writes, read and written without judgement.

`parse` keeps every occurrence in document order and leaves absent what is absent; which study,
accession or structure counts is decided by whoever reads the result.

Réf.: HL7 CDA R2 (2005); DICOM PS3.20 for `accessionNumber`, grade: standard. CI-SIS IMG-CR-IMG
level 1 for the elements that matter here, grade: sample.
"""

from __future__ import annotations

from protocols.cda_build import build
from protocols.cda_model import (
    Body,
    Code,
    Encounter,
    Id,
    ImagingReport,
    NamePart,
    Order,
    Organization,
    Patient,
    PersonName,
    Professional,
    RelatedDocument,
    ServiceEvent,
)
from protocols.cda_parse import CdaSyntaxError, parse

__all__ = [
    "Body",
    "CdaSyntaxError",
    "Code",
    "Encounter",
    "Id",
    "ImagingReport",
    "NamePart",
    "Order",
    "Organization",
    "Patient",
    "PersonName",
    "Professional",
    "RelatedDocument",
    "ServiceEvent",
    "build",
    "parse",
]
