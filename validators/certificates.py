"""The certificate that a signature shows, when it can be read."""

from __future__ import annotations

import base64
import binascii
import re

from cryptography import x509
from lxml import etree

from protocols.pki import ChainError, read_certificate
from protocols.xml import NS

__all__ = ["certificate_of"]


def certificate_of(element: etree._Element) -> x509.Certificate | None:
    """The first X509Certificate in an element, None when absent, masked or unreadable."""
    found = next(element.iter(f"{{{NS['ds']}}}X509Certificate"), None)
    if found is None:
        return None
    text = re.sub(r"\s", "", "".join(str(part) for part in found.itertext()))
    try:
        return read_certificate(base64.b64decode(text, validate=True))
    except (binascii.Error, ValueError, ChainError):
        return None
