"""Which kind of artefact some bytes are, from what they look like. A guess, never a judgement."""

from __future__ import annotations

import re

from validators.guess_dmp import guess_dmp, is_rejection_note
from validators.guess_trust import guess_demand, guess_trust

__all__ = ["guess", "is_answer"]

_KEY_OBJECT = b"1.2.840.10008.5.1.4.1.1.88.59"
_LEVEL = b"\x08\x00\x52\x00CS"
_JSON_LEVEL = re.compile(rb'"00080052"\s*:')
_MESSAGES = frozenset({"oru", "ack", "mdm", "omi"})
_CALL = re.compile(rb"(?:^|&)(?:Patient\.identifier\.|InformationEt\w+|PatientIDIssuer)[\w.]*=")
_LINK = re.compile(rb"(?:https?://[^\s?]{1,512}|GET )/IHEInvokeImageDisplay\b", re.IGNORECASE)
_HEAD = 4096
_REQUEST_LINE = re.compile(rb"(GET|POST|HEAD|PUT|DELETE|OPTIONS) \S+ HTTP/\d")


def guess(data: bytes) -> str | None:
    """The kind's name (a key of `validators.api.KINDS`), None when nothing fits."""
    if is_answer(data):
        return "c-find"
    if data[128:132] == b"DICM":
        if _KEY_OBJECT not in data[: 132 + _HEAD]:
            return None
        return "iocm" if is_rejection_note(data[132:]) else "kos"
    if data.startswith(b"PK\x03\x04"):
        return "xdm" if b"IHE_XDM/" in data else "examen"
    if data.startswith(b"\x0b") and data.count(b"\x0b") > 1:
        return "mllp"
    start = data.lstrip(b"\x0b\xef\xbb\xbf \t\r\n")
    if start.startswith(b"MSH"):
        return _message_kind(start[:_HEAD])
    if _LINK.match(start):
        return "lien-visionneuse"
    if start.startswith(b"HTTP/"):
        return guess_trust(_body(start)) or guess_dmp(_body(start)) or "wado-response"
    if _REQUEST_LINE.match(start):
        if start.startswith(b"POST ") and _CALL.search(_body(start)[:_HEAD]):
            return "appel-contextuel"
        asked = guess_demand(_body(start)) if start.startswith(b"POST ") else None
        if asked is not None:
            return asked
        return "wado-request" if start.startswith(b"GET ") else _xml_kind(start)
    if _CALL.search(start[:_HEAD]):
        return "appel-contextuel"
    trust = guess_trust(data)
    if trust is None and start.startswith((b"<", b"--")):
        return _xml_kind(start)
    return trust


def is_answer(data: bytes) -> bool:
    """Whether these are identifiers with a QueryRetrieveLevel, in a DICOM file or in JSON."""
    if data[128:132] == b"DICM":
        return _LEVEL in data[: 132 + _HEAD]
    start = data[:_HEAD].lstrip()
    return start.startswith((b"[", b"{")) and _JSON_LEVEL.search(start) is not None


def _message_kind(header: bytes) -> str | None:
    """By the first component of MSH-9."""
    fields = re.split(rb"[\r\n]", header)[0].split(header[3:4] or b"|")
    name = fields[8][:3].decode("latin-1").lower() if len(fields) > 8 else ""
    return name if name in _MESSAGES else None


def _body(request: bytes) -> bytes:
    """What follows the header of an HTTP message."""
    return re.split(rb"\r?\n\r?\n", request, maxsplit=1)[-1]


def _xml_kind(data: bytes) -> str | None:
    """By an element name: XML itself, or a MIME body that holds some."""
    if re.search(rb"<(\w+:)?ListeBlancheDRIM-M\b", data[:_HEAD]):
        return "liste-blanche"
    if re.search(rb"<([\w.-]+:)?ClinicalDocument\b", data[: 4 * _HEAD]):
        return "cda"
    return guess_dmp(data)
