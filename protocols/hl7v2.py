"""HL7 v2 in its vertical-bar encoding (ER7): bytes in, a navigable message out, every byte located.

The parser keeps what it reads: unknown segments, out-of-order segments, superfluous fields and
undecodable bytes all stay reachable, because judging them is the business of others. Nothing is
copied or decoded before it is asked for: a report of half a megabyte is parsed in microseconds.

Réf.: HL7 v2.5 chapter 2 (2.5.3 fields, 2.7 escapes, 2.14 MSH), grade: standard.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from protocols.errors import LocalProtocolError, RemoteProtocolError
from protocols.hl7v2_build import (
    FieldValue,
    RepetitionValue,
    SegmentValue,
    Verbatim,
    build,
    segment,
)
from protocols.hl7v2_elements import (
    Component,
    Element,
    Field,
    Repetition,
    Segment,
    Source,
    Subcomponent,
)
from protocols.hl7v2_escape import Delimiters

__all__ = [
    "ENCODINGS",
    "MAX_SEGMENTS",
    "Component",
    "Delimiters",
    "Element",
    "Field",
    "FieldPath",
    "FieldValue",
    "Hl7SyntaxError",
    "Message",
    "Repetition",
    "RepetitionValue",
    "Segment",
    "SegmentValue",
    "Subcomponent",
    "Verbatim",
    "build",
    "parse",
    "parse_path",
    "segment",
]

ENCODINGS: dict[str, str] = {
    "UNICODE UTF-8": "utf-8",
    "UNICODE": "utf-8",
    "8859/15": "iso8859-15",
    "8859/1": "latin-1",
    "ASCII": "ascii",
}
"""Values of MSH-18 (HL7 table 0211) and the Python codec of each. The French volet allows
`UNICODE UTF-8` and `8859/15` only (CI-SIS, Transmission d'un document CDA-R2 en HL7v2, 2.1)."""

MAX_SEGMENTS = 100_000
"""More segments than any message has: beyond, the bytes are an attack on our memory."""

_BOM = b"\xef\xbb\xbf"
_PATH = re.compile(
    r"(?P<name>[A-Z][A-Z0-9]{2})(?:\[(?P<segment>[1-9]\d{0,5})\])?"
    r"-(?P<field>[1-9]\d{0,3})(?:\[(?P<repetition>[1-9]\d{0,5})\])?"
    r"(?:\.(?P<component>[1-9]\d{0,3})(?:\.(?P<subcomponent>[1-9]\d{0,3}))?)?"
)


class Hl7SyntaxError(RemoteProtocolError):
    """There is no message here: no MSH, or an MSH whose delimiters cannot be used."""


@dataclass(frozen=True, slots=True)
class FieldPath:
    """A path `SEG[segment]-field[repetition].component.subcomponent`, all counted from 1."""

    name: str
    segment: int
    field: int
    repetition: int | None = None
    component: int | None = None
    subcomponent: int | None = None


def parse_path(path: str) -> FieldPath:
    """Read a path such as `PID-3[2].4.2` or `OBX[3]-5.5`.

    Raises:
        LocalProtocolError: not a path.
    """
    match = _PATH.fullmatch(path)
    if match is None:
        raise LocalProtocolError(f"not an HL7 path: {path!r}")
    part = {key: int(value) for key, value in match.groupdict().items() if value and key != "name"}
    return FieldPath(
        name=match["name"],
        segment=part.get("segment", 1),
        field=part["field"],
        repetition=part.get("repetition"),
        component=part.get("component"),
        subcomponent=part.get("subcomponent"),
    )


@dataclass(frozen=True, slots=True)
class Message:
    """A parsed message: `raw` and where everything is in it.

    `encoding` is the Python codec used; `declared_encoding` is MSH-18 as written; `undecodable`
    is the span of the first byte that the codec refuses. `lf_ended` says that line feeds took
    part in ending segments, which HL7 forbids and many files do.
    """

    raw: bytes = field(repr=False)
    segments: tuple[Segment, ...]
    delimiters: Delimiters
    encoding: str
    declared_encoding: str
    lf_ended: bool
    undecodable: tuple[int, int] | None = None

    def all(self, name: str) -> tuple[Segment, ...]:
        """Every segment of that name, in order."""
        return tuple(segment for segment in self.segments if segment.name == name)

    def first(self, name: str) -> Segment | None:
        """The first segment of that name."""
        return next((segment for segment in self.segments if segment.name == name), None)

    def find(self, path: str) -> Element | None:
        """The element at a path, None when its segment is absent.

        A path without repetition means the whole field when it stops there, else the first
        repetition.

        Raises:
            LocalProtocolError: not a path.
        """
        where = parse_path(path)
        found = self.all(where.name)
        if len(found) < where.segment:
            return None
        whole = found[where.segment - 1].field(where.field)
        if where.repetition is None and where.component is None:
            return whole
        repetition = whole.repetition(where.repetition or 1)
        if where.component is None:
            return repetition
        component = repetition.component(where.component)
        if where.subcomponent is None:
            return component
        return component.subcomponent(where.subcomponent)

    def value(self, path: str) -> str:
        """The unescaped characters at a path, "" when absent.

        Raises:
            LocalProtocolError: not a path.
        """
        element = self.find(path)
        return "" if element is None else element.value


def parse(data: bytes) -> Message:
    """Read one message, without MLLP framing.

    A byte order mark and blank lines before MSH are skipped. When the message has carriage
    returns they end its segments (a line feed right after one belongs to the end); when it has
    none, line feeds do.

    Raises:
        Hl7SyntaxError: no MSH at the beginning, unusable delimiters, or more than
            `MAX_SEGMENTS` segments.
    """
    start = len(_BOM) if data.startswith(_BOM) else 0
    while data[start : start + 1] in (b"\r", b"\n"):
        start += 1
    delimiters = _delimiters(data, start)
    bounds, lf_ended = _segment_bounds(data, start)
    declared = _declared_encoding(data, *bounds[0], delimiters)
    codec, undecodable = _codec(data, declared)
    source = Source(data, delimiters, codec)
    segments = tuple(
        Segment(source, first, last, _name(data, first, last, delimiters.field), index)
        for index, (first, last) in enumerate(bounds)
    )
    return Message(
        raw=data,
        segments=segments,
        delimiters=delimiters,
        encoding=codec,
        declared_encoding=declared,
        lf_ended=lf_ended,
        undecodable=undecodable,
    )


def _delimiters(data: bytes, start: int) -> Delimiters:
    if data[start : start + 3] != b"MSH":
        raise Hl7SyntaxError(
            "le message ne commence pas par un segment MSH",
            where="MSH",
            span=(start, min(len(data), start + 3)),
        )
    separator = data[start + 3 : start + 4]
    if not separator or not 0x21 <= separator[0] <= 0x7E or separator.isalnum():
        raise Hl7SyntaxError(
            "séparateur de champs inutilisable", where="MSH-1", span=(start + 3,) * 2
        )
    end = start + 4
    while end < len(data) and data[end : end + 1] not in (separator, b"\r", b"\n"):
        end += 1
        if end - start > 12:
            break
    written = data[start + 4 : end]
    delimiters = Delimiters.from_msh(separator, written)
    if delimiters is None:
        raise Hl7SyntaxError(
            f"caractères d'encodage inutilisables : {written!r}",
            where="MSH-2",
            span=(start + 4, end),
        )
    return delimiters


def _segment_bounds(data: bytes, start: int) -> tuple[list[tuple[int, int]], bool]:
    ending = b"\r" if data.find(b"\r", start) >= 0 else b"\n"
    lf_ended = False
    bounds: list[tuple[int, int]] = []
    while start < len(data):
        end = data.find(ending, start)
        if end < 0:
            end = len(data)
        elif ending == b"\n":
            lf_ended = True
        if data[start : start + 1] == b"\n":
            lf_ended = True
            start += 1
        if end > start:
            if len(bounds) == MAX_SEGMENTS:
                raise Hl7SyntaxError(f"plus de {MAX_SEGMENTS} segments", span=(start, end))
            bounds.append((start, end))
        start = max(start, end + 1)
    return bounds, lf_ended


def _name(data: bytes, start: int, end: int, separator: bytes) -> str:
    stop = data.find(separator, start, min(end, start + 16))
    return data[start : stop if stop >= 0 else min(end, start + 16)].decode("latin-1")


def _declared_encoding(data: bytes, start: int, end: int, delimiters: Delimiters) -> str:
    # Read before the codec is known: the names of table 0211 are ASCII.
    source = Source(data, delimiters, "latin-1")
    written = Segment(source, start, end, "MSH", 0).field(18).repetition(1).text
    return written.strip()


def _codec(data: bytes, declared: str) -> tuple[str, tuple[int, int] | None]:
    codec = ENCODINGS.get(declared.upper())
    if data.isascii():
        # All of them hold it, and a long document in base64 is nothing else.
        return codec or "utf-8", None
    try:
        data.decode(codec or "utf-8")
    except UnicodeDecodeError as error:
        if codec is None:
            return "latin-1", None
        return codec, (error.start, error.end)
    return codec or "utf-8", None
