"""One change of one field of a good artefact, and where it was made."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["ABSENT", "DOUBLED", "EMPTY", "OTHER", "Alteration"]

ABSENT, EMPTY, OTHER, DOUBLED = "retiré", "vidé", "changé", "doublé"


@dataclass(frozen=True, slots=True)
class Alteration:
    """The altered artefact. `place` names the field, in the artefact's way; `change` says how."""

    place: str
    change: str
    data: bytes

    @property
    def name(self) -> str:
        """As the list of survivors writes it."""
        return f"{self.place} {self.change}"
