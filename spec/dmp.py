"""The DMP as seen from outside: services, OIDs, TD0.2 and habilitation codes, KOS codes.

The integration guide SEL-MP-037 is not public. Each line says where its value was read:
[GIE] message examples of the GIE SESAM-Vitale integrator package and its WSDL (grade `sample`),
[P4D] IG-FHIR-PDSM4DMP-EEDS of the ANS (grade `standard` for codes, text otherwise), [DATA]
DRIM-M_DATA sample metadata (grade `sample`), [FI] information sheets PDT-INF-526 and 606 of the
GIE (grade `sample`), [CLIENT] observed by third-party clients of the test server (grade
`demonstrator`).
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

__all__ = [
    "ADMINISTRATIVE_OBSERVATION_ENS",
    "ADMINISTRATIVE_OBSERVATION_INTERNET",
    "API_PREFIX",
    "AUTHORISATION_KEYWORD",
    "AUTHORISATION_VALUES",
    "Authorisation",
    "EXISTENCE_ACTION",
    "EXISTENCE_ANSWER_ACTION",
    "EXISTENCE_REASON",
    "FaultSubcode",
    "HABILITATION_ACTION",
    "HABILITATION_ANSWER_ACTION",
    "HABILITATION_NAMESPACE",
    "HABILITATION_OK",
    "INS_C",
    "INTERACTION_ID",
    "KOS_CLASS_CODE",
    "KOS_FORMAT_CODE",
    "KOS_TYPE_CODE",
    "MASKING_SCHEME",
    "Masking",
    "REPOSITORY_OID",
    "SIGNATURE_CLASS_CODE",
    "SIGNATURE_FORMAT_CODES",
    "SYSTEM_OID",
    "ServicePath",
    "TREATING_PHYSICIAN_KEYWORD",
    "Text",
]


class ServicePath(StrEnum):
    """Paths under `/si-dmp-server/v2/services`, stable over environments [GIE]."""

    PATIENTS = "/si-dmp-server/v2/services/patients"
    HABILITATIONS = "/si-dmp-server/v2/services/habilitations"
    REPOSITORY = "/si-dmp-server/v2/services/repository"
    REGISTRY = "/si-dmp-server/v2/services/registry"


API_PREFIX: Final = "/api-psc"
"""Ours, before the paths above: where the services are reached with an API token. The address of
the DMP's API Pro Santé Connectée is not public. Grade: inferred."""

SYSTEM_OID: Final = "1.2.250.1.213.4.1.1.1"
"""HL7 v3 device id and custodian of the DMP [GIE]."""
REPOSITORY_OID: Final = "1.2.250.1.213.4.1.1.1.2"
"""repositoryUniqueId in the answers [GIE]."""
INS_C: Final = "1.2.250.1.213.1.4.2"
"""Obsolete INS-C domain, still echoed by TD0.2 [GIE]."""

# TD0.2: HL7 v3 Patient Registry Get Demographics [GIE].
EXISTENCE_ACTION: Final = "urn:hl7-org:v3:PRPA_IN201307UV02"
EXISTENCE_ANSWER_ACTION: Final = "urn:hl7-org:v3:PRPA_IN201308UV02"
INTERACTION_ID: Final = "2.16.840.1.113883.1.6"
EXISTENCE_REASON: Final = ("TEST_EXST", "1.2.250.1.213.1.1.4.11", "Test d'existence de dossier")
AUTHORISATION_KEYWORD: Final = ("AUTORISATION", "1.2.250.1.213.4.1.2.6.1")
AUTHORISATION_VALUES: Final = "1.2.250.1.213.4.1.2.6.2"
TREATING_PHYSICIAN_KEYWORD: Final = ("STATUT_MT", "1.2.250.1.213.4.1.2.6.3")
ADMINISTRATIVE_OBSERVATION_INTERNET: Final = ("COMPTE_INTERNET_OUVERT", "1.2.250.1.213.4.1.2.9")
ADMINISTRATIVE_OBSERVATION_ENS: Final = ("RATTACHEMENT_ENS", "1.2.250.1.213.4.1.2.3")


