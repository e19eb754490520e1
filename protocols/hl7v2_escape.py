"""HL7 v2 delimiters and escape sequences: characters that separate, and how to write them as data.

Réf.: HL7 v2.5 chapter 2, 2.5.4 and 2.7, grade: standard.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ["STANDARD", "Delimiters", "escape", "unescape"]


@dataclass(frozen=True, slots=True)
class Delimiters:
    """The five characters of MSH-1 and MSH-2, one byte each."""

    field: bytes = b"|"
    component: bytes = b"^"
    repetition: bytes = b"~"
    escape: bytes = b"\\"
    subcomponent: bytes = b"&"

    @classmethod
    def from_msh(cls, separator: bytes, written: bytes) -> Delimiters | None:
        """Delimiters from MSH-1 and MSH-2, None when they cannot be used.

        Missing encoding characters keep their usual value; a fifth one (truncation, v2.7) is
        accepted and ignored. All must be distinct, visible, and neither letter nor digit.
        """
        if not 1 <= len(written) <= 5:
            return None
        chosen = [written[i : i + 1] for i in range(len(written[:4]))]
        chosen += [b"^", b"~", b"\\", b"&"][len(chosen) :]
        every = [separator, *chosen]
        if len(set(every)) != 5:
            return None
        if any(not 0x21 <= char[0] <= 0x7E or char.isalnum() for char in every):
            return None
        return cls(separator, *chosen)

    @property
    def msh2(self) -> str:
        """The encoding characters as MSH-2 writes them."""
        return (self.component + self.repetition + self.escape + self.subcomponent).decode("ascii")


STANDARD = Delimiters()
"""`|^~\\&`, what HL7 recommends and the French volet requires."""

_LETTERS = {
    "F": "field",
    "S": "component",
    "R": "repetition",
    "E": "escape",
    "T": "subcomponent",
}


def escape(text: str, delimiters: Delimiters = STANDARD) -> str:
    """Write `text` as data: delimiters and line ends become escape sequences."""
    mark = delimiters.escape.decode("ascii")
    table: dict[str, str] = {
        getattr(delimiters, name).decode("ascii"): f"{mark}{letter}{mark}"
        for letter, name in _LETTERS.items()
    }
    # A carriage return would end the segment and a line feed would in a careless reader.
    table |= {"\r": f"{mark}X0D{mark}", "\n": f"{mark}X0A{mark}"}
    # Half a megabyte of base64 has none of them: `in` is a memchr, a regular expression is not.
    if not any(char in text for char in table):
        return text
    return "".join(table.get(char, char) for char in text)


def unescape(text: str, delimiters: Delimiters = STANDARD, codec: str = "utf-8") -> str:
    """Read `text` as data. Sequences that mean formatting or nothing known stay as written."""
    mark = delimiters.escape.decode("ascii")
    if mark not in text:
        return text

    def resolve(match: re.Match[str]) -> str:
        inner: str = match[1]
        if name := _LETTERS.get(inner):
            delimiter: bytes = getattr(delimiters, name)
            return delimiter.decode("ascii")
        if inner == ".br":
            return "\n"
        if inner[:1] == "X" and len(inner) > 1:
            try:
                return bytes.fromhex(inner[1:]).decode(codec, "replace")
            except ValueError:
                return match[0]
        return match[0]

    quoted = re.escape(mark)
    return re.sub(f"{quoted}([^{quoted}]*){quoted}", resolve, text)
