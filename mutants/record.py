"""The recorded matrix: what each wrong box last did when it played everything, kept in a file.

Pages quote it, tests hold it against the wrong boxes and scenarios that exist.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from bench.errors import BenchError
from mutants.matrix import Red, Trial

__all__ = ["Record", "RecordError", "Row", "read", "rows"]


class RecordError(BenchError):
    """The file is not a recorded matrix; the text names it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One wrong box, and the scenarios that it played, by what became of them."""

    mutant: str
    role: str
    requirements: tuple[str, ...]
    played: str
    """The day, ISO 8601."""
    commit: str
    """Of the bench that played it."""
    version: str
    """Of the bench."""
    python: str
    ran: tuple[str, ...]
    killed_by: tuple[str, ...]
    """Failed on a requirement that it breaks."""
    consequences: tuple[str, ...]
    """Failed on a requirement that it declares as a consequence."""
    false_alarms: tuple[str, ...]
    """Failed on requirements neither broken nor declared."""
    skipped: tuple[str, ...]
    untold: tuple[str, ...]


_ROWS = TypeAdapter(tuple[Row, ...])


@dataclass(frozen=True, slots=True)
class Record:
    """A whole matrix."""

    rows: tuple[Row, ...]

    @property
    def killed(self) -> int:
        """How many wrong boxes were caught for the right reason."""
        return sum(bool(row.killed_by) for row in self.rows)

    @property
    def failures(self) -> int:
        """How many scenarios failed, over all wrong boxes."""
        return self.right + sum(len(row.false_alarms) for row in self.rows)

    @property
    def right(self) -> int:
        """How many of them on a requirement that is broken, or declared as a consequence."""
        return sum(len(row.killed_by) + len(row.consequences) for row in self.rows)

    @property
    def kill_rate(self) -> float:
        """The part of the wrong boxes that was caught, 0 to 1; 0 without any."""
        return self.killed / len(self.rows) if self.rows else 0.0

    @property
    def precision(self) -> float:
        """The part of the failures that was right, 0 to 1; 0 without any."""
        return self.right / self.failures if self.failures else 0.0

    @property
    def scenarios(self) -> frozenset[str]:
        """Every scenario that a wrong box played."""
        return frozenset(one for row in self.rows for one in row.ran)

    @property
    def proven(self) -> frozenset[str]:
        """Every scenario that a wrong box turned red by what it breaks."""
        return frozenset(one for row in self.rows for one in row.killed_by)

    def with_rows(self, played: Iterable[Row], names: Sequence[str]) -> Record:
        """These rows in place of those of the same wrong boxes, in the order of `names`.

        A wrong box that `names` leaves out exists no more.
        """
        known = {row.mutant: row for row in (*self.rows, *played)}
        return Record(tuple(known[name] for name in names if name in known))

    def write(self, file: Path) -> None:
        """Write it, one wrong box a line.

        Raises:
            OSError: it cannot be written.
        """
        lines = ",\n".join(json.dumps(asdict(row), ensure_ascii=False) for row in self.rows)
        file.write_text(f"[\n{lines}\n]\n", encoding="utf-8")


def read(file: Path) -> Record:
    """Read a recorded matrix; an empty one when there is no such file.

    Raises:
        RecordError: it is not one.
    """
    if not file.exists():
        return Record(())
    try:
        return Record(_ROWS.validate_json(file.read_bytes()))
    except (OSError, ValidationError) as error:
        raise RecordError(f"{file} : matrice consignée attendue : {error}") from None


def rows(
    trials: Iterable[Trial], *, played: date, commit: str, version: str, python: str
) -> tuple[Row, ...]:
    """What trials say, for the record."""
    return tuple(
        Row(
            mutant=trial.mutant.name,
            role=trial.mutant.role,
            requirements=trial.mutant.requirements,
            played=played.isoformat(),
            commit=commit,
            version=version,
            python=python,
            ran=trial.ran,
            killed_by=_names(trial.killed_by),
            consequences=_names(trial.consequences),
            false_alarms=_names(trial.false_alarms),
            skipped=_names(trial.skipped),
            untold=_names(trial.untold),
        )
        for trial in trials
    )


def _names(reds: Sequence[Red]) -> tuple[str, ...]:
    return tuple(red.scenario for red in reds)
