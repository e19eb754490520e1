"""The VIHF: attribute names, modes, codes and URIs that a DMP assertion is made of.

Source, unless said otherwise: GIE SESAM-Vitale DMP message samples and the HL7 France IG that
describes the VIHF (IG-FHIR-PDSM4DMP-EEDS), grade: sample.
"""

from __future__ import annotations

from enum import StrEnum

__all__ = [
    "AUTHN_CONTEXTS",
    "HL7_NAMESPACE",
    "ISSUER_FORMAT",
    "MODE_ACCES_SYSTEM",
    "MODE_ACCES_SYSTEM_NAME",
    "RESSOURCE_URN",
    "SAML_NAMESPACE",
    "VERSIONS",
    "AttributeName",
    "AuthenticationMode",
    "ModeAcces",
]

SAML_NAMESPACE = "urn:oasis:names:tc:SAML:2.0:assertion"
HL7_NAMESPACE = "urn:hl7-org:v3"
"""Of the elements `Role` and `PurposeOfUse` inside an AttributeValue."""

ISSUER_FORMAT = "urn:oasis:names:tc:SAML:1.1:nameid-format:X509SubjectName"
"""The issuer is the subject DN of the signing certificate."""

RESSOURCE_URN = "urn:dmp"

VERSIONS = ("3.0", "4.0")
"""3.0 in every sample; the table of the IG says 4.0 while its own example keeps 3.0."""


class AttributeName(StrEnum):
    """Attribute/@Name, in the order of the ANS demonstrator's assertions (grade: demonstrator)."""

    VIHF_VERSION = "VIHF_Version"
    SECTEUR_ACTIVITE = "Secteur_Activite"
    RESSOURCE_URN = "Ressource_URN"
    SUBJECT_ID = "urn:oasis:names:tc:xspa:1.0:subject:subject-id"
    IDENTIFIANT_STRUCTURE = "Identifiant_Structure"
    LPS_ID = "LPS_ID"
    LPS_NOM = "LPS_Nom"
    LPS_ID_HOMOLOGATION_DMP = "LPS_ID_HOMOLOGATION_DMP"
    LPS_VERSION = "LPS_Version"
    RESOURCE_ID = "urn:oasis:names:tc:xacml:2.0:resource:resource-id"
    AUTHENTIFICATION_MODE = "Authentification_Mode"
    """Some official samples write `Authentification_mode`: match without regard to case."""
    PURPOSE_OF_USE = "urn:oasis:names:tc:xspa:1.0:subject:purposeofuse"
    ROLE = "urn:oasis:names:tc:xacml:2.0:subject:role"
    CONFIDENTIALITY_CODE = "urn:oasis:names:tc:xspa:1.0:resource:patient:hl7:confidentiality-code"


class AuthenticationMode(StrEnum):
    """Values of `Authentification_Mode` (TRE_R218, 1.2.250.1.213.1.1.4.323, plus AIR)."""

    DIRECTE = "DIRECTE"
    INDIRECTE = "INDIRECTE"
    INDIRECTE_RENFORCEE = "INDIRECTE_RENFORCEE"
    """AIR: structure certificates and a strongly authenticated user; feeding is forbidden."""
    DELEGUEE = "DELEGUEE"


class ModeAcces(StrEnum):
    """TRE_R248-ModeAcces, the codes of `PurposeOfUse` (IG-terminologie, grade: standard)."""

    NORMAL = "normal"
    BRIS_DE_GLACE = "bris_de_glace"
    CENTRE_15 = "centre_15"


MODE_ACCES_SYSTEM = "1.2.250.1.213.1.1.4.248"
MODE_ACCES_SYSTEM_NAME = "mode acces VIHF 1.0"
"""Samples also write `mode acces VIHF 2.0`."""

_CLASSES = "urn:oasis:names:tc:SAML:2.0:ac:classes:"

AUTHN_CONTEXTS: dict[str, str] = {
    "SmartcardPKI": _CLASSES + "SmartcardPKI",
    "TLSClient": _CLASSES + "TLSClient",
    "Password": _CLASSES + "Password",
    "unspecified": _CLASSES + "unspecified",
    "MobileTwoFactorUnregistered": _CLASSES + "MobileTwoFactorUnregistered",
}
"""AuthnContextClassRef values seen in circulation, by their short name."""
