"""Writing a dossier: scanned and hashed as it is written, sealed, then put in place at once."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import IO, Final
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

from bench.errors import BenchError
from bench.packed import digest_of, mark, refuse_if_packed
from reports.dossier.content import Content, Part
from reports.dossier.manifest import MANIFEST, SIGNATURE, STAMP, Entry, Manifest, safe_name
from reports.dossier.scan import Leak, Scanner
from reports.dossier.seal import Signer

__all__ = ["LeakError", "Packed", "Progress", "Sealing", "Shape", "Stamp", "pack"]

Stamp = Callable[[bytes], bytes]
"""A TimeStampResp for these bytes; raises BenchError when the authority gives none."""

Progress = Callable[[int, str], None]
"""Told how many files are written, and the name of the one that begins."""

_STORED: Final = (".bin", ".png", ".jpg", ".jpeg", ".mp4", ".webm", ".pdf", ".zip", ".xlsx")
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)
_MODE: Final = 0o100644 << 16


class Shape(StrEnum):
    """What a dossier is for; the manifest bears it."""

    REFERENCING = "referencement"
    VERSION = "version"
    """Of a product that was referenced: with the differences since that run."""


class LeakError(BenchError):
    """Something in the run must not leave the laboratory; `leaks` says what and where."""

    def __init__(self, leaks: list[Leak]) -> None:
        shown = "\n  ".join(leak.told for leak in leaks[:20])
        more = f"\n  … et {len(leaks) - 20} autre(s)" if len(leaks) > 20 else ""
        super().__init__(
            f"dossier refusé, {len(leaks)} élément(s) à ne pas transmettre :\n  {shown}{more}"
        )
        self.leaks = leaks


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealing:
    """With what a dossier is closed."""

    signer: Signer | None = None
    stamp: Stamp | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Packed:
    """A dossier that was written."""

    path: Path
    manifest: Manifest
    sha256: str
    """Of the manifest."""
    missing: tuple[str, ...]


def pack(
    folder: Path,
    target: Path,
    sealing: Sealing,
    *,
    referenced: Path | None = None,
    patients: frozenset[str] = frozenset(),
    progress: Progress = lambda done, name: None,
) -> Packed:
    """Write the dossier of a run, and mark the run as sealed.

    Until everything is written and sealed, nothing is where `target` says, and what was there
    stays.

    Args:
        referenced: the folder of the run that the product was referenced with: the dossier is
            that of a new version.
        patients: family names in capitals, and matricules, of more test patients.

    Raises:
        LeakError: something must not leave.
        PackedError: the run is already in a dossier.
        BenchError: not a whole run; no time stamp; see `differences.since`.
        OSError: the file cannot be written.
    """
    refuse_if_packed(folder, "dossier")
    if sealing.stamp is not None and sealing.signer is None:
        raise BenchError("un horodatage porte sur la signature : --tsa accompagne --key et --cert")
    journal = digest_of(folder)
    content = Content(folder, referenced)
    known = type(content.known)(
        content.known.matricules | patients, content.known.families | patients
    )
    with _in_place(target) as file:
        with ZipFile(file, "w", ZIP_DEFLATED) as archive:
            entries: list[Entry] = []
            leaks: list[Leak] = []
            for part in content.parts():
                progress(len(entries), part.name)
                scanner = Scanner(part.name, known)
                entries.append(_write(archive, part, scanner))
                leaks += scanner.leaks()
            if leaks:
                raise LeakError(leaks)
            manifest = Manifest(
                run=content.run.id,
                shape=Shape.VERSION if referenced else Shape.REFERENCING,
                signed=sealing.signer is not None,
                stamped=sealing.stamp is not None,
                files=tuple(sorted(entries, key=lambda one: one.name)),
            )
            for name, data in _seals(bytes(manifest), sealing):
                archive.writestr(_info(name), data)
        if digest_of(folder) != journal:
            raise BenchError(f"{content.run.id} : le journal a changé pendant l'écriture")
    digest = hashlib.sha256(bytes(manifest)).hexdigest()
    mark(folder, target.name, journal, digest)
    return Packed(path=target, manifest=manifest, sha256=digest, missing=content.told.missing)


def _seals(manifest: bytes, sealing: Sealing) -> Iterator[tuple[str, bytes]]:
    yield MANIFEST, manifest
    if sealing.signer is not None:
        seal = sealing.signer.sign(manifest)
        yield SIGNATURE, seal
        if sealing.stamp is not None:
            yield STAMP, sealing.stamp(seal)


def _write(archive: ZipFile, part: Part, scanner: Scanner) -> Entry:
    if not safe_name(part.name):
        raise BenchError(f"nom de fichier refusé dans un dossier : {part.name!r}")
    whole, size = hashlib.sha256(), 0
    with archive.open(_info(part.name), "w", force_zip64=True) as member:
        for chunk in part.chunks():
            scanner.feed(chunk)
            whole.update(chunk)
            size += len(chunk)
            member.write(chunk)
    return Entry(name=part.name, size=size, sha256=whole.hexdigest())


def _info(name: str) -> ZipInfo:
    info = ZipInfo(name, _EPOCH)
    info.external_attr = _MODE
    info.create_system = 3
    info.compress_type = ZIP_STORED if name.lower().endswith(_STORED) else ZIP_DEFLATED
    return info


@contextmanager
def _in_place(target: Path) -> Iterator[IO[bytes]]:
    """A file that takes its name when it is whole; a process killed before leaves a part of a
    hidden name, which the next dossier of that name sweeps away."""
    target.parent.mkdir(parents=True, exist_ok=True)
    prefix = f".{target.name}."
    for old in target.parent.glob(f"{prefix}*.part"):
        if not _alive(old):
            old.unlink(missing_ok=True)
    descriptor, name = tempfile.mkstemp(".part", f"{prefix}{os.getpid()}.", target.parent)
    try:
        with os.fdopen(descriptor, "w+b") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(target)
    except BaseException:
        with suppress(FileNotFoundError):
            Path(name).unlink()
        raise


def _alive(part: Path) -> bool:
    """Whether the process that writes this part is still there."""
    number = part.name.removesuffix(".part").rsplit(".", 2)[-2]
    try:
        os.kill(int(number), 0)
    except (ValueError, ProcessLookupError):
        return False
    except PermissionError:
        return True
    return True
