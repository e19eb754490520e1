"""The socle requirements attached to the REM, as data (`socle.toml` beside this file): what proves
each of them.

Their wording, source, grade and proof ids are those of `spec.requirements.CATALOGUE`.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from enum import StrEnum
from importlib import resources
from typing import Any

from spec.requirements import CATALOGUE, Requirement
from spec.security import ROWS as ATTACKS

__all__ = ["ROWS", "Manner", "Row"]


class Manner(StrEnum):
    """What proves a row."""

    SCENARIO = "scenario"
    """The wire shows it, on any product."""
    VIDEO = "video"
    """A person sees it on the product's screen: a video or a capture is attached."""
    ATTESTATION = "attestation"
    """A named and dated statement is attached."""
    PROCEDURE = "procedure"
    """A dated document of the vendor's is attached."""
    NO_TEXT = "sans-texte"
    """No public text says what is asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One of them."""

    requirement: Requirement
    manner: Manner
    proof: str
    """French: what the scenario looks at, or what the file must show."""
    attacks: tuple[str, ...] = ()
    """Requirements of the security catalogue that cast light on it, without settling it."""

    @property
    def proofs(self) -> tuple[str, ...]:
        """Under which ids a file is attached: those of the drafts, else the requirement itself."""
        return tuple(one.id for one in self.requirement.proofs) or (self.requirement.id,)

    @property
    def played(self) -> frozenset[str]:
        """The requirements whose scenarios `--suite socle` plays for it."""
        return frozenset({self.requirement.id, *self.attacks})


def _row(id: str, row: dict[str, Any]) -> Row:
    return Row(
        requirement=CATALOGUE[id],
        manner=Manner(row["manner"]),
        proof=row["proof"],
        attacks=tuple(ATTACKS[attack].requirement_id for attack in row.get("attacks", ())),
    )


def _load() -> dict[str, Row]:
    data = resources.files("spec").joinpath("socle.toml").read_text(encoding="utf-8")
    return {id: _row(id, row) for id, row in tomllib.loads(data).items()}


ROWS = _load()
"""By requirement id, in the order of the REM."""
