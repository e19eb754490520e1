"""The VIHF of a DRIMbox, whatever the mode: who speaks, for which structure, about whom.

Réf.: VIHF attributes, GIE SESAM-Vitale and ANS samples, grade: sample; order of the attributes,
ANS demonstrator, grade: demonstrator.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from lxml import etree

from drimbox_ref.config import Identity
from drimbox_ref.credentials import Credentials
from protocols.dn import dn
from protocols.hl7types import CX, HD
from protocols.saml import Assertion, Attribute, CodedValue, build
from spec.vihf import (
    ISSUER_FORMAT,
    MODE_ACCES_SYSTEM,
    MODE_ACCES_SYSTEM_NAME,
    RESSOURCE_URN,
    AttributeName,
    AuthenticationMode,
    ModeAcces,
)

__all__ = ["PROFESSION_SYSTEM", "SPECIALTY_SYSTEM", "Speaker", "VihfWriter", "professional_roles"]

PROFESSION_SYSTEM = "1.2.250.1.71.1.2.7"
"""G15, professions (JDV_J65)."""
SPECIALTY_SYSTEM = "1.2.250.1.71.4.2.5"
"""R01, physicians' specialties (JDV_J65)."""
_PROFESSIONS = {
    "10": "Médecin",
    "21": "Pharmacien",
    "40": "Chirurgien-Dentiste",
    "50": "Sage-Femme",
}
"""Labels of the professions met in imaging; the code alone matters."""
_PURPOSES = {
    ModeAcces.NORMAL: "Accès normal",
    ModeAcces.BRIS_DE_GLACE: "Accès bris de glace",
    ModeAcces.CENTRE_15: "Accès centre 15",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Speaker:
    """Who is behind one transaction, and how they were authenticated."""

    mode: AuthenticationMode
    name_id: str
    name: str
    """`subject-id`: family name and first name."""
    sector: str
    """`SA08^1.2.250.1.71.4.2.4`."""
    roles: tuple[CodedValue, ...]
    patient: str
    """Matricule INS."""
    patient_oid: str
    authenticated: datetime
    context_class: str
    context_decl: str | None = None
    purpose: ModeAcces = ModeAcces.NORMAL


class VihfWriter:
    """Writes and signs assertions in the name of the box (`LPS_*`)."""

    def __init__(self, identity: Identity, *, version: str, algorithm: str, mode_name: str) -> None:
        self._identity = identity
        self._version = version
        self._hash: Literal["sha1", "sha256"] = "sha1" if algorithm == "rsa-sha1" else "sha256"
        self._mode_name = mode_name

    def write(
        self, speaker: Speaker, credentials: Credentials, *, id: UUID, now: datetime
    ) -> etree._Element:
        """The assertion, signed by the structure's ORG SIGN certificate."""
        certificate = credentials.sign_chain[0]
        return build(
            Assertion(
                id=f"_{id}",
                issue_instant=now,
                issuer=dn(certificate),
                issuer_format=ISSUER_FORMAT,
                name_id=speaker.name_id,
                authn_instant=speaker.authenticated,
                authn_context_class=speaker.context_class,
                authn_context_decl=speaker.context_decl,
                attributes=self._attributes(speaker, credentials.structure),
            ),
            key=credentials.sign_key,
            certificate=certificate,
            algorithm=self._hash,
        )

    def _attributes(self, speaker: Speaker, structure: str) -> tuple[Attribute, ...]:
        patient = CX(speaker.patient, HD(speaker.patient_oid), "NH")
        texts = (
            (AttributeName.VIHF_VERSION, self._version),
            (AttributeName.SECTEUR_ACTIVITE, speaker.sector),
            (AttributeName.RESSOURCE_URN, RESSOURCE_URN),
            (AttributeName.SUBJECT_ID, speaker.name),
            (AttributeName.IDENTIFIANT_STRUCTURE, structure),
            (AttributeName.LPS_ID, self._identity.lps_id),
            (AttributeName.LPS_NOM, self._identity.lps_name),
            (AttributeName.LPS_ID_HOMOLOGATION_DMP, self._identity.lps_homologation),
            (AttributeName.LPS_VERSION, self._identity.lps_version),
            (AttributeName.RESOURCE_ID, str(patient)),
            (self._mode_name, speaker.mode.value),
        )
        purpose = CodedValue(
            "PurposeOfUse",
            speaker.purpose.value,
            MODE_ACCES_SYSTEM,
            MODE_ACCES_SYSTEM_NAME,
            _PURPOSES[speaker.purpose],
        )
        return (
            *(Attribute(str(name), (value,)) for name, value in texts),
            Attribute(AttributeName.PURPOSE_OF_USE.value, (purpose,)),
            Attribute(AttributeName.ROLE.value, speaker.roles),
        )


def professional_roles(
    profession: str, specialty: str, specialty_label: str = ""
) -> tuple[CodedValue, ...]:
    """The role values of a health professional: profession, then know-how when there is one."""
    label = _PROFESSIONS.get(profession, profession)
    first = CodedValue("Role", profession, PROFESSION_SYSTEM, "", label)
    if not specialty:
        return (first,)
    second = CodedValue("Role", specialty, SPECIALTY_SYSTEM, "", specialty_label or specialty)
    return first, second
