"""The report that the whole chain is played with, as a user would give one (`run --report`)."""

from __future__ import annotations

import secrets
from pathlib import Path

from bench.cases import mint
from bench.profile import Profile
from bench.site import site_of
from bench.story import people_of, plan_exam, report_of
from spec.dicom import EXPLICIT_VR_LITTLE_ENDIAN

__all__ = ["REPORT", "write_report"]

REPORT = "compte-rendu.xml"


def write_report(file: Path, profile: Profile, seed: int | None) -> Path:
    """Write a CDA of two exams, of a patient of its own; the file.

    Raises:
        OSError: it cannot be written.
    """
    site = site_of(profile)
    case = mint("le compte rendu fourni", secrets.randbits(31) if seed is None else seed)
    exams = [
        plan_exam(
            case,
            number,
            site.accession_oid,
            site.placer_oid,
            modality=modality,
            series=1,
            images=4,
            transfer_syntax=EXPLICIT_VR_LITTLE_ENDIAN,
        ).reported()
        for number, modality in enumerate(("CT", "MR"), 1)
    ]
    patient = people_of(case, site.ipp_oid)
    report = report_of(case, patient, site.radiologist, site.structure, exams)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(report.document())
    return file
