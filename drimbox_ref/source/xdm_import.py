"""An XDM archive taken into the local archive, without trusting it (DB.SO.30).

Nothing is written to disk: members are read one lot at a time, by their names and within limits.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from zipfile import BadZipFile, LargeZipFile, ZipFile, ZipInfo

from drimbox_ref.source.archive import SqlArchive
from drimbox_ref.source.values import ArchiveEntry
from drimbox_ref.source.xdm import METADATA, LotError, read_lot, submitted_at

__all__ = ["ArchiveError", "Imported", "take"]

_LOT = re.compile(r"(?:KA\d{6}/)?IHE_XDM/([A-Za-z0-9_]{1,8})/([A-Za-z0-9_]{1,8}\.[A-Za-z0-9]{1,3})")
"""A file of a lot; whatever else an archive holds is not read."""
_MEMBERS = 4_000_000
"""A month of 999,999 lots of four files."""
_BYTES = 64 << 20
"""Of one member: a KOS of 10,000 instances has 3 MB."""
_RATIO, _SMALL = 200, 1 << 20
"""A member that inflates more than that, and is not small, is a bomb."""


class ArchiveError(Exception):
    """A file that is no archive to read; its text says why, in French."""


@dataclass(slots=True)
class Imported:
    """What was taken, what was there already, and what was refused, and why."""

    taken: int = 0
    known: int = 0
    failures: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Folder:
    """One lot of one archive."""

    archive: ZipFile
    source: str
    name: str
    members: dict[str, ZipInfo]

    def read(self) -> dict[str, bytes]:
        return {name: self.file(name) for name in self.members}

    def file(self, name: str) -> bytes:
        """One file.

        Raises:
            LotError: encrypted, damaged or too large.
        """
        info = self.members[name]
        if info.flag_bits & 1:
            raise LotError(f"{name} : chiffré")
        bomb = info.file_size > _SMALL and info.file_size > _RATIO * max(1, info.compress_size)
        if info.file_size > _BYTES or bomb:
            raise LotError(f"{name} : {info.file_size} octets annoncés, trop")
        try:
            with self.archive.open(info) as opened:
                data = opened.read(_BYTES + 1)
        except (BadZipFile, zlib.error, EOFError, OSError, NotImplementedError) as error:
            raise LotError(f"{name} : membre illisible ({error})") from None
        if len(data) > _BYTES:
            raise LotError(f"{name} : plus de {_BYTES} octets")
        return data

    @property
    def shown(self) -> str:
        return f"{self.source} {self.name}"


def take(
    archive: SqlArchive,
    files: Sequence[Path],
    *,
    pacs_of: Callable[[str], str],
    dry_run: bool = False,
    told: Callable[[int, int], object] = lambda _done, _total: None,
) -> Imported:
    """Import the lots of ZIP files, in the order in which they were submitted, whatever file they
    are in. Taking the same archive again changes nothing. `told` hears done and total.

    Raises:
        ArchiveError: one of the files is not a ZIP archive with an IHE_XDM folder; nothing is
            taken then.
    """
    imported = Imported()
    with ExitStack() as opened:
        ordered: list[tuple[str, int, _Folder]] = []
        for file in files:
            for folder in _folders(file, opened):
                try:
                    if METADATA not in folder.members:
                        raise LotError(f"{METADATA} manque")
                    moment = submitted_at(folder.file(METADATA))
                except LotError as error:
                    imported.failures.append(f"{folder.shown} : {error}")
                else:
                    ordered.append((moment, len(ordered), folder))
        ordered.sort(key=lambda one: one[:2])
        for number, (_, _, folder) in enumerate(ordered, 1):
            try:
                entry = read_lot(folder.read(), pacs_of=pacs_of)
                if _known(archive, entry):
                    imported.known += 1
                else:
                    if not dry_run:
                        archive.record(entry)
                    imported.taken += 1
            except LotError as error:
                imported.failures.append(f"{folder.shown} : {error}")
            told(number, len(ordered))
    return imported


def _known(archive: SqlArchive, entry: ArchiveEntry) -> bool:
    """Whether the archive has it already.

    Raises:
        LotError: it has another one under that name, or a later one of that study.
    """
    same = archive.by_kos(entry.kos_uid)
    if same is not None:
        if same.kos != entry.kos:
            raise LotError(f"un autre KOS {entry.kos_uid} est déjà dans l'archive")
        return True
    current = archive.current(entry.study_uid)
    if current is not None and current.updated > entry.updated:
        raise LotError(
            f"l'examen {entry.study_uid} a déjà un KOS plus récent, {current.kos_uid}, du "
            f"{current.updated:%d/%m/%Y %H:%M}"
        )
    return False


def _folders(file: Path, opened: ExitStack) -> Iterator[_Folder]:
    """The lots of one archive.

    Raises:
        ArchiveError: not one.
    """
    try:
        archive = opened.enter_context(ZipFile(file))
    except (OSError, BadZipFile, LargeZipFile, ValueError) as error:
        raise ArchiveError(f"{file} : archive ZIP illisible ({error})") from None
    infos = archive.infolist()
    if len(infos) > _MEMBERS:
        raise ArchiveError(f"{file} : {len(infos)} membres, {_MEMBERS} au plus")
    folders: dict[str, dict[str, ZipInfo]] = {}
    for info in infos:
        found = _LOT.fullmatch(info.filename)
        if found is None:
            continue
        members = folders.setdefault(found[1].upper(), {})
        if members.setdefault(found[2].upper(), info) is not info:
            raise ArchiveError(f"{file} : {info.filename} y est deux fois")
    if not folders:
        raise ArchiveError(f"{file} : pas de lot sous IHE_XDM/")
    for name in sorted(folders):
        yield _Folder(archive, file.name, name, folders[name])
