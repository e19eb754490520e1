"""The mark of a run whose dossier was sealed: from then on nothing is added to it.

A dossier tells what a run was when it was packed. A decision, a file or a new judgement written
afterwards would make two truths of one run: play another one, or pack a copy of its folder.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path

from bench.errors import BenchError

__all__ = [
    "MARK",
    "PackedError",
    "Sealed",
    "digest_of",
    "mark",
    "refuse_if_packed",
    "sealed_in",
]

MARK = "dossier.json"


class PackedError(BenchError):
    """The run belongs to a dossier."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealed:
    """The dossier of a run, as its mark says it."""

    dossier: str
    journal: str
    """`digest_of` the run when it was sealed."""
    manifest: str
    """SHA-256 of the dossier's manifest."""


def refuse_if_packed(run: Path, what: str) -> None:
    """Nothing, unless a dossier of this run was sealed.

    Raises:
        PackedError: it was; names the dossier, and `what` is refused.
    """
    if (name := _dossier(run)) is not None:
        raise PackedError(
            f"{what} refusé : la campagne {run.name} est scellée dans {name} ; jouer une autre "
            "campagne, ou faire un autre dossier d'une copie de ce dossier de campagne sans "
            f"{MARK}"
        )


def digest_of(run: Path) -> str:
    """SHA-256 of all that the run's journal says, shard by shard."""
    whole = hashlib.sha256()
    for shard in sorted((run / "journal").glob("*.ndjson")):
        with shard.open("rb") as lines:
            whole.update(
                f"{shard.name} {hashlib.file_digest(lines, 'sha256').hexdigest()}\n".encode()
            )
    return whole.hexdigest()


def mark(run: Path, dossier: str, journal: str, manifest: str) -> None:
    """Say that the run was sealed in that dossier; `journal` is its `digest_of`.

    Raises:
        OSError: it cannot be written.
    """
    document = {"dossier": dossier, "journal_sha256": journal, "manifeste_sha256": manifest}
    scratch = run / f".{MARK}.{os.getpid()}"
    scratch.write_text(json.dumps(document, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    scratch.replace(run / MARK)


def sealed_in(run: Path) -> Sealed | None:
    """The dossier that a run was sealed in; None when it was in none.

    Raises:
        BenchError: a mark that cannot be read.
    """
    try:
        said = json.loads((run / MARK).read_text(encoding="utf-8"))
        return Sealed(
            dossier=str(said["dossier"]),
            journal=str(said["journal_sha256"]),
            manifest=str(said["manifeste_sha256"]),
        )
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError):
        raise BenchError(f"{run / MARK} : marque de dossier illisible") from None


def _dossier(run: Path) -> str | None:
    try:
        said = json.loads((run / MARK).read_text(encoding="utf-8"))
        return str(said["dossier"])
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError):
        return f"un dossier que {MARK} nomme mal"
