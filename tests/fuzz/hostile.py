"""Hostile inputs: random bytes, damaged seeds, and what attackers and broken senders really send.

Everything comes from one `random.Random`: a seed and a rank give the same bytes again.
"""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Callable, Sequence
from random import Random

__all__ = ["LONGEST", "deep_dicom", "hostile", "xml_bomb"]

LONGEST = 256 * 1024
"""Bytes of the longest input; the 100 MB ones are `heavy`'s."""

_TOKENS = (
    b"\x00",
    b"\xff\xff\xff\xff",
    b"\xc0\xaf\xed\xa0\x80",
    b"\xfe\xff",
    b"\r\n\r\n",
    b"\r",
    b"\x0b",
    b"\x1c\r",
    b"|^~\\&",
    b"\\X0D\\\\F\\\\E\\\\",
    b"MSH|",
    b"OBX|1|ED|",
    b"<!DOCTYPE x SYSTEM 'file:///etc/passwd'>",
    b"<!ENTITY a 'b'>",
    b"&a;&#0;&#x110000;",
    b"<![CDATA[",
    b"]]>",
    b"<?xml version='1.0' encoding='UTF-16'?>",
    b"<?xml version='1.0' encoding='utf-7'?>",
    b"xmlns='",
    b'Id="',
    b"--",
    b"; boundary=",
    b'; q="',
    b"q=1e309",
    b"Content-Length: 99999999999999999999",
    b"../../../../etc/passwd",
    b"%00%2e%2e%2f",
    b"999999999999999999999999999999",
    b"-1",
    b"1e999",
    b"NaN",
    b"20261399999999",
    b"2026-02-30T25:61:61Z",
    b"\xfe\xff\x00\xe0\xff\xff\xff\xff",
    b"\xfe\xff\xdd\xe0\x00\x00\x00\x00",
    b"SQ\x00\x00\xff\xff\xff\xff",
    b"UI\xff\xff",
    b"PK\x03\x04",
    b"\x1f\x8b\x08",
    b"eyJhbGciOiJub25lIn0.",
    b"[[[[[[[[",
    b'{"a":',
    b'"\\ud800"',
    b"1.2.840.10008.5.1.4.1.1.88.59",
    b"MII",
    b"\x30\x84\xff\xff\xff\xff",
)


def hostile(seeds: Sequence[bytes], random: Random) -> bytes:
    """One hostile input, most often made from a seed."""
    make = random.choices(
        (_noise, _damaged, _spliced, _stretched, _special),
        weights=(10, 45, 20, 10, 15),
    )[0]
    return make(seeds, random)[:LONGEST]


def _noise(seeds: Sequence[bytes], random: Random) -> bytes:
    return random.randbytes(random.choice((0, 1, 3, 17, 64, 300, 2000)))


def _damaged(seeds: Sequence[bytes], random: Random) -> bytes:
    """Some cuts, overwrites, flips, repeats and tokens in a seed."""
    data = bytearray(random.choice(seeds))
    for _ in range(random.choice((1, 1, 1, 2, 3, 8))):
        at = random.randrange(len(data) + 1)
        size = random.choice((1, 1, 2, 4, 9, 40, 200))
        action = random.randrange(6)
        if action == 0:
            del data[at : at + size]
        elif action == 1:
            data[at : at + size] = random.randbytes(size)
        elif action == 2:
            data[at:at] = random.choice(_TOKENS)
        elif action == 3:
            data[at:at] = data[at : at + size]
        elif action == 4 and at < len(data):
            data[at] ^= 1 << random.randrange(8)
        else:
            data[at : at + 4] = random.choice(_TOKENS)
    return bytes(data)


def _spliced(seeds: Sequence[bytes], random: Random) -> bytes:
    """Truncated, or the beginning of a seed and the end of another."""
    first, second = random.choice(seeds), random.choice(seeds)
    head = first[: random.randrange(len(first) + 1)]
    return head if random.random() < 0.5 else head + second[random.randrange(len(second) + 1) :]


