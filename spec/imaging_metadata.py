"""Codes of the XDS metadata of a KOS and of its lot signature: value sets and code systems.

Sources: ANS value sets (JDV of TestContenuCDA-3-0, NOS), grade `standard` for codes;
DRIM-M_DATA metadata samples for what a KOS uses of them, grade `sample`.
"""

from __future__ import annotations

__all__ = [
    "AUTHOR_SPECIALTY_DEVICE",
    "CCAM",
    "CONFIDENTIALITY_SYSTEM",
    "CONTENT_TYPE_SYSTEM",
    "FACILITY_SYSTEM",
    "MODALITIES",
    "MODALITY_SYSTEMS",
    "NORMAL",
    "PLACEHOLDER_AUTHORITY",
    "PRACTICE_SETTINGS",
    "PRACTICE_SYSTEM",
    "REFERENCE_TYPES_DMP",
    "REGIONS",
    "REGION_SYSTEMS",
    "SIGNATURE_EVENT",
    "SIGNATURE_TYPE",
    "SOURCE_PATIENT_FIELDS",
]

NORMAL = "N"
CONFIDENTIALITY_SYSTEM = "2.16.840.1.113883.5.25"
CONTENT_TYPE_SYSTEM = "1.2.250.1.213.2.2"
"""TRE_R209."""
FACILITY_SYSTEM = "1.2.250.1.71.4.2.4"
"""TRE_R02; codes SA01 to SA69 with gaps (JDV_J61)."""
PRACTICE_SYSTEM = "1.2.250.1.213.1.1.4.9"
"""TRE_A01."""
PRACTICE_SETTINGS = (
    "AMBULATOIRE",
    "AMO",
    "DEPISTAGE",
    "ESSMS",
    "ETABLISSEMENT",
    "HAD",
    "MAD",
    "PALLIATIF",
    "SAD",
    "SAMU_SMUR",
)
"""JDV_J62, the codes of TRE_A01."""

_JDV_MODALITIES = (
    "AR BDUS BI BMD CR CT DG DMS DX ECG EEG EMG EOG EPS ES GM HD IO IVOCT IVUS KER LEN LS MG MR "
    "NM OAM OCT OP OPM OPT OPTBSV OPTENF OPV OSS POS PT PX RESP RF RG RTIMAGE SM SRF TG US VA XA "
    "XC"
)
MODALITIES = frozenset(_JDV_MODALITIES.split())
"""JDV_ModaliteAcquisition_CISIS: `KO`, `SR` and `PR` are not in it."""
MODALITY_SYSTEMS = ("1.2.250.1.213.1.1.5.618", "1.2.840.10008.2.16.4")
"""The value set, as samples write it, and the code system (DCM)."""

REGIONS = {
    "63337009": "abdomen et pelvis",
    "38266002": "corps entier",
    "53120007": "membre supérieur",
    "61685007": "membre inférieur",
    "67734004": "thorax",
    "774007": "tête et cou",
    "113257007": "système cardiovasculaire",
    "80891009": "cœur",
    "76752008": "sein",
    "737561001": "rachis",
}
"""JDV_RegionAnatomique_CISIS (SNOMED CT)."""
REGION_SYSTEMS = ("1.2.250.1.213.1.1.5.695", "2.16.840.1.113883.6.96")
"""The value set and the code system (SNOMED CT)."""
CCAM = "1.2.250.1.213.2.5"
"""What one sample writes as the system of a SNOMED code."""

REFERENCE_TYPES_DMP = (
    "urn:ihe:iti:xds:2013:accession",
    "urn:ihe:iti:xds:2013:order",
    "urn:ihe:iti:xds:2016:studyInstanceUID",
)
"""JDV_J231_XdsTypesIdentifiantsReferenceId_DMP."""
PLACEHOLDER_AUTHORITY = "1.2.3.4.5.6"
"""Authority that samples give to a study UID, which has none (grade `sample`)."""

SOURCE_PATIENT_FIELDS = tuple(
    f"PID-{number}" for number in (3, 5, 7, 8, 11, 13, 14, 15, 16, 18, 21)
)
"""Allowed in sourcePatientInfo (IG-FHIR-PDSM4DMP-EEDS, SourcePatientInfo)."""
AUTHOR_SPECIALTY_DEVICE = "DISPOSITIF"
"""The only authorSpecialty of a KOS's author (IG-FHIR-PDSM4DMP-EEDS, AuthorDocumentEntry)."""

SIGNATURE_TYPE = ("E1762", "ASTM")
SIGNATURE_EVENT = ("1.2.840.10065.1.12.1.14", "1.2.840.10065.1.12")
"""Purpose "Source" (ASTM E1762)."""
