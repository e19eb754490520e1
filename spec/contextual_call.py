"""Names and values of the contextual call, by which a RIS or DPI opens a Consumer on a patient.

The normative table (DRIMbox project specification 4.6.1, "Tableau 2") is not public. Names as two
ANS programs read them: TestServer-AppelContextuel (2024-12) and the demonstrator (2024-07), grade
`demonstrator`. What an identity is made of: FAQ of ANS, grade `faq`. Path: draft requirement
DB.CO.48, grade `draft`.
"""

from __future__ import annotations

__all__ = [
    "COMMON",
    "CONSENT",
    "CONSENT_VALUES",
    "FORMER_NAMES",
    "MEDIA_TYPES",
    "OPPOSITION",
    "PATH",
    "SEARCH",
    "SEXES",
    "SITUATION",
]

PATH = "/drim"
"""How the locally allocated address ends."""
MEDIA_TYPES = ("application/x-www-form-urlencoded",)
"""The two programs take any Content-Type; the body is a form."""

COMMON = (
    "Patient.identifier.value",
    "Patient.identifier.system",
    "Patient.name.family",
    "Patient.name.given",
    "Patient.gender",
    "Patient.birthDate",
    "Address.district",
    "PatientID",
    "PatientIDIssuer",
)
"""Mandatory in both sets."""
CONSENT = "InformationEtConsentement"
"""Mandatory in the set of 2024-12; unknown to that of 2024-07."""
OPPOSITION = "InformationEtOppositionConsultation"
"""Mandatory in the set of 2024-07; removed from that of 2024-12."""
SITUATION = "Situation"
"""Optional in both: the professional's exercise situation."""
SEARCH = (
    "StudyInstanceUID",
    "Modality",
    "AccessionNumber",
    "AccessionNumberIssuer",
    "StudyDate",
    "AnatomicRegion",
)
"""Optional in 2024-07, removed from 2024-12."""
FORMER_NAMES = frozenset(
    {
        "ins",
        "insAuthority",
        "lastName",
        "firstName",
        "sex",
        "birthDate",
        "birthPlace",
        "consent",
        "patientID",
        "patientIDIssuer",
    }
)
"""Names of 2023-08, no longer read by anything."""

CONSENT_VALUES = ("oui", "non", "inconnu")
"""No public text gives the values; requirements speak of yes, no and unknown (grade `inferred`)."""
SEXES = ("M", "F", "U", "male", "female", "other", "unknown")
"""Values of HL7 v2 and of FHIR: no public text says which (grade `inferred`)."""
