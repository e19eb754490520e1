"""The archive written as XDM, one ZIP for each month, for another DRIMbox to take (DB.SO.29).

Réf.: layout of DRIM-M_DATA "informatif/XDM", grade: sample; IHE ITI TF Vol. 2, 3.32.4.1.2.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from zipfile import ZIP_STORED, ZipFile, ZipInfo

from drimbox_ref.source.archive import SqlArchive
from drimbox_ref.source.values import ArchiveEntry
from drimbox_ref.source.xdm import LotError, files_of, month_of

__all__ = ["Exported", "export"]

_PAGE = 200
_PER_MONTH = 999_999
"""SS and six digits."""
_DATE = (1980, 1, 1, 0, 0, 0)
"""Of every member: the same archive gives the same bytes."""


@dataclass(slots=True)
class Exported:
    """What was written, or would be: KOS by month, and what could not be."""

    months: dict[str, int] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)
    files: list[Path] = field(default_factory=list)

    @property
    def count(self) -> int:
        """How many KOS."""
        return sum(self.months.values())


class _Month:
    """One ZIP under way, under another name until it is whole."""

    def __init__(self, directory: Path, month: str, sender: str) -> None:
        self.root = f"KA{month}"
        self.file = directory / f"{self.root}.zip"
        self._part = self.file.with_suffix(".zip.part")
        self._zip = ZipFile(self._part, "w", ZIP_STORED)
        self._sender = sender
        self._folders: list[str] = []

    def add(self, entry: ArchiveEntry) -> None:
        """One more lot.

        Raises:
            LotError: it cannot be described, or the month is full.
        """
        if len(self._folders) >= _PER_MONTH:
            raise LotError(f"{self.root} a déjà {_PER_MONTH} lots")
        folder = f"SS{len(self._folders) + 1:06}"
        files = files_of(entry, folder)
        for name, data in files.items():
            self._write(f"IHE_XDM/{folder}/{name}", data)
        self._folders.append(folder)

    def finish(self) -> Path:
        """Write the front pages, and give the file its name."""
        self._write("INDEX.HTM", _index(self._sender, self._folders))
        self._write("README.TXT", _readme(self._sender, self.root))
        self._zip.close()
        self._part.replace(self.file)
        return self.file

    def give_up(self) -> None:
        """Leave nothing behind that is not whole."""
        with suppress(OSError, ValueError):
            self._zip.close()
        self._part.unlink(missing_ok=True)

    def _write(self, name: str, data: bytes) -> None:
        self._zip.writestr(ZipInfo(f"{self.root}/{name}", _DATE), data)


def export(
    archive: SqlArchive,
    directory: Path,
    *,
    sender: str,
    month: str = "",
    dry_run: bool = False,
    told: Callable[[int], object] = lambda _: None,
) -> Exported:
    """Write `KA<yyyymm>.zip` files to a directory; `month` (`yyyymm`) keeps that one alone.

    Files that are there already are replaced, each at once and only when all are whole. `told`
    hears how many entries were read.

    Raises:
        OSError: the directory cannot be written.
    """
    exported = Exported()
    months: dict[str, _Month] = {}
    if not dry_run:
        directory.mkdir(parents=True, exist_ok=True)
    with ExitStack() as undo:
        for number, entry in enumerate(_entries(archive), 1):
            own = month_of(entry)
            if not month or own == month:
                try:
                    if dry_run:
                        files_of(entry, "SS000001")
                    else:
                        if own not in months:
                            months[own] = _Month(directory, own, sender)
                            undo.callback(months[own].give_up)
                        months[own].add(entry)
                    exported.months[own] = exported.months.get(own, 0) + 1
                except LotError as error:
                    exported.failures.append(f"KOS {entry.kos_uid} : {error}")
            told(number)
        exported.files = [months[own].finish() for own in sorted(months)]
        undo.pop_all()
    return exported


def _entries(archive: SqlArchive) -> Iterable[ArchiveEntry]:
    after = 0
    while page := archive.page(after, _PAGE):
        for _, entry in page:
            yield entry
        after = page[-1][0]


def _readme(sender: str, root: str) -> bytes:
    lines = (
        "Emetteur :",
        f"  {sender}",
        "Application de l'emetteur :",
        "  drimbench, DRIMbox de reference, fonction source",
        "Instructions :",
        "  A importer dans une DRIMbox : KOS publies, leurs metadonnees et leurs comptes rendus.",
        "Arborescence :",
        f"  {root}/IHE_XDM/SSnnnnnn/METADATA.XML, KOS_1_1.DCM, SIGN_1.XML, CR.TXT",
    )
    return ("\r\n".join(lines) + "\r\n").encode()


def _index(sender: str, folders: Iterable[str]) -> bytes:
    names = (f"IHE_XDM/{folder}/METADATA.XML" for folder in folders)
    items = "".join(f'<li><a href="{name}">{name}</a></li>' for name in names)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML Basic 1.0//EN" '
        '"http://www.w3.org/TR/xhtml-basic/xhtml-basic10.dtd">\n'
        '<html xmlns="http://www.w3.org/1999/xhtml" xml:lang="fr">'
        "<head><title>Archive locale d'une DRIMbox</title></head>"
        f"<body><p>{escape(sender)}</p><ul>{items}</ul>"
        '<p><a href="README.TXT">README.TXT</a></p></body></html>\n'
    ).encode()