def _stretched(seeds: Sequence[bytes], random: Random) -> bytes:
    """A stretch of a seed, or a token, many times over."""
    data = random.choice(seeds)
    at = random.randrange(len(data) + 1)
    piece = data[at : at + random.choice((1, 5, 40, 400))]
    if random.random() < 0.5:
        piece = random.choice(_TOKENS)
    return data[:at] + piece * random.choice((10, 100, 2000)) + data[at:]


def _special(seeds: Sequence[bytes], random: Random) -> bytes:
    make = random.choice(_SPECIALS)
    return make(random)


def xml_bomb(random: Random) -> bytes:
    """Entities that would unfold to gigabytes."""
    levels = random.randrange(3, 12)
    entities = "".join(
        f'<!ENTITY e{level} "{f"&e{level - 1};" * 10}">' for level in range(1, levels)
    )
    return f'<!DOCTYPE b [<!ENTITY e0 "aaaaaaaaaa">{entities}]><b>&e{levels - 1};</b>'.encode()


def _external(random: Random) -> bytes:
    target = random.choice(("file:///etc/passwd", "http://127.0.0.1:9/x", "file:///dev/zero"))
    return f'<!DOCTYPE b [<!ENTITY x SYSTEM "{target}">]><b a="&x;">&x;</b>'.encode()


def _deep_xml(random: Random) -> bytes:
    depth = random.choice((100, 255, 257, 5000))
    return b"<a>" * depth + b"</a>" * depth


def _wide_xml(random: Random) -> bytes:
    count = random.choice((500, 5000))
    return b"<a " + b" ".join(b"x%d='%d'" % (n, n) for n in range(count)) + b"/>"


def deep_dicom(depth: int, *, implicit: bool = False) -> bytes:
    """A DICOM file of sequences in sequences, their lengths undefined and never closed."""
    syntax = b"1.2.840.10008.1.2\0" if implicit else b"1.2.840.10008.1.2.1\0"
    meta = struct.pack("<HH2sH", 2, 0x10, b"UI", len(syntax)) + syntax
    group = struct.pack("<HH2sHL", 2, 0, b"UL", 4, len(meta))
    item = struct.pack("<HHL", 0xFFFE, 0xE000, 0xFFFFFFFF)
    if implicit:
        level = struct.pack("<HHL", 0x40, 0xA730, 0xFFFFFFFF) + item
    else:
        level = struct.pack("<HH2sHL", 0x40, 0xA730, b"SQ", 0, 0xFFFFFFFF) + item
    return bytes(128) + b"DICM" + group + meta + level * depth


def _deep_dicom(random: Random) -> bytes:
    return deep_dicom(random.choice((10, 17, 49, 400, 9000)), implicit=random.random() < 0.5)


def _lying_lengths(random: Random) -> bytes:
    """DICOM elements that announce other lengths than theirs."""
    data = bytearray(deep_dicom(0))
    for _ in range(random.randrange(1, 40)):
        length = random.choice((0, 1, 2, 7, 0x7FFFFFFF, 0xFFFFFFFE, 0xFFFFFFFF))
        vr = random.choice((b"SQ", b"OB", b"UT", b"UN"))
        group = random.choice((8, 0x40, 0x7FE0))
        data += struct.pack("<HH2sHL", group, random.randrange(65536), vr, 0, length)
        data += random.randbytes(random.randrange(9))
    return bytes(data)


def _hl7(random: Random) -> bytes:
    """A message made of separators."""
    separators = random.choice((b"|", b"^", b"~", b"&", b"\\", b"\r"))
    count = random.choice((10, 1000, 60000))
    return b"MSH|^~\\&|A|B|C|D|20261122||ORU^R01|1|T|2.5\rPID|" + separators * count


