"""The certificate that a signature shows, when it can be read."""

from __future__ import annotations

import base64
import binascii
import re

from cryptography import x509
from lxml import etree

from protocols.xml import NS

__all__ = ["certificate_of"]


def certificate_of(element: etree._Element) -> x509.Certificate | None:
    """The first X509Certificate in an element, None when absent, masked or unreadable.

    Decoded whole: `cryptography` is lazy, and a broken field must not show inside a rule.
    """
    found = next(element.iter(f"{{{NS['ds']}}}X509Certificate"), None)
    if found is None:
        return None
    text = re.sub(r"\s", "", "".join(str(part) for part in found.itertext()))
    try:
        certificate = x509.load_der_x509_certificate(base64.b64decode(text, validate=True))
        for name in (certificate.subject, certificate.issuer):
            name.rfc4514_string()
        for field in ("extensions", "not_valid_before_utc", "not_valid_after_utc"):
            getattr(certificate, field)
    except (binascii.Error, ValueError, OverflowError, x509.DuplicateExtension):
        return None
    return certificate
