"""One message made wrong: by its structure (separators of its format, nested items), or its bytes.

Everything comes from one `random.Random`: a door, a seed and an index give the same bytes again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

__all__ = ["DIMSE", "HL7", "HTTP", "LARGEST", "SOAP", "Grammar", "case_of", "mutated"]

LARGEST = 512 * 1024
"""Bytes of the largest piece: a box may refuse what is longer, and that is another test."""

_COMMON = (
    b"",
    b"\x00",
    b"\xff\xfe",
    b"\xc0\xaf",
    b"\xed\xa0\x80",
    b"'",
    b'"',
    b"-1",
    b"NaN",
    b"1e999",
    b"9" * 40,
    b"A" * 5000,
    b"%s%n",
    b"../../../etc/passwd",
    b"20260230",
    b"2026-02-30T25:61:61Z",
)


@dataclass(frozen=True, slots=True)
class Grammar:
    """How a format is cut, and what its readers stumble on."""

    separators: tuple[bytes, ...]
    """From the outermost to the innermost."""
    tokens: tuple[bytes, ...]
    nest: tuple[bytes, bytes] | None = None
    """What opens and closes a level, where the format nests."""
    lengths: bool = False
    """Whether items carry their length in two or four bytes, big endian."""


HL7 = Grammar(
    (b"\r", b"|", b"~", b"^", b"&"),
    (
        b"\x0b",
        b"\x1c\r",
        b"\x1c",
        b"\r\n",
        b"\\F\\",
        b"\\X0D0A\\",
        b"\\X",
        b"\\Z99\\",
        b"\\E\\\\E",
        b"|^~\\&",
        b"MSH|^~\\&|",
        b"MSH|||||",
        b"OBX|1|ED|",
        b"8859/1",
        b"UNICODE UTF-16",
        b"^^^&&ISO",
        b"ORU^R01^ORU_R01",
        b"ACK",
        b'""',
        b"<!DOCTYPE a [<!ENTITY b 'c'>]>",
        b"=====",
    ),
)
HTTP = Grammar(
    (b"\r\n", b": ", b"; ", b",", b"&", b"=", b"/", b"?", b"%"),
    (
        b"%00",
        b"%2e%2e%2f",
        b"%c0%af",
        b"%",
        b"%u0041",
        b"+",
        b"//",
        b"\r\n\r\n",
        b"\r\nTransfer-Encoding: chunked",
        b"\r\nContent-Length: -1",
        b"\r\nContent-Length: 99999999999999999999",
        b"\r\nExpect: 100-continue",
        b"\r\nUpgrade: h2c",
        b"\r\nRange: bytes=0-,0-,0-",
        b"\r\nX-Long: " + b"x" * 20000,
        b"*/*;q=1e309",
        b'multipart/related; type="application/dicom"; boundary=',
        b"eyJhbGciOiJub25lIn0.e30.",
        b"HTTP/9.9",
        b"GET http://[::1",
        b"1.2.3.",
        b"0" * 200,
        b'{"a":',
        b"[" * 5000,
    ),
)
SOAP = Grammar(
    (b"\r\n", b"<", b">", b" ", b'"', b":", b"/"),
    (
        b"<!DOCTYPE a SYSTEM 'file:///etc/passwd'>",
        b"<!DOCTYPE a [<!ENTITY b 'cc'><!ENTITY c '&b;&b;'>]>",
        b"&c;",
        b"&#0;",
        b"&#x110000;",
        b"<![CDATA[",
        b"]]>",
        b"<!--",
        b"<?x ?>",
        b"xmlns=''",
        b"xmlns:a='",
        b'Id="x"',
        b"xsi:nil='true'",
        b"<?xml version='1.0' encoding='UTF-16'?>",
        b"urn:uuid:",
        b"<a" + b" a='b'" * 300 + b"/>",
    ),
    nest=(b"<a>", b"</a>"),
)
DIMSE = Grammar(
    (),
    (
        b"\xff\xff\xff\xff",
        b"\x00\x00\x00\x00",
        b"\x7f\xff\xff\xff",
        b"\x01\x00\x00\x00\x00\x04",
        b"\x04\x00\x00\x00\x00\x06",
        b"\x05\x00\x00\x00\x00\x04\x00\x00\x00\x00",
        b"\x20\x00\x00\x2e",
        b"\x50\x00\xff\xff",
        b"1.2.840.10008.1.1",
        b"1.2.3." * 30,
        b"SQ\x00\x00\xff\xff\xff\xff",
        b"\xfe\xff\x00\xe0\xff\xff\xff\xff",
        b"\xfe\xff\xdd\xe0\x00\x00\x00\x00",
    ),
    lengths=True,
)


def case_of(
    door: str, grammar: Grammar, seeds: Sequence[Sequence[bytes]], seed: int, index: int
) -> tuple[bytes, ...]:
    """The case of that number: the pieces of a valid conversation, one of them made wrong."""
    random = Random(f"{door}/{seed}/{index}")
    pieces = list(random.choice(seeds))
    at = random.randrange(len(pieces))
    pieces[at] = mutated(pieces[at], grammar, random)
    if len(pieces) > 1 and random.random() < 0.1:
        random.shuffle(pieces)
    return tuple(pieces)


def mutated(data: bytes, grammar: Grammar, random: Random) -> bytes:
    """The message with one to four things made wrong."""
    ways: list[Callable[[bytes, Grammar, Random], bytes]] = [_damage, _token]
    if grammar.separators:
        ways += [_structure] * 5
    if grammar.nest:
        ways.append(_nest)
    if grammar.lengths:
        ways += [_length] * 4
    for _ in range(random.choice((1, 1, 1, 2, 4))):
        data = random.choice(ways)(data, grammar, random)[:LARGEST]
    return data


def _structure(data: bytes, grammar: Grammar, random: Random) -> bytes:
    """A part between two separators is dropped, doubled, moved, emptied, repeated, replaced."""
    present = [one for one in grammar.separators if one in data]
    if not present:
        return _damage(data, grammar, random)
    separator = random.choice(present)
    parts = data.split(separator)
    at, other = random.randrange(len(parts)), random.randrange(len(parts))
    match random.randrange(8):
        case 0:
            del parts[at]
        case 1:
            parts.insert(at, parts[at])
        case 2:
            parts[at], parts[other] = parts[other], parts[at]
        case 3:
            parts[at] = b""
        case 4:
            parts[at:at] = [parts[at][:200]] * random.choice((10, 300, 2000))
        case 5:
            parts[at] = random.choice((*_COMMON, *grammar.tokens))
        case 6:
            parts[at : at + 1] = [parts[at] + random.choice(present) + parts[other][:2000]]
        case _:
            parts[at] = parts[at][: len(parts[at]) // 2]
    return separator.join(parts)


def _damage(data: bytes, grammar: Grammar, random: Random) -> bytes:
    """Bytes cut, overwritten, flipped, repeated, or the rest left out."""
    raw = bytearray(data)
    at, size = random.randrange(len(raw) + 1), random.choice((1, 1, 2, 4, 16, 200))
    match random.randrange(6):
        case 0:
            del raw[at : at + size]
        case 1:
            raw[at : at + size] = random.randbytes(size)
        case 2:
            raw[at:at] = raw[at : at + size] * random.choice((1, 20))
        case 3:
            del raw[at:]
        case 4:
            raw[at:at] = random.randbytes(size)
        case _:
            if at < len(raw):
                raw[at] ^= 1 << random.randrange(8)
    return bytes(raw)


def _token(data: bytes, grammar: Grammar, random: Random) -> bytes:
    at = random.randrange(len(data) + 1)
    return data[:at] + random.choice((*_COMMON, *grammar.tokens)) + data[at:]


def _nest(data: bytes, grammar: Grammar, random: Random) -> bytes:
    """Many levels more around nothing, closed or not."""
    opens, closes = grammar.nest or (b"", b"")
    depth = random.choice((50, 300, 5000))
    at = data.find(opens[:1], random.randrange(len(data) + 1))
    at = len(data) if at < 0 else at
    return data[:at] + opens * depth + closes * random.choice((0, depth)) + data[at:]


def _length(data: bytes, grammar: Grammar, random: Random) -> bytes:
    """A length that lies: two or four bytes that look like one are replaced."""
    size = random.choice((2, 4))
    if len(data) < size:
        return _damage(data, grammar, random)
    # Lengths are small numbers: places that begin with zeros are where they are.
    places = [at for at in range(len(data) - size) if data[at] == 0 and data[at + size - 1]]
    at = random.choice(places or [0])
    value = int.from_bytes(data[at : at + size], "big")
    lies = (0, 1, value - 1, value + 1, value * 2, 256**size - 1, 256**size // 2)
    wrong = random.choice(lies) % int(256**size)
    lie: bytes = wrong.to_bytes(size, "big")
    return data[:at] + lie + data[at + size :]
