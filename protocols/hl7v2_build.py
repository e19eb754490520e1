"""Writing an HL7 v2 message from nested values, right or deliberately wrong.

A field is a string (one component), a tuple (its components, each a string or a tuple of
subcomponents), a list (its repetitions) or None (empty). Strings are escaped; `Verbatim` is not.

Réf.: HL7 v2.5 chapter 2, 2.5 and 2.6, grade: standard.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TypeAlias

from protocols.errors import LocalProtocolError
from protocols.hl7v2_escape import STANDARD, Delimiters, escape

__all__ = [
    "ComponentValue",
    "FieldValue",
    "RepetitionValue",
    "SegmentValue",
    "Verbatim",
    "build",
    "segment",
]

ComponentValue: TypeAlias = "str | tuple[str, ...]"
RepetitionValue: TypeAlias = "str | tuple[ComponentValue, ...]"
FieldValue: TypeAlias = "RepetitionValue | list[RepetitionValue] | None"
SegmentValue: TypeAlias = "Sequence[FieldValue]"

_NAME = re.compile(r"[A-Z][A-Z0-9]{2}")


class Verbatim(str):
    """Characters written as they are: already escaped, or wrong on purpose."""

    __slots__ = ()


def segment(name: str, fields: Mapping[int, FieldValue]) -> list[FieldValue]:
    """A segment value from numbered fields: `segment("PID", {1: "1", 32: "VALI"})`.

    MSH-1 and MSH-2 are filled in when not given.

    Raises:
        LocalProtocolError: a field number below 1.
    """
    if any(number < 1 for number in fields):
        raise LocalProtocolError("HL7 fields count from 1")
    numbered: dict[int, FieldValue] = {1: "|", 2: STANDARD.msh2} if name == "MSH" else {}
    numbered.update(fields)
    last = max(numbered, default=0)
    return [name, *(numbered.get(number) for number in range(1, last + 1))]


def build(segments: Sequence[SegmentValue], *, encoding: str = "utf-8", end: str = "\r") -> bytes:
    """The message whose segments are given, each as `[name, field 1, field 2, ...]`.

    MSH-1 and MSH-2 are given like the others and set the delimiters. `encoding` is the Python
    codec of the bytes; MSH-18 is the caller's business, so that they can disagree. `end` closes
    every segment.

    Raises:
        LocalProtocolError: the first segment is not an MSH with usable delimiters, a name is not
            a segment name, or a character does not exist in `encoding`.
    """
    if not segments or not segments[0] or segments[0][0] != "MSH":
        raise LocalProtocolError("a message begins with MSH")
    header = segments[0]
    separator, written = (header[1], header[2]) if len(header) > 2 else (None, None)
    if not isinstance(separator, str) or not isinstance(written, str):
        raise LocalProtocolError("MSH-1 and MSH-2 are strings and cannot be left out")
    delimiters = _delimiters(separator, written)
    lines = [_line(["MSH", Verbatim(written), *header[3:]], delimiters)]
    lines += [_line(value, delimiters) for value in segments[1:]]
    try:
        return "".join(line + end for line in lines).encode(encoding)
    except UnicodeEncodeError as error:
        raise LocalProtocolError(
            f"not writable in {encoding}: {error.object[error.start]!r}"
        ) from None


def _delimiters(separator: str, written: str) -> Delimiters:
    try:
        delimiters = Delimiters.from_msh(separator.encode("ascii"), written.encode("ascii"))
    except UnicodeEncodeError:
        delimiters = None
    if delimiters is None or len(separator) != 1:
        raise LocalProtocolError(f"unusable delimiters: {separator!r} {written!r}")
    return delimiters


def _line(value: SegmentValue, delimiters: Delimiters) -> str:
    name = value[0] if value else None
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise LocalProtocolError(f"not a segment name: {name!r}")
    fields = [_field(item, delimiters) for item in value[1:]]
    return delimiters.field.decode("ascii").join([name, *fields])


def _field(value: FieldValue, delimiters: Delimiters) -> str:
    if value is None:
        return ""
    if isinstance(value, list):
        repetitions = [_repetition(item, delimiters) for item in value]
        return delimiters.repetition.decode("ascii").join(repetitions)
    return _repetition(value, delimiters)


def _repetition(value: RepetitionValue, delimiters: Delimiters) -> str:
    if isinstance(value, str):
        return _text(value, delimiters)
    components = [_component(item, delimiters) for item in value]
    return delimiters.component.decode("ascii").join(components)


def _component(value: ComponentValue, delimiters: Delimiters) -> str:
    if isinstance(value, str):
        return _text(value, delimiters)
    return delimiters.subcomponent.decode("ascii").join(_text(item, delimiters) for item in value)


def _text(value: str, delimiters: Delimiters) -> str:
    return str(value) if isinstance(value, Verbatim) else escape(value, delimiters)
