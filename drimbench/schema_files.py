"""The schemas that the user gives, read inside one folder and compiled once.

A Schematron becomes XSLT through several hundred files: the result is kept in the user's cache
(`XDG_CACHE_HOME`), under the digest of what it was made from. A cache that is broken, full or
closed costs time, never a judgement.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path, PurePosixPath

from bench.errors import BenchError
from protocols import xml
from protocols.errors import RemoteProtocolError
from validators.supplied import Schema, SchemaError
from validators.supplied.assertions import Assertions
from validators.supplied.schema import beside
from validators.supplied.schematron import read
from validators.supplied.stylesheet import Stylesheet, compile_schema

__all__ = ["Folder", "compiled", "load_schemas"]

_MISSING = (
    "--schematron demande le moteur XSLT SaxonC-HE, qui n'est pas installé : "
    "python -m pip install saxonche (extra « schematron » de drimbench)"
)


def load_schemas(
    xsd: Sequence[Path],
    schematron: Sequence[Path],
    *,
    folder: Path | None = None,
    phase: str = "",
) -> list[Schema]:
    """The schemas, ready to judge. Each may read its own folder, or `folder` when one is given.

    Raises:
        BenchError: a schema cannot be used, stands outside `folder`, or its engine is missing.
    """
    try:
        return [
            *(_xsd(file, folder) for file in xsd),
            *(_schematron(file, folder, phase) for file in schematron),
        ]
    except SchemaError as error:
        raise BenchError(str(error)) from None


def _xsd(file: Path, folder: Path | None) -> Schema:
    from validators.supplied.xsd import Xsd

    files, name = _opened(file, folder)
    return Xsd(name, files.load)


def _schematron(file: Path, folder: Path | None, phase: str) -> Schema:
    try:
        from validators.supplied.saxon import Transform
    except ImportError:
        raise BenchError(_MISSING) from None

    files, name = _opened(file, folder)
    sheet = compiled(name, files, phase)
    documents = {written: files.document(name, written) for written in sheet.files}
    known = {written: text for written, text in documents.items() if text is not None}
    return Assertions(name, Transform(sheet.text, known))


def _opened(file: Path, folder: Path | None) -> tuple[Folder, str]:
    root = (file.parent if folder is None else folder).resolve()
    if not root.is_dir():
        raise BenchError(f"--schemas : attendu un dossier, trouvé « {folder} »")
    try:
        name = file.resolve().relative_to(root)
    except ValueError:
        raise BenchError(f"{file} : n'est pas dans le dossier permis {folder}") from None
    return Folder(root), name.as_posix()


@dataclass(slots=True)
class Folder:
    """The folder that a schema may read. Names are paths from it, with slashes.

    Published schemas are written on systems that do not tell `Entrees` from `entrees`: a name
    that differs by its case alone is found when it is the only one.
    """

    root: Path
    digests: dict[str, str]
    """SHA-256 of every file read, by its name."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()
        self.digests = {}

    def load(self, name: str) -> bytes:
        """The bytes of a file.

        Raises:
            SchemaError: absent, unreadable, or a link that leaves the folder.
        """
        path = self._find(name)
        if path is None:
            raise SchemaError(f"{name} : absent de {self.root}")
        if not path.resolve().is_relative_to(self.root):
            raise SchemaError(f"{name} : lien qui sort du dossier permis : refusé")
        try:
            data = path.read_bytes()
        except OSError as error:
            raise SchemaError(f"{name} : illisible ({error.strerror})") from None
        self.digests[name] = hashlib.sha256(data).hexdigest()
        return data

    def document(self, schema: str, reference: str) -> str | None:
        """The XML file that an expression of a schema names, None when it is not here.

        The assertion that asks for it then says so: a name may be written and never used.
        """
        try:
            data = Folder(self.root).load(beside(schema, reference))
            return xml.serialize(xml.parse(data), declaration=False).decode()
        except (SchemaError, RemoteProtocolError):
            return None

    def _find(self, name: str) -> Path | None:
        path = self.root / name
        if path.is_file():
            return path
        here = self.root
        for part in PurePosixPath(name).parts:
            if (here / part).exists():
                here = here / part
                continue
            try:
                twins = [one for one in here.iterdir() if one.name.casefold() == part.casefold()]
            except OSError:
                return None
            if len(twins) != 1:
                return None
            here = twins[0]
        return here if here.is_file() else None


def compiled(name: str, files: Folder, phase: str = "") -> Stylesheet:
    """The stylesheet of a Schematron, from the cache when no file it was made from has changed.

    Raises:
        SchemaError: the schema cannot be used.
    """
    place = _cache_file(name, files.load(name), phase)
    kept = None if place is None else _kept(place, files)
    if kept is not None:
        return kept
    files.digests.clear()
    made = compile_schema(read(name, files.load, phase))
    if place is not None:
        _keep(place, made, files.digests)
    return made


def _cache_file(name: str, data: bytes, phase: str) -> Path | None:
    """Named after the schema's content, the phase and the compiler's own code."""
    written = os.environ.get("XDG_CACHE_HOME", "")
    try:
        # The XDG base directory specification: a relative path is to be ignored.
        base = Path(written) if os.path.isabs(written) else Path.home() / ".cache"
    except RuntimeError:
        return None
    key = hashlib.sha256(f"{_compiler()}\n{name}\n{phase}\n".encode() + data).hexdigest()
    return base / "drimbench" / "schematron" / f"{key}.json"


@cache
def _compiler() -> str:
    digest = hashlib.sha256()
    for module in sorted(
        resources.files("validators.supplied").iterdir(), key=lambda one: one.name
    ):
        if module.name.endswith(".py"):
            digest.update(module.read_bytes())
    return digest.hexdigest()


def _kept(place: Path, files: Folder) -> Stylesheet | None:
    try:
        entry = json.loads(place.read_bytes())
        for name, digest in entry["read"].items():
            files.load(name)
            if files.digests[name] != digest:
                return None
        made = Stylesheet(entry["text"], tuple(entry["files"]))
        return made if entry["seal"] == _seal(made) else None
    except (OSError, ValueError, TypeError, KeyError, AttributeError, SchemaError):
        return None


def _seal(made: Stylesheet) -> str:
    """Tells a whole entry from one that a disk or a hand has changed."""
    return hashlib.sha256("\0".join((made.text, *made.files)).encode()).hexdigest()


def _keep(place: Path, made: Stylesheet, digests: dict[str, str]) -> None:
    entry = {"read": digests, "text": made.text, "files": made.files, "seal": _seal(made)}
    with suppress(OSError):
        place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle, name = tempfile.mkstemp(dir=place.parent, prefix=".", suffix=".tmp")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump(entry, file)
            os.replace(name, place)
        except OSError:
            with suppress(OSError):
                os.unlink(name)
            raise
