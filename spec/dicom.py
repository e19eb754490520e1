"""DICOM codes that the DRIM-M chain names: SOP classes, transfer syntaxes, titles, modalities.

Source: DICOM PS3.4, PS3.6 and PS3.16, grade `standard`, unless a line says otherwise.
"""

from __future__ import annotations

from typing import NamedTuple

__all__ = [
    "DCM",
    "DOCUMENT_TITLES",
    "EXPLICIT_VR_BIG_ENDIAN",
    "EXPLICIT_VR_LITTLE_ENDIAN",
    "IMPLEMENTATION_CLASS_UID",
    "IMPLEMENTATION_VERSION_NAME",
    "IMPLICIT_VR_LITTLE_ENDIAN",
    "KEY_OBJECT_DESCRIPTION",
    "KEY_OBJECT_SELECTION_STORAGE",
    "KEY_OBJECT_TEMPLATE",
    "MANIFEST",
    "MANIFEST_TITLES",
    "MODALITIES",
    "OF_INTEREST",
    "QUERY_MODELS",
    "REJECTION_TITLES",
    "SOP_CLASS_MODALITY",
    "STORAGE_SOP_CLASSES",
    "TRANSFER_SYNTAX_NAMES",
    "UNCOMPRESSED_LITTLE_ENDIAN",
    "VERIFICATION",
    "WAVEFORM_SOP_CLASSES",
    "CodedTerm",
    "QueryModel",
    "value_type_of",
]


class CodedTerm(NamedTuple):
    """A code as DICOM writes it in a code sequence item (PS3.3 8.8)."""

    value: str
    scheme: str
    meaning: str


# Implementation identification (PS3.7 D.3.3.2). The UID is derived from a UUID of our own, as
# PS3.5 B.2 allows to anybody.
IMPLEMENTATION_CLASS_UID = "2.25.329683277837163962998140558292131155228"
IMPLEMENTATION_VERSION_NAME = "DRIMBENCH_1"

# Transfer syntaxes, PS3.6 Annex A.
IMPLICIT_VR_LITTLE_ENDIAN = "1.2.840.10008.1.2"
EXPLICIT_VR_LITTLE_ENDIAN = "1.2.840.10008.1.2.1"
EXPLICIT_VR_BIG_ENDIAN = "1.2.840.10008.1.2.2"
UNCOMPRESSED_LITTLE_ENDIAN = (EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN)

TRANSFER_SYNTAX_NAMES = {
    IMPLICIT_VR_LITTLE_ENDIAN: "Implicit VR Little Endian",
    EXPLICIT_VR_LITTLE_ENDIAN: "Explicit VR Little Endian",
    "1.2.840.10008.1.2.1.99": "Deflated Explicit VR Little Endian",
    EXPLICIT_VR_BIG_ENDIAN: "Explicit VR Big Endian",
    "1.2.840.10008.1.2.4.50": "JPEG Baseline (Process 1)",
    "1.2.840.10008.1.2.4.51": "JPEG Extended (Process 2 and 4)",
    "1.2.840.10008.1.2.4.57": "JPEG Lossless (Process 14)",
    "1.2.840.10008.1.2.4.70": "JPEG Lossless SV1",
    "1.2.840.10008.1.2.4.80": "JPEG-LS Lossless",
    "1.2.840.10008.1.2.4.81": "JPEG-LS Near-Lossless",
    "1.2.840.10008.1.2.4.90": "JPEG 2000 Lossless",
    "1.2.840.10008.1.2.4.91": "JPEG 2000",
    "1.2.840.10008.1.2.4.100": "MPEG2 Main Profile / Main Level",
    "1.2.840.10008.1.2.4.101": "MPEG2 Main Profile / High Level",
    "1.2.840.10008.1.2.4.102": "MPEG-4 AVC/H.264 High Profile / Level 4.1",
    "1.2.840.10008.1.2.4.103": "MPEG-4 AVC/H.264 BD-compatible High Profile / Level 4.1",
    "1.2.840.10008.1.2.5": "RLE Lossless",
}

# SOP classes, PS3.4.
VERIFICATION = "1.2.840.10008.1.1"
KEY_OBJECT_SELECTION_STORAGE = "1.2.840.10008.5.1.4.1.1.88.59"


class QueryModel(NamedTuple):
    """A Query/Retrieve information model and its SOP classes (PS3.4 C.6)."""

    name: str
    find: str
    move: str
    get: str
    levels: tuple[str, ...]


