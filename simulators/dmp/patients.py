"""Test patients and what the DMP does for each.

Identities of the DMP conformity environment, as vendors' test data publishes them (grade
`demonstrator`); several matricules encode neither sex nor year, on purpose: derive nothing from
them. Patients without a special behaviour are open, their professionals authorised.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from spec.dmp import Authorisation
from spec.oids import INS_DEMONSTRATION, INS_NIR_TEST
from spec.vihf import ModeAcces

__all__ = ["CONFORMITY_PATIENTS", "DmpState", "Patient"]


class DmpState(StrEnum):
    """Whether there is a DMP, and whether it is in use."""

    OPEN = "open"
    CLOSED = "closed"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Patient:
    """One patient. Birth date is `YYYYMMDD`."""

    matricule: str
    family: str = ""
    given: str = ""
    birth_date: str = ""
    gender: str = ""
    oid: str = INS_NIR_TEST
    state: DmpState = DmpState.OPEN
    authorisation: Authorisation = Authorisation.VALID
    """What a professional has before any TD0.3."""
    refuses: bool = False
    """TD0.3 is refused: the patient does not give the authorisation."""
    opposed_to: frozenset[ModeAcces] = frozenset()
    treating_physician: bool = False
    internet_account: bool = False
    ens: bool = False
    """Attached to Mon espace santé."""


_REGULATION = frozenset({ModeAcces.CENTRE_15})
_EMERGENCY = frozenset({ModeAcces.CENTRE_15, ModeAcces.BRIS_DE_GLACE})


def _person(matricule: str, family: str, given: str, birth: str, gender: str) -> Patient:
    return Patient(matricule=matricule, family=family, given=given, birth_date=birth, gender=gender)


_OPEN = tuple(
    _person(*fields)
    for fields in (
        ("279035121518989", "PAT-TROIS", "DOMINIQUE", "19790328", "F"),
        ("162018885045327", "PAT-SIX", "ALAIN", "19620113", "M"),
        ("274075176079430", "PAT-HUIT", "FRANCOISE", "19740702", "F"),
        ("248039263001064", "PAT-DOUZE", "NATHALIE", "19480321", "F"),
        ("134076322009786", "CURIE", "MARIE", "19340704", "F"),
        ("207058575627097", "PATB-QUATRE", "LAURENCE", "19070525", "F"),
        ("283084121661677", "PATB-UN", "CHRISTIAN", "19830802", "M"),
        ("277076322082910", "NESSI", "RUTH", "19770714", "F"),
        ("157069329642881", "ENCHAINE", "IRENE", "19570628", "F"),
        ("211066322074514", "PATB-TROIS", "SOPHIE", "20110607", "F"),
        ("213102288044517", "URGENCE", "CLARENCE", "20131016", "M"),
        ("235061058692768", "ATTRIBUT", "MONIQUE", "19350607", "F"),
        ("211046322000147", "AIRTRIBUT", "PAULINE", "20110424", "F"),
        ("148115530271002", "DUPRE", "CORINNE", "19481109", "F"),
        ("109016322000249", "MEUHES", "ALI", "20090129", "M"),
        ("287080883795737", "HALL", "ANNIE", "19870820", "F"),
        ("111068647818424", "MELANGE", "SEBASTIEN", "20110619", "M"),
        ("188102B17295165", "CORSE", "FIGATELLIX", "19881012", "M"),
    )
)

_SPECIAL = (
    Patient(
        matricule="270108604926542",
        family="FERMETURE",
        given="FLORENCE",
        birth_date="19701012",
        gender="F",
        state=DmpState.CLOSED,
    ),
    Patient(
        matricule="228111439061774",
        family="PAT-ONZE",
        given="PATRICK",
        birth_date="19281106",
        gender="M",
        state=DmpState.CLOSED,
    ),
    Patient(
        matricule="153078987658513",
        family="CONTESTE",
        given="JEAN",
        birth_date="19530724",
        gender="M",
        state=DmpState.NONE,
    ),
    Patient(
        matricule="265025544371476",
        family="AUTORISEPAS",
        given="HELENE",
        birth_date="19650226",
        gender="F",
        authorisation=Authorisation.NONE,
        refuses=True,
    ),
    Patient(
        matricule="138080427231017",
        family="BLOCH",
        given="DIDER",
        birth_date="19380823",
        gender="M",
        authorisation=Authorisation.FORBIDDEN,
        refuses=True,
    ),
    Patient(
        matricule="241030750595179",
        family="EXPIRE",
        given="ELVIRE",
        birth_date="19410301",
        gender="F",
        authorisation=Authorisation.EXPIRED,
    ),
    Patient(
        matricule="199033022011538",
        family="PAT-VUN-UN",
        given="NEO",
        birth_date="19990331",
        gender="M",
        opposed_to=_REGULATION,
    ),
    Patient(
        matricule="116083022011613",
        family="PAT-VUN-DEUX",
        given="ADAM",
        birth_date="20160823",
        gender="M",
        opposed_to=_EMERGENCY,
    ),
    Patient(
        matricule="148026322000195",
        family="ENS-GRUBER",
        given="HANS",
        birth_date="19480221",
        gender="M",
        internet_account=True,
        ens=True,
    ),
    Patient(
        matricule="255069999999934",
        family="DESMAUX",
        given="NATHALIE",
        birth_date="19550615",
        gender="F",
        oid=INS_DEMONSTRATION,
    ),
)

CONFORMITY_PATIENTS: tuple[Patient, ...] = (*_OPEN, *_SPECIAL)
