"""Reading a dossier that anybody may have altered: what was changed, who signed, when.

The run is not needed, nothing is written, and nothing is read beyond the size that it declares.
"""

from __future__ import annotations

import hashlib
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, Final
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, LargeZipFile, ZipFile, ZipInfo

from cryptography import x509

from bench.errors import BenchError
from protocols.pki import ChainError, dn, verify_chain
from protocols.timestamp import Timestamp, TimestampError, TimestampFault, verify_timestamp
from reports.dossier.manifest import (
    MANIFEST,
    MAX_FILES,
    MAX_MANIFEST,
    SEALS,
    SIGNATURE,
    STAMP,
    Entry,
    Manifest,
    ManifestError,
    safe_name,
)
from reports.dossier.seal import MAX_SEAL, SealError, Signed, open_seal

__all__ = ["Fault", "FaultKind", "Verification", "verify"]

_CHUNK: Final = 1 << 20
_MAX_STAMP: Final = 256 * 1024
_MAX_BYTES: Final = 64 << 30
_MAX_RATIO: Final = 1100
"""Deflate cannot do better than 1032 to 1: more is a lie of the archive's directory."""
_BOMB: Final = 1 << 30
_BOMB_RATIO: Final = 200
"""What one file may weigh if it shrank more than that: text shrinks ten or twenty times."""
_LOCAL_HEADER: Final = 30
_SYMLINK: Final = 0o120000