def _multipart(random: Random) -> bytes:
    """Parts without end, without headers, with too many, with a delimiter in the delimiter."""
    head = (
        b"HTTP/1.1 200 OK\r\n"
        b'Content-Type: multipart/related; type="application/dicom"; boundary=b\r\n\r\n'
    )
    pieces = (
        b"--b\r\n",
        b"--b--",
        b"--b\r\nContent-Type: application/dicom\r\nContent-Length: -5\r\n\r\n",
        b"--b\r\n" + b"X: y\r\n" * 3000,
        b"\r\n--b" + b"-" * 5000,
        b"--b\r\nContent-Length: 99999999999\r\n\r\nabc",
        random.randbytes(50),
    )
    return head + b"".join(random.choices(pieces, k=random.randrange(1, 12)))


_METADATA = "IHE_XDM/SUBSET01/METADATA.XML"


def _named(name: str) -> zipfile.ZipInfo:
    """Dated once and for all: the same seed gives the same bytes."""
    info = zipfile.ZipInfo(name, (2026, 11, 22, 0, 0, 0))
    info.compress_type = zipfile.ZIP_DEFLATED
    return info


def _archive(random: Random) -> bytes:
    """A zip that climbs out of its folder, that unfolds a thousand times, or names twice."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        kind = random.randrange(4)
        if kind == 0:
            archive.writestr(_named("../../../../kit.txt"), b"x")
            archive.writestr(_named("/etc/kit"), b"x")
        elif kind == 1:
            archive.writestr(_named(_METADATA), bytes(20_000_000))
        elif kind == 2:
            archive.writestr(_named(_METADATA), xml_bomb(random))
        else:
            for number in range(300):
                archive.writestr(_named(f"IHE_XDM/{number}/{'d/' * 60}F"), b"")
    data = out.getvalue()
    return data if random.random() < 0.7 else data[: random.randrange(len(data))]


def _json(random: Random) -> bytes:
    depth = random.choice((50, 2000, 60000))
    return random.choice(
        (
            b"[" * depth,
            b'{"a":' * depth,
            b"[" * depth + b"]" * depth,
            b'{"exp":' + b"9" * random.choice((30, 5000)) + b"}",
            b'{"exp":1e400,"iat":NaN,"sub":"\\ud800","typ":{}}',
            b'{"a":1,"a":2}',
        )
    )


def _token(random: Random) -> bytes:
    part = random.choice((b"e30", b"eyJhbGciOiJub25lIn0", b"W10", b"bnVsbA", b"!!!!", b""))
    return b".".join(random.choices((part, b"e30", b"A" * 5000), k=random.choice((1, 3, 5))))


def _http(random: Random) -> bytes:
    line = random.choice((b"GET /dicom-web/studies/1/series/2 HTTP/1.1", b"HTTP/1.1 200 OK"))
    name = random.choice((b"Accept", b"Authorization", b"KOS-SOPInstanceUID", b"Content-Type"))
    value = random.choice(_TOKENS) * random.choice((1, 50, 3000))
    return line + b"\r\n" + name + b": " + value.replace(b"\r\n", b"") + b"\r\n\r\n"


def _nested_quotes(random: Random) -> bytes:
    """What makes a backtracking expression slow."""
    piece = random.choice((b'"\\', b"a,", b";a=b", b"((", b"+,", b'\\"', b" \t", b"0."))
    return random.choice((b"", b"CN=", b'multipart/related; boundary="')) + piece * 4000


def _encodings(random: Random) -> bytes:
    text = '<?xml version="1.0" encoding="{0}"?><a>é</a>'
    codec = random.choice(("utf-16", "utf-32", "utf-7", "cp037", "latin-1"))
    return text.format(random.choice(("UTF-8", "UTF-16", codec))).encode(codec)


_SPECIALS: tuple[Callable[[Random], bytes], ...] = (
    xml_bomb,
    _external,
    _deep_xml,
    _wide_xml,
    _deep_dicom,
    _lying_lengths,
    _hl7,
    _multipart,
    _archive,
    _json,
    _token,
    _http,
    _nested_quotes,
    _encodings,
)
