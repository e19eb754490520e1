"""An HTTP message as captured: its first line, its headers, then what its body is made of."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from tests.alterations.model import ABSENT, EMPTY, OTHER, Alteration

__all__ = ["alterations"]

_OTHER = "KIT"
_BOUNDARY = re.compile(rb'boundary="?([^";\r\n]+)')
Body = Callable[[bytes], Iterator[Alteration]]


def alterations(good: bytes, body_of: Callable[[str], Body | None]) -> Iterator[Alteration]:
    """Words of the first line, headers and their values, parts, and the parts' content.

    `body_of` says how a content is altered, by its media type.
    """
    head, _, body = good.partition(b"\r\n\r\n")
    first, *headers = head.decode("latin-1").split("\r\n")

    def message(lines: list[str], content: bytes = body) -> bytes:
        return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + content

    words = first.split(" ")
    for rank in range(len(words)):
        line = " ".join([*words[:rank], _OTHER, *words[rank + 1 :]])
        yield Alteration(f"ligne[{rank + 1}]", OTHER, message([line, *headers]))
    for place, change, lines in _headers(headers):
        yield Alteration(place, change, message([first, *lines]))
    boundary = _BOUNDARY.search(head)
    if boundary is None:
        alter = body_of(head.decode("latin-1")) if body.strip() else None
        for one in () if alter is None else alter(body):
            whole = message([first, *headers], one.data)
            yield Alteration(f"corps/{one.place}", one.change, whole)
        return
    delimiter = b"--" + boundary[1]
    preamble, *parts, end = body.split(delimiter)
    for rank, part in enumerate(parts):
        place = f"partie[{rank + 1}]"

        def package(*pieces: bytes, at: int = rank) -> bytes:
            whole = [preamble, *parts[:at], *pieces, *parts[at + 1 :], end]
            return message([first, *headers], delimiter.join(whole))

        yield Alteration(place, ABSENT, package())
        part_head, _, content = part.partition(b"\r\n\r\n")
        lines = part_head.decode("latin-1").removeprefix("\r\n").split("\r\n")
        for where, change, edited in _headers(lines):
            new = b"\r\n" + "\r\n".join(edited).encode("latin-1") + b"\r\n\r\n" + content
            yield Alteration(f"{place}/{where}", change, package(new))
        alter = body_of(lines[0])
        yield Alteration(f"{place}/corps", EMPTY, package(part_head + b"\r\n\r\n\r\n"))
        if alter is None:
            yield Alteration(
                f"{place}/corps", OTHER, package(part_head + b"\r\n\r\nKIT" + content[3:])
            )
            continue
        for one in alter(content.removesuffix(b"\r\n")):
            piece = part_head + b"\r\n\r\n" + one.data + b"\r\n"
            yield Alteration(f"{place}/{one.place}", one.change, package(piece))


def _headers(lines: list[str]) -> Iterator[tuple[str, str, list[str]]]:
    """Place, change, all lines. Of several headers of one name, each by its rank."""
    names = [line.partition(":")[0] for line in lines]
    for rank, line in enumerate(lines):
        name, _, value = line.partition(": ")
        place = name
        if names.count(name) > 1:
            place += f"[{names[: rank + 1].count(name)}]"

        def put(*new: str, at: int = rank) -> list[str]:
            return [*lines[:at], *new, *lines[at + 1 :]]

        yield place, ABSENT, put()
        yield place, EMPTY, put(f"{name}: ")
        yield place, OTHER, put(f"{name}: {_OTHER}")
        if ";" not in value or "," in value:
            continue
        pieces = value.split(";")
        for number, piece in enumerate(pieces[1:], start=1):
            key = piece.partition("=")[0].strip()
            short = ";".join([*pieces[:number], *pieces[number + 1 :]])
            yield f"{place};{key}", ABSENT, put(f"{name}: {short}")
            edited = ";".join([*pieces[:number], f" {key}={_OTHER}", *pieces[number + 1 :]])
            yield f"{place};{key}", OTHER, put(f"{name}: {edited}")
