"""The ds:Signature element: SignedInfo, value and certificates, read and written.

What is read from SignedInfo is read from its canonical octets, the very bytes that the value
covers: a comment or a processing instruction cannot show the verifier another text.
Réf. XML Signature Syntax and Processing 1.1, section 4.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree

from protocols import xml
from protocols.pki import ChainError, read_certificate
from protocols.xmlsig import algorithms
from protocols.xmlsig.algorithms import Hash
from protocols.xmlsig.c14n import Canonicalization, canonical
from protocols.xmlsig.errors import SignatureError, SignatureFault

__all__ = [
    "DS",
    "ParsedSignature",
    "Reference",
    "add_reference",
    "by_id",
    "children",
    "decode_base64",
    "read_reference",
    "read_signature",
    "signer",
    "start_signature",
    "text_of",
    "write_value",
]

DS = "{http://www.w3.org/2000/09/xmldsig#}"
EXC = "{http://www.w3.org/2001/10/xml-exc-c14n#}"
_FILTER2 = f"{{{algorithms.FILTER2}}}"
_SUBTRACTED = "/descendant::{prefix}:Signature"
"""The one XPath of an xmldsig-filter2 transform that is let through (sample: white list A)."""

MAX_REFERENCES = 8
MAX_CERTIFICATES = 10
_ID_ATTRIBUTES = ("Id", "ID", "id", "{http://www.w3.org/XML/1998/namespace}id")


@dataclass(frozen=True, slots=True)
class Reference:
    """One ds:Reference as it is written. `transforms` hold a prefix list when exclusive c14n."""

    uri: str
    type: str
    transforms: tuple[Canonicalization, ...]
    digest_method: str
    digest: bytes

    @property
    def algorithms(self) -> tuple[str, ...]:
        """The transform identifiers, in order."""
        return tuple(transform.algorithm for transform in self.transforms)


@dataclass(frozen=True, slots=True)
class ParsedSignature:
    """A signature that is well-formed; nothing of it is verified yet."""

    element: etree._Element
    id: str
    canonicalization: Canonicalization
    method: str
    references: tuple[Reference, ...]
    signed_info: bytes
    """Canonical octets of SignedInfo."""
    value: bytes
    certificates: tuple[x509.Certificate, ...]
    """As KeyInfo orders them."""


def read_signature(element: etree._Element) -> ParsedSignature:
    """Read a ds:Signature in place.

    Raises:
        SignatureError: (malformed) structure; (algorithm) canonicalization outside the
            allow-list; (certificate) no certificate, or one that cannot be read.
    """
    if element.tag != DS + "Signature":
        raise _malformed("ds:Signature attendu", "Signature")
    parts = children(element)
    if [part.tag for part in parts[:3]] != [
        DS + "SignedInfo",
        DS + "SignatureValue",
        DS + "KeyInfo",
    ]:
        raise _malformed("SignedInfo, SignatureValue puis KeyInfo attendus", "Signature")
    if any(part.tag != DS + "Object" for part in parts[3:]):
        raise _malformed("seuls des Object peuvent suivre KeyInfo", "Signature")
    raw_info = children(parts[0])
    if not raw_info or raw_info[0].tag != DS + "CanonicalizationMethod":
        raise _malformed("CanonicalizationMethod attendu", "SignedInfo")
    method = _method(raw_info[0])
    _check_filters(parts[0])
    octets = canonical(parts[0], method)
    # From here on, only the canonical octets speak.
    info = children(xml.parse(octets))
    if len(info) < 3 or info[1].tag != DS + "SignatureMethod":
        raise _malformed("SignatureMethod puis Reference attendus", "SignedInfo")
    if _method(info[0]) != method or len(info[1]):
        raise _malformed("méthode de signature ambiguë ou paramétrée", "SignedInfo")
    if len(info) - 2 > MAX_REFERENCES:
        raise _malformed(f"plus de {MAX_REFERENCES} références", "SignedInfo")
    return ParsedSignature(
        element=element,
        id=element.get("Id", ""),
        canonicalization=method,
        method=info[1].get("Algorithm", ""),
        references=tuple(read_reference(part) for part in info[2:]),
        signed_info=octets,
        value=decode_base64(text_of(parts[1])),
        certificates=_certificates(parts[2]),
    )


def read_reference(element: etree._Element) -> Reference:
    """Read a ds:Reference (of SignedInfo or of a Manifest).

    Raises:
        SignatureError: (malformed) not its structure.
    """
    if element.tag != DS + "Reference":
        raise _malformed("Reference attendu", "Reference")
    parts = children(element)
    transforms: tuple[Canonicalization, ...] = ()
    if parts and parts[0].tag == DS + "Transforms":
        listed = children(parts.pop(0))
        if not listed or any(item.tag != DS + "Transform" for item in listed):
            raise _malformed("Transforms vide ou inconnu", "Reference/Transforms")
        transforms = tuple(_method(item) for item in listed)
    if [part.tag for part in parts] != [DS + "DigestMethod", DS + "DigestValue"]:
        raise _malformed("DigestMethod puis DigestValue attendus", "Reference")
    return Reference(
        uri=_uri(element),
        type=element.get("Type", ""),
        transforms=transforms,
        digest_method=parts[0].get("Algorithm", ""),
        digest=decode_base64(text_of(parts[1])),
    )


def signer(parsed: ParsedSignature, *, legacy: bool) -> x509.Certificate:
    """The certificate whose key made the value: its place in KeyInfo proves nothing.

    Raises:
        SignatureError: (value) none of them; (algorithm) method outside the allow-list, or no RSA
            key of at least 2048 bits.
    """
    refused: SignatureError | None = None
    for certificate in parsed.certificates:
        try:
            found = algorithms.fits(
                certificate, parsed.value, parsed.signed_info, parsed.method, legacy=legacy
            )
        except SignatureError as error:
            refused = error
            continue
        if found:
            return certificate
    if refused is not None:
        raise refused
    raise SignatureError(
        SignatureFault.VALUE,
        "la valeur de signature ne correspond à aucun certificat de KeyInfo",
        where="Signature/SignatureValue",
    )


def by_id(root: etree._Element, reference: Reference) -> etree._Element:
    """The one element of the tree that a `#id` reference names.

    Raises:
        SignatureError: (reference) not a `#id`, no such element, or several.
    """
    name = reference.uri[1:]
    if not reference.uri.startswith("#") or not name:
        raise SignatureError(
            SignatureFault.REFERENCE, f"référence interne attendue : {reference.uri!r}"
        )
    found = [
        node
        for node in root.iter(etree.Element)
        if any(node.get(attribute) == name for attribute in _ID_ATTRIBUTES)
    ]
    if len(found) != 1:
        raise SignatureError(
            SignatureFault.REFERENCE, f"{len(found)} éléments portent l'identifiant {name!r}"
        )
    return found[0]


def children(element: etree._Element) -> list[etree._Element]:
    """Child elements, without comments and processing instructions."""
    return [child for child in element if isinstance(child.tag, str)]


def text_of(element: etree._Element) -> str:
    """The text of an element that has nothing else.

    Raises:
        SignatureError: (malformed) it holds a child, a comment or a processing instruction, which
            would let two readers see two texts.
    """
    if len(element):
        raise _malformed("texte seul attendu", etree.QName(element).localname)
    return element.text or ""


def decode_base64(text: str) -> bytes:
    """Base64 with white space anywhere.

    Raises:
        SignatureError: (malformed) not base64.
    """
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        raise _malformed("base64 attendu", "") from None


def start_signature(
    *, prefix: str | None, signature_id: str, canonicalization: str, algorithm: Hash
) -> etree._Element:
    """A ds:Signature with a SignedInfo that awaits its references."""
    # lxml-stubs forget that None is the default namespace's prefix.
    nsmap = cast("dict[str, str]", {prefix: DS[1:-1]})
    signature = etree.Element(DS + "Signature", nsmap=nsmap)
    if signature_id:
        signature.set("Id", signature_id)
    info = etree.SubElement(signature, DS + "SignedInfo")
    etree.SubElement(info, DS + "CanonicalizationMethod", Algorithm=canonicalization)
    etree.SubElement(info, DS + "SignatureMethod", Algorithm=algorithms.signature_uri(algorithm))
    return signature


def add_reference(
    parent: etree._Element,
    *,
    uri: str,
    digest: bytes,
    algorithm: Hash,
    transforms: Sequence[str] = (),
    type: str = "",
    id: str = "",
) -> None:
    """Append a ds:Reference to a SignedInfo or a Manifest."""
    attributes = {"Id": id, "Type": type, "URI": uri}
    for name in ("Id", "Type"):
        if not attributes[name]:
            del attributes[name]
    reference = etree.SubElement(parent, DS + "Reference", attributes)
    if transforms:
        listed = etree.SubElement(reference, DS + "Transforms")
        for transform in transforms:
            node = etree.SubElement(listed, DS + "Transform", Algorithm=transform)
            if transform == algorithms.FILTER2:
                nsmap = {"dsig-filter2": algorithms.FILTER2, "ds": DS[1:-1]}
                path = etree.SubElement(node, _FILTER2 + "XPath", Filter="subtract", nsmap=nsmap)
                path.text = _SUBTRACTED.format(prefix="ds")
    etree.SubElement(reference, DS + "DigestMethod", Algorithm=algorithms.digest_uri(algorithm))
    etree.SubElement(reference, DS + "DigestValue").text = base64.b64encode(digest).decode()


def write_value(
    signature: etree._Element,
    *,
    key: rsa.RSAPrivateKey,
    certificates: Sequence[x509.Certificate],
    algorithm: Hash,
) -> None:
    """Sign the SignedInfo where it stands and insert SignatureValue and KeyInfo after it."""
    info = signature[0]
    method = Canonicalization(info[0].get("Algorithm", ""))
    value = etree.Element(DS + "SignatureValue")
    value.text = base64.b64encode(algorithms.sign(key, canonical(info, method), algorithm)).decode()
    key_info = etree.Element(DS + "KeyInfo")
    data = etree.SubElement(key_info, DS + "X509Data")
    for certificate in certificates:
        der = certificate.public_bytes(Encoding.DER)
        node = etree.SubElement(data, DS + "X509Certificate")
        node.text = base64.b64encode(der).decode()
    signature.insert(1, value)
    signature.insert(2, key_info)


def _method(element: etree._Element) -> Canonicalization:
    """A CanonicalizationMethod or Transform: InclusiveNamespaces or the one filter2 expression."""
    algorithm = element.get("Algorithm", "")
    parameters = children(element)
    if not parameters or algorithm == algorithms.FILTER2:
        return Canonicalization(algorithm)  # a filter was read where it stands: `_check_filters`
    exclusive = algorithm in (algorithms.EXC_C14N, algorithms.EXC_C14N_COMMENTS)
    if not exclusive or [item.tag for item in parameters] != [EXC + "InclusiveNamespaces"]:
        raise SignatureError(
            SignatureFault.ALGORITHM, f"paramètre refusé pour l'algorithme {algorithm!r}"
        )
    prefixes = parameters[0].get("PrefixList", "").split()
    return Canonicalization(algorithm, tuple(prefixes))


def _check_filters(signed_info: etree._Element) -> None:
    """Each filter2 transform is one `subtract` of every ds:Signature: read, never evaluated.

    Read in place: exclusive canonicalization forgets the namespaces that only an XPath uses.
    """
    for transform in signed_info.iter(DS + "Transform"):
        if transform.get("Algorithm") == algorithms.FILTER2 and not _subtracts(transform):
            raise SignatureError(
                SignatureFault.ALGORITHM,
                "expression xmldsig-filter2 refusée",
                where="Reference/Transforms/Transform",
            )


def _subtracts(transform: etree._Element) -> bool:
    parameters = children(transform)
    if [item.tag for item in parameters] != [_FILTER2 + "XPath"]:
        return False
    path = parameters[0]
    prefixes = [name for name, uri in path.nsmap.items() if name and uri == DS[1:-1]]
    allowed = {_SUBTRACTED.format(prefix=name) for name in prefixes}
    return path.get("Filter") == "subtract" and text_of(path).strip() in allowed


def _uri(element: etree._Element) -> str:
    uri = element.get("URI")
    if uri is None:  # an absent URI leaves the object to guess, XML Signature 4.4.3.1
        raise SignatureError(SignatureFault.REFERENCE, "Reference sans URI")
    return uri


def _certificates(key_info: etree._Element) -> tuple[x509.Certificate, ...]:
    nodes = [
        node
        for data in children(key_info)
        if data.tag == DS + "X509Data"
        for node in children(data)
        if node.tag == DS + "X509Certificate"
    ]
    if not nodes or len(nodes) > MAX_CERTIFICATES:
        raise SignatureError(
            SignatureFault.CERTIFICATE,
            f"de 1 à {MAX_CERTIFICATES} X509Certificate attendus, {len(nodes)} trouvés",
            where="Signature/KeyInfo",
        )
    certificates = []
    for node in nodes:
        try:
            certificates.append(read_certificate(decode_base64(text_of(node))))
        except (SignatureError, ChainError) as error:
            raise SignatureError(
                SignatureFault.CERTIFICATE,
                str(error),
                where="Signature/KeyInfo/X509Data/X509Certificate",
            ) from None
    return tuple(certificates)


def _malformed(message: str, where: str) -> SignatureError:
    return SignatureError(SignatureFault.MALFORMED, message, where=where)
