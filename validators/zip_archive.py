"""A ZIP archive read without trusting it, and one that is always the same bytes.

Nothing is written anywhere: member names only name, so that none can climb out of a folder.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from io import BytesIO
from zipfile import BadZipFile, LargeZipFile, ZipFile, ZipInfo

from protocols.errors import RemoteProtocolError

__all__ = ["MAX_MEMBERS", "ZipSyntaxError", "pack", "unpack"]

MAX_MEMBERS = 5_000
"""The largest studies have about that many images."""

MAX_BYTES = 1 << 30
"""Of all the members together, once inflated."""
_MAX_RATIO = 200
"""Beyond it a member of more than `_SMALL` bytes is a bomb: images seldom shrink ten times."""
_SMALL = 1 << 20
_EPOCH = (1980, 1, 1, 0, 0, 0)


class ZipSyntaxError(RemoteProtocolError):
    """Not a ZIP archive that can be read safely."""


def pack(files: Mapping[str, bytes]) -> bytes:
    """An archive of files by name, uncompressed; the same ones give the same bytes."""
    target = BytesIO()
    with ZipFile(target, "w") as archive:
        for name, data in files.items():
            archive.writestr(ZipInfo(name, _EPOCH), data)
    return target.getvalue()


def unpack(data: bytes) -> dict[str, bytes]:
    """The members of an archive by name, folders left out.

    Raises:
        ZipSyntaxError: not a ZIP archive, an encrypted or damaged member, too many members or too
            many bytes.
    """
    try:
        with ZipFile(BytesIO(data)) as archive:
            members = [info for info in archive.infolist() if not info.is_dir()]
            _check(members)
            return {info.filename: _member(archive, info) for info in members}
    except ZipSyntaxError:
        raise
    except (BadZipFile, LargeZipFile, zlib.error, EOFError, OSError, ValueError) as error:
        raise ZipSyntaxError(f"archive ZIP illisible : {error}") from None
    except (NotImplementedError, RuntimeError) as error:
        raise ZipSyntaxError(f"membre chiffré ou compressé autrement : {error}") from None
    except (IndexError, KeyError, OverflowError, ImportError) as error:
        # zipfile lets these through on damaged extra fields, offsets and foreign compressions.
        raise ZipSyntaxError(f"archive ZIP endommagée : {error}") from None


def _check(members: list[ZipInfo]) -> None:
    if len(members) > MAX_MEMBERS:
        raise ZipSyntaxError(f"plus de {MAX_MEMBERS} fichiers dans l'archive")
    if sum(info.file_size for info in members) > MAX_BYTES:
        raise ZipSyntaxError("archive trop volumineuse une fois décompressée")
    for info in members:
        if info.file_size > _SMALL and info.file_size > _MAX_RATIO * max(1, info.compress_size):
            raise ZipSyntaxError("taux de compression anormal", where=info.filename)


def _member(archive: ZipFile, info: ZipInfo) -> bytes:
    with archive.open(info) as source:
        # The declared size bounds what is read, whatever the stream holds.
        return source.read(info.file_size)
