"""DER, as much of it as a time stamp is made of: written whole, read one element after the other.

What `cryptography` reads and writes (certificates, lists, OCSP) is left to it. Réf. X.690.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from protocols.errors import RemoteProtocolError

__all__ = [
    "BIT_STRING",
    "BOOLEAN",
    "GENERALIZED_TIME",
    "INTEGER",
    "NULL",
    "OCTET_STRING",
    "OID",
    "SEQUENCE",
    "SET",
    "UTF8_STRING",
    "DerError",
    "Element",
    "algorithm",
    "context",
    "elements",
    "integer",
    "null",
    "octets",
    "oid",
    "only",
    "sequence",
    "set_of",
    "time",
    "tlv",
]

BOOLEAN, INTEGER, BIT_STRING, OCTET_STRING, NULL, OID = 0x01, 0x02, 0x03, 0x04, 0x05, 0x06
UTF8_STRING, GENERALIZED_TIME, SEQUENCE, SET = 0x0C, 0x18, 0x30, 0x31


class DerError(RemoteProtocolError):
    """Octets that are not the DER expected there."""


# Writing ---------------------------------------------------------------------------------------


def tlv(tag: int, *parts: bytes) -> bytes:
    """An element of that tag, whose content is the parts."""
    content = b"".join(parts)
    if len(content) < 0x80:
        return bytes([tag, len(content)]) + content
    length = len(content).to_bytes((len(content).bit_length() + 7) // 8)
    return bytes([tag, 0x80 | len(length)]) + length + content


def sequence(*parts: bytes) -> bytes:
    """SEQUENCE, or SEQUENCE OF."""
    return tlv(SEQUENCE, *parts)


def set_of(*parts: bytes, tag: int = SET) -> bytes:
    """SET OF: in the order of their octets (X.690 11.6)."""
    return tlv(tag, *sorted(parts))


def context(number: int, *parts: bytes) -> bytes:
    """[number], constructed: an explicit tag around an element, or an implicit one."""
    return tlv(0xA0 | number, *parts)


def integer(value: int) -> bytes:
    """INTEGER, of the fewest octets."""
    size = (value if value >= 0 else ~value).bit_length() // 8 + 1
    return tlv(INTEGER, value.to_bytes(size, signed=True))


def octets(value: bytes) -> bytes:
    """OCTET STRING."""
    return tlv(OCTET_STRING, value)


def null() -> bytes:
    """NULL."""
    return tlv(NULL)


def oid(dotted: str) -> bytes:
    """OBJECT IDENTIFIER."""
    first, second, *rest = map(int, dotted.split("."))
    return tlv(OID, *map(_base128, (first * 40 + second, *rest)))


def algorithm(dotted: str) -> bytes:
    """AlgorithmIdentifier, its parameters NULL."""
    return sequence(oid(dotted), null())


def time(instant: datetime) -> bytes:
    """GeneralizedTime in UTC, to the millisecond: no final zero (RFC 3161 2.4.2)."""
    utc = instant.astimezone(UTC)
    fraction = f".{utc.microsecond // 1000:03}".rstrip("0").rstrip(".")
    return tlv(GENERALIZED_TIME, f"{utc:%Y%m%d%H%M%S}{fraction}Z".encode())


def _base128(value: int) -> bytes:
    groups = [value & 0x7F]
    while value := value >> 7:
        groups.append(0x80 | value & 0x7F)
    return bytes(reversed(groups))


# Reading ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Element:
    """One element: its first octet, and its content."""

    tag: int
    content: bytes

    def expect(self, tag: int) -> bytes:
        """Its content.

        Raises:
            DerError: it is of another tag.
        """
        if self.tag != tag:
            raise DerError(f"élément ASN.1 de balise {tag:02X} attendu, {self.tag:02X} trouvé")
        return self.content

    @property
    def as_integer(self) -> int:
        """Raises DerError: no INTEGER."""
        if not (content := self.expect(INTEGER)):
            raise DerError("INTEGER vide")
        return int.from_bytes(content, signed=True)

    @property
    def as_oid(self) -> str:
        """Dotted. Raises DerError: no OBJECT IDENTIFIER."""
        numbers, value = [], 0
        content = self.expect(OID)
        if not content or content[-1] & 0x80:
            raise DerError("OBJECT IDENTIFIER tronqué")
        for octet in content:
            value = value << 7 | octet & 0x7F
            if not octet & 0x80:
                numbers.append(value)
                value = 0
        first = min(numbers[0] // 40, 2)
        return ".".join(map(str, (first, numbers[0] - first * 40, *numbers[1:])))


def only(data: bytes, tag: int) -> list[Element]:
    """The elements of the one element that the data are.

    Raises:
        DerError: of another tag, followed by something, or not DER.
    """
    found = list(elements(data))
    if len(found) != 1:
        raise DerError(f"un seul élément ASN.1 attendu, {len(found)} trouvés")
    return list(elements(found[0].expect(tag)))


def elements(data: bytes) -> Iterator[Element]:
    """The elements that follow each other in the data, which they fill.

    Raises:
        DerError: a length that is not definite, not minimal, or beyond the end; a long tag.
    """
    at = 0
    while at < len(data):
        if data[at] & 0x1F == 0x1F or at + 2 > len(data):
            raise DerError("élément ASN.1 illisible")
        tag, length, start = data[at], data[at + 1], at + 2
        if length & 0x80:
            size = length & 0x7F
            length, first = int.from_bytes(data[start : start + size]), data[start : start + 1]
            if size == 0 or size > 4 or first in (b"", b"\0") or length < 0x80:
                raise DerError("longueur ASN.1 qui n'est pas de DER")
            start += size
        if (end := start + length) > len(data):
            raise DerError("élément ASN.1 tronqué")
        yield Element(tag, data[start:end])
        at = end