QUERY_MODELS = {
    "STUDY": QueryModel(
        "Study Root",
        "1.2.840.10008.5.1.4.1.2.2.1",
        "1.2.840.10008.5.1.4.1.2.2.2",
        "1.2.840.10008.5.1.4.1.2.2.3",
        ("STUDY", "SERIES", "IMAGE"),
    ),
    "PATIENT": QueryModel(
        "Patient Root",
        "1.2.840.10008.5.1.4.1.2.1.1",
        "1.2.840.10008.5.1.4.1.2.1.2",
        "1.2.840.10008.5.1.4.1.2.1.3",
        ("PATIENT", "STUDY", "SERIES", "IMAGE"),
    ),
}

SOP_CLASS_MODALITY = {
    "1.2.840.10008.5.1.4.1.1.1": "CR",
    "1.2.840.10008.5.1.4.1.1.1.1": "DX",
    "1.2.840.10008.5.1.4.1.1.1.1.1": "DX",
    "1.2.840.10008.5.1.4.1.1.1.2": "MG",
    "1.2.840.10008.5.1.4.1.1.1.2.1": "MG",
    "1.2.840.10008.5.1.4.1.1.1.3": "IO",
    "1.2.840.10008.5.1.4.1.1.2": "CT",
    "1.2.840.10008.5.1.4.1.1.2.1": "CT",
    "1.2.840.10008.5.1.4.1.1.2.2": "CT",
    "1.2.840.10008.5.1.4.1.1.3.1": "US",
    "1.2.840.10008.5.1.4.1.1.4": "MR",
    "1.2.840.10008.5.1.4.1.1.4.1": "MR",
    "1.2.840.10008.5.1.4.1.1.4.3": "MR",
    "1.2.840.10008.5.1.4.1.1.4.4": "MR",
    "1.2.840.10008.5.1.4.1.1.6.1": "US",
    "1.2.840.10008.5.1.4.1.1.6.2": "US",
    "1.2.840.10008.5.1.4.1.1.7": "OT",
    "1.2.840.10008.5.1.4.1.1.7.1": "OT",
    "1.2.840.10008.5.1.4.1.1.7.2": "OT",
    "1.2.840.10008.5.1.4.1.1.7.3": "OT",
    "1.2.840.10008.5.1.4.1.1.7.4": "OT",
    "1.2.840.10008.5.1.4.1.1.12.1": "XA",
    "1.2.840.10008.5.1.4.1.1.12.1.1": "XA",
    "1.2.840.10008.5.1.4.1.1.12.2": "RF",
    "1.2.840.10008.5.1.4.1.1.12.2.1": "RF",
    "1.2.840.10008.5.1.4.1.1.13.1.1": "XA",
    "1.2.840.10008.5.1.4.1.1.13.1.2": "DX",
    "1.2.840.10008.5.1.4.1.1.13.1.3": "MG",
    "1.2.840.10008.5.1.4.1.1.20": "NM",
    "1.2.840.10008.5.1.4.1.1.128": "PT",
    "1.2.840.10008.5.1.4.1.1.128.1": "PT",
    "1.2.840.10008.5.1.4.1.1.130": "PT",
}
"""Image storage SOP classes and the modality that acquires them (PS3.3 C.7.3.1.1.1)."""

_OTHER_STORAGE = (
    "1.2.840.10008.5.1.4.1.1.11.1",  # Grayscale Softcopy Presentation State
    "1.2.840.10008.5.1.4.1.1.11.2",  # Color Softcopy Presentation State
    "1.2.840.10008.5.1.4.1.1.66",  # Raw Data
    "1.2.840.10008.5.1.4.1.1.66.4",  # Segmentation
    "1.2.840.10008.5.1.4.1.1.88.11",  # Basic Text SR
    "1.2.840.10008.5.1.4.1.1.88.22",  # Enhanced SR
    "1.2.840.10008.5.1.4.1.1.88.33",  # Comprehensive SR
    "1.2.840.10008.5.1.4.1.1.88.50",  # Mammography CAD SR
    KEY_OBJECT_SELECTION_STORAGE,
    "1.2.840.10008.5.1.4.1.1.88.67",  # X-Ray Radiation Dose SR
    "1.2.840.10008.5.1.4.1.1.88.68",  # Radiopharmaceutical Radiation Dose SR
    "1.2.840.10008.5.1.4.1.1.104.1",  # Encapsulated PDF
    "1.2.840.10008.5.1.4.1.1.104.2",  # Encapsulated CDA
    "1.2.840.10008.5.1.4.1.1.481.1",  # RT Image
    "1.2.840.10008.5.1.4.1.1.481.2",  # RT Dose
    "1.2.840.10008.5.1.4.1.1.481.3",  # RT Structure Set
    "1.2.840.10008.5.1.4.1.1.481.5",  # RT Plan
)

