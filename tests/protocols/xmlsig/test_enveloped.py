"""Enveloped signatures: what we sign libxmlsec accepts, what an attacker changes we refuse."""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from protocols import xml
from protocols.errors import LocalProtocolError, RemoteProtocolError
from protocols.xmlsig import (
    Hash,
    SignatureError,
    SignatureFault,
    XadesB,
    sign_enveloped,
    verify_enveloped,
)
from protocols.xmlsig.algorithms import FILTER2
from protocols.xmlsig.signature import write_value
from simulators.igc import Credential, Pki

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
DS = "{http://www.w3.org/2000/09/xmldsig#}"
DOCUMENT = (
    '<a xmlns="urn:a" xmlns:xs="urn:xs" ID="_1">\n  <b t="xs:string">é &amp; \r</b>\n'
    "  <!-- dit --><c/>fin\n</a>"
).encode()


@pytest.fixture(scope="module")
def pki() -> Pki:
    return Pki.create(clock=lambda: NOW, crl_url="http://igc.test/CRL/KIT-ACI-EL-ORG.crl")


@pytest.fixture(scope="module")
def signer(pki: Pki) -> Credential:
    return pki.sign("signataire", "1")


@pytest.fixture(scope="module")
def signed(signer: Credential) -> bytes:
    return xml.serialize(sign(signer))


def sign(signer: Credential, **options: object) -> etree._Element:
    arguments: dict[str, object] = {
        "reference_id": "_1",
        "key": signer.key,
        "certificates": [signer.certificate],
    }
    return sign_enveloped(xml.parse(DOCUMENT), **(arguments | options))  # type: ignore[arg-type]


def refusal(data: bytes | etree._Element, **options: object) -> SignatureFault:
    root = xml.parse(data) if isinstance(data, bytes) else data
    arguments = {"reference_id": "_1"} | options
    with pytest.raises(SignatureError) as caught:
        verify_enveloped(root, **arguments)  # type: ignore[arg-type]
    return caught.value.kind


@pytest.mark.parametrize("algorithm", ["sha1", "sha256", "sha512"])
@pytest.mark.parametrize("prefix", ["ds", None])
@pytest.mark.parametrize("after", [None, "b"])
@pytest.mark.parametrize("whole", [False, True])
def test_libxmlsec_accepts_what_we_sign(
    signer: Credential, algorithm: Hash, prefix: str | None, after: str | None, whole: bool
) -> None:
    xmlsec = pytest.importorskip("xmlsec")
    options: dict[str, object] = {"algorithm": algorithm, "prefix": prefix}
    if after:
        options["insert_after"] = etree.QName("urn:a", after)
    if whole:
        options |= {"reference_id": None, "signature_id": "S-1", "properties": XadesB(NOW)}
    data = xml.serialize(sign(signer, **options))
    root = xml.parse(data)
    xmlsec.tree.add_ids(root, ["ID", "Id"])
    context = xmlsec.SignatureContext()
    pem = signer.certificate.public_bytes(Encoding.PEM)
    context.key = xmlsec.Key.from_memory(pem, xmlsec.KeyFormat.CERT_PEM)
    context.verify(xmlsec.tree.find_node(root, "Signature"))
    verified = verify_enveloped(
        xml.parse(data),
        reference_id=None if whole else "_1",
        properties=whole,
        legacy=algorithm == "sha1",
    )
    assert verified.certificate == signer.certificate
    assert verified.signing_time == (NOW if whole else None)
    assert b"Signature" not in verified.signed_octets
    assert "".join(verified.content().itertext()).split() == ["é", "&", "fin"]


