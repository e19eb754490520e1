"""Signers' certificates of the examples, and the contexts in which they are trusted or not."""

from __future__ import annotations

import base64
from datetime import timedelta

from cryptography.hazmat.primitives.serialization import Encoding

from validators.context import Context
from validators.examples import whitelist
from validators.examples.credential import NOW, authority, certificate
from validators.examples.xds import Tamper, edit

__all__ = ["AT", "LIST_TRUST", "TRUST", "expired", "stranger"]

AT = Context(at=NOW)
"""The instant of the examples."""
TRUST = Context(authorities=authority().public_bytes(Encoding.PEM))
"""The authority of the example DRIMbox."""
LIST_TRUST = Context(authorities=authority(whitelist.SIGNER).public_bytes(Encoding.PEM))
"""That of who signs the example white list."""


def stranger(path: str) -> Tamper:
    """Put a certificate of an unknown authority in the X509Certificate at an XPath."""
    return edit(path, value=_text("Inconnu"))


def expired(path: str) -> Tamper:
    """Put a certificate that ended the day before."""
    return edit(path, value=_text(days=-1))


def _text(name: str = "DRIMbox d'exemple", days: int = 3650) -> str:
    made = certificate(name, end=NOW + timedelta(days=days))
    return base64.b64encode(made.public_bytes(Encoding.DER)).decode()
