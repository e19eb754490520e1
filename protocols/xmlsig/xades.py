"""XAdES signed properties: when it was signed and by which certificate, inside what is signed.

The white list uses XAdES 1.3.2 (sample: white list B), the DMP lot XAdES 1.1.1 (sample: GIE
SESAM-Vitale TD2.1). Both say it the same way but for the namespace.
Réf. ETSI EN 319 132-1, sections 5.2.1 and 5.2.2; ETSI TS 101 903.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree

from protocols.dn import dn
from protocols.errors import LocalProtocolError
from protocols.xmlsig import algorithms
from protocols.xmlsig.algorithms import Hash
from protocols.xmlsig.errors import SignatureError, SignatureFault
from protocols.xmlsig.signature import DS, children, decode_base64, text_of
from protocols.xsdatetime import format_instant, parse_instant

__all__ = [
    "PROOF_OF_APPROVAL",
    "SIGNED_PROPERTIES",
    "SIGNED_PROPERTIES_111",
    "XADES",
    "XADES_111",
    "SigningProperties",
    "add_signing_certificate",
    "check_signing_certificate",
    "read_signing_properties",
]

XADES = "{http://uri.etsi.org/01903/v1.3.2#}"
XADES_111 = "{http://uri.etsi.org/01903/v1.1.1#}"
SIGNED_PROPERTIES = "http://uri.etsi.org/01903#SignedProperties"
SIGNED_PROPERTIES_111 = "http://uri.etsi.org/01903/v1.1.1#SignedProperties"
PROOF_OF_APPROVAL = "http://uri.etsi.org/01903/v1.2.2#ProofOfApproval"
"""As the white list B writes it: an old version in the path, hence not a current identifier."""


@dataclass(frozen=True, slots=True)
class SigningProperties:
    """What the signed properties claim, read from their canonical octets."""

    signing_time: datetime
    digest_method: str
    digest: bytes
    serial_number: int | None


def add_signing_certificate(
    parent: etree._Element,
    *,
    namespace: str,
    signing_time: datetime,
    certificates: Sequence[x509.Certificate],
    algorithm: Hash,
) -> None:
    """Append SigningTime and SigningCertificate, the signer's first.

    Raises:
        LocalProtocolError: no certificate, or `signing_time` without zone.
    """
    if not certificates:
        raise LocalProtocolError("a signature needs the signer's certificate")
    time = etree.SubElement(parent, namespace + "SigningTime")
    time.text = format_instant(signing_time)
    listed = etree.SubElement(parent, namespace + "SigningCertificate")
    # XAdES 1.1.1 declares the two elements of CertDigest itself, 1.3.2 takes those of XML-DSig.
    digests = namespace if namespace == XADES_111 else DS
    method = algorithms.digest_uri(algorithm)
    for certificate in certificates:
        cert = etree.SubElement(listed, namespace + "Cert")
        cert_digest = etree.SubElement(cert, namespace + "CertDigest")
        etree.SubElement(cert_digest, digests + "DigestMethod", Algorithm=method)
        value = algorithms.digest(method, certificate.public_bytes(Encoding.DER), legacy=True)
        digest = etree.SubElement(cert_digest, digests + "DigestValue")
        digest.text = base64.b64encode(value).decode()
        serial = etree.SubElement(cert, namespace + "IssuerSerial")
        issuer = etree.SubElement(serial, DS + "X509IssuerName")
        issuer.text = certificate.issuer.rfc4514_string()
        number = etree.SubElement(serial, DS + "X509SerialNumber")
        number.text = str(certificate.serial_number)


def read_signing_properties(properties: etree._Element, namespace: str) -> SigningProperties:
    """Read SignedProperties (given as parsed from canonical octets).

    Raises:
        SignatureError: (malformed) SigningTime or SigningCertificate is missing or wrong.
    """
    first = children(properties)
    if not first or first[0].tag != namespace + "SignedSignatureProperties":
        raise _malformed("SignedSignatureProperties attendu")
    found = {str(node.tag): node for node in children(first[0])}
    time = found.get(namespace + "SigningTime")
    listed = found.get(namespace + "SigningCertificate")
    if listed is None:
        listed = found.get(namespace + "SigningCertificateV2")
    if time is None or listed is None:
        raise _malformed("SigningTime et SigningCertificate attendus")
    certs = children(listed)
    digest = None if not certs else certs[0].find(namespace + "CertDigest")
    parts = [] if digest is None else children(digest)
    if [part.tag for part in parts] not in (
        [DS + "DigestMethod", DS + "DigestValue"],
        [namespace + "DigestMethod", namespace + "DigestValue"],
    ):
        raise _malformed("CertDigest attendu")
    return SigningProperties(
        signing_time=parse_instant(text_of(time), where="SigningTime"),
        digest_method=parts[0].get("Algorithm", ""),
        digest=decode_base64(text_of(parts[1])),
        serial_number=_serial(certs[0], namespace),
    )


def check_signing_certificate(
    properties: SigningProperties, certificate: x509.Certificate, *, legacy: bool
) -> None:
    """The signed properties name the certificate whose key signed.

    Raises:
        SignatureError: (certificate) another one; (algorithm) digest outside the allow-list.
    """
    value = algorithms.digest(
        properties.digest_method, certificate.public_bytes(Encoding.DER), legacy=legacy
    )
    serial = properties.serial_number
    if value != properties.digest or serial not in (None, certificate.serial_number):
        raise SignatureError(
            SignatureFault.CERTIFICATE,
            f"SigningCertificate ne désigne pas le signataire {dn(certificate)}",
            where="SignedProperties/SigningCertificate",
        )


def _serial(cert: etree._Element, namespace: str) -> int | None:
    node = cert.find(f"{namespace}IssuerSerial/{DS}X509SerialNumber")
    if node is None:  # optional in V2, where IssuerSerialV2 is DER
        return None
    text = text_of(node).strip()
    if not text.isascii() or not text.lstrip("-").isdigit() or len(text) > 64:
        raise _malformed("X509SerialNumber attendu")
    return int(text)


def _malformed(message: str) -> SignatureError:
    return SignatureError(SignatureFault.MALFORMED, message, where="SignedProperties")