def test_what_libxmlsec_signs_is_accepted(signer: Credential) -> None:
    xmlsec = pytest.importorskip("xmlsec")
    root = xml.parse(DOCUMENT)
    template = xmlsec.template
    node = template.create(root, xmlsec.Transform.EXCL_C14N, xmlsec.Transform.RSA_SHA256)
    root.append(node)
    reference = template.add_reference(node, xmlsec.Transform.SHA256, uri="#_1")
    template.add_transform(reference, xmlsec.Transform.ENVELOPED)
    exclusive = template.add_transform(reference, xmlsec.Transform.EXCL_C14N)
    # A list of prefixes, as GIE SESAM-Vitale samples have.
    etree.SubElement(
        exclusive,
        "{http://www.w3.org/2001/10/xml-exc-c14n#}InclusiveNamespaces",
        PrefixList="ds saml #default xs",
    )
    data = template.add_x509_data(template.ensure_key_info(node))
    template.x509_data_add_certificate(data)
    xmlsec.tree.add_ids(root, ["ID"])
    context = xmlsec.SignatureContext()
    context.key = xmlsec.Key.from_memory(
        signer.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
        xmlsec.KeyFormat.PEM,
    )
    context.key.load_cert_from_memory(
        signer.certificate.public_bytes(Encoding.PEM), xmlsec.KeyFormat.CERT_PEM
    )
    context.sign(node)
    verified = verify_enveloped(xml.parse(etree.tostring(root)), reference_id="_1")
    assert b'xmlns:xs="urn:xs"' in verified.signed_octets


def test_the_signed_tree_is_a_copy(signer: Credential) -> None:
    root = xml.parse(DOCUMENT)
    before = etree.tostring(root)
    sign_enveloped(root, reference_id="_1", key=signer.key, certificates=[signer.certificate])
    assert etree.tostring(root) == before


def test_a_signed_element_verifies_inside_an_envelope(signed: bytes) -> None:
    envelope = xml.parse(
        b'<s:E xmlns:s="urn:s" xmlns:xs="urn:xs" xml:lang="fr"><s:H>' + b"</s:H><s:B/></s:E>"
    )
    envelope[0].append(xml.parse(signed))
    arrived = xml.parse(xml.serialize(envelope))
    verified = verify_enveloped(arrived[0][0], reference_id="_1")
    assert verified.content().get("ID") == "_1"


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("é", "e", SignatureFault.DIGEST),
        ("fin\n", "fin", SignatureFault.DIGEST),
        ("rsa-sha256", "rsa-md5", SignatureFault.ALGORITHM),
        ("rsa-sha256", "hmac-sha256", SignatureFault.ALGORITHM),
        ("<ds:DigestValue>", "<ds:DigestValue>AAAA", SignatureFault.VALUE),
        ("<ds:SignatureValue>", "<ds:SignatureValue>AAAA", SignatureFault.VALUE),
        ("<ds:SignatureValue>", "<ds:SignatureValue>?", SignatureFault.MALFORMED),
        ("<ds:SignatureValue>", "<ds:SignatureValue><!-- -->", SignatureFault.MALFORMED),
        ("<ds:X509Certificate>", "<ds:X509Certificate>AAAA", SignatureFault.CERTIFICATE),
        ("ds:X509Certificate>", "ds:X509CRL>", SignatureFault.CERTIFICATE),
        ("ds:KeyInfo>", "ds:Object>", SignatureFault.MALFORMED),
        ('ID="_1"', 'ID="_2"', SignatureFault.REFERENCE),
    ],
)
def test_one_change_is_refused(signed: bytes, old: str, new: str, expected: SignatureFault) -> None:
    assert refusal(signed.decode().replace(old, new).encode()) is expected


def resign(signer: Credential, change: Callable[[etree._Element], None]) -> etree._Element:
    """A signature whose SignedInfo was changed before it was signed."""
    root = sign(signer)
    signature = root.find(f"{DS}Signature")
    assert signature is not None
    for node in list(signature)[1:3]:
        signature.remove(node)
    change(signature[0])
    write_value(signature, key=signer.key, certificates=[signer.certificate], algorithm="sha256")
    return xml.parse(etree.tostring(root))


def set_transforms(*listed: str) -> Callable[[etree._Element], None]:
    def change(info: etree._Element) -> None:
        transforms = info.find(f"{DS}Reference/{DS}Transforms")
        assert transforms is not None
        for node in list(transforms):
            transforms.remove(node)
        for algorithm in listed:
            node = etree.SubElement(transforms, f"{DS}Transform", Algorithm=algorithm)
            if algorithm == FILTER2:
                path = etree.SubElement(node, f"{{{FILTER2}}}XPath", Filter="subtract")
                path.text = "/descendant::ds:Signature"

    return change


