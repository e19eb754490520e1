"""The requirements as data (`catalogue/*.toml` beside this file): 249 ids, and the bench's own,
the rows of the security catalogue (`spec.security`) among them.

Ids are verbatim and never change. Texts are our own French paraphrase, never the official wording;
a vendor who holds the official REM puts its wording in place (`spec.official`). `resolve` finds a
requirement under any spelling that the public drafts use.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from importlib import resources
from typing import Any

from spec.grade import Grade
from spec.security import ROWS, Judged, Row, Severity

__all__ = [
    "CATALOGUE",
    "Proof",
    "Requirement",
    "Status",
    "Verification",
    "counted",
    "is_requirement",
    "resolve",
]

_SOURCE = "REM DRIM-M, exports Squash publics d'ANS, 2022-11 à 2023-10"
_OWN = "KIT-"


class Verification(StrEnum):
    """How the bench verifies a requirement."""

    AUTOMATIC = "automatic"
    """By a scenario or a rule, at each campaign."""
    REVIEW = "review"
    """By a person, on evidence that the bench or the vendor captured."""
    ATTESTATION = "attestation"
    """By a named and dated statement, which can also say no."""
    NONE = "none"
    """Not verifiable here; the reason says why."""


class Status(StrEnum):
    """What is known of the text today."""

    DRAFT = "draft"
    """Only drafts of 2022-2023 are public."""
    CONFIRMED = "en-vigueur"
    """A current ANS answer or data set names it, or the official text was imported."""
    OBSOLETE = "obsolete"
    NOT_PUBLIC = "texte-non-public"
    NOT_APPLICABLE = "sans-objet"
    OWN = "kit"
    """A need of the bench itself, no official id."""


@dataclass(frozen=True, slots=True)
class Proof:
    """One proof that a conformity scenario asks for."""

    id: str
    kind: str
    """In French words: `journal`, `capture`, `vidéo`, `mesure`, `attestation`..."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """One requirement."""

    id: str
    actor: str
    """`source`, `consumer`, `both`, or the neighbour that it binds (`ris`, `dpi`, `lgc`...)."""
    level: str
    """`DOIT` or `PEUT`."""
    text: str
    """Our own French paraphrase, or the official wording when `official`."""
    verification: Verification
    reason: str = ""
    """Why it is not verified automatically; "" when it is."""
    profile: str = "general"
    """`general`, `proxy`, `native`, or a profile of the socle (`hébergement`, `iam`...)."""
    condition: str = ""
    """When it applies, "" for always."""
    steps: tuple[str, ...] = ()
    """Conformity scenario steps that cite it: those of the drafts unless `official`."""
    proofs: tuple[Proof, ...] = ()
    status: Status = Status.DRAFT
    grade: Grade = Grade.DRAFT
    source: str = _SOURCE
    override: str = ""
    """What a current ANS answer says instead of, or on top of, the text."""
    override_source: str = ""
    note: str = ""
    """A contradiction between sources, or a doubt."""
    formerly: tuple[str, ...] = ()
    """Ids that earlier drafts gave to the same demand."""
    official: bool = False
    """Whether wording and level come from a REM that the user imported."""

    @property
    def family(self) -> str:
        """The section of the REM, as the exports spell it: `DB/SO`, `DB/VI-CS`, `SSI/GEN`."""
        stem = re.sub(r"(?:[._]\d+)+$|(?<=^C)\d+$", "", self.id)
        return re.sub(r"^DB\.", "DB/", stem).replace("_", "-")

    @property
    def own(self) -> bool:
        """Whether it is the bench's own need, outside the official count."""
        return self.status is Status.OWN


def _requirement(id: str, row: Mapping[str, Any]) -> Requirement:
    return Requirement(
        **{
            **row,
            "id": id,
            "verification": Verification(row["verification"]),
            "status": Status(row.get("status", Status.DRAFT)),
            "grade": Grade(row.get("grade", Grade.DRAFT)),
            "steps": tuple(row.get("steps", ())),
            "proofs": tuple(Proof(proof["id"], proof["kind"]) for proof in row.get("proofs", ())),
            "formerly": tuple(row.get("formerly", ())),
        }
    )


_JUDGED = {
    Judged.AUTOMATIC: Verification.AUTOMATIC,
    Judged.REVIEW: Verification.REVIEW,
    Judged.SKIP: Verification.NONE,
}


def _attack(row: Row) -> Requirement:
    """What a row of the security catalogue asks of a box."""
    return Requirement(
        id=row.requirement_id,
        actor=row.target.value,
        level="PEUT" if row.severity is Severity.LOW else "DOIT",
        text=f"{row.stimulus} {row.expected}",
        verification=_JUDGED[row.judged],
        reason="" if row.judged is Judged.AUTOMATIC else row.manual,
        status=Status.OWN,
        grade=row.grade,
        source="drimbench, catalogue de sécurité (docs/reference/securite.md)",
        formerly=(row.id,),
    )


def _load() -> dict[str, Requirement]:
    found: dict[str, Requirement] = {}
    folder = resources.files("spec").joinpath("catalogue")
    for file in sorted(folder.iterdir(), key=lambda file: file.name):
        for id, row in tomllib.loads(file.read_text(encoding="utf-8")).items():
            if id in found:
                raise ValueError(f"{file.name}: {id} is in the catalogue twice")
            found[id] = _requirement(id, row)
    return found | {one.id: one for one in map(_attack, ROWS.values())}


def _key(text: str) -> str:
    """One form for every spelling: case, `/` `.` `_` `-`, zeros in front, `DB.` before `DMP/`."""
    plain = re.sub(r"[/._-]+", ".", text.strip().removeprefix("@").casefold())
    plain = re.sub(r"^db\.(?=dmp\.)", "", plain)
    return re.sub(r"(?<![0-9])0+(?=[0-9])", "", plain)


CATALOGUE = _load()
"""By id, verbatim. `spec.official.adopt` replaces entries; nothing else writes here."""

_SPELLINGS = {
    _key(spelling): requirement.id
    for requirement in CATALOGUE.values()
    for spelling in (*requirement.formerly, requirement.id)
}


def is_requirement(tag: str) -> bool:
    """Whether a tag (without its at sign) is a requirement of the catalogue, spelt verbatim."""
    return tag in CATALOGUE


def resolve(text: str) -> Requirement | None:
    """The requirement that any known spelling names: `DB/SO.12`, `@DB.SO.12`, `DB.VI-SO.07`."""
    id = _SPELLINGS.get(_key(text))
    return None if id is None else CATALOGUE[id]


def counted() -> tuple[Requirement, ...]:
    """The requirements of the official numbering, without the bench's own."""
    return tuple(requirement for requirement in CATALOGUE.values() if not requirement.own)
