"""Certificates and CRLs: what RFC 5280 demands of the form, and the Baseline Requirements."""

from __future__ import annotations

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from spec.certificates import IGC_SAMPLES
from spec.grade import Grade, Reference
from validators.examples import pki as example
from validators.finding import Severity
from validators.pki.reading import CertificateArtefact, CrlArtefact, key_of
from validators.pki.rules import CERTIFICATE, CRL, Findings, rfc5280
from validators.rule import Broken

__all__: list[str] = []

_INTEGER, _SEQUENCE = 0x02, 0x30
_RESERVED = ("2.23.140.1.1", *(f"2.23.140.1.2.{number}" for number in (1, 2, 3)))
_MARKET = Reference("CA/Browser Forum Baseline Requirements", "7.1.2.7.9", Grade.STANDARD)


@CERTIFICATE.rule(
    "CERT-019",
    "Un certificat qui a des extensions est de version 3",
    reference=rfc5280("4.1.2.1"),
    bad=lambda: example.without_version(example.leaf()),
)
def version(certificate: CertificateArtefact) -> Findings:
    if len(certificate.leaf.extensions) and certificate.leaf.version is not x509.Version.v3:
        yield Broken(
            message="Les extensions n'existent qu'en version 3.",
            expected="v3",
            actual=certificate.leaf.version.name,
            where="version",
        )


@CERTIFICATE.rule(
    "CERT-025",
    "Aucun élément du sujet n'est vide",
    reference=rfc5280("4.1.2.4, annexe A"),
    bad=lambda: example.empty_name(),
)
def nothing_empty(certificate: CertificateArtefact) -> Findings:
    for attribute in certificate.leaf.subject:
        if not attribute.value:
            yield Broken(
                message="Une DirectoryString a au moins un caractère.",
                where=f"subject/{attribute.rfc4514_attribute_name}",
            )


@CERTIFICATE.rule(
    "CERT-026",
    "Une clé RSA est codée avec des paramètres NULL",
    reference=Reference("RFC 3279", "2.3.1", Grade.STANDARD),
    bad=lambda: example.without_parameters(),
)
def key_encoding(certificate: CertificateArtefact) -> Findings:
    key = key_of(certificate.leaf)
    if not isinstance(key, rsa.RSAPublicKey):
        return
    expected = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    if expected not in certificate.leaf.tbs_certificate_bytes:
        yield Broken(
            message="La clé n'est pas codée comme une clé RSA doit l'être.",
            expected="rsaEncryption, NULL",
            where="subjectPublicKeyInfo",
        )


@CERTIFICATE.rule(
    "CERT-027",
    "Un certificat d'organisation porte subjectKeyIdentifier",
    reference=IGC_SAMPLES,
    severity=Severity.WARNING,
    bad=lambda: example.leaf(replace={x509.SubjectKeyIdentifier: None}),
)
def subject_key(certificate: CertificateArtefact) -> Findings:
    wanted = certificate.profile
    found = certificate.extension(x509.SubjectKeyIdentifier)
    if (found is None and wanted and wanted.organisation) or (found and not found.value.digest):
        yield Broken(message="Cette extension manque, ou est vide.", where="subjectKeyIdentifier")


@CERTIFICATE.rule(
    "CERT-028",
    "Un certificat d'organisation écrit basicConstraints",
    reference=IGC_SAMPLES,
    severity=Severity.WARNING,
    bad=lambda: example.leaf(replace={x509.BasicConstraints: None}),
)
def constraints(certificate: CertificateArtefact) -> Findings:
    wanted = certificate.profile
    if wanted and wanted.organisation and certificate.extension(x509.BasicConstraints) is None:
        yield Broken(
            message="Les certificats de l'IGC-Santé disent qu'ils ne sont pas d'une autorité.",
            expected="CA:FALSE",
            actual="absent",
            where="basicConstraints",
        )


@CERTIFICATE.rule(
    "CERT-029",
    "Un certificat du marché porte une des politiques réservées",
    reference=_MARKET,
    good=lambda: example.leaf("marche"),
    bad=lambda: example.leaf("marche", replace={x509.CertificatePolicies: None}),
)
def market_policy(certificate: CertificateArtefact) -> Findings:
    found = certificate.policies
    if certificate.profile_name == "marche" and not set(_RESERVED) & set(found):
        yield Broken(
            message="Aucune politique ne dit comment le demandeur a été vérifié.",
            expected=" | ".join(_RESERVED),
            actual=", ".join(found) or "aucune",
            where="certificatePolicies",
        )


@CRL.rule(
    "CRL-009",
    "Une liste qui a des extensions est de version 2",
    reference=rfc5280("5.1.2.1"),
    bad=lambda: example.without_version(example.crl()),
)
def crl_version(listed: CrlArtefact) -> Findings:
    if len(listed.crl.extensions) and _tags(listed)[:1] != [_INTEGER]:
        yield Broken(
            message="Les extensions n'existent qu'en version 2.",
            expected="v2",
            actual="v1",
            where="version",
        )


@CRL.rule(
    "CRL-010",
    "Une liste sans révocation n'a pas de revokedCertificates",
    reference=rfc5280("5.1.2.6"),
    severity=Severity.WARNING,
    bad=lambda: example.with_empty_list(),
)
def crl_entries(listed: CrlArtefact) -> Findings:
    # Of the SEQUENCEs at that level: signature, issuer, and revokedCertificates.
    if not listed.entries and _tags(listed).count(_SEQUENCE) > 2:
        yield Broken(
            message="La liste est écrite, et vide.",
            expected="absente",
            actual="0 entrée",
            where="revokedCertificates",
        )


def _tags(listed: CrlArtefact) -> list[int]:
    """The tags of what is in tbsCertList, which `cryptography` has read as DER."""
    data = listed.crl.tbs_certlist_bytes
    at, _ = _header(data, 0)
    found = []
    while at < len(data):
        found.append(data[at])
        start, size = _header(data, at)
        at = start + size
    return found


def _header(data: bytes, at: int) -> tuple[int, int]:
    """Where the content of the element at an offset begins, and its size in octets."""
    size, at = data[at + 1], at + 2
    if size & 0x80:
        count = size & 0x7F
        size, at = int.from_bytes(data[at : at + count]), at + count
    return at, size
