"""Certificate profiles of the network: what each kind of X.509 leaf carries.

The IGC-Santé profiles were read from certificates in public ANS material (white list signer,
esignsante test resources, VIHF samples), grade `sample`; the market one is that of the CA/Browser
Forum Baseline Requirements, as the draft REM (DB.SO.90) asks for a market certificate.
"""

from __future__ import annotations

from dataclasses import dataclass

from spec.grade import Grade, Reference

__all__ = [
    "CLIENT_AUTH",
    "EMAIL_PROTECTION",
    "IGC_POLICIES",
    "IGC_SAMPLES",
    "MARKET",
    "MAX_ORGANISATION_LENGTH",
    "MIN_EC_KEY",
    "MIN_RSA_KEY",
    "PRODUCT_CATEGORIES",
    "PRODUCT_CATEGORY",
    "PROFILES",
    "SERVER_AUTH",
    "CertificateProfile",
]

IGC_SAMPLES = Reference("IGC-Santé", "certificats logiciels, gabarits observés", Grade.SAMPLE)
MARKET = Reference("CA/Browser Forum Baseline Requirements", "7.1.2", Grade.STANDARD)

SERVER_AUTH = "1.3.6.1.5.5.7.3.1"
CLIENT_AUTH = "1.3.6.1.5.5.7.3.2"
EMAIL_PROTECTION = "1.3.6.1.5.5.7.3.4"


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateProfile:
    """What a leaf of one kind carries. `title` is French."""

    title: str
    source: Reference
    key_usage: frozenset[str]
    """Exactly these, by their RFC 5280 names, but for `optional_key_usage`."""
    extended_key_usage: frozenset[str]
    """Dotted OIDs, all of them present and no other, but for `optional_extended_key_usage`."""
    organisation: bool
    """An IGC-Santé leaf: the subject names a structure, the policy is one of `IGC_POLICIES`."""
    server: bool
    """A TLS server: its names are in subjectAltName."""
    longest_days: int
    optional_key_usage: frozenset[str] = frozenset()
    optional_extended_key_usage: frozenset[str] = frozenset()


_THREE_YEARS = 3 * 366

PROFILES: dict[str, CertificateProfile] = {
    "org-auth-cli": CertificateProfile(
        title="ORG AUTH_CLI",
        source=IGC_SAMPLES,
        key_usage=frozenset({"digitalSignature"}),
        extended_key_usage=frozenset({CLIENT_AUTH}),
        organisation=True,
        server=False,
        longest_days=_THREE_YEARS,
    ),
    "org-sign": CertificateProfile(
        title="ORG SIGN",
        source=IGC_SAMPLES,
        key_usage=frozenset({"digitalSignature", "nonRepudiation"}),
        extended_key_usage=frozenset({EMAIL_PROTECTION}),
        organisation=True,
        server=False,
        longest_days=_THREE_YEARS,
    ),
    "serv-ssl": CertificateProfile(
        title="SERV SSL_SERV",
        source=IGC_SAMPLES,
        key_usage=frozenset({"digitalSignature", "keyEncipherment"}),
        extended_key_usage=frozenset({SERVER_AUTH, CLIENT_AUTH}),
        organisation=True,
        server=True,
        longest_days=_THREE_YEARS,
    ),
    "marche": CertificateProfile(
        title="serveur TLS du marché",
        source=MARKET,
        key_usage=frozenset({"digitalSignature"}),
        optional_key_usage=frozenset({"keyEncipherment"}),
        extended_key_usage=frozenset({SERVER_AUTH}),
        optional_extended_key_usage=frozenset({CLIENT_AUTH}),
        organisation=False,
        server=True,
        # Baseline Requirements 6.3.2 until March 2026; 200 days for those issued since.
        longest_days=398,
    ),
}
"""By the name that `Context.certificate_profile` and findings use."""

IGC_POLICIES = "1.2.250.1.213.1.7."
"""Arc of the policies seen: `2.1.1.1.1` on every test leaf, `1.1.2.3.1` ORG SIGN and `1.1.2.5.1`
SSL_SERV in production. The production policy of ORG AUTH_CLI was not seen."""

PRODUCT_CATEGORY = "1.2.250.1.71.1.2.5"
PRODUCT_CATEGORIES = {0x03: "certificat logiciel", 0x83: "certificat logiciel de test"}
"""TRE_G01-CategorieProduit, one octet in an OCTET STRING; cards and modules have others."""

MAX_ORGANISATION_LENGTH = 40
"""IGC-Santé cuts the organisation name there (white list entries)."""

MIN_RSA_KEY = 2048
MIN_EC_KEY = 256
"""Bits: Baseline Requirements 6.1.5. Every IGC-Santé leaf seen has RSA 2048."""
