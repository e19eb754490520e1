"""The requirements that the bench verifies, as data (`requirements.toml` beside this file)."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from importlib import resources

from spec.grade import Grade

__all__ = ["CATALOGUE", "Requirement", "is_requirement"]

_SOURCE = "REM DRIM-M, exports Squash publics d'ANS, 2022-11 à 2023-10"


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """One requirement."""

    id: str
    actor: str
    """`source`, `consumer` or `both`."""
    level: str
    """`DOIT` or `PEUT`."""
    text: str
    """Our own French paraphrase, never the official wording."""
    grade: Grade
    source: str
    profile: str
    """`general`, `proxy` or `native`."""


def _load() -> dict[str, Requirement]:
    data = resources.files("spec").joinpath("requirements.toml").read_text(encoding="utf-8")
    return {
        id: Requirement(
            id=id,
            actor=row["actor"],
            level=row["level"],
            text=row["text"],
            grade=Grade(row.get("grade", Grade.DRAFT)),
            source=row.get("source", _SOURCE if not id.startswith("KIT-") else "drimbench"),
            profile=row.get("profile", "general"),
        )
        for id, row in tomllib.loads(data)["requirements"].items()
    }


CATALOGUE = _load()
"""By id, verbatim."""


def is_requirement(tag: str) -> bool:
    """Whether a tag (without its at sign) is a requirement of the catalogue."""
    return tag in CATALOGUE
