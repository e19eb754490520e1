"""The official wording that a user imported, put in place of our paraphrases.

The full REM is not public, so none ships with the bench. `drimbench req import` writes what a
vendor's own copy says to a TOML file; `adopt` applies it for the life of the process. An imported
text weighs as a current ANS answer (grade `faq`), and its source names the user's file.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from spec.grade import Grade
from spec.requirements import CATALOGUE, Proof, Status

__all__ = ["OfficialError", "OfficialText", "adopt", "read"]


class OfficialError(Exception):
    """The file of imported texts cannot be used; names file, key and what was expected."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OfficialText:
    """What the official REM says of one requirement."""

    id: str
    level: str
    text: str
    source: str
    """The user's workbook, sheet and row."""
    steps: tuple[str, ...] = ()
    proofs: tuple[Proof, ...] = ()


def read(file: Path) -> tuple[OfficialText, ...]:
    """The texts of a file that `drimbench req import` wrote.

    Raises:
        OfficialError: unreadable, not TOML, an unknown id or a wrong value.
    """
    try:
        rows = tomllib.loads(file.read_text(encoding="utf-8")).get("requirements", {})
    except OSError as error:
        raise OfficialError(f"{file} : illisible ({error.strerror})") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise OfficialError(f"{file} : TOML invalide : {error}") from None
    if not isinstance(rows, Mapping):
        raise OfficialError(f"{file} : « requirements » : une section est attendue")
    return tuple(_text(file, id, row) for id, row in rows.items())


def adopt(file: Path) -> int:
    """Put the texts of the file in the catalogue; return how many were replaced.

    The mapping to scenarios and rules, the verification and the actor stay ours.

    Raises:
        OfficialError: see `read`; the catalogue is then untouched.
    """
    texts = read(file)
    for official in texts:
        known = CATALOGUE[official.id]
        CATALOGUE[official.id] = replace(
            known,
            level=official.level,
            text=official.text,
            source=official.source,
            grade=Grade.FAQ,
            status=known.status if known.status is Status.NOT_APPLICABLE else Status.CONFIRMED,
            steps=official.steps or known.steps,
            proofs=official.proofs or known.proofs,
            official=True,
        )
    return len(texts)


def _text(file: Path, id: str, row: Any) -> OfficialText:
    where = f"{file} : requirements.{id!r}"
    if id not in CATALOGUE:
        raise OfficialError(f"{where} : exigence inconnue du catalogue")
    if not isinstance(row, Mapping):
        raise OfficialError(f"{where} : une section est attendue")
    if row.get("level") not in ("DOIT", "PEUT"):
        raise OfficialError(
            f"{where}.level : DOIT ou PEUT est attendu, trouvé {row.get('level')!r}"
        )
    for key in ("text", "source"):
        if not isinstance(row.get(key), str) or not row[key]:
            raise OfficialError(f"{where}.{key} : un texte est attendu, trouvé {row.get(key)!r}")
    steps, proofs = row.get("steps", []), row.get("proofs", [])
    if not _strings(steps):
        raise OfficialError(f"{where}.steps : une liste d'identifiants est attendue")
    if not isinstance(proofs, list) or not all(
        isinstance(one, Mapping) and _strings([one.get("id"), one.get("kind")]) for one in proofs
    ):
        raise OfficialError(f"{where}.proofs : une liste de {{ id, kind }} est attendue")
    return OfficialText(
        id=id,
        level=row["level"],
        text=row["text"],
        source=row["source"],
        steps=tuple(steps),
        proofs=tuple(Proof(one["id"], one["kind"]) for one in proofs),
    )


def _strings(values: Any) -> bool:
    return isinstance(values, list) and all(isinstance(value, str) for value in values)
