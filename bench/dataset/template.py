"""A message file with `{{placeholders}}` and line feeds made a message of the wire.

Nothing but the placeholders and the ends of lines changes. Réf.: messages of DRIM-M_DATA, grade:
sample; HL7 v2.5 chapter 2, 2.5.4 and 2.7, grade: standard.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from bench.errors import BenchError
from protocols.hl7v2 import ENCODINGS
from protocols.hl7v2_escape import STANDARD, escape

__all__ = ["Placeholder", "TemplateError", "fill", "placeholders", "wire"]

_PLACEHOLDER = re.compile(rb"\{\{[ \t]*([A-Za-z][A-Za-z0-9_.-]{0,63})[ \t]*\}\}")
_BOM = b"\xef\xbb\xbf"


class TemplateError(BenchError):
    """A value cannot be written in the message."""


@dataclass(frozen=True, slots=True)
class Placeholder:
    """One place to fill: its name and its line, from 1."""

    name: str
    line: int


def placeholders(data: bytes) -> tuple[Placeholder, ...]:
    """Every place to fill, in order."""
    return tuple(_found(data))


def _found(data: bytes) -> Iterator[Placeholder]:
    line, counted = 1, 0
    ending = b"\n" if b"\n" in data else b"\r"
    for match in _PLACEHOLDER.finditer(data):
        line += data.count(ending, counted, match.start())
        counted = match.start()
        yield Placeholder(match[1].decode("ascii"), line)


def fill(data: bytes, values: Mapping[str, str], *, charset: str = "UNICODE UTF-8") -> bytes:
    """The same with the values that are known, escaped as HL7 wants; the other places stay.

    `charset` is a value of MSH-18, UTF-8 when unknown.

    Raises:
        TemplateError: a value has a control character, or cannot be written in the charset.
    """
    codec = ENCODINGS.get(charset.upper(), "utf-8")
    written = {name: _written(name, value, codec) for name, value in values.items()}
    return _PLACEHOLDER.sub(lambda match: written.get(match[1].decode("ascii"), match[0]), data)


def _written(name: str, value: str, codec: str) -> bytes:
    if any(ord(char) < 0x20 or ord(char) == 0x7F for char in value):
        raise TemplateError(f"{name} : une valeur d'une ligne est attendue, trouvé {value!r}")
    try:
        return escape(value, STANDARD).encode(codec)
    except UnicodeEncodeError:
        raise TemplateError(f"{name} : {value!r} ne s'écrit pas en {codec}") from None


def wire(data: bytes) -> bytes:
    """The same with the segment ends of the wire: CR LF and LF become CR, but a LF beside bare CRs,
    which then ends nothing. The last segment is ended, a byte order mark dropped.
    """
    text = data.removeprefix(_BOM).replace(b"\r\n", b"\r")
    if b"\r\n" in data or b"\r" not in text:
        text = text.replace(b"\n", b"\r")
    return text if text.endswith(b"\r") else text + b"\r"
