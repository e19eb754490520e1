"""Who signs an authority's answers: its own service, or the one that a fault puts in its place."""

from __future__ import annotations

from datetime import timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from simulators.igc import profiles
from simulators.igc.authorities import MARKET, Authority
from simulators.igc.credential import Credential
from simulators.igc.faults import Who
from simulators.igc.pki import Pki

__all__ = ["service_signer", "spoil"]


def service_signer(
    pki: Pki,
    authority: Authority,
    cn: str,
    purpose: x509.ObjectIdentifier,
    more: tuple[profiles.Extension, ...] = (),
    *,
    who: Who | None,
    life: timedelta,
    critical: bool = False,
) -> Credential:
    """A signer of that authority's, for that purpose alone; `who` is wrong in one thing."""
    subject = x509.Name(
        [*tuple(authority.subject)[:-1], x509.NameAttribute(NameOID.COMMON_NAME, cn)]
    )
    issuing = Pki.create(clock=pki.clock, crl_url=pki.crl_url) if who is Who.LOOK_ALIKE else pki
    if who is Who.NO_PURPOSE:
        purpose = ExtendedKeyUsageOID.CLIENT_AUTH

    def extensions(
        key: rsa.RSAPublicKey, issuer_key: rsa.RSAPublicKey, addresses: profiles.Addresses | None
    ) -> list[profiles.Extension]:
        made = profiles.service_extensions(key, issuer_key, purpose, critical=critical)
        # Of a responder nobody asks the status: the extensions of its own say so.
        return [*made, *(more or (profiles.address_extensions(addresses) if addresses else ()))]

    return issuing.issue(
        MARKET if who is Who.MARKET else authority,
        subject,
        extensions,
        life=life,
        expired=who is Who.EXPIRED,
        key=pki.throwaway_key,
    )


def spoil(der: bytes, signature: bytes) -> bytes:
    """The same structure, one bit of its signature changed."""
    at = der.rindex(signature)
    return der[:at] + bytes([der[at] ^ 1]) + der[at + 1 :]
