"""The key and certificate of the signed examples. Published with the source: it protects nothing.

Fixed, so that an example is the same bytes at every run: no random number is drawn here.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

__all__ = ["NOW", "STRUCTURE", "authority", "certificate", "key"]

NOW = datetime(2026, 11, 22, 10, 15, tzinfo=UTC)
"""When every example happens."""
STRUCTURE = "3101235550001"
"""Struct_IdNat of the example: prefix 3, not an attributed SIRET."""

_EXPONENT = 65537
_P = int(
    "fd0478a33b44b9d8c8593d4f4b6c2878f2a5f7401b1aeec53f4ba144d4f5c483893ddb822d767a64"
    "f5b055fe9ea10ae907e57a201a942c25d5f6b5d46b9923eaaa79f08a76b7d2a493bafd11267a811e"
    "3a0bddb3a7ac2e8c0d433df31ef9df8425eeeb9b2c3dabb90480101f0b4727f87fb48330012f894c"
    "0d6ed4d77674669b",
    16,
)
_Q = int(
    "d08baea05303237863dfb251b5bc34072a660eacd0942e2263a8a8068814d5ef516c0263bb02c4d4"
    "9ace6e890d1613fbb9ab44a78cf72e27ff9db5f4b5c5674520198cf587a34d17d154d96aee32573c"
    "256ef82956f1eddcab97711eee9ec78c5190f637a1e87fee1d6cf7c3aa0eee2c9b8730080e673438"
    "dd6b40f77268facb",
    16,
)


@cache
def key() -> rsa.RSAPrivateKey:
    """The example's RSA key."""
    d = pow(_EXPONENT, -1, (_P - 1) * (_Q - 1))
    # The checks that are skipped would prove the same two primes at every start, for 50 ms.
    return rsa.RSAPrivateNumbers(
        p=_P,
        q=_Q,
        d=d,
        dmp1=rsa.rsa_crt_dmp1(d, _P),
        dmq1=rsa.rsa_crt_dmq1(d, _Q),
        iqmp=rsa.rsa_crt_iqmp(_P, _Q),
        public_numbers=rsa.RSAPublicNumbers(_EXPONENT, _P * _Q),
    ).private_key(unsafe_skip_rsa_key_validation=True)


_NAME = "DRIMbox d'exemple"


@cache
def certificate(
    common_name: str = _NAME,
    unit: str = STRUCTURE,
    usage: str = "sign",
    end: datetime = datetime(2036, 1, 1, tzinfo=UTC),
) -> x509.Certificate:
    """A self-signed certificate of that key, shaped like that of a structure.

    `usage` is `sign`, or anything else for a key that may only encipher.
    """
    name = _name(common_name, unit)
    signs = usage == "sign"
    key_usage = x509.KeyUsage(
        digital_signature=signs,
        content_commitment=signs,
        key_encipherment=not signs,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key().public_key())
        .serial_number(2026)
        .not_valid_before(datetime(2026, 1, 1, tzinfo=UTC))
        .not_valid_after(end)
        .add_extension(key_usage, critical=True)
        .sign(key(), hashes.SHA256())
    )


@cache
def authority(common_name: str = _NAME, unit: str = STRUCTURE) -> x509.Certificate:
    """An authority of the same name and key: one that `certificate` leads to."""
    name = _name(common_name, unit)
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key().public_key())
        .serial_number(1)
        .not_valid_before(datetime(2026, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2036, 1, 1, tzinfo=UTC))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key(), hashes.SHA256())
    )


def _name(common_name: str, unit: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "FR"),
            x509.NameAttribute(NameOID.STATE_OR_PROVINCE_NAME, "Paris (75)"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "CENTRE EXEMPLE"),
            x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, unit),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )
