"""The open points as named options (`options.toml` beside this file).

The public texts leave many points open. Each one that touches what the bench sends, accepts or
judges is listed with what it does by default, where that comes from, how to change it, and which
modules read it.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from importlib import resources

from spec.grade import Grade

__all__ = ["OPTIONS", "Option"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One open point."""

    name: str
    title: str
    """The question, in French."""
    default: str
    """As written in the file that sets it, or in words when nothing sets it."""
    source: str
    """What the default follows."""
    grade: Grade
    read_by: tuple[str, ...]
    """Modules, each `path` or `path:name`."""
    values: tuple[str, ...] = ()
    """The known choices; empty when any value of its type will do."""
    setting: str = ""
    """How to change it, in French; "" when the bench holds it fixed."""


def _load() -> tuple[Option, ...]:
    data = resources.files("spec").joinpath("options.toml").read_text(encoding="utf-8")
    return tuple(
        Option(
            name=name,
            title=row["title"],
            default=row["default"],
            source=row["source"],
            grade=Grade(row["grade"]),
            read_by=tuple(row["read_by"]),
            values=tuple(row.get("values", ())),
            setting=row.get("setting", ""),
        )
        for name, row in tomllib.loads(data).items()
    )


OPTIONS = _load()
"""In the order of the file: by subject."""
