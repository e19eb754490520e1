"""Edge cases and known flaws as data: what plays each one, or why nothing does.

Three lists (`edge_cases.toml` beside this file): what vendors asked when they read the draft, what
is dangerous in the public demonstrator, what is wrong in it.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from importlib import resources
from typing import Any

__all__ = ["EDGE_CASES", "EdgeCase", "EdgeCases"]


@dataclass(frozen=True, slots=True, kw_only=True)
class EdgeCase:
    """One of them; it has a scenario, a rule or a reason at least."""

    text: str
    """Our own French paraphrase."""
    scenarios: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    """Of the judges, at every campaign."""
    reason: str = ""
    """Why nothing plays it, or what of it is not played."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EdgeCases:
    """Those of one source."""

    title: str
    source: str
    grade: str
    cases: tuple[EdgeCase, ...]


_ORIGINS = {
    "vendors": (
        "Cas limites que des éditeurs ont soulevés",
        "REM DRIM-M de projet, remarques d'éditeurs, 2022-10 à 2023-01 : aucune réponse officielle",
        "draft",
    ),
    "safety": (
        "Failles graves du démonstrateur public",
        "ansforge/DRIM-M_DRIMbox, 2024-12",
        "demonstrator",
    ),
    "flaws": (
        "Erreurs du démonstrateur public",
        "ansforge/DRIM-M_DRIMbox, 2024-12",
        "demonstrator",
    ),
}


def _case(row: dict[str, Any]) -> EdgeCase:
    return EdgeCase(
        text=row["text"],
        scenarios=tuple(row.get("scenarios", ())),
        rules=tuple(row.get("rules", ())),
        reason=row.get("reason", ""),
    )


def _load() -> tuple[EdgeCases, ...]:
    data = resources.files("spec").joinpath("edge_cases.toml").read_text(encoding="utf-8")
    table = tomllib.loads(data)
    return tuple(
        EdgeCases(
            title=title, source=source, grade=grade, cases=tuple(_case(row) for row in table[name])
        )
        for name, (title, source, grade) in _ORIGINS.items()
    )


EDGE_CASES = _load()
"""In the order of the page."""
