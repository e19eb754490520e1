"""The professionals whom this PSC knows, and what userinfo says of each.

Shape of the answer: ANS proofs of concept (PSC-POC `psc-data.json` schema and fixtures), grade
sample. The people and structures are ours; identifiers begin with 8997 like every test RPPS.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

__all__ = ["TEST_PROFESSIONALS", "Activity", "Practice", "Professional", "userinfo"]

_PROFESSION_OID = "1.2.250.1.213.1.1.5.5"
"""OID written after `SubjectRole` codes (PSC-POC fixtures, grade sample)."""
_SECTOR_OID = "1.2.250.1.71.4.2.4"
"""OID written after `Secteur_Activite` codes (PSC-POC fixtures, grade sample)."""
_LEVEL = "APPPRIP3^1.2.250.1.213.1.5.1.1.1"
"""`Palier_Authentification` of a card or e-CPS (PSC-POC fixtures, grade sample)."""
_LOCAL_PSI = "1.2.250.1.213.1.3.1.1"
"""`PSI_Locale` (PSC-POC fixtures, grade sample)."""

_EMPTY_ACTIVITY = dict.fromkeys(
    (
        "codeSectionPharmacien",
        "numeroSiretSite",
        "numeroSirenSite",
        "enseigneCommercialeSite",
        "complementDestinataire",
        "complementPointGeographique",
        "numeroVoie",
        "indiceRepetitionVoie",
        "codeTypeDeVoie",
        "libelleVoie",
        "mentionDistribution",
        "bureauCedex",
        "codePostal",
        "codeCommune",
        "codePays",
        "telephone",
        "telephone2",
        "telecopie",
        "adresseEMail",
        "codeDepartement",
    ),
    "",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Activity:
    """One exercise situation: a structure and how the professional works there.

    `structure` is the national id of the structure (`1` + FINESS, `3` + SIRET...), `technical_id`
    the directory's own (`F` + FINESS, `R` + number). `sector`: TRE_R02 (SA01 public hospital, SA07
    private practice). `mode`: S salaried, L self-employed. `role`: TRE_R21, may be empty.
    """

    structure: str
    technical_id: str
    name: str
    sector: str = "SA01"
    mode: str = "S"
    kind: str = "GENR01"
    role: str = ""
    finess: str = ""
    legal_finess: str = ""
    authority: str = "ARS/ARS/ARS"


@dataclass(frozen=True, slots=True, kw_only=True)
class Practice:
    """One profession (TRE_G15: 10 physician, 21 pharmacist...) and the activities in it."""

    profession: str
    activities: tuple[Activity, ...]
    category: str = "C"
    title: str = ""
    skill_type: str = ""
    skill: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Professional:
    """A person who can log in. `id` is the national identifier: 8 + RPPS."""

    id: str
    family: str
    given: str
    practices: tuple[Practice, ...]
    civility: str = "M"
    auth_mode: str = "CARD"
    origin: str = "RPPS"

    @property
    def display(self) -> str:
        """Name as the login page shows it."""
        return f"{self.given} {self.family}"

    @property
    def other_ids(self) -> list[dict[str, Any]]:
        """The claim `otherIds` of tokens and userinfo."""
        return [{"identifiant": self.id, "origine": self.origin, "qualite": 1}]


_HOSPITAL = Activity(
    structure="10B9900015",
    technical_id="F0B9900015",
    name="CENTRE HOSPITALIER KIT",
    finess="0B9900015",
    legal_finess="1B9900014",
)
_CLINIC = Activity(
    structure="10B9900023",
    technical_id="F0B9900023",
    name="CLINIQUE KIT DES IMAGES",
    sector="SA04",
    finess="0B9900023",
    legal_finess="1B9900022",
)
_PRACTICE = Activity(
    structure="499700990024001",
    technical_id="R99001",
    name="CABINET DR KITGENERALISTE",
    sector="SA07",
    mode="L",
    authority="CNOM/CNOM/CNOM",
)
_PHARMACY = Activity(
    structure="20B9900031",
    technical_id="F0B9900031",
    name="PHARMACIE KIT",
    sector="SA33",
    mode="L",
    finess="0B9900031",
    authority="CNOP/CNOP/CNOP",
)

TEST_PROFESSIONALS: tuple[Professional, ...] = (
    Professional(
        id="899700990016",
        family="KITRADIOLOGUE",
        given="RADIA",
        civility="MME",
        practices=(
            Practice(
                profession="10",
                title="DR",
                skill_type="S",
                skill="SM44",
                activities=(_HOSPITAL,),
            ),
        ),
    ),
    Professional(
        id="899700990032",
        family="KITDEUXSITES",
        given="MARC",
        practices=(
            Practice(
                profession="10",
                title="DR",
                skill_type="S",
                skill="SM44",
                activities=(_HOSPITAL, _CLINIC),
            ),
        ),
    ),
    Professional(
        id="899700990024",
        family="KITGENERALISTE",
        given="GABRIEL",
        practices=(
            Practice(
                profession="10",
                title="DR",
                skill_type="S",
                skill="SM26",
                activities=(_PRACTICE,),
            ),
        ),
    ),
    Professional(
        id="899700990040",
        family="KITPHARMACIENNE",
        given="PAULE",
        civility="MME",
        practices=(Practice(profession="21", activities=(_PHARMACY,)),),
    ),
)
"""A radiologist, one with two exercise situations, a general practitioner, and a pharmacist: a
profession that a Source has no reason to serve images to."""


def userinfo(professional: Professional, sub: str) -> dict[str, Any]:
    """What userinfo answers about a professional known to the caller as `sub`.

    Top-level members describe the first activity only, as PSC's do; `SubjectRefPro` has them all.
    """
    practice = professional.practices[0]
    activity = practice.activities[0]
    return {
        "sub": sub,
        "SubjectNameID": professional.id,
        "preferred_username": professional.id,
        "given_name": professional.given,
        "family_name": professional.family,
        "email_verified": False,
        "SubjectRole": [f"{each.profession}^{_PROFESSION_OID}" for each in professional.practices],
        "SubjectOrganization": activity.name,
        "SubjectOrganizationID": activity.technical_id,
        "Secteur_Activite": f"{activity.sector}^{_SECTOR_OID}",
        "Mode_Acces_Raison": "",
        "Acces_Regulation_Medicale": "FAUX",
        "UITVersion": "1.0",
        "Palier_Authentification": _LEVEL,
        "PSI_Locale": _LOCAL_PSI,
        "authMode": professional.auth_mode,
        "codeCivilite": professional.civility,
        "codeGenreActivite": "",
        "otherIds": professional.other_ids,
        "SubjectRefPro": {
            "codeCivilite": professional.civility,
            "exercices": [_practice(professional, each) for each in professional.practices],
        },
    }


def _practice(professional: Professional, practice: Practice) -> dict[str, Any]:
    return {
        "codeProfession": practice.profession,
        "codeCategorieProfessionnelle": practice.category,
        "codeCiviliteDexercice": practice.title,
        "nomDexercice": professional.family,
        "prenomDexercice": professional.given,
        "codeTypeSavoirFaire": practice.skill_type,
        "codeSavoirFaire": practice.skill,
        "activities": [_activity(each) for each in practice.activities],
    }


def _activity(activity: Activity) -> dict[str, str]:
    return {
        **_EMPTY_ACTIVITY,
        "codeModeExercice": activity.mode,
        "codeSecteurDactivite": activity.sector,
        "codeRole": activity.role,
        "codeGenreActivite": activity.kind,
        "numeroFinessSite": activity.finess,
        "numeroFinessetablissementJuridique": activity.legal_finess,
        "identifiantTechniqueDeLaStructure": activity.technical_id,
        "raisonSocialeSite": activity.name,
        "ancienIdentifiantDeLaStructure": activity.structure,
        "autoriteDenregistrement": activity.authority,
    }
