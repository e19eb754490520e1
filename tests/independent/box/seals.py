"""Signatures: the VIHF by libxmlsec, the lot by hand on libxml2's canonical form."""

from __future__ import annotations

import base64
import hashlib
from datetime import UTC, datetime
from pathlib import Path

import xmlsec
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding
from lxml import etree

DS = "http://www.w3.org/2000/09/xmldsig#"
SHA256 = "http://www.w3.org/2001/04/xmlenc#sha256"
RSA_SHA256 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"


class Seal:
    """One certificate and its key, in PEM files."""

    def __init__(self, certificate: Path, key: Path) -> None:
        self._key_data = key.read_bytes()
        self._key = serialization.load_pem_private_key(self._key_data, None)
        self.certificate = x509.load_pem_x509_certificates(certificate.read_bytes())[0]
        self.der = self.certificate.public_bytes(serialization.Encoding.DER)
        self.pem = self.certificate.public_bytes(serialization.Encoding.PEM)

    @property
    def subject(self) -> str:
        """The subject's name, most particular first."""
        return self.certificate.subject.rfc4514_string()

    def assertion(self, unsigned: str) -> str:
        """A SAML assertion with its signature after the Issuer (SAML core 5.4)."""
        root = etree.fromstring(unsigned.encode())
        template = xmlsec.template.create(
            root, xmlsec.Transform.EXCL_C14N, xmlsec.Transform.RSA_SHA256, ns="ds"
        )
        root.insert(1, template)
        reference = xmlsec.template.add_reference(
            template, xmlsec.Transform.SHA256, uri=f"#{root.get('ID')}"
        )
        xmlsec.template.add_transform(reference, xmlsec.Transform.ENVELOPED)
        xmlsec.template.add_transform(reference, xmlsec.Transform.EXCL_C14N)
        xmlsec.template.add_x509_data(xmlsec.template.ensure_key_info(template))
        xmlsec.tree.add_ids(root, ["ID"])
        context = xmlsec.SignatureContext()
        context.key = xmlsec.Key.from_memory(self._key_data, xmlsec.KeyFormat.PEM)
        context.key.load_cert_from_memory(self.pem, xmlsec.KeyFormat.CERT_PEM)
        context.sign(template)
        return etree.tostring(root, encoding="unicode")

    def lot(self, lot_uid: str, documents: dict[str, bytes], signature_uid: str) -> bytes:
        """The signature document of a lot: a manifest of its documents, XAdES 1.1.1."""
        listed = "".join(
            _reference(f"urn:oid:{uid}", _digest(data)) for uid, data in documents.items()
        )
        text = LOT.format(
            id=f"S-{signature_uid}",
            manifest=_reference(f"urn:oid:{lot_uid}", "AA==") + listed,
            now=f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
            digest=_digest(self.der),
            issuer=_escaped(self.certificate.issuer.rfc4514_string()),
            serial=self.certificate.serial_number,
            certificate=base64.b64encode(self.der).decode(),
        )
        root = etree.fromstring(text.encode())
        for number, name in enumerate(("IHEManifest", "S0-SignedProperties")):
            (signed,) = root.xpath(f"//*[@Id='{name}']")
            place = root[0].findall(f"{{{DS}}}Reference/{{{DS}}}DigestValue")[number]
            place.text = _digest(_canonical(signed))
        octets = _canonical(root[0])
        value = self._key.sign(octets, padding.PKCS1v15(), hashes.SHA256())
        root[1].text = base64.b64encode(value).decode()
        return etree.tostring(root, encoding="UTF-8", xml_declaration=True)


def _canonical(node: etree._Element) -> bytes:
    # In place, libxml2 2.14 writes an empty xmlns: the node is made a document of its own. No
    # template has a comment, so both methods of canonicalization write the same.
    alone = etree.fromstring(etree.tostring(node, with_tail=False))
    return etree.tostring(alone, method="c14n", with_comments=False)


def _digest(data: bytes) -> str:
    return base64.b64encode(hashlib.sha256(data).digest()).decode()


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;")


def _reference(uri: str, digest: str) -> str:
    return (
        f'<Reference URI="{uri}"><DigestMethod Algorithm="{SHA256}"/>'
        f"<DigestValue>{digest}</DigestValue></Reference>"
    )


LOT = (
    f'<Signature xmlns="{DS}" Id="{{id}}"><SignedInfo>'
    "<CanonicalizationMethod"
    ' Algorithm="http://www.w3.org/TR/2001/REC-xml-c14n-20010315#WithComments"/>'
    f'<SignatureMethod Algorithm="{RSA_SHA256}"/>'
    f'<Reference Type="{DS}Manifest" URI="#IHEManifest">'
    f'<DigestMethod Algorithm="{SHA256}"/><DigestValue/></Reference>'
    '<Reference Type="http://uri.etsi.org/01903/v1.1.1#SignedProperties"'
    ' URI="#S0-SignedProperties">'
    f'<DigestMethod Algorithm="{SHA256}"/><DigestValue/></Reference>'
    "</SignedInfo><SignatureValue/>"
    "<KeyInfo><X509Data><X509Certificate>{certificate}</X509Certificate></X509Data></KeyInfo>"
    '<Object><SignatureProperties><SignatureProperty Id="purposeOfSignature" Target="#{id}">'
    "1.2.840.10065.1.12.1.14</SignatureProperty></SignatureProperties></Object>"
    '<Object><Manifest Id="IHEManifest">{manifest}</Manifest></Object>'
    '<Object><xades:QualifyingProperties xmlns:xades="http://uri.etsi.org/01903/v1.1.1#"'
    ' Target="#{id}"><xades:SignedProperties Id="S0-SignedProperties">'
    "<xades:SignedSignatureProperties><xades:SigningTime>{now}</xades:SigningTime>"
    "<xades:SigningCertificate><xades:Cert><xades:CertDigest>"
    f'<xades:DigestMethod Algorithm="{SHA256}"/>'
    "<xades:DigestValue>{digest}</xades:DigestValue></xades:CertDigest><xades:IssuerSerial>"
    "<X509IssuerName>{issuer}</X509IssuerName><X509SerialNumber>{serial}</X509SerialNumber>"
    "</xades:IssuerSerial></xades:Cert></xades:SigningCertificate>"
    "<xades:SignaturePolicyIdentifier><xades:SignaturePolicyImplied/>"
    "</xades:SignaturePolicyIdentifier></xades:SignedSignatureProperties>"
    "<xades:SignedDataObjectProperties/></xades:SignedProperties></xades:QualifyingProperties>"
    "</Object></Signature>"
)