class Authorisation(StrEnum):
    """Status of the professional's authorisation in TD0.2 (enumeration: [CLIENT])."""

    VALID = "VALIDE"
    EXPIRED = "EXPIRE"
    FORBIDDEN = "INTERDIT"
    NONE = "NON_EXISTE"


# TD0.3 [GIE].
HABILITATION_NAMESPACE: Final = "urn:si-dmp-habilitations"
HABILITATION_ACTION: Final = "urn:si-dmp-habilitations:HabilitationsEndPoint:setAuthorization"
HABILITATION_ANSWER_ACTION: Final = f"{HABILITATION_ACTION}Response"
HABILITATION_OK: Final = "DMPOk"

# Codes of a KOS's DocumentEntry [DATA]: (code, codingScheme, display name).
KOS_CLASS_CODE: Final = ("31", "1.2.250.1.213.1.1.4.1", "Imagerie médicale")
KOS_TYPE_CODE: Final = (
    "IMG-KOS",
    "1.2.250.1.213.1.1.4.12",
    "Reference d'objets d'un examen d'imagerie",
)
KOS_FORMAT_CODE: Final = (
    "1.2.840.10008.5.1.4.1.1.88.59",
    "1.2.840.10008.2.6.1",
    "Document de Références d'objets d'imagerie selon profil IHE RAD XDS-I",
)
SIGNATURE_CLASS_CODE: Final = "urn:oid:1.3.6.1.4.1.19376.1.2.1.1.1"
"""classCode that marks the lot signature's entry [GIE]."""
SIGNATURE_FORMAT_CODES: Final = frozenset(
    {"http://www.w3.org/2000/09/xmldsig#", "urn:ihe:iti:dsg:detached:2014"}
)
"""JDV_J60-FormatCode-DMP of the ANS terminology; samples use the first."""

MASKING_SCHEME: Final = "1.2.250.1.213.1.1.4.13"


class Masking(StrEnum):
    """confidentialityCode values of `MASKING_SCHEME` beside `N` [P4D]."""

    PROFESSIONALS = "MASQUE_PS"
    PATIENT = "INVISIBLE_PATIENT"
    LEGAL_REPRESENTATIVES = "INVISIBLE_REPRESENTANTS_LEGAUX"


class FaultSubcode(StrEnum):
    """Subcodes of SOAP faults.

    Only the first is known [CLIENT]; the others are ours and say so (`KIT-`): the real ones are
    in SEL-MP-037.
    """

    INVALID_CERTIFICATE = "DMPInvalidCertificate"
    ADDRESSING = "MessageAddressingHeaderRequired"
    """WS-Addressing 1.0 SOAP Binding section 6.4.2; in the namespace of WS-Addressing."""
    ACTION = "ActionNotSupported"
    """WS-Addressing 1.0 SOAP Binding section 6.4.3; in the namespace of WS-Addressing."""
    VIHF = "KIT-DMPInvalidVIHF"
    SIGNATURE = "KIT-DMPInvalidSignature"
    WINDOW = "KIT-DMPExpiredVIHF"
    STRUCTURE = "KIT-DMPStructure"
    RIGHTS = "KIT-DMPRights"
    PATIENT = "KIT-DMPPatientMismatch"
    REQUEST = "KIT-DMPBadRequest"


class Text(StrEnum):
    """Texts that the DMP was seen answering [CLIENT], quoted because clients search them."""

    ADDRESSING = "A required header representing a Message Addressing Property is not present"
    STRUCTURE_UNKNOWN = (
        "Impossible d'effectuer un test d'existence : Structure introuvable ou Inactive"
    )
    SPECIALTY = "Aucune spécialité dans le vihf. Spécialité obligatoire pour les Médecins"
    LEGAL_PERSON = "[Indirecte] Erreur d'authentification de la personne morale"
    AUTHOR = (
        "Aucun AuthorInstitution ne correspond à l'utilisateur du VIHF [Authentification Indirecte]"
    )
