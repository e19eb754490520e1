"""Judging a publication in the DMP: ITI-41, its metadata, its VIHF and its lot signature."""

from validators.xds import (
    codes,
    entry,
    packaging,
    references,
    schema,
    signature,
    structure,
    submission_set,
    trust,
    vihf,
    vihf_attributes,
    vihf_form,
)
from validators.xds.reading import Submission, read
from validators.xds.rules import XDS

__all__ = [
    "XDS",
    "Submission",
    "codes",
    "entry",
    "packaging",
    "read",
    "references",
    "schema",
    "signature",
    "structure",
    "submission_set",
    "trust",
    "vihf",
    "vihf_attributes",
    "vihf_form",
]