ENVELOPED = "http://www.w3.org/2000/09/xmldsig#enveloped-signature"
EXC_C14N = "http://www.w3.org/2001/10/xml-exc-c14n#"


@pytest.mark.parametrize(
    ("transforms", "expected"),
    [
        ((FILTER2, EXC_C14N), SignatureFault.UNSUPPORTED),
        (("http://www.w3.org/TR/1999/REC-xslt-19991116", EXC_C14N), SignatureFault.ALGORITHM),
        (("http://www.w3.org/TR/1999/REC-xpath-19991116", EXC_C14N), SignatureFault.ALGORITHM),
        (("http://www.w3.org/2000/09/xmldsig#base64",), SignatureFault.ALGORITHM),
        ((ENVELOPED,), SignatureFault.ALGORITHM),
        ((EXC_C14N,), SignatureFault.ALGORITHM),
        ((EXC_C14N, ENVELOPED), SignatureFault.ALGORITHM),
        ((ENVELOPED, EXC_C14N + "WithComments"), SignatureFault.ALGORITHM),
        ((), SignatureFault.MALFORMED),
    ],
)
def test_other_transforms_are_refused_even_well_signed(
    signer: Credential, transforms: tuple[str, ...], expected: SignatureFault
) -> None:
    assert refusal(resign(signer, set_transforms(*transforms))) is expected


@pytest.mark.parametrize("uri", ["", "#autre", "file:///etc/hostname", "http://127.0.0.1/", None])
def test_other_references_are_refused_even_well_signed(signer: Credential, uri: str | None) -> None:
    def change(info: etree._Element) -> None:
        reference = info.find(f"{DS}Reference")
        assert reference is not None
        if uri is None:
            del reference.attrib["URI"]
        else:
            reference.set("URI", uri)

    assert refusal(resign(signer, change)) is SignatureFault.REFERENCE


def test_a_second_reference_is_refused(signer: Credential) -> None:
    def change(info: etree._Element) -> None:
        info.append(xml.parse(etree.tostring(info[2])))

    assert refusal(resign(signer, change)) is SignatureFault.REFERENCE


def test_a_truncated_signature_length_is_refused(signer: Credential) -> None:
    def change(info: etree._Element) -> None:
        etree.SubElement(info[1], f"{DS}HMACOutputLength").text = "1"

    assert refusal(resign(signer, change)) is SignatureFault.MALFORMED


def test_sha1_needs_to_be_let_in(signer: Credential) -> None:
    root = sign(signer, algorithm="sha1")
    assert refusal(root) is SignatureFault.ALGORITHM
    assert verify_enveloped(root, reference_id="_1", legacy=True).method.endswith("rsa-sha1")


def test_no_signature_and_two_signatures_are_refused(signed: bytes) -> None:
    assert refusal(DOCUMENT) is SignatureFault.MALFORMED
    root = xml.parse(signed)
    root.append(xml.parse(etree.tostring(root[-1])))
    assert refusal(root) is SignatureFault.MALFORMED


def test_wrapping_is_refused(signed: bytes) -> None:
    """The signed element moved under a forged root that bears its id, signature left or taken."""
    deep = xml.parse(b'<a xmlns="urn:a" ID="_1"><b>forge</b></a>')
    deep.append(xml.parse(signed))
    assert refusal(deep) is SignatureFault.MALFORMED
    beside = xml.parse(b'<a xmlns="urn:a" ID="_1"><b>forge</b></a>')
    original = xml.parse(signed)
    signature = original[-1]
    beside.append(signature)
    etree.SubElement(signature, f"{DS}Object").append(original)
    assert refusal(beside) is SignatureFault.REFERENCE
    renamed = xml.parse(xml.serialize(beside).replace(b'ID="_1"', b'ID="_2"', 1))
    assert refusal(renamed, reference_id="_2") is SignatureFault.REFERENCE


def test_the_signer_is_found_wherever_keyinfo_puts_it(pki: Pki, signer: Credential) -> None:
    chain = [pki.igc_root, pki.igc_intermediate, signer.certificate]
    verified = verify_enveloped(sign(signer, certificates=chain), reference_id="_1")
    assert verified.certificate == signer.certificate
    assert verified.certificates == tuple(chain)
    other = pki.sign("autre", "1", key=pki.throwaway_key)
    assert refusal(sign(signer, certificates=[other.certificate])) is SignatureFault.VALUE


