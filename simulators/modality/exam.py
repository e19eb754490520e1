"""What a modality was asked to acquire: patient, exam, series. Values, no pixels."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from protocols.kos import character_set_for
from spec.dicom import EXPLICIT_VR_LITTLE_ENDIAN

__all__ = ["Exam", "Patient", "Series", "derived_uid"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Patient:
    """The patient as the modality's worklist knew him: by the local identifier."""

    name: str
    """DICOM PN: `FAMILY^GIVEN`."""
    patient_id: str
    """The IPP."""
    issuer: str = ""
    """Issuer of Patient ID (0010,0021)."""
    issuer_oid: str = ""
    """Universal entity ID of the issuer, in the qualifiers sequence."""
    birth_date: str = ""
    sex: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One series to make."""

    modality: str = "CT"
    description: str = ""
    body_part: str = "CHEST"
    """Body Part Examined (0018,0015), PS3.16 Annex L: chooses the anatomy drawn."""
    count: int = 10
    transfer_syntax: str = EXPLICIT_VR_LITTLE_ENDIAN
    """Explicit or Implicit VR Little Endian, or JPEG-LS lossless."""
    uid: str = ""
    """Derived from the study when empty."""
    number: int | None = None
    """Its rank in the exam when None."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exam:
    """One study."""

    patient: Patient
    study_uid: str
    accession: str = ""
    accession_issuer_oid: str = ""
    series: tuple[Series, ...] = (Series(),)
    date: str = "20261120"
    time: str = "093000"
    description: str = ""
    study_id: str = ""
    referring_physician: str = ""
    institution: str = ""
    matrix: int = 128
    """Rows and columns: 512 for realistic sizes, 64 or 128 for speed."""

    def character_set(self) -> str:
        """The Specific Character Set that writes all its texts: `ISO_IR 100` or `ISO_IR 192`."""
        return character_set_for(
            (
                self.patient.name,
                self.patient.patient_id,
                self.patient.issuer,
                self.description,
                self.referring_physician,
                self.institution,
                *(series.description for series in self.series),
            )
        )

    def series_uid(self, rank: int) -> str:
        """The Series Instance UID of the series of that rank (0 first)."""
        return self.series[rank].uid or derived_uid(self.study_uid, "series", str(rank))

    def instance_uid(self, rank: int, index: int) -> str:
        """The SOP Instance UID of an image: the same exam always gives the same UIDs."""
        return derived_uid(self.series_uid(rank), "image", str(index))


def derived_uid(*names: str) -> str:
    """A UID that depends on nothing but `names`, under the UUID arc (PS3.5 B.2)."""
    digest = hashlib.sha256("|".join(names).encode()).digest()[:16]
    return f"2.25.{int.from_bytes(digest, 'big')}"