class FaultKind(StrEnum):
    """What is wrong with a dossier."""

    UNSAFE = "archive"
    """Not an archive that can be read without risk."""
    MANIFEST = "manifest"
    """Not the manifest that was signed, or none."""
    CHANGED = "changed"
    REMOVED = "removed"
    ADDED = "added"
    SWAPPED = "swapped"
    """It holds what the manifest gives to another file."""
    SIGNATURE = "signature"
    UNTRUSTED = "untrusted"
    """Signed by somebody that the given authorities do not vouch for."""
    STAMP = "timestamp"
    STAMP_EXPIRED = "timestamp-expired"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One alteration."""

    kind: FaultKind
    file: str
    message: str


@dataclass(slots=True, kw_only=True)
class Verification:
    """What a dossier is worth."""

    faults: list[Fault] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    """What is not established: no signature, no authority given, no time stamp."""
    manifest: Manifest | None = None
    signer: x509.Certificate | None = None
    stamp: Timestamp | None = None

    @property
    def verdict(self) -> str:
        """`altéré`, `ouvert` (intact, and something is not established) or `intact`."""
        if self.faults:
            return "altéré"
        return "ouvert" if self.left else "intact"

    def as_dict(self) -> dict[str, Any]:
        """The shape that `drimbench verify --json` promises."""
        read = self.manifest
        return {
            "verdict": self.verdict,
            "run": read.run if read else None,
            "shape": read.shape if read else None,
            "files": len(read.files) if read else None,
            "faults": [
                {"kind": one.kind.value, "file": one.file, "message": one.message}
                for one in self.faults
            ],
            "left": list(self.left),
            "signer": dn(self.signer) if self.signer else None,
            "timestamp": self.stamp.instant.isoformat() if self.stamp else None,
        }

    def _tell(self, kind: FaultKind, file: str, message: str) -> None:
        self.faults.append(Fault(kind=kind, file=file, message=message))


def verify(dossier: Path, *, roots: Sequence[x509.Certificate] = (), at: datetime) -> Verification:
    """Everything that was altered in a dossier.

    Args:
        roots: the authorities that the reader trusts; without any, who signed is only told.
        at: now, with a time zone.

    Raises:
        BenchError: the file cannot be read at all.
    """
    found = Verification()
    try:
        with dossier.open("rb") as file:
            _read(file, found, roots, at)
    except OSError as error:
        raise BenchError(f"{dossier} : illisible ({error.strerror or error})") from None
    except (BadZipFile, LargeZipFile, zlib.error, EOFError, ValueError) as error:
        found._tell(FaultKind.UNSAFE, "", f"archive ZIP illisible : {error}")
    except (NotImplementedError, RuntimeError, IndexError, KeyError, OverflowError) as error:
        found._tell(FaultKind.UNSAFE, "", f"archive ZIP endommagée : {error}")
    return found


def _read(file: Any, found: Verification, roots: Sequence[x509.Certificate], at: datetime) -> None:
    with ZipFile(file) as archive:
        members = archive.infolist()
        _check_archive(archive, members, file, found)
        if found.faults:
            return
        there = {info.filename: info for info in members}
        if MANIFEST not in there:
            found._tell(FaultKind.MANIFEST, MANIFEST, "le manifeste a été retiré")
            return
        data = _small(archive, there[MANIFEST], MAX_MANIFEST)
        seals = {
            name: _small(archive, there[name], limit)
            for name, limit in ((SIGNATURE, MAX_SEAL), (STAMP, _MAX_STAMP))
            if name in there
        }
        try:
            found.manifest = Manifest.read(data)
        except ManifestError as error:
            found._tell(FaultKind.MANIFEST, MANIFEST, str(error))
            return
        _check_seals(found, data, seals, roots, at)
        _check_files(archive, there, found)


# -- the archive ---------------------------------------------------------------------------------


def _check_archive(
    archive: ZipFile, members: list[ZipInfo], file: Any, found: Verification
) -> None:
    """Nothing that could harm who opens it, nothing hidden between what the directory lists."""
    if len(members) > MAX_FILES + len(SEALS):
        found._tell(FaultKind.UNSAFE, "", f"plus de {MAX_FILES} fichiers")
        return
    if sum(info.file_size for info in members) > _MAX_BYTES:
        found._tell(FaultKind.UNSAFE, "", "trop volumineux une fois décompressé")
    names = Counter(info.filename.casefold() for info in members)
    for info in members:
        shown = info.filename[:120]
        if not safe_name(info.filename) or info.orig_filename != info.filename:
            found._tell(FaultKind.UNSAFE, shown, "nom qui sortirait du dossier, ou réservé")
        elif names[info.filename.casefold()] > 1:
            found._tell(FaultKind.UNSAFE, shown, "plusieurs fichiers de ce nom")
        elif info.external_attr >> 16 & 0o170000 == _SYMLINK:
            found._tell(FaultKind.UNSAFE, shown, "lien symbolique")
        elif info.flag_bits & 0x1:
            found._tell(FaultKind.UNSAFE, shown, "fichier chiffré")
        elif info.compress_type not in (ZIP_STORED, ZIP_DEFLATED):
            found._tell(FaultKind.UNSAFE, shown, "compression que drimbench n'emploie pas")
        elif _bomb(info):
            found._tell(FaultKind.UNSAFE, shown, "taux de compression anormal")
    if not found.faults:
        _check_gaps(archive, members, file, found)


def _bomb(info: ZipInfo) -> bool:
    packed = max(1, info.compress_size)
    large = info.file_size > _BOMB and info.file_size > _BOMB_RATIO * packed
    return large or info.file_size > _MAX_RATIO * packed + 64


def _check_gaps(archive: ZipFile, members: list[ZipInfo], file: Any, found: Verification) -> None:
    position = 0
    for info in sorted(members, key=lambda one: one.header_offset):
        if info.header_offset != position:
            found._tell(
                FaultKind.UNSAFE, info.filename, "octets cachés ou recouverts avant ce fichier"
            )
            return
        file.seek(position + 26)
        lengths = file.read(4)
        name, extra = int.from_bytes(lengths[:2], "little"), int.from_bytes(lengths[2:], "little")
        position += _LOCAL_HEADER + name + extra + info.compress_size
    if position != archive.start_dir or archive.comment:
        found._tell(FaultKind.UNSAFE, "", "octets cachés après le dernier fichier")


def _small(archive: ZipFile, info: ZipInfo, limit: int) -> bytes:
    with archive.open(info) as source:
        data = source.read(limit + 1)
    if len(data) > limit:
        raise ValueError(f"{info.filename} : plus de {limit} octets")
    return data


# -- the seals -----------------------------------------------------------------------------------


def _check_seals(
    found: Verification,
    manifest: bytes,
    seals: dict[str, bytes],
    roots: Sequence[x509.Certificate],
    at: datetime,
) -> None:
    assert found.manifest is not None
    for name, wanted in ((SIGNATURE, found.manifest.signed), (STAMP, found.manifest.stamped)):
        if wanted and name not in seals:
            found._tell(FaultKind.REMOVED, name, "le manifeste l'annonce, il n'y est plus")
        elif name in seals and not wanted:
            found._tell(FaultKind.ADDED, name, "le manifeste ne l'annonce pas")
    seal, stamp = seals.get(SIGNATURE), seals.get(STAMP)
    if seal is None:
        if roots:
            found._tell(FaultKind.SIGNATURE, SIGNATURE, "non signé : rien ne mène à ces autorités")
        found.left.append("non signé : n'importe qui a pu refaire le manifeste")
        return
    if stamp is None:
        found.left.append("non horodaté : rien ne prouve quand il a été signé")
    elif roots:
        _check_stamp(found, stamp, seal, roots, at)
    else:
        found.left.append("horodatage non vérifié : aucune autorité donnée (--trust)")
    try:
        signed = open_seal(seal, manifest)
    except SealError as error:
        found._tell(FaultKind.MANIFEST, MANIFEST, f"manifeste ou signature refaits : {error}")
        return
    found.signer = signed.certificate
    # A time stamp that holds shows that the signature was made while the certificate was in force.
    _check_signer(found, signed, roots, found.stamp.instant if found.stamp else at)


def _check_signer(
    found: Verification, signed: Signed, roots: Sequence[x509.Certificate], at: datetime
) -> None:
    if not roots:
        found.left.append("signataire non vérifié : aucune autorité donnée (--trust)")
        return
    try:
        verify_chain(signed.certificate, signed.chain, roots, at)
    except ChainError as error:
        found._tell(FaultKind.UNTRUSTED, SIGNATURE, f"signataire : {error}")


def _check_stamp(
    found: Verification,
    stamp: bytes,
    seal: bytes,
    roots: Sequence[x509.Certificate],
    at: datetime,
) -> None:
    try:
        found.stamp = verify_timestamp(stamp, seal, roots, at)
    except TimestampError as error:
        expired = error.kind is TimestampFault.EXPIRED
        kind = FaultKind.STAMP_EXPIRED if expired else FaultKind.STAMP
        found._tell(kind, STAMP, str(error))


# -- the files -----------------------------------------------------------------------------------


def _check_files(archive: ZipFile, there: dict[str, ZipInfo], found: Verification) -> None:
    assert found.manifest is not None
    wanted = {one.name: one for one in found.manifest.files}
    read = {name: _digest(archive, info) for name, info in there.items() if name not in SEALS}
    owners: dict[str, list[str]] = {}
    for one in wanted.values():
        owners.setdefault(one.sha256, []).append(one.name)
    for name in sorted(wanted.keys() | read.keys()):
        found.faults.extend(_compared(name, wanted.get(name), read.get(name), owners))


def _compared(
    name: str, wanted: Entry | None, read: tuple[int, str] | None, owners: dict[str, list[str]]
) -> Iterator[Fault]:
    if wanted is None and read is not None:
        of = owners.get(read[1], [])
        like = f" ; c'est le contenu de {of[0]}" if of else ""
        message = f"fichier ajouté, {read[0]} octets{like}"
        yield Fault(kind=FaultKind.ADDED, file=name, message=message)
    elif read is None and wanted is not None:
        message = f"fichier retiré, {wanted.size} octets, sha256 {wanted.sha256}"
        yield Fault(kind=FaultKind.REMOVED, file=name, message=message)
    elif wanted is not None and read is not None and read != (wanted.size, wanted.sha256):
        if of := owners.get(read[1], []):
            message = f"preuve échangée : elle contient ce que le manifeste donne à {of[0]}"
            yield Fault(kind=FaultKind.SWAPPED, file=name, message=message)
        else:
            message = (
                f"contenu modifié : {wanted.size} octets, sha256 {wanted.sha256} attendus, "
                f"{read[0]} octets, sha256 {read[1]} trouvés"
            )
            yield Fault(kind=FaultKind.CHANGED, file=name, message=message)


def _digest(archive: ZipFile, info: ZipInfo) -> tuple[int, str]:
    """Size and SHA-256; a CRC that does not hold is told by what they become."""
    whole, size = hashlib.sha256(), 0
    try:
        with archive.open(info) as source:
            while chunk := source.read(_CHUNK):
                whole.update(chunk)
                size += len(chunk)
    except (BadZipFile, zlib.error, EOFError) as error:
        return size, f"illisible ({error})"
    return size, whole.hexdigest()
