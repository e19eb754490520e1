"""The DMP lot signature: a detached XAdES 1.1.1 signature over an IHE manifest of documents.

The manifest names the submission set and each document by `urn:oid:`; nothing is ever fetched.
Without transforms, a same-document reference is digested over its inclusive canonical form
(XML Signature 1.1, 4.4.3.2). Grade: sample (GIE SESAM-Vitale TD2.1 messages, ANS demonstrator).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from lxml import etree

from protocols import xml
from protocols.errors import LocalProtocolError
from protocols.xmlsig import algorithms, xades
from protocols.xmlsig.algorithms import C14N, C14N_COMMENTS, EXC_C14N, EXC_C14N_COMMENTS
from protocols.xmlsig.c14n import Canonicalization, canonical, canonical_document
from protocols.xmlsig.errors import SignatureError, SignatureFault
from protocols.xmlsig.signature import (
    DS,
    ParsedSignature,
    Reference,
    add_reference,
    by_id,
    children,
    read_reference,
    read_signature,
    signer,
    start_signature,
    text_of,
    write_value,
)

__all__ = ["PURPOSE_SOURCE", "LotReference", "VerifiedLot", "sign_lot", "verify_lot"]

PURPOSE_SOURCE = "1.2.840.10065.1.12.1.14"
"""ASTM E1762 purpose "Source" (IHE ITI TF, Document Digital Signature)."""

MANIFEST = "http://www.w3.org/2000/09/xmldsig#Manifest"
URN_OID = "urn:oid:"
SUBMISSION_SET_DIGEST = b"\x00"
"""`AA==`: the submission set is named, not digested (sample)."""

_CANONICAL = frozenset({C14N, C14N_COMMENTS, EXC_C14N, EXC_C14N_COMMENTS})


@dataclass(frozen=True, slots=True)
class LotReference:
    """A document of the lot: XML is digested in canonical form, the rest as it is."""

    uid: str
    data: bytes
    is_xml: bool = False


@dataclass(frozen=True, slots=True)
class VerifiedLot:
    """A lot whose signature holds over exactly the documents that were given."""

    certificate: x509.Certificate
    certificates: tuple[x509.Certificate, ...]
    submission_set_uid: str
    references: tuple[str, ...]
    """Document uniqueIds, in the manifest's order."""
    signing_time: datetime
    method: str
    """SignatureMethod identifier: SHA-1 is allowed here, saying so is the judge's affair."""
    purpose: str
    """Text of SignatureProperty, which samples leave outside what is signed; "" when absent."""


def sign_lot(
    documents: Sequence[LotReference],
    *,
    submission_set_uid: str,
    signature_uid: str,
    key: rsa.RSAPrivateKey,
    certificates: Sequence[x509.Certificate],
    signing_time: datetime,
    algorithm: Literal["sha1", "sha256"] = "sha1",
) -> bytes:
    """The signature document of a lot.

    Args:
        signature_uid: written as `Signature/@Id` as it is. Samples put the document's uniqueId
            there, which is no NCName: a prefix of the caller's own makes it one.
        certificates: the signer's first; KeyInfo holds that one only, SigningCertificate all.
        algorithm: for the value and every digest; samples use SHA-1.

    Raises:
        LocalProtocolError: no document, the same uid twice, or no certificate.
        XmlError: a document said to be XML is not.
    """
    uids = [document.uid for document in documents]
    if not uids or len(set(uids)) != len(uids):
        raise LocalProtocolError("a lot needs documents, each with its own uniqueId")
    digest_uri = algorithms.digest_uri(algorithm)
    signature = start_signature(
        prefix=None,
        signature_id=signature_uid,
        canonicalization=C14N_COMMENTS,
        algorithm=algorithm,
    )
    purposes = etree.SubElement(
        etree.SubElement(signature, DS + "Object"), DS + "SignatureProperties"
    )
    purpose = etree.SubElement(
        purposes,
        DS + "SignatureProperty",
        {"Id": "purposeOfSignature", "Target": f"#{signature_uid}"},
    )
    purpose.text = PURPOSE_SOURCE
    manifest = etree.SubElement(
        etree.SubElement(signature, DS + "Object"), DS + "Manifest", Id="IHEManifest"
    )
    add_reference(
        manifest,
        uri=URN_OID + submission_set_uid,
        digest=SUBMISSION_SET_DIGEST,
        algorithm=algorithm,
    )
    for document in documents:
        transforms = (C14N_COMMENTS,) if document.is_xml else ()
        octets = document.data
        if document.is_xml:
            octets = canonical_document(document.data, Canonicalization(C14N_COMMENTS))
        add_reference(
            manifest,
            uri=URN_OID + document.uid,
            digest=algorithms.digest(digest_uri, octets, legacy=True),
            algorithm=algorithm,
            transforms=transforms,
        )
    properties = _signed_properties(signature, signature_uid, certificates, signing_time, algorithm)
    for element, kind in ((manifest, MANIFEST), (properties, xades.SIGNED_PROPERTIES_111)):
        add_reference(
            signature[0],
            uri=f"#{element.get('Id')}",
            digest=algorithms.digest(
                digest_uri, canonical(element, Canonicalization(C14N)), legacy=True
            ),
            algorithm=algorithm,
            type=kind,
        )
    write_value(signature, key=key, certificates=certificates[:1], algorithm=algorithm)
    return xml.serialize(signature)


