"""The DRIM-M white list `ListeBlancheDRIM-M`: written, signed, read and verified.

Both published formats have RSA-SHA256, exclusive c14n, XAdES 1.3.2 signed properties, and the
signature as last child of the root. Format B has the enveloped transform and SigningCertificate;
format A (made by the DSS tools) an xmldsig-filter2 transform and SigningCertificateV2.
Réf. ansforge/DRIM-M_DATA, TEST lists of 2024 to 2026 and their readme (grade: sample).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, cast

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from lxml import etree

from protocols import xml
from protocols.errors import RemoteProtocolError
from protocols.xmlsig import (
    SignatureError,
    SignatureFault,
    XadesA,
    XadesB,
    sign_enveloped,
    verify_enveloped,
)
from protocols.xsdatetime import format_instant, parse_instant
from spec.whitelist import NAMESPACES, ROOT, VERSION_FORMAT

__all__ = [
    "Domain",
    "Format",
    "VerifiedWhiteList",
    "WhiteList",
    "WhiteListError",
    "build",
    "parse",
    "sign",
    "unsigned",
    "verify",
]

DS_SIGNATURE = f"{{{xml.NS['ds']}}}Signature"

Format = Literal["A", "B"]

MAX_SIZE = 16 * 1024 * 1024
MAX_DOMAINS = 50_000


class WhiteListError(RemoteProtocolError):
    """Not the structure of a white list."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Domain:
    """One entry, its texts trimmed; an element that is absent or empty is "" (or None)."""

    identifier: str
    """`Identifiant`: a number in every sample, not always unique."""
    db: str
    """Host of the WADO-RS access."""
    operator_dn: str
    """`DNCertificatOperateur`: `CN=..,OU=..,O=..,ST=..,C=FR`."""
    vi: str = ""
    """Host of the viewer: absent from the first lists, may be empty."""
    denomination: str = ""
    support_contact: str = ""
    responsible_contact: str = ""
    """`ResponsableContact`, in the sample of 2024 only."""
    updated: datetime | None = None
    """`DateMAJ`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WhiteList:
    """A list as it is written; its signature is not part of it."""

    generated: datetime
    domains: tuple[Domain, ...]
    version: str = VERSION_FORMAT
    namespace: str = NAMESPACES[0]


@dataclass(frozen=True, slots=True)
class VerifiedWhiteList:
    """A list read from its signed octets.

    The signature holds for `certificate`; whether that signer may sign a white list (path, CN and
    OU, usages, revocation) and whether the list is not older than the one in force is for the
    consumer to say.
    """

    white_list: WhiteList
    certificate: x509.Certificate
    certificates: tuple[x509.Certificate, ...]
    signed_octets: bytes
    signing_time: datetime


def unsigned(white_list: WhiteList) -> bytes:
    """The list without signature: what ANS also publishes, to see it refused.

    Raises:
        LocalProtocolError: an instant without time zone.
    """
    return xml.serialize(_element(white_list))


def build(
    white_list: WhiteList,
    *,
    key: rsa.RSAPrivateKey,
    certificate: x509.Certificate | Sequence[x509.Certificate],
    signing_time: datetime,
    signature_id: str = "Signature-KIT",
    format: Format = "B",
) -> bytes:
    """The list, signed by the key of the (first) certificate.

    Raises:
        LocalProtocolError: an instant without time zone.
    """
    return sign(
        unsigned(white_list),
        key=key,
        certificate=certificate,
        signing_time=signing_time,
        signature_id=signature_id,
        format=format,
    )


def sign(
    data: bytes,
    *,
    key: rsa.RSAPrivateKey,
    certificate: x509.Certificate | Sequence[x509.Certificate],
    signing_time: datetime,
    signature_id: str = "Signature-KIT",
    format: Format = "B",
) -> bytes:
    """Any XML document, signed as a white list is. KeyInfo holds every certificate given.

    Raises:
        LocalProtocolError: already signed, or `signing_time` without zone.
        XmlError: not XML.
    """
    certificates = [certificate] if isinstance(certificate, x509.Certificate) else certificate
    signed = sign_enveloped(
        xml.parse(data),
        reference_id=None,
        key=key,
        certificates=certificates,
        prefix="ds" if format == "A" else None,
        signature_id=signature_id,
        properties=XadesA(signing_time) if format == "A" else XadesB(signing_time),
    )
    return xml.serialize(signed)


def parse(data: bytes) -> WhiteList:
    """Read a list, signed or not, without verifying anything.

    Elements may come in any order and be unknown; texts are read whole, comments left out.

    Raises:
        WhiteListError: another root or namespace, a missing element, one too many, or over 16 MiB
            or 50,000 entries.
        XmlError, DateTimeError: not XML, not an instant.
    """
    return _read(_root(data))


def verify(data: bytes) -> VerifiedWhiteList:
    """Verify a list of either format and read it from its signed octets.

    Raises:
        SignatureError: no signature or not one that holds; `kind` says which check failed.
        WhiteListError, XmlError, DateTimeError: as `parse`.
    """
    root = _root(data)
    elements = [child for child in root if isinstance(child.tag, str)]
    if not elements or elements[-1].tag != DS_SIGNATURE:
        raise SignatureError(
            SignatureFault.MALFORMED,
            "la signature n'est pas le dernier enfant de la liste",
            where=ROOT,
        )
    verified = verify_enveloped(root, reference_id=None, properties=True, filter2=True)
    if verified.signing_time is None:
        raise SignatureError(SignatureFault.MALFORMED, "SigningTime absent", where=ROOT)
    return VerifiedWhiteList(
        white_list=_read(verified.content()),
        certificate=verified.certificate,
        certificates=verified.certificates,
        signed_octets=verified.signed_octets,
        signing_time=verified.signing_time,
    )


def _element(white_list: WhiteList) -> etree._Element:
    namespace = f"{{{white_list.namespace}}}"
    # lxml-stubs forget that None is the default namespace's prefix.
    nsmap = cast("dict[str, str]", {None: white_list.namespace})
    root = etree.Element(namespace + ROOT, versionFormat=white_list.version, nsmap=nsmap)
    _add(root, namespace + "DateDeGeneration", format_instant(white_list.generated))
    domains = etree.SubElement(root, namespace + "ListeDomaines")
    for domain in white_list.domains:
        node = etree.SubElement(domains, namespace + "Domaine")
        _add(node, namespace + "Identifiant", domain.identifier)
        _add(node, namespace + "db", domain.db)
        _add(node, namespace + "vi", domain.vi)
        _add(node, namespace + "Denomination", domain.denomination)
        _add(node, namespace + "DNCertificatOperateur", domain.operator_dn)
        if domain.responsible_contact:
            _add(node, namespace + "ResponsableContact", domain.responsible_contact)
        _add(node, namespace + "SupportContact", domain.support_contact)
        if domain.updated is not None:
            _add(node, namespace + "DateMAJ", format_instant(domain.updated))
    return root


def _add(parent: etree._Element, tag: str, text: str) -> None:
    etree.SubElement(parent, tag).text = text


def _root(data: bytes) -> etree._Element:
    if len(data) > MAX_SIZE:
        raise WhiteListError(f"liste de {len(data)} octets (limite {MAX_SIZE})")
    root = xml.parse(data)
    if root.tag not in [f"{{{namespace}}}{ROOT}" for namespace in NAMESPACES]:
        raise WhiteListError(f"racine inattendue : {root.tag}", where="/")
    return root


def _read(root: etree._Element) -> WhiteList:
    namespace = etree.QName(root).namespace or ""
    prefix = f"{{{namespace}}}"
    listed = _one(root, prefix + "ListeDomaines")
    nodes = listed.findall(prefix + "Domaine")
    if len(nodes) > MAX_DOMAINS:
        raise WhiteListError(f"plus de {MAX_DOMAINS} entrées", where="ListeDomaines")
    return WhiteList(
        generated=parse_instant(
            _text(_one(root, prefix + "DateDeGeneration")), where="DateDeGeneration"
        ),
        domains=tuple(_domain(node, prefix, n) for n, node in enumerate(nodes, start=1)),
        version=root.get("versionFormat", ""),
        namespace=namespace,
    )


def _domain(node: etree._Element, prefix: str, number: int) -> Domain:
    where = f"ListeDomaines/Domaine[{number}]"
    texts: dict[str, str] = {}
    for child in node:
        if not isinstance(child.tag, str) or not child.tag.startswith(prefix):
            continue
        name = child.tag.removeprefix(prefix)
        if name in texts:  # which of the two would count?
            raise WhiteListError(f"élément {name} répété", where=where)
        texts[name] = _text(child)
    missing = [name for name in ("db", "DNCertificatOperateur") if not texts.get(name)]
    if missing:
        raise WhiteListError(f"{missing[0]} absent ou vide", where=where)
    updated = texts.get("DateMAJ", "")
    return Domain(
        identifier=texts.get("Identifiant", ""),
        db=texts["db"],
        vi=texts.get("vi", ""),
        denomination=texts.get("Denomination", ""),
        operator_dn=texts["DNCertificatOperateur"],
        support_contact=texts.get("SupportContact", ""),
        responsible_contact=texts.get("ResponsableContact", ""),
        updated=parse_instant(updated, where=f"{where}/DateMAJ") if updated else None,
    )


def _one(root: etree._Element, tag: str) -> etree._Element:
    found = root.findall(tag)
    if len(found) != 1:
        raise WhiteListError(
            f"un élément {etree.QName(tag).localname} attendu, {len(found)} trouvé(s)", where=ROOT
        )
    return found[0]


def _text(element: etree._Element) -> str:
    if any(isinstance(child.tag, str) for child in element):
        raise WhiteListError("texte seul attendu", where=etree.QName(element).localname)
    return "".join(str(part) for part in element.itertext()).strip()
