"""Archives that many sites have, by the addresses that they take when nobody changes them.

Public facts, grade `standard` in the sense that their publishers document them:
Orthanc: AE title ORTHANC, DICOM 4242, HTTP 8042 (Orthanc Book, "Configuration options":
`DicomAet`, `DicomPort`, `HttpPort`), DICOMweb under /dicom-web (its DICOMweb plug-in, `Root`).
dcm4chee-arc-light 5: AE title DCM4CHEE, DICOM 11112, HTTP 8080, DICOMweb under
/dcm4chee-arc/aets/{AE}/rs (its wiki, "DICOM conformance" and "RESTful services").
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

__all__ = ["ARCHIVES", "Archive"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Archive:
    """An archive as its publisher delivers it, on this machine."""

    name: str
    ae_title: str
    dicom: str
    """`address:port`"""
    dicomweb: str
    """Root of STOW-RS, in clear."""
    source_dicom: str = "127.0.0.1:11112"
    """Where the Source then receives: not where the archive does."""
    to_declare: str
    """What the archive must be told before it sends images to a Source."""

    def of_native(self) -> dict[str, Any]:
        """Keys of `[source]` of a product that has this archive within."""
        return {
            "dicom": self.source_dicom,
            "store": self.dicom,
            "store_ae_title": self.ae_title,
            "stow": self.dicomweb,
        }

    def as_neighbour(self) -> str:
        """The line of `[neighbours]` of a site that has this archive: the bench listens to it."""
        return f"écouté {self.dicom} {self.ae_title}"


ARCHIVES: Final = {
    "orthanc": Archive(
        name="Orthanc",
        ae_title="ORTHANC",
        dicom="127.0.0.1:4242",
        dicomweb="http://127.0.0.1:8042/dicom-web",
        to_declare="la Source et le banc dans DicomModalities",
    ),
    "dcm4chee": Archive(
        name="dcm4chee-arc",
        ae_title="DCM4CHEE",
        dicom="127.0.0.1:11112",
        dicomweb="http://127.0.0.1:8080/dcm4chee-arc/aets/DCM4CHEE/rs",
        source_dicom="127.0.0.1:11113",
        to_declare="la Source et le banc parmi ses entités d'application (LDAP ou interface)",
    ),
}
