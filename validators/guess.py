"""Which kind of artefact some bytes are, from what they look like. A guess, never a judgement."""

from __future__ import annotations

import re

__all__ = ["guess"]

_KEY_OBJECT = b"1.2.840.10008.5.1.4.1.1.88.59"
_TYPE = re.compile(rb"MSH(.)[^\r\n]*?(ORU|ACK)\W")
_HEAD = 4096
_REQUEST_LINE = re.compile(rb"(GET|POST|HEAD|PUT|DELETE|OPTIONS) \S+ HTTP/\d")


def guess(data: bytes) -> str | None:
    """The kind's name (a key of `validators.api.KINDS`), None when nothing fits."""
    if data[128:132] == b"DICM":
        return "kos" if _KEY_OBJECT in data[: 132 + _HEAD] else None
    start = data.lstrip(b"\x0b\xef\xbb\xbf \t\r\n")
    if start.startswith(b"MSH"):
        found = _TYPE.match(start[:_HEAD])
        return found[2].decode().lower() if found else None
    if start.startswith(b"HTTP/"):
        return "wado-response"
    if _REQUEST_LINE.match(start):
        return "wado-request" if start.startswith(b"GET ") else _xml_kind(start)
    if start.startswith((b"<", b"--")):
        return _xml_kind(start)
    return None


def _xml_kind(data: bytes) -> str | None:
    """By an element name: XML itself, or a MIME body that holds some."""
    if re.search(rb"<(\w+:)?ListeBlancheDRIM-M\b", data[:_HEAD]):
        return "liste-blanche"
    if re.search(rb"<([\w.-]+:)?SubmitObjectsRequest\b", data):
        return "iti-41"
    return None
