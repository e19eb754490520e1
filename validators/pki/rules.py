"""The certificate and CRL rule sets, and the texts that they quote."""

from __future__ import annotations

from collections.abc import Iterator

from cryptography.x509 import ObjectIdentifier
from cryptography.x509.oid import SignatureAlgorithmOID

from spec.grade import Grade, Reference
from validators.examples import pki as example
from validators.rule import Broken, RuleSet

__all__ = ["CERTIFICATE", "CRL", "Findings", "rfc5280", "sound_signature"]

Findings = Iterator[Broken]

_SOUND = {
    SignatureAlgorithmOID.RSA_WITH_SHA256,
    SignatureAlgorithmOID.RSA_WITH_SHA384,
    SignatureAlgorithmOID.RSA_WITH_SHA512,
    SignatureAlgorithmOID.RSASSA_PSS,
    SignatureAlgorithmOID.ECDSA_WITH_SHA256,
    SignatureAlgorithmOID.ECDSA_WITH_SHA384,
    SignatureAlgorithmOID.ECDSA_WITH_SHA512,
}


def rfc5280(section: str) -> Reference:
    """A clause of RFC 5280."""
    return Reference("RFC 5280", section, Grade.STANDARD)


def sound_signature(algorithm: ObjectIdentifier) -> Findings:
    """A signature algorithm is SHA-256 or better (Baseline Requirements 7.1.3.2)."""
    if algorithm not in _SOUND:
        yield Broken(
            message="Cet algorithme de signature n'est pas admis.",
            expected="sha256WithRSAEncryption ou mieux",
            actual=algorithm.dotted_string,
            where="signatureAlgorithm",
        )


CERTIFICATE = RuleSet(
    "certificat",
    good=example.leaf,
    syntax="CERT-000",
    unreadable=lambda: b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    reference=rfc5280("4.1"),
    requirements=("DB.SO.89", "DB.SO.90", "DB.SO.98"),
)
CRL = RuleSet(
    "crl",
    good=example.crl,
    syntax="CRL-000",
    unreadable=lambda: b"-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n",
    reference=rfc5280("5.1"),
    requirements=("DB.SO.98",),
)
