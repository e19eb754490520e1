"""WADO-RS between DRIMboxes: the ten transfer syntaxes, their two q profiles, the headers.

The lists that the project fixes ("tableaux 4-7") are not public. The profiles below are those of
the ANS validator samples `CISIS_TSLossless` and `CISIS_TSLossy` (DRIM-M_DATA, "Echantillons
validateurs/Validateur WADO-RS"), grade `sample`.
"""

from __future__ import annotations

from typing import NamedTuple

from spec.grade import Grade, Reference

__all__ = [
    "AUTHORIZATION_HEADER",
    "KOS_HEADER",
    "LOSSLESS_PROFILE",
    "LOSSY_PROFILE",
    "MEDIA_TYPE",
    "MULTIPART_RELATED",
    "PROFILES_REFERENCE",
    "Q_MAXIMUM",
    "Q_MINIMUM",
    "TRANSFER_SYNTAXES",
    "ListedSyntax",
]

AUTHORIZATION_HEADER = "Authorization"
"""Carries `Bearer <Pro Santé Connect access token>`."""

KOS_HEADER = "KOS-SOPInstanceUID"
"""Carries the SOP Instance UID of the KOS that the consumer read in the DMP.

Source: ANS validator samples, "Validateur WADO-RS", grade `sample`.
"""

MULTIPART_RELATED = "multipart/related"
MEDIA_TYPE = "application/dicom"

Q_MINIMUM = 0.1
Q_MAXIMUM = 1.0
"""Bounds of the accepted sample `OK_QParameterMinMax`, grade `sample`."""

PROFILES_REFERENCE = Reference(
    "DRIM-M_DATA, Echantillons validateurs", "Validateur WADO-RS", Grade.SAMPLE
)


class ListedSyntax(NamedTuple):
    """One of the ten transfer syntaxes that a consumer always lists."""

    uid: str
    name: str
    lossless_q: float
    """For an export: an exact copy first."""
    lossy_q: float
    """For viewing: the lighter one first."""


TRANSFER_SYNTAXES = (
    ListedSyntax("1.2.840.10008.1.2.4.70", "JPEG Lossless SV1", 0.9, 0.6),
    ListedSyntax("1.2.840.10008.1.2.4.80", "JPEG-LS Lossless", 0.8, 0.5),
    ListedSyntax("1.2.840.10008.1.2.4.91", "JPEG 2000", 0.6, 0.5),
    ListedSyntax("1.2.840.10008.1.2.4.50", "JPEG Baseline", 0.5, 0.9),
    ListedSyntax("1.2.840.10008.1.2.4.51", "JPEG Extended", 0.5, 0.9),
    ListedSyntax("1.2.840.10008.1.2.4.100", "MPEG2 MP@ML", 0.5, 0.5),
    ListedSyntax("1.2.840.10008.1.2.4.101", "MPEG2 MP@HL", 0.5, 0.5),
    ListedSyntax("1.2.840.10008.1.2.4.102", "MPEG-4 AVC/H.264 HP@L4.1", 0.5, 0.5),
    ListedSyntax("1.2.840.10008.1.2.4.103", "MPEG-4 AVC/H.264 BD HP@L4.1", 0.5, 0.5),
    ListedSyntax("1.2.840.10008.1.2.1", "Explicit VR Little Endian", 0.4, 0.4),
)

LOSSLESS_PROFILE = tuple((syntax.uid, syntax.lossless_q) for syntax in TRANSFER_SYNTAXES)
LOSSY_PROFILE = tuple((syntax.uid, syntax.lossy_q) for syntax in TRANSFER_SYNTAXES)
"""`(transfer syntax UID, q)` in the order to write them."""
