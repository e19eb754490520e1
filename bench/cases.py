"""What the bench mints for one scenario, fresh at every run, from seed and scenario id.

A Case holds identifiers only. What a report says with them is the RIS's affair, what the DMP does
with the patient is the DMP's.
"""

from __future__ import annotations

import hashlib
import random
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Final

from simulators.ris.people import nir_key
from spec.oids import INS_NIR_TEST

__all__ = ["PURPOSE", "Case", "CasePatient", "mint", "mint_other"]

PURPOSE: Final = "usage des images"
"""What the images of the scenario are asked for: `export` (said by nobody), `export-lossy`,
`viewing`, `viewing-and-export`."""

_SHOWN_APART = ("le matricule INS", "l'IPP")
_FAMILIES = (
    "ALBAREDE", "BOISVERT", "CASTELNAU", "DELORME", "ESTRADE", "FONTANEL", "GARRIGUE", "HAUTERIVE",
    "JOSSELIN", "KERVADEC", "LAVERGNE", "MONTFORT", "NAVARRE", "ORSINI", "PEYRAC", "QUERCY",
    "ROQUEFORT", "SAUVETERRE", "TOURNEMIRE", "VALMONT",
)  # fmt: skip
_GIVENS = {
    "F": ("ADELE", "BLANCHE", "CELESTE", "DELPHINE", "ELOISE", "FLORE", "GARANCE", "HERMINE"),
    "M": ("ACHILLE", "BASILE", "CYPRIEN", "DESIRE", "EDMOND", "FELICIEN", "GASPARD", "HONORE"),
}
_BIRTHPLACES = (("51215", "DOMMARTIN"), ("63220", "MAZOIRES"), ("75056", "PARIS"))


@dataclass(frozen=True, slots=True, kw_only=True)
class CasePatient:
    """A fictional patient with a test INS whose control key is right."""

    ins: str
    """Matricule, 15 characters: 13 of the number and 2 of the key."""
    ins_oid: str
    ipp: str
    family: str
    given: str
    givens: str
    sex: str
    birth_date: date
    birthplace_code: str
    birthplace_city: str


@dataclass(slots=True)
class Case:
    """The identifiers of one scenario. The counters make further ones, always the same."""

    scenario: str
    seed: int
    patient: CasePatient
    root: str
    """OID under which this case mints its UIDs (2.25, from a hash: no registry is involved)."""
    random: random.Random
    started: datetime
    identifiers: dict[str, str] = field(default_factory=dict)
    """Name in French -> value: what attribution searches and what reports show."""
    facts: dict[str, str] = field(default_factory=dict)
    """Name in French -> what else reports show and judges know of the scenario: `PURPOSE`."""

    def uid(self, purpose: str) -> str:
        """A DICOM UID or OID for that purpose; the same purpose gives the same UID."""
        digest = hashlib.sha256(f"{self.root}|{purpose}".encode()).digest()
        uid = f"2.25.{int.from_bytes(digest[:16])}"
        self.identifiers[purpose] = uid
        return uid

    def number(self, purpose: str, prefix: str) -> str:
        """A short business number (accession, order...) of at most 16 characters (DICOM SH)."""
        digest = hashlib.sha256(f"{self.root}|{purpose}".encode()).hexdigest().upper()
        number = f"{prefix}{digest[: 16 - len(prefix)]}"
        self.identifiers[purpose] = number
        return number

    def public(self) -> dict[str, str]:
        """What a report may show."""
        return {
            "patient": f"{self.patient.family} {self.patient.given}",
            "matricule INS": self.patient.ins,
            "OID de l'INS": self.patient.ins_oid,
            "IPP": self.patient.ipp,
            **{k: v for k, v in self.identifiers.items() if k not in _SHOWN_APART},
            **self.facts,
        }


def mint(scenario: str, seed: int, *, now: datetime | None = None) -> Case:
    """The Case of a scenario: the same seed and scenario give the same identifiers."""
    root = hashlib.sha256(f"{seed}|{scenario}".encode()).hexdigest()
    source = random.Random(root)
    patient = _patient(source)
    case = Case(
        scenario=scenario,
        seed=seed,
        patient=patient,
        root=root,
        random=source,
        started=now or datetime.now(UTC),
    )
    case.identifiers["le matricule INS"] = patient.ins
    case.identifiers["l'IPP"] = patient.ipp
    return case


def mint_other(than: Case) -> Case:
    """A further Case of the same scenario, whose patient has neither name of the first.

    Fictional names come from short lists, and who looks at a page tells patients by them.
    """
    first = than.patient
    for rank in count():
        other = mint(f"{than.scenario}|sentinelle{rank or ''}", than.seed)
        if other.patient.family != first.family and other.patient.given != first.given:
            return other
    raise AssertionError


def _patient(source: random.Random) -> CasePatient:
    sex = source.choice("FM")
    born = date(1935, 1, 1) + timedelta(days=source.randrange(70 * 365))
    code, city = source.choice(_BIRTHPLACES)
    given = source.choice(_GIVENS[sex])
    number = f"{'2' if sex == 'F' else '1'}{born:%y%m}{code}{source.randrange(1, 1000):03d}"
    return CasePatient(
        ins=number + nir_key(number),
        ins_oid=INS_NIR_TEST,
        ipp=f"IPP{source.randrange(10**9):09d}",
        family=f"KIT-{source.choice(_FAMILIES)}",
        given=given,
        givens=f"{given} {source.choice(_GIVENS[sex])}",
        sex=sex,
        birth_date=born,
        birthplace_code=code,
        birthplace_city=city,
    )
