"""Judging the CDA R2 imaging report that a RIS publishes and hands to a DRIMbox."""

from validators.cda import acts, body, document, patient, people, sections
from validators.cda.reading import CdaArtefact, read
from validators.cda.rules import CDA

__all__ = [
    "CDA",
    "CdaArtefact",
    "acts",
    "body",
    "document",
    "patient",
    "people",
    "read",
    "sections",
]