WAVEFORM_SOP_CLASSES = frozenset(
    {
        "1.2.840.10008.5.1.4.1.1.9.1.1",  # 12-lead ECG
        "1.2.840.10008.5.1.4.1.1.9.1.2",  # General ECG
        "1.2.840.10008.5.1.4.1.1.9.1.3",  # Ambulatory ECG
        "1.2.840.10008.5.1.4.1.1.9.2.1",  # Hemodynamic
        "1.2.840.10008.5.1.4.1.1.9.3.1",  # Cardiac Electrophysiology
        "1.2.840.10008.5.1.4.1.1.9.4.1",  # Basic Voice Audio
        "1.2.840.10008.5.1.4.1.1.9.4.2",  # General Audio
        "1.2.840.10008.5.1.4.1.1.9.5.1",  # Arterial Pulse
        "1.2.840.10008.5.1.4.1.1.9.6.1",  # Respiratory
    }
)

STORAGE_SOP_CLASSES = (*SOP_CLASS_MODALITY, *_OTHER_STORAGE, *sorted(WAVEFORM_SOP_CLASSES))
"""What a PACS of the chain stores. The list that the project fixes (annex 1 of the volet "Accès
aux documents de santé en imagerie") is not public: these are the classes of PS3.4 B.5 that
imaging departments produce."""

# Key object selection, PS3.16 CID 7010 and TID 2010.
DCM = "DCM"
MANIFEST = CodedTerm("113030", DCM, "Manifest")
MANIFEST_TITLES = frozenset({MANIFEST.value, "113031"})
"""Manifest and Signed Manifest: key objects that point at no image in particular."""
OF_INTEREST = CodedTerm("113000", DCM, "Of Interest")
KEY_OBJECT_DESCRIPTION = CodedTerm("113012", DCM, "Key Object Description")
KEY_OBJECT_TEMPLATE = ("DCMR", "2010")
"""Mapping Resource and Template Identifier of Key Object Selection."""

REJECTION_TITLES = {
    "113001": CodedTerm("113001", DCM, "Rejected for Quality Reasons"),
    "113037": CodedTerm("113037", DCM, "Rejected for Patient Safety Reasons"),
    "113038": CodedTerm("113038", DCM, "Incorrect Modality Worklist Entry"),
    "113039": CodedTerm("113039", DCM, "Data Retention Policy Expired"),
}
"""IOCM rejection notes, PS3.16 CID 7031; used by IHE RAD-66."""

DOCUMENT_TITLES = {
    OF_INTEREST.value: OF_INTEREST,
    MANIFEST.value: MANIFEST,
    "113013": CodedTerm("113013", DCM, "Best In Set"),
    "113031": CodedTerm("113031", DCM, "Signed Manifest"),
    **REJECTION_TITLES,
}

MODALITIES = {
    "CR": "Computed Radiography",
    "CT": "Computed Tomography",
    "DX": "Digital Radiography",
    "ECG": "Electrocardiography",
    "IO": "Intra-Oral Radiography",
    "KO": "Key Object Selection",
    "MG": "Mammography",
    "MR": "Magnetic Resonance",
    "NM": "Nuclear Medicine",
    "OT": "Other",
    "PR": "Presentation State",
    "PT": "Positron Emission Tomography",
    "PX": "Panoramic X-Ray",
    "RF": "Radio Fluoroscopy",
    "RTIMAGE": "Radiotherapy Image",
    "SEG": "Segmentation",
    "SR": "SR Document",
    "US": "Ultrasound",
    "XA": "X-Ray Angiography",
}
"""Defined terms of Modality (0008,0060), PS3.3 C.7.3.1.1.1, those met in imaging departments."""


def value_type_of(sop_class: str) -> str:
    """The content item value type that may reference an instance of `sop_class`.

    `IMAGE`, `WAVEFORM`, or `COMPOSITE` for everything else. Source: PS3.3 C.18.3 to C.18.5.
    """
    if sop_class in SOP_CLASS_MODALITY:
        return "IMAGE"
    if sop_class in WAVEFORM_SOP_CLASSES:
        return "WAVEFORM"
    return "COMPOSITE"
