"""The certificates that a signature shows, when they can be read, and whether one is trusted."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from datetime import datetime
from functools import lru_cache

from cryptography import x509
from lxml import etree

from protocols.pki import ChainError, read_certificate, verify_chain
from protocols.xml import NS
from validators.context import Context
from validators.pki.reading import authorities
from validators.rule import Broken

__all__ = ["certificate_of", "in_force", "trusted"]

_CERTIFICATE = f"{{{NS['ds']}}}X509Certificate"


def certificate_of(element: etree._Element) -> x509.Certificate | None:
    """The first X509Certificate in an element, None when absent, masked or unreadable."""
    found = next(element.iter(_CERTIFICATE), None)
    return None if found is None else _read(found)


def trusted(element: etree._Element, context: Context, where: str) -> Iterator[Broken]:
    """The signer's certificate leads to an authority of the context; silent when it names none.

    The path is looked at when the leaf begins: its validity is another rule's affair.
    """
    roots, leaf = authorities(context), certificate_of(element)
    if not roots or leaf is None:
        return
    others = [one for one in map(_read, element.iter(_CERTIFICATE)) if one is not None]
    try:
        verify_chain(leaf, others, roots, leaf.not_valid_before_utc)
    except ChainError as error:
        yield Broken(
            message=f"Le certificat du signataire ne mène à aucune autorité donnée : {error}.",
            expected=" | ".join(root.subject.rfc4514_string() for root in roots[:3]),
            actual=leaf.issuer.rfc4514_string()[:300],
            where=where,
        )


def in_force(element: etree._Element, at: datetime | None, where: str) -> Iterator[Broken]:
    """The signer's certificate is valid at that instant; silent without one."""
    leaf = certificate_of(element)
    if at is None or leaf is None:
        return
    begin, end = leaf.not_valid_before_utc, leaf.not_valid_after_utc
    if not begin <= at <= end:
        yield Broken(
            message="Le certificat du signataire n'est pas en cours de validité.",
            expected=f"{at:%Y-%m-%d %H:%M}",
            actual=f"{begin:%Y-%m-%d} à {end:%Y-%m-%d}",
            where=where,
        )


def _read(element: etree._Element) -> x509.Certificate | None:
    return _decoded(re.sub(r"\s", "", "".join(str(part) for part in element.itertext())))


@lru_cache(maxsize=32)
def _decoded(text: str) -> x509.Certificate | None:
    """Every rule of a signature asks for its certificate, and messages repeat their signer's."""
    try:
        return read_certificate(base64.b64decode(text, validate=True))
    except (binascii.Error, ValueError, ChainError):
        return None
