"""Judging X.509 certificates by profile, and revocation lists."""

from validators.pki import crl, form, leaf, subject
from validators.pki.reading import (
    CertificateArtefact,
    CrlArtefact,
    read_certificate,
    read_crl,
)
from validators.pki.rules import CERTIFICATE, CRL

__all__ = [
    "CERTIFICATE",
    "CRL",
    "CertificateArtefact",
    "CrlArtefact",
    "crl",
    "form",
    "leaf",
    "read_certificate",
    "read_crl",
    "subject",
]
