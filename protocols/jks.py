"""The Java keystore of trusted certificates (JKS, version 2), as older Java products want it.

Only what a truststore needs: certificates are public, so nothing is encrypted; the password keys
a digest that tells a damaged file. Private keys never go in there (PKCS#12 holds them better).
The layout is that of `sun.security.provider.JavaKeyStore` of OpenJDK (grade: standard).
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Mapping
from datetime import datetime

from protocols.errors import LocalProtocolError

__all__ = ["truststore"]

_MAGIC, _VERSION, _TRUSTED = 0xFEEDFEED, 2, 2
_WHITENER = b"Mighty Aphrodite"
_TYPE = b"X.509"
_LONGEST_ALIAS = 255


def truststore(certificates: Mapping[str, bytes], *, password: str, created: datetime) -> bytes:
    """A store of trusted certificates.

    Args:
        certificates: alias -> DER. Java compares aliases in lower case.
        password: what the digest is keyed by; Java's own default is `changeit`.
        created: aware; the date of every entry.

    Raises:
        LocalProtocolError: an alias that is empty, twice there in lower case, or not ASCII.
    """
    moment = int(created.timestamp() * 1000)
    aliases = [_alias(name) for name in certificates]
    if len(set(aliases)) != len(aliases):
        raise LocalProtocolError(f"JKS: aliases alike in lower case: {', '.join(certificates)}")
    content = struct.pack(">III", _MAGIC, _VERSION, len(aliases))
    for alias, der in zip(aliases, certificates.values(), strict=True):
        content += struct.pack(">I", _TRUSTED) + _text(alias) + struct.pack(">q", moment)
        content += _text(_TYPE) + struct.pack(">I", len(der)) + der
    keyed = hashlib.sha1(password.encode("utf-16-be"), usedforsecurity=False)
    keyed.update(_WHITENER + content)
    return content + keyed.digest()


def _alias(name: str) -> bytes:
    if not name.isascii() or not name.isprintable() or not 0 < len(name) <= _LONGEST_ALIAS:
        raise LocalProtocolError(f"JKS: printable ASCII alias expected, found {name!r}")
    return name.lower().encode("ascii")


def _text(value: bytes) -> bytes:
    """A string of Java's `DataOutput.writeUTF`; the same as ASCII for ASCII."""
    return struct.pack(">H", len(value)) + value
