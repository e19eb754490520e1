"""What the archive rules judge: files by name, and the lots that their folders hold."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

from protocols.errors import RemoteProtocolError
from validators.context import Context
from validators.xdm.metadata import Metadata, uri_of
from validators.xdm.metadata import read as read_metadata
from validators.zip_archive import unpack

__all__ = ["Archive", "Lot", "is_safe", "read"]

_HOME = re.compile(r"(?:^|/)(IHE_XDM)/")


@dataclass(frozen=True)
class Lot:
    """One folder of a submission set. `metadata` is None when it cannot be read: `fault`."""

    folder: str
    files: tuple[str, ...]
    metadata: Metadata | None = None
    fault: str = ""


@dataclass(frozen=True)
class Archive:
    """An archive, in memory: no name of it ever becomes a path of this machine."""

    context: Context
    files: dict[str, bytes]

    @cached_property
    def roots(self) -> list[str]:
        """What precedes each `IHE_XDM` folder: "" or `KA202611/`."""
        found = {name[: match.start(1)] for name in self.files if (match := _HOME.search(name))}
        return sorted(found)

    def file(self, name: str) -> bytes | None:
        """A file at the root of the archive, whatever the case of its name."""
        wanted = {f"{root}{name}".upper() for root in self.roots or [""]}
        return next((data for key, data in self.files.items() if key.upper() in wanted), None)

    @cached_property
    def lots(self) -> list[Lot]:
        """The folders under `IHE_XDM`, in the order of names."""
        folders: dict[str, list[str]] = {}
        for name in self.files:
            match = _HOME.search(name)
            if match is not None and "/" in name[match.end() :]:
                folder = name[: match.end()] + name[match.end() :].partition("/")[0]
                folders.setdefault(folder, []).append(name)
        return [self._lot(folder, tuple(sorted(names))) for folder, names in folders.items()]

    def _lot(self, folder: str, names: tuple[str, ...]) -> Lot:
        data = self.files.get(f"{folder}/METADATA.XML")
        if data is None:
            return Lot(folder, names, fault="METADATA.XML manque")
        try:
            metadata = read_metadata(data, self.context)
        except RemoteProtocolError as error:
            return Lot(folder, names, fault=str(error))
        documents = {
            item.id: self.files[name]
            for item in metadata.entries
            if (name := self.resolve(folder, uri_of(item))) is not None
        }
        return Lot(folder, names, replace(metadata, files=documents))

    def resolve(self, folder: str, uri: str) -> str | None:
        """The file that a URI names: beside METADATA.XML (IHE), or under `IHE_XDM` (samples)."""
        home = folder.rpartition("/")[0]
        return next(
            (name for name in (f"{folder}/{uri}", f"{home}/{uri}") if uri and name in self.files),
            None,
        )

    def metadata(self) -> Iterator[tuple[str, Metadata]]:
        """The metadata that can be read, each after its folder."""
        for lot in self.lots:
            if lot.metadata is not None:
                yield lot.folder, lot.metadata


def is_safe(name: str) -> bool:
    """Whether a member's name stays in the folder that it would be unpacked in."""
    steps = re.split(r"[/\\]", name)
    return (
        name.isprintable()
        and not name.startswith(("/", "\\"))
        and "\\" not in name
        and ".." not in steps
        and re.match(r"[A-Za-z]:", name) is None
    )


def read(data: bytes, context: Context) -> Archive:
    """Read an archive.

    Raises:
        ZipSyntaxError: not a ZIP archive, or one that cannot be read in bounded memory.
    """
    return Archive(context, unpack(data))