def verify_lot(data: bytes, documents: Mapping[str, bytes], *, legacy: bool = True) -> VerifiedLot:
    """Verify a signature document against the documents of its lot, by uniqueId.

    Args:
        documents: every document of the lot but the signature itself.
        legacy: let SHA-1 in, as every known sample needs.

    Raises:
        SignatureError: its `kind` says which check failed; (reference) when the manifest and
            `documents` do not name the same documents.
        XmlError: not XML.
    """
    root = xml.parse(data)
    parsed = read_signature(root)
    if next(root.iterdescendants(DS + "Signature"), None) is not None:
        raise SignatureError(SignatureFault.MALFORMED, "signature dans la signature")
    certificate = signer(parsed, legacy=legacy)
    manifest = xml.parse(_signed_object(root, parsed, MANIFEST, DS + "Manifest", legacy))
    properties = xades.read_signing_properties(
        xml.parse(
            _signed_object(
                root,
                parsed,
                xades.SIGNED_PROPERTIES_111,
                xades.XADES_111 + "SignedProperties",
                legacy,
            )
        ),
        xades.XADES_111,
    )
    xades.check_signing_certificate(properties, certificate, legacy=legacy)
    listed = [read_reference(node) for node in children(manifest)]
    if not listed or listed[0].digest != SUBMISSION_SET_DIGEST:
        raise SignatureError(
            SignatureFault.REFERENCE,
            "la première référence du manifeste doit désigner le lot de soumission",
            where="Manifest",
        )
    uids = tuple(_uid(reference) for reference in listed[1:])
    if len(set(uids)) != len(uids) or set(uids) != set(documents):
        raise SignatureError(
            SignatureFault.REFERENCE,
            f"le manifeste cite {sorted(uids)}, le lot contient {sorted(documents)}",
            where="Manifest",
        )
    for uid, reference in zip(uids, listed[1:], strict=True):
        _check_document(uid, reference, documents[uid], legacy)
    purpose = root.find(f"{DS}Object/{DS}SignatureProperties/{DS}SignatureProperty")
    return VerifiedLot(
        certificate=certificate,
        certificates=parsed.certificates,
        submission_set_uid=_uid(listed[0]),
        references=uids,
        signing_time=properties.signing_time,
        method=parsed.method,
        purpose="" if purpose is None else text_of(purpose).strip(),
    )


def _signed_properties(
    signature: etree._Element,
    signature_uid: str,
    certificates: Sequence[x509.Certificate],
    signing_time: datetime,
    algorithm: Literal["sha1", "sha256"],
) -> etree._Element:
    x = xades.XADES_111
    qualifying = etree.SubElement(
        etree.SubElement(signature, DS + "Object"),
        x + "QualifyingProperties",
        {"Target": f"#{signature_uid}"},
        nsmap={"xades": x[1:-1]},
    )
    signed = etree.SubElement(qualifying, x + "SignedProperties", Id="S0-SignedProperties")
    inner = etree.SubElement(signed, x + "SignedSignatureProperties")
    xades.add_signing_certificate(
        inner,
        namespace=x,
        signing_time=signing_time,
        certificates=certificates,
        algorithm=algorithm,
    )
    policy = etree.SubElement(inner, x + "SignaturePolicyIdentifier")
    etree.SubElement(policy, x + "SignaturePolicyImplied")
    etree.SubElement(signed, x + "SignedDataObjectProperties")
    return signed


def _signed_object(
    root: etree._Element, parsed: ParsedSignature, kind: str, tag: str, legacy: bool
) -> bytes:
    """The canonical octets of the one object that a reference of that Type covers."""
    found = [reference for reference in parsed.references if reference.type == kind]
    if len(found) != 1 or len(parsed.references) != 2:
        raise SignatureError(
            SignatureFault.REFERENCE,
            "deux références attendues : le manifeste et SignedProperties",
            where="SignedInfo",
        )
    reference = found[0]
    element = by_id(root, reference)
    if element.tag != tag:
        raise SignatureError(SignatureFault.REFERENCE, f"{reference.uri!r} ne désigne pas {tag}")
    octets = canonical(element, _transform(reference) or Canonicalization(C14N))
    if algorithms.digest(reference.digest_method, octets, legacy=legacy) != reference.digest:
        raise SignatureError(
            SignatureFault.DIGEST, "empreinte fausse", where=f"Reference[@URI={reference.uri!r}]"
        )
    return octets


def _check_document(uid: str, reference: Reference, data: bytes, legacy: bool) -> None:
    method = _transform(reference)
    octets = data if method is None else canonical_document(data, method)
    if algorithms.digest(reference.digest_method, octets, legacy=legacy) != reference.digest:
        raise SignatureError(
            SignatureFault.DIGEST, f"le document {uid} a changé depuis sa signature", where=uid
        )


def _transform(reference: Reference) -> Canonicalization | None:
    """The one canonicalization of a reference, or None when it has no transform."""
    if not reference.transforms:
        return None
    if len(reference.transforms) > 1 or reference.algorithms[0] not in _CANONICAL:
        raise SignatureError(
            SignatureFault.ALGORITHM,
            f"transformations refusées : {', '.join(reference.algorithms)}",
            where=f"Reference[@URI={reference.uri!r}]",
        )
    return reference.transforms[0]


def _uid(reference: Reference) -> str:
    if not reference.uri.startswith(URN_OID):
        raise SignatureError(
            SignatureFault.REFERENCE,
            f"urn:oid: attendu, {reference.uri!r} trouvé",
            where="Manifest",
        )
    return reference.uri.removeprefix(URN_OID)
