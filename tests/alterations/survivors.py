"""What the list of survivors says of an alteration that no judge noticed."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from spec.grade import Grade

__all__ = ["FREE", "MISSED", "STRONG", "Survivors", "load"]

FREE, MISSED = "libre", "manqué"
STRONG = frozenset({Grade.STANDARD, Grade.FAQ, Grade.SAMPLE})
"""The grades that the bar counts."""


@dataclass(frozen=True, slots=True)
class Row:
    """Some survivors and why: `libre` when no text is broken, `manqué` when one is."""

    places: tuple[re.Pattern[str], ...]
    changes: tuple[str, ...]
    verdict: str
    grade: Grade
    reason: str
    text: str

    def covers(self, place: str, change: str) -> bool:
        """Whether this row speaks of an alteration."""
        if self.changes and change not in self.changes:
            return False
        return any(pattern.fullmatch(place) for pattern in self.places)


@dataclass(frozen=True, slots=True)
class Integrity:
    """Rules that fire on any change of some places, but at the exceptions."""

    places: tuple[re.Pattern[str], ...]
    exceptions: tuple[re.Pattern[str], ...]
    rules: frozenset[str]

    def protects(self, place: str) -> bool:
        """Whether what these rules say of that place proves nothing."""
        return any(one.fullmatch(place) for one in self.places) and not any(
            one.fullmatch(place) for one in self.exceptions
        )


@dataclass(frozen=True, slots=True)
class Survivors:
    """The rows of one kind, first match first; and the integrity rules that prove nothing.

    `shared` are the rows of the kinds whose pieces this one carries, looked at last.
    """

    rows: tuple[Row, ...]
    integrity: tuple[Integrity, ...]
    shared: tuple[Row, ...] = ()

    def row(self, place: str, change: str) -> Row | None:
        """The row of an alteration."""
        return next((row for row in (*self.rows, *self.shared) if row.covers(place, change)), None)

    def proves_nothing(self, place: str) -> frozenset[str]:
        """Rules that fire on any change there: a signature, a hash."""
        return frozenset(
            rule for one in self.integrity if one.protects(place) for rule in one.rules
        )


def load(path: Path) -> dict[str, Survivors]:
    """The list by kind. A place is written as it is, `*` standing for anything.

    `like` names the kinds whose rows hold as well.
    """
    document = tomllib.loads(path.read_text(encoding="utf-8"))
    own = {kind: _survivors(table) for kind, table in document.items()}
    return {
        kind: replace(
            survivors,
            shared=tuple(
                row for like in _words(document[kind].get("like", [])) for row in own[like].rows
            ),
        )
        for kind, survivors in own.items()
    }


def _survivors(table: dict[str, Any]) -> Survivors:
    rows = tuple(_row(row) for row in table.get("survivor", []))
    integrity = tuple(
        Integrity(
            tuple(map(_glob, _words(row["places"]))),
            tuple(map(_glob, _words(row.get("except", [])))),
            frozenset(_words(row["rules"])),
        )
        for row in table.get("integrity", [])
    )
    return Survivors(rows, integrity)


def _row(row: dict[str, object]) -> Row:
    verdict = str(row["verdict"])
    if verdict not in (FREE, MISSED):
        raise ValueError(f"verdict {verdict!r}")
    places = tuple(_words(row["places"]))
    return Row(
        places=tuple(_glob(place) for place in places),
        changes=tuple(_words(row.get("changes", []))),
        verdict=verdict,
        grade=Grade(str(row.get("grade", Grade.INFERRED))),
        reason=str(row["reason"]),
        text=" | ".join(places),
    )


def _words(value: object) -> Iterable[str]:
    assert isinstance(value, list)
    return [str(word) for word in value]


def _glob(text: str) -> re.Pattern[str]:
    return re.compile(".*".join(re.escape(piece) for piece in text.split("*")), re.DOTALL)
