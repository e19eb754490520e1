"""Multipart bodies: every part with its headers, size and digest, and what it holds."""

from __future__ import annotations

import hashlib

from protocols.errors import RemoteProtocolError
from protocols.multipart import Parser, PartBegin, PartData, PartEnd, boundary_of
from reports import redact
from reports.annotate.model import Fact, Facts, Section
from reports.annotate.text import size
from wire.exchange import Part

__all__ = ["detailed", "split", "summary"]

MAX_DETAILED = 2
MAX_LISTED = 12


def split(body: bytes, content_type: str) -> tuple[tuple[tuple[Part, bytes], ...], str]:
    """The parts of a body kept whole, with their bytes, and what was wrong with it."""
    parts: list[tuple[Part, bytes]] = []
    headers: tuple[tuple[str, str], ...] = ()
    data = bytearray()
    note = ""
    try:
        parser = Parser(boundary_of(content_type))
        for event in parser.feed(body):
            match event:
                case PartBegin():
                    headers = event.headers
                    data.clear()
                case PartData():
                    data += event.data
                case PartEnd():
                    parts.append((_part(headers, bytes(data)), bytes(data)))
        parser.finish()
    except RemoteProtocolError as error:
        note = str(error)
    return tuple(parts), note


def summary(parts: tuple[Part, ...], note: str = "") -> Section:
    """One line a part: type, identification, size, digest."""
    rows = []
    for rank, part in enumerate(parts[:MAX_LISTED], 1):
        named = {name.lower(): value for name, value in part.headers}
        shown = " · ".join(
            filter(None, (named.get("content-type", ""), named.get("content-id", ""),
                          named.get("content-location", "")))
        )  # fmt: skip
        facts = f"{redact.text(shown)} · {size(part.size)} · sha256 {part.sha256[:16]}…"
        rows.append(Fact(f"Partie {rank}", facts))
    if len(parts) > MAX_LISTED:
        left = parts[MAX_LISTED:]
        rows.append(Fact(f"{len(left)} autres parties", size(sum(part.size for part in left))))
    total = sum(part.size for part in parts)
    plural = "s" if len(parts) > 1 else ""
    title = f"Corps multipart · {len(parts)} partie{plural}, {size(total)}"
    return Section(title, (Facts(tuple(rows)),), note)


def detailed(part: Part, rank: int) -> Section:
    """The headers of one part as written."""
    rows = tuple(Fact(name, redact.header(name, value)) for name, value in part.headers)
    title = f"Partie {rank} · en-têtes · {size(part.size)}, sha256 {part.sha256}"
    return Section(title, (Facts(rows),), folded=rank > 1)


def _part(headers: tuple[tuple[str, str], ...], data: bytes) -> Part:
    return Part(headers=headers, size=len(data), sha256=hashlib.sha256(data).hexdigest())
