"""The manifest of a dossier: every file with its size and SHA-256, in one canonical writing."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from protocols.errors import RemoteProtocolError

__all__ = [
    "MANIFEST",
    "MAX_FILES",
    "MAX_MANIFEST",
    "SEALS",
    "SIGNATURE",
    "STAMP",
    "Entry",
    "Manifest",
    "ManifestError",
    "safe_name",
]

MANIFEST: Final = "manifeste.json"
SIGNATURE: Final = "manifeste.jws"
STAMP: Final = "manifeste.tsr"
SEALS: Final = (MANIFEST, SIGNATURE, STAMP)
"""What the manifest cannot list: itself, and what is made of it."""
MAX_MANIFEST: Final = 64 * 1024 * 1024
MAX_FILES: Final = 200_000
"""A campaign of 400 scenarios has about fifty exchanges each, of two files at most."""
_FORMAT: Final = "drimbench-dossier/1"
_SHA256: Final = re.compile(r"[0-9a-f]{64}", re.ASCII)
_RESERVED: Final = re.compile(r'[\x00-\x1f\x7f\\:*?"<>|]')


class ManifestError(RemoteProtocolError):
    """Not a manifest of ours; the text says what is wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One file."""

    name: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What a dossier holds, and which seals it was closed with."""

    run: str
    shape: str
    signed: bool
    stamped: bool
    files: tuple[Entry, ...]

    def __bytes__(self) -> bytes:
        """Always the same bytes for the same dossier."""
        document = {
            "format": _FORMAT,
            "campagne": self.run,
            "forme": self.shape,
            "signature": SIGNATURE if self.signed else None,
            "horodatage": STAMP if self.stamped else None,
            "fichiers": [
                {"nom": one.name, "taille": one.size, "sha256": one.sha256}
                for one in sorted(self.files, key=lambda one: one.name)
            ],
        }
        return json.dumps(document, ensure_ascii=False, indent=1).encode() + b"\n"

    @classmethod
    def read(cls, data: bytes) -> Manifest:
        """The inverse of `bytes`.

        Raises:
            ManifestError: anything that we would not have written so.
        """
        try:
            document = json.loads(data)
            seals = (document["signature"], document["horodatage"])
            if document["format"] != _FORMAT:
                raise ManifestError(f"format {document['format']!r}, {_FORMAT} attendu")
            found = cls(
                run=_text(document["campagne"]),
                shape=_text(document["forme"]),
                signed=seals[0] is not None,
                stamped=seals[1] is not None,
                files=tuple(_entries(document["fichiers"])),
            )
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise ManifestError(f"manifeste illisible : {type(error).__name__}") from None
        if bytes(found) != data:
            raise ManifestError("manifeste réécrit : ce n'est pas l'écriture de drimbench pack")
        return found


def safe_name(name: str) -> bool:
    """Whether a file of that name stays in the folder where an archive is opened, anywhere."""
    parts = name.split("/")
    return (
        0 < len(name) <= 400
        and not _RESERVED.search(name)
        and not any(part in ("", ".", "..") or part.endswith((" ", ".")) for part in parts)
    )


def _entries(rows: list[Any]) -> Iterator[Entry]:
    seen: set[str] = set()
    for row in _bounded(rows):
        name, size, sha256 = _text(row["nom"]), row["taille"], _text(row["sha256"])
        if not safe_name(name) or name in SEALS or name.casefold() in seen:
            raise ManifestError(f"nom refusé ou en double : {name[:80]!r}")
        if isinstance(size, bool) or not isinstance(size, int) or size < 0:
            raise ManifestError(f"taille de {name[:80]!r} : {size!r}"[:200])
        if not _SHA256.fullmatch(sha256):
            raise ManifestError(f"empreinte de {name[:80]!r} mal écrite")
        seen.add(name.casefold())
        yield Entry(name=name, size=size, sha256=sha256)


def _bounded(rows: list[Any]) -> Iterable[Any]:
    if not isinstance(rows, list) or len(rows) > MAX_FILES:
        raise ManifestError(f"liste de {MAX_FILES} fichiers au plus attendue")
    return rows


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ManifestError(f"texte attendu, {type(value).__name__} trouvé")
    return value
