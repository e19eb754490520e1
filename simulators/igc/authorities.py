"""The authorities of the test PKI, who certifies whom, and how a certificate or a CRL is signed.

Ranges and branches are those of IGC-Santé (elementary, standard; organisations, persons) under
names of our own; the market's are apart. That of production differs from the test range by its
root alone: whoever trusts one has no reason to trust the other.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from simulators.igc import profiles
from simulators.igc.credential import Credential

__all__ = [
    "AUTHORITIES",
    "AUTHORITY_LIFE",
    "CRL_LIFE",
    "CRL_MARGIN",
    "MARKET",
    "ORGANISATIONS",
    "PERSONS",
    "PRODUCTION",
    "ROOTS",
    "STANDARD_PERSONS",
    "Authority",
    "certify",
    "new_authority",
    "new_crl",
    "new_key",
]

AUTHORITY_LIFE = timedelta(days=10 * 365)
CRL_LIFE = timedelta(days=7)
CRL_MARGIN = timedelta(minutes=1)
"""How long before it is made a CRL begins, unless something was revoked since: clocks differ."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Authority:
    """One that certifies: a root when it has no `parent`."""

    name: str
    """Of its files in a kept folder, after `ac-`."""
    unit: str
    cn: str
    parent: Authority | None = None
    published: str = ""
    """Of its CRL and its certificate, as served; file names follow those of IGC-Santé (sample).
    "" for the market's, which publish nothing."""

    @property
    def subject(self) -> x509.Name:
        """Its name."""
        pairs = (
            (NameOID.COUNTRY_NAME, "FR"),
            (NameOID.ORGANIZATION_NAME, "DRIMBENCH"),
            (NameOID.ORGANIZATIONAL_UNIT_NAME, self.unit),
            (NameOID.COMMON_NAME, self.cn),
        )
        return x509.Name([x509.NameAttribute(oid, value) for oid, value in pairs])

    @property
    def crl_path(self) -> str:
        """Where its CRL is served."""
        return f"/CRL/{self.published}.crl"

    @property
    def certificate_path(self) -> str:
        """Where its certificate is served."""
        return f"/AC/{self.published}.cer"


_TEST, _PRODUCTION, _MARKET = "IGC DE TEST", "IGC", "MARCHE DE TEST"
_ELEMENTARY = Authority(
    name="igc-racine", unit=_TEST, cn="KIT AC RACINE ELEMENTAIRE", published="KIT-ACR-EL"
)
_STANDARD = Authority(
    name="standard-racine", unit=_TEST, cn="KIT AC RACINE STANDARD", published="KIT-ACR-ST"
)
_PRODUCTION_ROOT = Authority(
    name="production-racine",
    unit=_PRODUCTION,
    cn="KIT AC RACINE ELEMENTAIRE",
    published="KIT-ACR-EL-PROD",
)
ORGANISATIONS = Authority(
    name="igc",
    unit=_TEST,
    cn="KIT AC ELEMENTAIRE ORGANISATIONS",
    parent=_ELEMENTARY,
    published="KIT-ACI-EL-ORG",
)
PERSONS = Authority(
    name="personnes",
    unit=_TEST,
    cn="KIT AC ELEMENTAIRE PERSONNES",
    parent=_ELEMENTARY,
    published="KIT-ACI-EL-PP",
)
"""Of the same root as the organisations: who looks at the root alone takes a person for one."""
STANDARD_PERSONS = Authority(
    name="standard-personnes",
    unit=_TEST,
    cn="KIT AC STANDARD PERSONNES",
    parent=_STANDARD,
    published="KIT-ACI-ST-PP",
)
PRODUCTION = Authority(
    name="production",
    unit=_PRODUCTION,
    cn="KIT AC ELEMENTAIRE ORGANISATIONS",
    parent=_PRODUCTION_ROOT,
    published="KIT-ACI-EL-ORG-PROD",
)
MARKET = Authority(
    name="marche",
    unit=_MARKET,
    cn="KIT Autorite Marche TLS",
    parent=Authority(name="marche-racine", unit=_MARKET, cn="KIT Racine Marche TLS"),
)
AUTHORITIES = (ORGANISATIONS, PERSONS, STANDARD_PERSONS, PRODUCTION)
"""Those that publish, roots apart."""
ROOTS = (_ELEMENTARY, _STANDARD, _PRODUCTION_ROOT)
"""Theirs."""


def new_authority(
    which: Authority,
    parent: Credential | None,
    now: datetime,
    addresses: profiles.Addresses | None,
) -> Credential:
    """Make one; `addresses` are those of its parent, written in its certificate."""
    key = new_key()
    signer_key = key if parent is None else parent.key
    extensions = profiles.authority_extensions(
        key.public_key(), signer_key.public_key(), path_length=None if parent is None else 0
    )
    if addresses is not None:
        extensions += profiles.address_extensions(addresses)
    certificate = certify(
        subject=which.subject,
        public_key=key.public_key(),
        issuer=None if parent is None else parent.certificate.subject,
        issuer_key=signer_key,
        window=(now - AUTHORITY_LIFE, now + AUTHORITY_LIFE),
        extensions=extensions,
    )
    return Credential(key, certificate)


def certify(
    *,
    subject: x509.Name,
    public_key: rsa.RSAPublicKey,
    issuer: x509.Name | None,
    issuer_key: rsa.RSAPrivateKey,
    window: tuple[datetime, datetime],
    extensions: list[profiles.Extension],
) -> x509.Certificate:
    """Sign one; without `issuer`, by itself."""
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer or subject)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(window[0])
        .not_valid_after(window[1])
    )
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical=critical)
    return builder.sign(issuer_key, SHA256())


def new_crl(
    authority: Credential,
    entries: tuple[x509.RevokedCertificate, ...],
    now: datetime,
    *,
    this_update: datetime | None = None,
    next_update: datetime | None = None,
    base: x509.CertificateRevocationList | None = None,
) -> bytes:
    """A CRL, DER; a delta of `base` when there is one."""
    # Seconds are all that a CRL tells: one made now would begin after a verification that
    # began before it, and be out of date for that one.
    start = this_update or max([now - CRL_MARGIN, *(one.revocation_date_utc for one in entries)])
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(authority.certificate.subject)
        .last_update(start)
        .next_update(next_update or start + CRL_LIFE)
        .add_extension(x509.CRLNumber(int(start.timestamp() * 1000)), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key()),
            critical=False,
        )
    )
    if base is not None:
        number = base.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number
        builder = builder.add_extension(x509.DeltaCRLIndicator(number), critical=True)
    for entry in entries:
        builder = builder.add_revoked_certificate(entry)
    return builder.sign(authority.key, SHA256()).public_bytes(Encoding.DER)


def new_key() -> rsa.RSAPrivateKey:
    """RSA 2048, as every IGC-Santé leaf seen (sample): 40 to 100 ms."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)
