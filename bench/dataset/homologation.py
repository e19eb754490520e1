"""A homologation set as a vendor holds it: a folder read without trusting it, messages made ready.

Réf.: layout and message files of DRIM-M_DATA ("Jeux de données"), grade: sample. Files are told
apart by what they hold, not by their names.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path

import pybase64

from bench.dataset.template import Placeholder, fill, placeholders, wire
from bench.errors import BenchError
from protocols import hl7v2
from protocols.errors import RemoteProtocolError
from validators.api import guess

__all__ = ["KNOWN", "Found", "Kind", "Message", "Refused", "Set", "ready", "values_of"]

MOST_FILES = 20_000
"""The whole official set has about 12,000."""
LARGEST_TEXT = 64 * 1024 * 1024
"""Bytes of a message or a report: the largest official one is below 1 MB."""

LARGEST_SET = 1024 * 1024 * 1024
"""Bytes of all the messages and reports together."""

_HEAD = 8192
_MESSAGE_SUFFIXES = (".hl7", ".er7")
_DIGITS = re.compile(r"(\d+)")

KNOWN = {
    "applicationSupplier": "application qui émet (MSH-3)",
    "facilitySupplier": "établissement qui émet (MSH-4)",
    "applicationReceiver": "application qui reçoit (MSH-5)",
    "facilityReceiver": "établissement qui reçoit (MSH-6)",
    "idMessage": "date et identité du message (MSH-7 et MSH-10)",
    "cda": "le compte rendu CDA voisin, en base64 (OBX-5.5)",
}
"""Placeholders that the bench fills by itself; the last one is its own."""


class Kind(StrEnum):
    """What a file is for the bench."""

    MESSAGE = "message HL7v2"
    REPORT = "compte rendu CDA"
    KOS = "KOS"
    NOTE = "note IOCM"
    IMAGE = "image DICOM"
    ARCHIVE = "archive XDM"
    OTHER = "autre"


@dataclass(frozen=True, slots=True)
class Found:
    """One file. `name` is its path below the folder."""

    path: Path
    name: str
    kind: Kind
    size: int


@dataclass(frozen=True, slots=True)
class Refused:
    """One file that is not read, and why, in French."""

    name: str
    why: str


@dataclass(frozen=True, slots=True)
class Set:
    """What a folder holds, in the natural order of names."""

    folder: Path
    files: tuple[Found, ...]
    refused: tuple[Refused, ...]

    @classmethod
    def read(cls, folder: Path) -> Set:
        """Look at every file below a folder; links that leave it are refused.

        Raises:
            BenchError: no such folder, too many files, or too many bytes of text.
        """
        if not folder.is_dir():
            raise BenchError(f"{folder} : un dossier est attendu")
        root = folder.resolve()
        files: list[Found] = []
        refused: list[Refused] = []
        for path in _walk(folder):
            name = path.relative_to(folder).as_posix()
            try:
                files.append(_found(path, name, root))
            except _NotRead as error:
                refused.append(Refused(name, str(error)))
            if len(files) + len(refused) > MOST_FILES:
                raise BenchError(f"{folder} : plus de {MOST_FILES} fichiers")
        text = sum(one.size for one in files if one.kind in (Kind.MESSAGE, Kind.REPORT))
        if text > LARGEST_SET:
            raise BenchError(f"{folder} : {text} octets de messages, {LARGEST_SET} au plus")
        files.sort(key=lambda one: _natural(one.name))
        return cls(folder, tuple(files), tuple(sorted(refused, key=lambda one: one.name)))

    def of(self, kind: Kind) -> tuple[Found, ...]:
        """The files of a kind."""
        return tuple(one for one in self.files if one.kind is kind)


@dataclass(frozen=True, slots=True)
class Message:
    """A message made ready to send, or what keeps it from being.

    `unknown` are the places that nobody filled, those of the report that it carries included
    (`inside`, which are never filled: a report is signed by who wrote it).
    """

    file: Found
    form: str
    """MSH-9.1: `ORU`, `MDM`, `OMI`..."""
    data: bytes = field(repr=False)
    unknown: tuple[Placeholder, ...]
    inside: tuple[Placeholder, ...]
    carried: str
    """SHA-256 of the report, "" without one: twins in two forms carry the same."""
    trouble: str = ""


def values_of(
    given: Mapping[str, str],
    *,
    moment: Callable[[], datetime],
    sender: str = "DRIMBENCH-RIS",
    receiver: str = "DRIMBOX",
    facility: str = "DRIMBENCH",
) -> Callable[[int], dict[str, str]]:
    """The values of the n-th message: those of the bench, then those given.

    One placeholder stands for both MSH-7 and MSH-10: its value is a date that no two messages
    share, its last four digits counting them.
    """

    def values(number: int) -> dict[str, str]:
        return {
            "applicationSupplier": sender,
            "facilitySupplier": facility,
            "applicationReceiver": receiver,
            "facilityReceiver": facility,
            "idMessage": f"{moment():%Y%m%d%H%M%S}.{number % 10_000:04}",
            **given,
        }

    return values


def ready(found: Set, values: Callable[[int], Mapping[str, str]]) -> Iterator[Message]:
    """The messages of a set, each filled and with the segment ends of the wire.

    Raises:
        TemplateError: a value cannot be written.
    """
    for number, file in enumerate(found.of(Kind.MESSAGE), 1):
        raw = file.path.read_bytes()
        given = dict(values(number))
        report = _neighbour(found, file)
        if report is not None:
            given.setdefault("cda", pybase64.b64encode_as_string(report.path.read_bytes()))
        yield _message(file, raw, given)


def _message(file: Found, raw: bytes, given: Mapping[str, str]) -> Message:
    try:
        charset = hl7v2.parse(wire(raw)).value("MSH-18")
        filled = fill(raw, given, charset=charset)
        message = hl7v2.parse(wire(filled))
    except RemoteProtocolError as error:
        return Message(file, "", raw, placeholders(raw), (), "", trouble=str(error))
    document, trouble = _document(message)
    return Message(
        file=file,
        form=message.value("MSH-9.1"),
        data=wire(filled),
        unknown=placeholders(filled),
        inside=placeholders(document),
        carried=hashlib.sha256(document).hexdigest() if document else "",
        trouble=trouble,
    )


def _document(message: hl7v2.Message) -> tuple[bytes, str]:
    """The report that a message carries, and why it cannot be read."""
    for observation in message.all("OBX"):
        if observation.field(2).value == "ED":
            text = observation.field(5).component(5).text
            if not text:
                return b"", "OBX-5.5 est vide : un compte rendu en base64 y est attendu"
            try:
                return pybase64.b64decode(text, validate=True), ""
            except ValueError as error:
                return b"", f"OBX-5.5 n'est pas du base64 : {error}"
    return b"", ""


def _neighbour(found: Set, file: Found) -> Found | None:
    """The report beside a message: the one of its name, else the only one of its folder."""
    beside = [one for one in found.of(Kind.REPORT) if one.path.parent == file.path.parent]
    stem = re.sub(r"[-_.](ORU|MDM)$", "", file.path.stem, flags=re.IGNORECASE)
    same = [one for one in beside if one.path.stem in (stem, file.path.stem)]
    chosen = same or beside
    return chosen[0] if len(chosen) == 1 else None


class _NotRead(Exception):
    """A file that is left alone; the text says why."""


def _walk(folder: Path) -> Iterator[Path]:
    """Every entry below a folder that is not itself a folder; links to folders are entries."""
    for place, folders, names in os.walk(folder):
        folders.sort()
        here = Path(place)
        yield from (here / name for name in folders if (here / name).is_symlink())
        yield from (here / name for name in sorted(names))


def _found(path: Path, name: str, root: Path) -> Found:
    try:
        if path.is_symlink() and not path.resolve(strict=True).is_relative_to(root):
            raise _NotRead("lien qui sort du dossier")
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise _NotRead("ni fichier ordinaire, ni dossier")
        with path.open("rb") as stream:
            head = stream.read(_HEAD)
    except (OSError, RuntimeError) as error:
        raise _NotRead(f"illisible ({getattr(error, 'strerror', None) or error})") from None
    kind = _kind(head)
    if path.suffix.lower() in _MESSAGE_SUFFIXES and kind is not Kind.MESSAGE:
        raise _NotRead(f"un message HL7v2 (MSH) est attendu, trouvé {head[:12]!r}")
    if kind in (Kind.MESSAGE, Kind.REPORT) and status.st_size > LARGEST_TEXT:
        raise _NotRead(
            f"{status.st_size} octets : {LARGEST_TEXT} au plus pour un message ou un compte rendu"
        )
    return Found(path, name, kind, status.st_size)


def _kind(head: bytes) -> Kind:
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    if start.startswith(b"MSH") and b"\0" not in head:
        return Kind.MESSAGE
    match guess(head):
        case "cda":
            return Kind.REPORT
        case "kos":
            return Kind.KOS
        case "iocm":
            return Kind.NOTE
        case "xdm":
            return Kind.ARCHIVE
    return Kind.IMAGE if head[128:132] == b"DICM" else Kind.OTHER


def _natural(name: str) -> list[tuple[int, int, str]]:
    """`IMG2` before `IMG10`, `CR_G1` before `CR_G1_MAJ`."""
    return [
        (0, int(piece), "") if piece.isdigit() and piece.isascii() else (1, 0, piece)
        for piece in _DIGITS.split(name)
        if piece
    ]
