"""The images of an answer, written to a folder while they come."""

from __future__ import annotations

import re
from pathlib import Path
from typing import BinaryIO

from protocols.dicom import read_texts, split_part10
from protocols.errors import RemoteProtocolError
from protocols.multipart import Event, PartBegin, PartData, PartEnd

__all__ = ["Delivery"]

_SOP_INSTANCE_UID = 0x00080018
_UID = re.compile(r"[0-9.]{1,64}", re.ASCII)
_HEAD = 64 * 1024


class Delivery:
    """Writes each part under a name of its own, then under its SOPInstanceUID when it has one.

    Nothing that comes is lost: a part that cannot be read, or whose name is taken, keeps its
    number as name. `parts` and `size` tell how far it is.
    """

    def __init__(self, folder: Path) -> None:
        """Make the folder.

        Raises:
            OSError: it cannot be made.
        """
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._file: BinaryIO | None = None
        self._head = bytearray()
        self.parts = 0
        self.size = 0
        self.files: list[Path] = []

    def __call__(self, event: Event) -> None:
        """One event of the multipart body.

        Raises:
            OSError: the disk refuses.
        """
        match event:
            case PartBegin():
                self.parts += 1
                self._head.clear()
                self._file = self._path().open("wb")
            case PartData() if self._file is not None:
                self._file.write(event.data)
                self._head += event.data[: _HEAD - len(self._head)]
                self.size += len(event.data)
            case PartEnd():
                self.close()
                self._rename()

    def close(self) -> None:
        """Close the file of a part that was cut; what came of it stays."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _path(self) -> Path:
        return self._folder / f"partie-{self.parts:05}.bin"

    def _rename(self) -> None:
        path, uid = self._path(), _instance(bytes(self._head))
        named = self._folder / f"{uid}.dcm"
        if uid and not named.exists():
            path = path.rename(named)
        self.files.append(path)


def _instance(head: bytes) -> str:
    """The SOPInstanceUID of a DICOM file, "" when there is none fit for a file name."""
    try:
        file = split_part10(head)
        texts = read_texts(
            file.dataset, transfer_syntax=file.transfer_syntax, tags=(_SOP_INSTANCE_UID,)
        )
    except RemoteProtocolError:
        return ""
    uid = texts.get(_SOP_INSTANCE_UID, "")
    return uid if _UID.fullmatch(uid) and ".." not in uid else ""
