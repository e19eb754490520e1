"""Sources that believe for long what they have verified once, or before they have."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from urllib.parse import urlsplit

from cryptography import x509

from drimbox_ref.revocation import Standing
from drimbox_ref.source.parts import Parts
from drimbox_ref.source.ports import Revocation, Trust
from drimbox_ref.source.values import TrustVerdict
from mutants.registry import mutant
from mutants.source.passing import PassingTrust
from protocols.pki import read_certificate

__all__: list[str] = []


class Obliging:
    """A `Revocation` that goes wherever a certificate says, whatever the address."""

    def __init__(self, inner: Revocation) -> None:
        self._inner = inner

    async def judge(self, certificate: bytes) -> Standing:
        """As it should; but first it has been everywhere."""
        for host, port in _addresses(read_certificate(certificate)):
            with contextlib.suppress(OSError):
                _, writer = await asyncio.open_connection(host, port)
                writer.close()
        return await self._inner.judge(certificate)


def _addresses(certificate: x509.Certificate) -> Iterator[tuple[str, int]]:
    try:
        points = certificate.extensions.get_extension_for_class(x509.CRLDistributionPoints).value
    except x509.ExtensionNotFound:
        return
    for point in points:
        for name in point.full_name or ():
            url = urlsplit(str(name.value))
            if url.scheme == "ldap" and url.hostname:
                yield url.hostname, url.port or 389


@mutant(
    "adresses-ldap-suivies",
    breaks="La Source se connecte à l'adresse ldap: que dit un certificat client.",
    requirements=("KIT-SEC-TLS-13",),
)
def follows_ldap(parts: Parts) -> Parts:
    """A library that follows whatever scheme it knows."""
    return replace(parts, revocation=Obliging(parts.revocation))


class Loyal(PassingTrust):
    """A `Trust` that looks a certificate up in the list once."""

    def __init__(self, inner: Trust) -> None:
        super().__init__(inner)
        self._met: set[bytes] = set()

    def judge(self, certificate: bytes | None, *, now: datetime) -> TrustVerdict:
        """Who was a member is one."""
        if certificate is not None and certificate in self._met:
            return TrustVerdict.LISTED
        verdict = self._inner.judge(certificate, now=now)
        if verdict is TrustVerdict.LISTED and certificate is not None:
            self._met.add(certificate)
        return verdict


@mutant(
    "liste-cherchee-une-fois",
    breaks="Un certificat trouvé une fois dans la liste blanche n'y est plus jamais cherché.",
    requirements=("KIT-SEC-TLS-19",),
    consequences=(
        "DB.SO.99",
        "KIT-LISTE-BLANCHE",
        "KIT-SEC-TLS-16",
        "KIT-SEC-TLS-25",
        *(f"KIT-SEC-WL-{number}" for number in ("01", "02", "04", "05", "06", "07", "13")),
    ),
)
def looks_once(parts: Parts) -> Parts:
    """A cache without an end: who left the network is still served."""
    return replace(parts, trust=Loyal(parts.trust))
