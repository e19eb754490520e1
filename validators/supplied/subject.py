"""The XML that a supplied schema judges in an artefact."""

from __future__ import annotations

from lxml import etree

from protocols.errors import RemoteProtocolError
from validators import package

__all__ = ["XML_KINDS", "subject"]

XML_KINDS = frozenset(
    {
        "cda",
        "iti-18",
        "iti-18-response",
        "iti-41",
        "iti-43",
        "iti-43-response",
        "iti-57",
        "liste-blanche",
        "lot",
        "metadata",
        "registry-response",
        "soap-fault",
        "td0.2",
        "td0.2-response",
        "vihf",
    }
)
"""The kinds (keys of `validators.api.KINDS`) that are an XML document, or a message around one."""


def subject(data: bytes, kind: str) -> etree._Element | None:
    """The document itself, or what a SOAP envelope carries, out of HTTP and of its package.

    None when the kind is not XML or the bytes cannot be read: our own syntax rule says that.
    """
    if kind not in XML_KINDS:
        return None
    try:
        return package.read(data).body
    except RemoteProtocolError:
        return None
