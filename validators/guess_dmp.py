"""Which message of the DMP, or piece of one, some XML is. A guess, never a judgement."""

from __future__ import annotations

import re

__all__ = ["guess_dmp", "is_rejection_note"]

_HEAD = 64 * 1024
_BODIES = {
    b"AdhocQueryRequest": "iti-18",
    b"AdhocQueryResponse": "iti-18-response",
    b"RetrieveDocumentSetRequest": "iti-43",
    b"RetrieveDocumentSetResponse": "iti-43-response",
    b"PRPA_IN201307UV02": "td0.2",
    b"PRPA_IN201308UV02": "td0.2-response",
    b"RegistryResponse": "registry-response",
    b"Fault": "soap-fault",
}
# The first of them in the text: an ITI-43 answer holds a RegistryResponse.
_BODY = re.compile(rb"<(?:[\w.-]+:)?(" + b"|".join(_BODIES) + rb")[\s/>]")
_LOT = re.compile(rb"<(?:[\w.-]+:)?SubmitObjectsRequest\b")
_URI = re.compile(rb"""\bname=["']URI["']""")
_UPDATE = re.compile(rb"UpdateAvailabilityStatus\b|\bname=[\"']PreviousVersion[\"']")
_ROOT = re.compile(rb"(?:<\?xml[^>]*>\s*)?<(?:[\w.-]+:)?(Assertion|Signature)[\s/>]")
_TITLE = re.compile(rb"\x08\x00\x00\x01(?:SH\x06\x00|\x06\x00\x00\x00)(\d{6})")
_REJECTIONS = (b"113001", b"113037", b"113038", b"113039")


def guess_dmp(data: bytes) -> str | None:
    """The kind's name, None when nothing fits."""
    root = _ROOT.match(data.lstrip(b"\xef\xbb\xbf \t\r\n")[:_HEAD])
    if root is not None:
        if root[1] == b"Assertion":
            return "vihf"
        return "lot" if b"Manifest" in data else None
    body = _BODY.search(data[:_HEAD])
    if body is not None:
        return _BODIES[body[1]]
    if _LOT.search(data) is None:
        return None
    if _URI.search(data):
        return "metadata"
    return "iti-57" if _UPDATE.search(data) else "iti-41"


def is_rejection_note(key_object: bytes) -> bool:
    """Whether a Key Object Selection has a title of rejection: its first coded value."""
    title = _TITLE.search(key_object)
    return title is not None and title[1] in _REJECTIONS
