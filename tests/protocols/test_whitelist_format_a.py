"""The white list in format A: libxmlsec agrees both ways, and no other filter is let through."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from lxml import etree

from protocols import whitelist, xml
from protocols.whitelist import Domain, WhiteList
from protocols.xmlsig import SignatureError, SignatureFault, verify_enveloped
from protocols.xmlsig.algorithms import EXC_C14N, FILTER2
from protocols.xmlsig.signature import DS, write_value
from simulators.igc import Credential, Pki

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
LIST = WhiteList(
    generated=NOW,
    domains=(
        Domain(identifier="901", db="db901.test", operator_dn="CN=db901.test,C=FR"),
        Domain(identifier="902", db="db902.test", operator_dn="CN=db902.test,C=FR"),
    ),
)
XADES = f"{{{xml.NS['xades']}}}"
XPATH = f"{{{FILTER2}}}XPath"


@pytest.fixture(scope="module")
def pki() -> Pki:
    return Pki.create(clock=lambda: NOW, crl_url="http://igc.test/CRL/KIT-ACI-EL-ORG.crl")


@pytest.fixture(scope="module")
def signer(pki: Pki) -> Credential:
    return pki.sign("KIT Liste Blanche", "318751275100020")


@pytest.fixture(scope="module")
def signed(pki: Pki, signer: Credential) -> bytes:
    return whitelist.build(
        LIST,
        key=signer.key,
        certificate=[signer.certificate, pki.igc_intermediate, pki.igc_root],
        signing_time=NOW,
        format="A",
    )


def refusal(data: bytes) -> SignatureFault:
    with pytest.raises(SignatureError) as caught:
        whitelist.verify(data)
    return caught.value.kind


def xmlsec_verify(data: bytes, signer: Credential) -> None:
    xmlsec = pytest.importorskip("xmlsec")
    root = xml.parse(data)
    xmlsec.tree.add_ids(root, ["Id"])
    context = xmlsec.SignatureContext()
    pem = signer.certificate.public_bytes(Encoding.PEM)
    context.key = xmlsec.Key.from_memory(pem, xmlsec.KeyFormat.CERT_PEM)
    context.verify(xmlsec.tree.find_node(root, "Signature"))


def test_it_has_what_format_a_has(signed: bytes) -> None:
    signature = xml.parse(signed)[-1]
    assert (signature.tag, signature.prefix) == (f"{DS}Signature", "ds")
    document, properties = signature.iter(f"{DS}Reference")
    transforms = [node.get("Algorithm") for node in document.iter(f"{DS}Transform")]
    assert transforms == [FILTER2, EXC_C14N]
    assert properties.get("Type") == "http://uri.etsi.org/01903#SignedProperties"
    (path,) = signature.iter(XPATH)
    assert (path.get("Filter"), path.text) == ("subtract", "/descendant::ds:Signature")
    assert len(list(signature.iter(f"{DS}X509Certificate"))) == 3
    (cert,) = signature.iter(f"{XADES}Cert")
    digest = cert.find(f"{XADES}CertDigest/{DS}DigestMethod")
    assert digest is not None
    assert str(digest.get("Algorithm")).endswith("#sha512")
    (data_format,) = signature.iter(f"{XADES}DataObjectFormat")
    assert data_format.get("ObjectReference") == f"#{document.get('Id')}"


def test_it_is_read_from_what_is_signed(signer: Credential, signed: bytes) -> None:
    verified = whitelist.verify(signed)
    assert verified.white_list == LIST
    assert verified.certificate == signer.certificate
    assert len(verified.certificates) == 3
    assert verified.signing_time == NOW
    assert b"Signature" not in verified.signed_octets


def test_the_same_octets_are_signed_in_both_formats(signer: Credential, signed: bytes) -> None:
    other = whitelist.build(LIST, key=signer.key, certificate=signer.certificate, signing_time=NOW)
    assert whitelist.verify(other).signed_octets == whitelist.verify(signed).signed_octets


def test_libxmlsec_agrees(signer: Credential, signed: bytes) -> None:
    xmlsec = pytest.importorskip("xmlsec")
    xmlsec_verify(signed, signer)
    with pytest.raises(xmlsec.Error):
        xmlsec_verify(signed.replace(b"db901", b"db909"), signer)


def test_what_libxmlsec_filters_is_accepted(signer: Credential, signed: bytes) -> None:
    """Digest and value made anew by libxmlsec, which does evaluate the expression."""
    xmlsec = pytest.importorskip("xmlsec")
    root = xml.parse(signed)
    for name in ("DigestValue", "SignatureValue"):
        for node in root[-1].iter(f"{DS}{name}"):
            node.text = None
    # The digest of the signing certificate is not libxmlsec's to fill.
    digest = xml.parse(signed).find(f".//{XADES}CertDigest/{DS}DigestValue")
    blank = root.find(f".//{XADES}CertDigest/{DS}DigestValue")
    assert digest is not None
    assert blank is not None
    blank.text = digest.text
    xmlsec.tree.add_ids(root, ["Id"])
    context = xmlsec.SignatureContext()
    context.key = xmlsec.Key.from_memory(
        signer.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
        xmlsec.KeyFormat.PEM,
    )
    context.sign(root[-1])
    # libxmlsec breaks the base64 of what it writes, nothing else.
    assert whitelist.verify(etree.tostring(root)).white_list == LIST


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("<db>db901", "<db>db909", SignatureFault.DIGEST),
        ("</Domaine>", "</Domaine> ", SignatureFault.DIGEST),
        ("text/xml", "text/html", SignatureFault.DIGEST),
        ('Filter="subtract"', 'Filter="union"', SignatureFault.ALGORITHM),
        ("descendant::ds:", "descendant::", SignatureFault.ALGORITHM),
        ("rsa-sha256", "rsa-sha1", SignatureFault.ALGORITHM),
        ('URI=""', 'URI="#xades-Signature-KIT"', SignatureFault.VALUE),
    ],
)
def test_one_change_is_refused(signed: bytes, old: str, new: str, expected: SignatureFault) -> None:
    assert old in signed.decode()
    assert refusal(signed.decode().replace(old, new).encode()) is expected


def resign(
    signer: Credential, signed: bytes, change: Callable[[etree._Element], None]
) -> tuple[bytes, etree._Element]:
    """The list signed again after its first filter2 transform was changed."""
    root = xml.parse(signed)
    signature = root[-1]
    for node in list(signature)[1:3]:
        signature.remove(node)
    transform = signature.find(f".//{DS}Transform")
    assert transform is not None
    change(transform)
    write_value(signature, key=signer.key, certificates=[signer.certificate], algorithm="sha256")
    return etree.tostring(root), root


def changes() -> Iterator[Callable[[etree._Element], None]]:
    def path(transform: etree._Element) -> etree._Element:
        return transform[0]

    yield lambda t: path(t).set("Filter", "intersect")
    yield lambda t: path(t).set("Filter", "union")
    yield lambda t: t.remove(path(t))
    yield lambda t: t.append(etree.fromstring(etree.tostring(path(t))))
    yield lambda t: setattr(path(t), "tag", f"{DS}XPath")
    for expression in (
        "/descendant::Domaine",
        "/descendant::ds:Signature | /descendant::db",
        "/descendant::ds:Signature[1]",
        "//ds:Signature",
        "here()/ancestor::ds:Signature[1]",
        "/descendant::xs:Signature",
        "document('file:///etc/hostname')",
        "",
    ):
        yield lambda t, expression=expression: setattr(path(t), "text", expression)

    def hijacked_prefix(transform: etree._Element) -> None:
        other = etree.SubElement(transform, XPATH, Filter="subtract", nsmap={"ds": "urn:other"})
        other.text = "/descendant::ds:Signature"
        transform.remove(path(transform))

    yield hijacked_prefix


@pytest.mark.parametrize("change", list(changes()))
def test_other_filters_are_refused_even_well_signed(
    signer: Credential, signed: bytes, change: Callable[[etree._Element], None]
) -> None:
    data, _ = resign(signer, signed, change)
    assert refusal(data) is SignatureFault.ALGORITHM


def test_a_comment_in_the_expression_is_refused(signed: bytes) -> None:
    spoilt = signed.replace(b"descendant::ds:Sig", b"descendant::ds:<!-- | //db -->Sig")
    assert spoilt != signed
    assert refusal(spoilt) is SignatureFault.MALFORMED


def test_wrapping_is_refused(signed: bytes) -> None:
    root = xml.parse(signed)
    root.append(xml.parse(etree.tostring(root[-1])))
    assert refusal(etree.tostring(root)) is SignatureFault.MALFORMED
    root = xml.parse(signed)
    listed = root.find("{*}ListeDomaines")
    assert listed is not None
    listed.append(root[-1])
    assert refusal(etree.tostring(root)) is SignatureFault.MALFORMED


def test_only_a_white_list_may_use_the_filter(signed: bytes) -> None:
    with pytest.raises(SignatureError) as caught:
        verify_enveloped(xml.parse(signed), reference_id=None, properties=True)
    assert caught.value.kind is SignatureFault.UNSUPPORTED
