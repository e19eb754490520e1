"""What Pro Santé Connect writes in its tokens and answers: members, forms and code systems.

Sources, grade `sample`: ANS proofs of concept (PSC-POC: `psc-data.json` schema, tokens of 2021 and
2023, userinfo fixtures) and the PSC documentation page "L'introspection".
"""

from __future__ import annotations

from spec.grade import Grade, Reference

__all__ = [
    "ACTIVITY_MEMBERS",
    "AUTH_MODES",
    "INTROSPECTION_OPTIONAL",
    "INTROSPECTION_REQUIRED",
    "POC_SCHEMA",
    "POC_TOKEN",
    "PRACTICE_MEMBERS",
    "PROFESSION_OID",
    "SECTOR_OID",
    "TOKEN_TYPES",
    "USERINFO_OPTIONAL",
    "USERINFO_REQUIRED",
]

POC_SCHEMA = Reference("PSC-POC (ANS)", "psc-data.json", Grade.SAMPLE)
POC_TOKEN = Reference("PSC-POC (ANS)", "jetons du bac à sable, 2021 et 2023", Grade.SAMPLE)

TOKEN_TYPES = ("Bearer", "Refresh", "ID")
"""Claim `typ`."""

AUTH_MODES = ("CARD", "MOBILE")
"""Claim `authMode`; `MOBILE` by analogy with the CIBA channel (grade: inferred)."""

INTROSPECTION_REQUIRED = (
    "exp",
    "iat",
    "auth_time",
    "jti",
    "iss",
    "sub",
    "typ",
    "azp",
    "nonce",
    "session_state",
    "preferred_username",
    "acr",
    "scope",
    "client_id",
    "username",
    "active",
)
INTROSPECTION_OPTIONAL = ("sid", "authMode", "otherIds", "SubjectNameID", "email_verified")
"""The schema refuses every other member."""

USERINFO_REQUIRED = (
    "Secteur_Activite",
    "sub",
    "SubjectOrganization",
    "Mode_Acces_Raison",
    "preferred_username",
    "given_name",
    "Acces_Regulation_Medicale",
    "UITVersion",
    "Palier_Authentification",
    "SubjectRefPro",
    "SubjectRole",
    "PSI_Locale",
    "otherIds",
    "SubjectNameID",
    "family_name",
)
USERINFO_OPTIONAL = (
    "email_verified",
    "SubjectOrganizationID",
    "authMode",
    "codeCivilite",
    "codeGenreActivite",
)

PRACTICE_MEMBERS = (
    "codeProfession",
    "codeCategorieProfessionnelle",
    "codeCiviliteDexercice",
    "nomDexercice",
    "prenomDexercice",
    "codeTypeSavoirFaire",
    "codeSavoirFaire",
    "activities",
)
"""Members of each `SubjectRefPro.exercices`."""

ACTIVITY_MEMBERS = (
    "codeModeExercice",
    "codeSecteurDactivite",
    "codeRole",
    "numeroSiretSite",
    "numeroSirenSite",
    "numeroFinessSite",
    "numeroFinessetablissementJuridique",
    "identifiantTechniqueDeLaStructure",
    "raisonSocialeSite",
    "ancienIdentifiantDeLaStructure",
    "autoriteDenregistrement",
)
"""Members of each activity that a DRIMbox reads; addresses and telephones are left out."""

PROFESSION_OID = "1.2.250.1.213.1.1.5.5"
"""After the code of `SubjectRole`."""
SECTOR_OID = "1.2.250.1.71.4.2.4"
"""After the code of `Secteur_Activite`."""
