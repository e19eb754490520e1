"""What a PDF file says of itself, read without rendering it.

Only what the report rules ask: version, end, encryption, the PDF/A level that its XMP packet
claims, the addresses of its links. A claim is not a proof: whether the file keeps it is veraPDF's
business.

Réf. ISO 32000-1 sections 7.5 and 12.6.4.7; ISO 19005-1 sections 6.1.3 and 6.7.11, grade: standard.
"""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass

__all__ = ["Pdf", "read_pdf"]

_HEADER = re.compile(rb"%PDF-(\d\.\d)")
_HEADER_WITHIN = 1024
"""Bytes that readers accept before the header and after the end mark."""
_ENCRYPT = re.compile(rb"/Encrypt\s{1,4}\d{1,10}\s{1,4}\d{1,5}\s{1,4}R")
_PART = re.compile(rb"pdfaid:part(?:=[\"']|>)\s{0,8}(\d)")
_CONFORMANCE = re.compile(rb"pdfaid:conformance(?:=[\"']|>)\s{0,8}([A-Za-z])")
_URI = re.compile(rb"/URI\s{0,4}\(((?:[^()\\]|\\.){1,2048})\)", re.DOTALL)
_ESCAPED = re.compile(rb"\\(.)", re.DOTALL)
_OBJECTS = re.compile(rb"/Type\s{0,4}/ObjStm\b[^>]{0,400}>>\s{0,4}stream\r?\n")
_MAX_STREAM = 4 * 1024 * 1024
_MAX_OBJECTS = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Pdf:
    """A PDF file. `pdfa` is the claimed level (`1B`, `3A`), "" without claim."""

    version: str
    ended: bool
    encrypted: bool
    pdfa: str
    links: tuple[str, ...]


def read_pdf(data: bytes) -> Pdf | None:
    """What the file says, None when it is not a PDF."""
    header = _HEADER.search(data, 0, _HEADER_WITHIN)
    if header is None:
        return None
    part, conformance = _PART.search(data), _CONFORMANCE.search(data)
    level = part[1] + (conformance[1] if conformance else b"") if part else b""
    return Pdf(
        version=header[1].decode("ascii"),
        ended=b"%%EOF" in data[-_HEADER_WITHIN:],
        encrypted=_ENCRYPT.search(data) is not None,
        pdfa=level.decode("ascii").upper(),
        links=_links(data),
    )


def _links(data: bytes) -> tuple[str, ...]:
    """Addresses of the URI actions, in the file and in its compressed object streams."""
    found: dict[str, None] = {}
    for piece in (data, *_object_streams(data)):
        for match in _URI.finditer(piece):
            found[_ESCAPED.sub(rb"\1", match[1]).decode("latin-1")] = None
    return tuple(found)


def _object_streams(data: bytes) -> list[bytes]:
    """Compressed objects, as far as a hostile file may make us inflate."""
    streams: list[bytes] = []
    total = 0
    for match in _OBJECTS.finditer(data):
        try:
            inflated = zlib.decompressobj().decompress(data[match.end() :], _MAX_STREAM)
        except zlib.error:
            continue
        total += len(inflated)
        streams.append(inflated)
        if total > _MAX_OBJECTS:
            break
    return streams
