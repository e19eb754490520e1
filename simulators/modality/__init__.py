"""The modalities: images of an exam, synthetic or made of real files, ready for a PACS."""

from __future__ import annotations

from simulators.modality.exam import Exam, Patient, Series, derived_uid
from simulators.modality.images import JPEG_LS_LOSSLESS, TRANSFER_SYNTAXES, make
from simulators.modality.lossy import JPEG_2000, with_loss
from simulators.modality.shipped import SERIES, from_pydicom_files

__all__ = [
    "JPEG_2000",
    "JPEG_LS_LOSSLESS",
    "SERIES",
    "TRANSFER_SYNTAXES",
    "Exam",
    "Patient",
    "Series",
    "derived_uid",
    "from_pydicom_files",
    "make",
    "with_loss",
]