def test_a_key_value_alone_proves_nothing(signer: Credential, signed: bytes) -> None:
    numbers = signer.key.public_key().public_numbers()
    modulus = base64.b64encode(numbers.n.to_bytes(256, "big")).decode()
    root = xml.parse(signed)
    key_info = root.find(f"{DS}Signature/{DS}KeyInfo")
    assert key_info is not None
    key_info[0].tag = f"{DS}KeyValue"
    key_info[0][0].tag = f"{DS}Modulus"
    key_info[0][0].text = modulus
    assert refusal(root) is SignatureFault.CERTIFICATE


def test_signed_properties_must_name_the_signer(pki: Pki, signer: Credential) -> None:
    twin = pki.sign("signataire", "1", key=signer.key)  # same key and subject, another serial
    options = {"reference_id": None, "signature_id": "S-1", "properties": XadesB(NOW)}
    data = xml.serialize(sign(signer, **options))
    mine = base64.b64encode(signer.certificate.public_bytes(Encoding.DER))
    theirs = base64.b64encode(twin.certificate.public_bytes(Encoding.DER))
    swapped = data.replace(mine, theirs)
    wanted = {"reference_id": None, "properties": True}
    assert refusal(swapped, **wanted) is SignatureFault.CERTIFICATE
    moved = data.replace(b"2026-11-22T10:00:00Z", b"2026-11-23T10:00:00Z")
    assert refusal(moved, **wanted) is SignatureFault.DIGEST
    assert refusal(data, reference_id=None) is SignatureFault.REFERENCE


def test_an_id_that_two_elements_bear_designates_neither(signer: Credential) -> None:
    root = xml.parse(DOCUMENT.replace(b"<b ", b'<b Id="SignedProperties" '))
    signed = sign_enveloped(
        root,
        reference_id=None,
        key=signer.key,
        certificates=[signer.certificate],
        signature_id="S-1",
        properties=XadesB(NOW),
    )
    assert refusal(signed, reference_id=None, properties=True) is SignatureFault.REFERENCE


def test_our_own_misuse(signer: Credential) -> None:
    with pytest.raises(LocalProtocolError, match="does not bear"):
        sign(signer, reference_id="autre")
    with pytest.raises(LocalProtocolError, match="signature id"):
        sign(signer, properties=XadesB(NOW))
    with pytest.raises(LocalProtocolError, match="no child"):
        sign(signer, insert_after=etree.QName("urn:a", "absent"))
    with pytest.raises(LocalProtocolError, match="already signed"):
        sign_enveloped(
            sign(signer), reference_id="_1", key=signer.key, certificates=[signer.certificate]
        )


def test_relative_namespaces_are_refused_not_crashed_on(signed: bytes) -> None:
    hostile = signed.replace(b"<c/>", b'<c xmlns="relatif"/>')
    assert refusal(hostile) is SignatureFault.MALFORMED


@settings(max_examples=150)
@given(data=st.data())
def test_hostile_bytes_are_refused_or_change_nothing(data: st.DataObject) -> None:
    signed = hostile_seed()
    start = data.draw(st.integers(0, len(signed) - 1))
    length = data.draw(st.integers(0, 12))
    put = data.draw(st.one_of(st.binary(max_size=8), st.sampled_from([b"<a/>", b"<!---->", b" "])))
    try:
        verified = verify_enveloped(
            xml.parse(signed[:start] + put + signed[start + length :]), reference_id="_1"
        )
    except RemoteProtocolError:
        return
    original = verify_enveloped(xml.parse(signed), reference_id="_1")
    assert verified.signed_octets == original.signed_octets


_SEED: list[bytes] = []


def hostile_seed() -> bytes:
    if not _SEED:
        pki = Pki.create(clock=lambda: NOW, crl_url="http://igc.test/CRL/x.crl")
        _SEED.append(xml.serialize(sign(pki.sign("x", "1", key=pki.throwaway_key))))
    return _SEED[0]
