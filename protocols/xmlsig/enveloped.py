"""Enveloped signatures: the VIHF, and the white list in its two formats.

The order of the checks resists signature wrapping: one Signature, as a child of what it signs;
then the value, then what the references point at, then digests; and the content handed over is
parsed again from the octets that were digested, never taken from the tree that came in.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from lxml import etree

from protocols import xml
from protocols.errors import LocalProtocolError
from protocols.xmlsig import algorithms, xades
from protocols.xmlsig.algorithms import ENVELOPED, EXC_C14N, FILTER2, Hash
from protocols.xmlsig.c14n import Canonicalization, canonical, standalone
from protocols.xmlsig.errors import SignatureError, SignatureFault
from protocols.xmlsig.qualifying import XadesA, XadesB, qualifying_properties
from protocols.xmlsig.signature import (
    DS,
    ParsedSignature,
    Reference,
    add_reference,
    by_id,
    read_signature,
    signer,
    start_signature,
    write_value,
)

__all__ = ["Verified", "XadesA", "XadesB", "sign_enveloped", "verify_enveloped"]

SIGNED_PROPERTIES_ID = "SignedProperties"


@dataclass(frozen=True, slots=True)
class Verified:
    """A signature that holds. Whether its certificate is to be trusted is for others to say."""

    certificate: x509.Certificate
    """The one whose key made the value."""
    certificates: tuple[x509.Certificate, ...]
    """All those of KeyInfo, in its order: material for building a path."""
    signed_octets: bytes
    """The canonical octets under the digest, the signature left out."""
    method: str
    """SignatureMethod identifier."""
    signing_time: datetime | None = None
    """What the signer claims (XAdES only)."""

    def content(self) -> etree._Element:
        """The signed content, parsed from the signed octets."""
        return xml.parse(self.signed_octets)


def sign_enveloped(
    root: etree._Element,
    *,
    reference_id: str | None,
    key: rsa.RSAPrivateKey,
    certificates: Sequence[x509.Certificate],
    insert_after: etree.QName | None = None,
    algorithm: Hash = "sha256",
    prefix: str | None = "ds",
    signature_id: str = "",
    properties: XadesA | XadesB | None = None,
) -> etree._Element:
    """A signed copy of `root`, as a document of its own; `root` itself is left alone.

    Args:
        reference_id: the root's ID, written `#ID`; None signs the whole document (`URI=""`).
        certificates: for KeyInfo, the signer's first.
        insert_after: the child after which the signature goes; None puts it last.
        prefix: of the signature's elements; None declares a default namespace.
        properties: adds XAdES 1.3.2 signed properties; needs `signature_id`. `XadesA` also takes
            the signature out by xmldsig-filter2 rather than by the enveloped transform.

    Raises:
        LocalProtocolError: already signed, no such child, an id that the root does not bear, or
            properties without signature id.
    """
    signed = standalone(root)
    if next(signed.iter(DS + "Signature"), None) is not None:
        raise LocalProtocolError("the document is already signed")
    if reference_id is not None and reference_id not in (signed.get("ID"), signed.get("Id")):
        raise LocalProtocolError(f"the root does not bear the id {reference_id!r}")
    if properties is not None and not signature_id:
        raise LocalProtocolError("signed properties need a signature id as their target")
    method = Canonicalization(EXC_C14N)
    digest_uri = algorithms.digest_uri(algorithm)
    signature = start_signature(
        prefix=prefix,
        signature_id=signature_id,
        canonicalization=EXC_C14N,
        algorithm=algorithm,
    )
    filtered = isinstance(properties, XadesA)
    document_reference = f"r-{signature_id}" if filtered else ""
    add_reference(
        signature[0],
        uri="" if reference_id is None else f"#{reference_id}",
        digest=algorithms.digest(digest_uri, canonical(signed, method), legacy=True),
        algorithm=algorithm,
        transforms=(FILTER2 if filtered else ENVELOPED, EXC_C14N),
        id=document_reference,
    )
    if properties is not None:
        properties_id = f"xades-{signature_id}" if filtered else SIGNED_PROPERTIES_ID
        qualifying = qualifying_properties(
            properties,
            signature_id=signature_id,
            properties_id=properties_id,
            reference_id=document_reference,
            certificates=certificates[:1],
            algorithm=algorithm,
            prefix=prefix,
        )
        add_reference(
            signature[0],
            uri=f"#{properties_id}",
            digest=algorithms.digest(digest_uri, canonical(qualifying[0], method), legacy=True),
            algorithm=algorithm,
            transforms=(EXC_C14N,),
            type=xades.SIGNED_PROPERTIES,
        )
        etree.SubElement(signature, DS + "Object").append(qualifying)
    write_value(signature, key=key, certificates=certificates, algorithm=algorithm)
    _insert(signed, signature, insert_after)
    return signed


def verify_enveloped(
    root: etree._Element,
    *,
    reference_id: str | None,
    properties: bool = False,
    legacy: bool = False,
    filter2: bool = False,
) -> Verified:
    """Verify the one enveloped signature of `root`, an element of any tree.

    Args:
        reference_id: the root's ID, which the reference must name; None demands `URI=""`.
        properties: demand XAdES 1.3.2 signed properties as second reference, else refuse them.
        legacy: let SHA-1 in.
        filter2: let the xmldsig-filter2 transform in, for the one expression that takes the
            signatures out; no expression is ever evaluated.

    Raises:
        SignatureError: its `kind` says which check failed.
    """
    document = standalone(root)
    parsed = _only_signature(document)
    certificate = signer(parsed, legacy=legacy)
    expected = 2 if properties else 1
    if len(parsed.references) != expected:
        raise SignatureError(
            SignatureFault.REFERENCE,
            f"{expected} référence(s) attendue(s), {len(parsed.references)} trouvée(s)",
            where="Signature/SignedInfo",
        )
    octets = _enveloped_octets(document, parsed.references[0], reference_id, filter2)
    _check_digest(parsed.references[0], octets, legacy)
    signing_time = None
    if properties:
        signing_time = _verify_properties(document, parsed, certificate, legacy)
    return Verified(
        certificate=certificate,
        certificates=parsed.certificates,
        signed_octets=octets,
        method=parsed.method,
        signing_time=signing_time,
    )


def _only_signature(document: etree._Element) -> ParsedSignature:
    found = list(document.iter(DS + "Signature"))
    if len(found) != 1:
        raise SignatureError(
            SignatureFault.MALFORMED, f"une signature attendue, {len(found)} trouvée(s)"
        )
    if found[0].getparent() is not document:
        raise SignatureError(
            SignatureFault.MALFORMED, "la signature n'est pas un enfant de l'élément signé"
        )
    parsed = read_signature(found[0])
    if parsed.canonicalization.algorithm != EXC_C14N:
        raise SignatureError(
            SignatureFault.ALGORITHM,
            f"canonicalisation refusée : {parsed.canonicalization.algorithm!r}",
        )
    return parsed


def _enveloped_octets(
    document: etree._Element, reference: Reference, reference_id: str | None, filter2: bool
) -> bytes:
    if FILTER2 in reference.algorithms and not filter2:
        raise SignatureError(
            SignatureFault.UNSUPPORTED, "transformation xmldsig-filter2 non admise ici"
        )
    # The one filter2 expression that `signature` lets through subtracts every ds:Signature: with
    # exactly one in the document, that is what the enveloped transform does.
    if reference.algorithms not in ((ENVELOPED, EXC_C14N), (FILTER2, EXC_C14N)):
        raise SignatureError(
            SignatureFault.ALGORITHM,
            f"transformations refusées : {', '.join(reference.algorithms) or 'aucune'}",
        )
    if reference_id is None:
        if reference.uri != "":
            raise SignatureError(
                SignatureFault.REFERENCE, f'URI="" attendue, {reference.uri!r} trouvée'
            )
    elif reference.uri != f"#{reference_id}" or by_id(document, reference) is not document:
        raise SignatureError(
            SignatureFault.REFERENCE, f"#{reference_id} attendu, {reference.uri!r} trouvé"
        )
    content = copy.deepcopy(document)
    _remove(next(content.iter(DS + "Signature")))
    return canonical(content, reference.transforms[1])


def _verify_properties(
    document: etree._Element,
    parsed: ParsedSignature,
    certificate: x509.Certificate,
    legacy: bool,
) -> datetime:
    reference = parsed.references[1]
    if reference.type != xades.SIGNED_PROPERTIES or reference.algorithms != (EXC_C14N,):
        raise SignatureError(
            SignatureFault.REFERENCE, "la seconde référence doit être celle de SignedProperties"
        )
    element = by_id(document, reference)
    path = [str(node.tag) for node in (element, *element.iterancestors())]
    if path != [
        xades.XADES + "SignedProperties",
        xades.XADES + "QualifyingProperties",
        DS + "Object",
        DS + "Signature",
        str(document.tag),
    ]:
        raise SignatureError(
            SignatureFault.REFERENCE, "SignedProperties n'est pas à sa place dans la signature"
        )
    octets = canonical(element, reference.transforms[0])
    _check_digest(reference, octets, legacy)
    claimed = xades.read_signing_properties(xml.parse(octets), xades.XADES)
    xades.check_signing_certificate(claimed, certificate, legacy=legacy)
    return claimed.signing_time


def _check_digest(reference: Reference, octets: bytes, legacy: bool) -> None:
    if algorithms.digest(reference.digest_method, octets, legacy=legacy) != reference.digest:
        raise SignatureError(
            SignatureFault.DIGEST,
            "le contenu a changé depuis sa signature",
            where=f"Reference[@URI={reference.uri!r}]",
        )


def _insert(document: etree._Element, signature: etree._Element, after: etree.QName | None) -> None:
    if after is None:
        document.append(signature)
        return
    previous = document.find(after.text)
    if previous is None:
        raise LocalProtocolError(f"no child {after.text} to put the signature after")
    tail, previous.tail = previous.tail, None
    previous.addnext(signature)
    # The text between elements is signed: it stays where it was once the signature is removed.
    signature.tail = tail


def _remove(element: etree._Element) -> None:
    """Take an element out of its tree but leave the text that follows it."""
    parent = element.getparent()
    if parent is None:
        raise LocalProtocolError("a root cannot be removed")
    previous = element.getprevious()
    if element.tail:
        if previous is None:
            parent.text = (parent.text or "") + element.tail
        else:
            previous.tail = (previous.tail or "") + element.tail
    parent.remove(element)
