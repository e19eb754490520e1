"""Members of a zip archive left out or emptied, and their own fields altered one at a time."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterator

from tests.alterations.model import ABSENT, EMPTY, Alteration

__all__ = ["alterations"]

Way = Callable[[bytes], Callable[[bytes], Iterator[Alteration]] | None]


def alterations(good: bytes, way: Way) -> Iterator[Alteration]:
    """`way` says how the bytes of a member are altered."""
    with zipfile.ZipFile(io.BytesIO(good)) as archive:
        members = [(info, archive.read(info)) for info in archive.infolist()]

    def pack(rank: int, *replaced: bytes) -> bytes:
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as packed:
            for number, (info, data) in enumerate(members):
                if number != rank:
                    packed.writestr(info, data)
                elif replaced:
                    packed.writestr(info, replaced[0])
        return out.getvalue()

    for rank, (info, data) in enumerate(members):
        yield Alteration(info.filename, ABSENT, pack(rank))
        if data:
            yield Alteration(info.filename, EMPTY, pack(rank, b""))
        alter = way(data)
        for one in () if alter is None else alter(data):
            yield Alteration(f"{info.filename}/{one.place}", one.change, pack(rank, one.data))
