"""The XAdES qualifying properties of a white list, as each of its two published formats has them.

Format B was read in the TEST list of 2026-09-14, format A in those of 2024 and 2026-09-17, which
the DSS tools made (ansforge/DRIM-M_DATA; grade: sample). Réf. ETSI EN 319 132-1, section 5.2.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree

from protocols.errors import LocalProtocolError
from protocols.xmlsig import algorithms, xades
from protocols.xmlsig.algorithms import Hash
from protocols.xmlsig.signature import DS
from protocols.xsdatetime import format_instant

__all__ = ["XadesA", "XadesB", "qualifying_properties"]

_X = xades.XADES


@dataclass(frozen=True, slots=True)
class XadesA:
    """Ask for a signature as the white list A has it: DSS style, xmldsig-filter2 transform."""

    signing_time: datetime
    media_type: str = "text/xml"
    """Of the signed document; `application/octet-stream` is seen as well."""


@dataclass(frozen=True, slots=True)
class XadesB:
    """Ask for XAdES signed properties as the white list B has them."""

    signing_time: datetime


def qualifying_properties(
    wanted: XadesA | XadesB,
    *,
    signature_id: str,
    properties_id: str,
    reference_id: str,
    certificates: Sequence[x509.Certificate],
    algorithm: Hash,
    prefix: str | None,
) -> etree._Element:
    """A QualifyingProperties whose only child is SignedProperties, `Id=properties_id`.

    Args:
        reference_id: Id of the ds:Reference that covers the document (format A names it).
        certificates: the signer's, first.

    Raises:
        LocalProtocolError: no certificate, or `signing_time` without zone.
    """
    # lxml-stubs forget that None is the default namespace's prefix.
    nsmap = cast("dict[str, str]", {"xades": _X[1:-1], prefix: DS[1:-1]})
    root = etree.Element(_X + "QualifyingProperties", {"Target": f"#{signature_id}"}, nsmap=nsmap)
    signed = etree.SubElement(root, _X + "SignedProperties", Id=properties_id)
    about_signature = etree.SubElement(signed, _X + "SignedSignatureProperties")
    about_data = etree.SubElement(signed, _X + "SignedDataObjectProperties")
    if isinstance(wanted, XadesA):
        _signing_certificate_v2(about_signature, wanted.signing_time, certificates)
        data_format = etree.SubElement(
            about_data, _X + "DataObjectFormat", ObjectReference=f"#{reference_id}"
        )
        etree.SubElement(data_format, _X + "MimeType").text = wanted.media_type
        return root
    xades.add_signing_certificate(
        about_signature,
        namespace=_X,
        signing_time=wanted.signing_time,
        certificates=certificates,
        algorithm=algorithm,
    )
    commitment = etree.SubElement(about_data, _X + "CommitmentTypeIndication")
    identifier = etree.SubElement(commitment, _X + "CommitmentTypeId")
    etree.SubElement(identifier, _X + "Identifier").text = xades.PROOF_OF_APPROVAL
    etree.SubElement(commitment, _X + "AllSignedDataObjects")
    return root


def _signing_certificate_v2(
    parent: etree._Element, signing_time: datetime, certificates: Sequence[x509.Certificate]
) -> None:
    """SigningTime, then SigningCertificateV2 with SHA-512 digests (sample: white list A)."""
    if not certificates:
        raise LocalProtocolError("a signature needs the signer's certificate")
    etree.SubElement(parent, _X + "SigningTime").text = format_instant(signing_time)
    listed = etree.SubElement(parent, _X + "SigningCertificateV2")
    method = algorithms.digest_uri("sha512")
    for certificate in certificates:
        cert = etree.SubElement(listed, _X + "Cert")
        digest = etree.SubElement(cert, _X + "CertDigest")
        etree.SubElement(digest, DS + "DigestMethod", Algorithm=method)
        der = certificate.public_bytes(Encoding.DER)
        value = base64.b64encode(algorithms.digest(method, der, legacy=False)).decode()
        etree.SubElement(digest, DS + "DigestValue").text = value
        serial = base64.b64encode(_issuer_serial(certificate)).decode()
        etree.SubElement(cert, _X + "IssuerSerialV2").text = serial


def _issuer_serial(certificate: x509.Certificate) -> bytes:
    """The DER IssuerSerial of RFC 5035: the issuer as a directoryName, then the serial number."""
    number = certificate.serial_number
    octets = number.to_bytes(number.bit_length() // 8 + 1, "big", signed=True)
    directory_name = _tlv(0xA4, certificate.issuer.public_bytes())
    return _tlv(0x30, _tlv(0x30, directory_name) + _tlv(0x02, octets))


def _tlv(tag: int, content: bytes) -> bytes:
    size = len(content)
    if size < 0x80:
        return bytes((tag, size)) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + content
