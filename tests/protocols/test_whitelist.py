"""The white list: format B as libxmlsec knows it, read only from what is signed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from protocols import whitelist, xml
from protocols.errors import RemoteProtocolError
from protocols.whitelist import Domain, WhiteList, WhiteListError
from protocols.xmlsig import SignatureError, SignatureFault
from protocols.xsdatetime import DateTimeError
from simulators.igc import Credential, Pki
from spec.whitelist import NAMESPACES

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
LIST = WhiteList(
    generated=NOW,
    domains=(
        Domain(
            identifier="901",
            db="db901.test",
            vi="vi901.test",
            denomination="Éditeur d'essai & fils",
            operator_dn="CN=db901.test,OU=318751275100020,O=ESSAI - TEST,ST=Côte-d'Or (21),C=FR",
            support_contact="support@exemple.test",
            updated=NOW,
        ),
        Domain(identifier="902", db="db902.test", operator_dn="CN=db902.test,C=FR"),
    ),
)


@pytest.fixture(scope="module")
def signer() -> Credential:
    pki = Pki.create(clock=lambda: NOW, crl_url="http://igc.test/CRL/KIT-ACI-EL-ORG.crl")
    return pki.sign("KIT Liste Blanche", "318751275100020")


@pytest.fixture(scope="module")
def signed(signer: Credential) -> bytes:
    return build(signer)


def build(signer: Credential, white_list: WhiteList = LIST) -> bytes:
    return whitelist.build(
        white_list, key=signer.key, certificate=signer.certificate, signing_time=NOW
    )


def refusal(data: bytes) -> SignatureFault:
    with pytest.raises(SignatureError) as caught:
        whitelist.verify(data)
    return caught.value.kind


@pytest.mark.parametrize("namespace", NAMESPACES)
def test_round_trip(signer: Credential, namespace: str) -> None:
    white_list = replace(LIST, namespace=namespace)
    data = build(signer, white_list)
    assert whitelist.parse(data) == white_list
    verified = whitelist.verify(data)
    assert verified.white_list == white_list
    assert verified.certificate == signer.certificate
    assert verified.signing_time == NOW
    assert b"Signature" not in verified.signed_octets


def test_format_b(signed: bytes) -> None:
    ds, xades = f"{{{xml.NS['ds']}}}", f"{{{xml.NS['xades']}}}"
    root = xml.parse(signed)
    signature = root[-1]
    assert (signature.tag, signature.prefix) == (f"{ds}Signature", None)
    assert [node.get("URI") for node in signature.iter(f"{ds}Reference")] == [
        "",
        "#SignedProperties",
    ]
    assert len(list(signature.iter(f"{ds}X509Certificate"))) == 1
    for name in ("SigningTime", "SigningCertificate", "CommitmentTypeIndication"):
        assert len(list(signature.iter(xades + name))) == 1


def test_libxmlsec_agrees(signer: Credential, signed: bytes) -> None:
    xmlsec = pytest.importorskip("xmlsec")

    def verify(data: bytes) -> None:
        root = xml.parse(data)
        xmlsec.tree.add_ids(root, ["Id"])
        context = xmlsec.SignatureContext()
        pem = signer.certificate.public_bytes(Encoding.PEM)
        context.key = xmlsec.Key.from_memory(pem, xmlsec.KeyFormat.CERT_PEM)
        context.verify(xmlsec.tree.find_node(root, "Signature"))

    verify(signed)
    with pytest.raises(xmlsec.Error):
        verify(signed.replace(b"db901", b"db909"))


def test_the_unsigned_list_reads_but_does_not_verify() -> None:
    data = whitelist.unsigned(LIST)
    assert whitelist.parse(data) == LIST
    assert refusal(data) is SignatureFault.MALFORMED


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("<db>db901", "<db>db909", SignatureFault.DIGEST),
        ("ST=C", "ST=D", SignatureFault.DIGEST),
        ("</Domaine>", "</Domaine> ", SignatureFault.DIGEST),
        ('versionFormat="1.0.0"', 'versionFormat="1.0.1"', SignatureFault.DIGEST),
        ("ProofOfApproval", "ProofOfOrigin", SignatureFault.DIGEST),
        ("rsa-sha256", "rsa-sha1", SignatureFault.ALGORITHM),
    ],
)
def test_one_change_is_refused(signed: bytes, old: str, new: str, expected: SignatureFault) -> None:
    assert old in signed.decode()
    assert refusal(signed.decode().replace(old, new).encode()) is expected


def test_comments_in_a_host_are_read_as_they_were_signed(signed: bytes) -> None:
    verified = whitelist.verify(signed.replace(b"<db>db901", b"<db>db9<!-- x -->01"))
    assert verified.white_list == LIST


def test_the_signature_is_the_last_child(signed: bytes) -> None:
    root = xml.parse(signed)
    root.insert(0, root[-1])
    assert refusal(etree.tostring(root)) is SignatureFault.MALFORMED
    root = xml.parse(signed)
    root.append(xml.parse(etree.tostring(root[-1])))
    assert refusal(etree.tostring(root)) is SignatureFault.MALFORMED


@pytest.mark.parametrize(
    ("old", "new", "error"),
    [
        ("ansforge/DRIM-M_DATA", "ansforge/autre", WhiteListError),
        ("ListeBlancheDRIM-M", "ListeBlancheMSSante", WhiteListError),
        ("ListeDomaines", "Liste", WhiteListError),
        ("<ListeDomaines>", "<ListeDomaines/><ListeDomaines>", WhiteListError),
        ("<db>db902.test</db>", "", WhiteListError),
        ("<db>db902.test</db>", "<db> </db>", WhiteListError),
        ("<db>db902.test</db>", "<db>a</db><db>b</db>", WhiteListError),
        ("<db>db902.test</db>", "<db><b>a</b></db>", WhiteListError),
        ("2026-11-22T10:00:00Z", "22/11/2026", DateTimeError),
        ("<?xml", "<!DOCTYPE x><?xml", RemoteProtocolError),
    ],
)
def test_what_is_not_a_white_list(old: str, new: str, error: type[Exception]) -> None:
    data = whitelist.unsigned(LIST).decode()
    assert old in data
    with pytest.raises(error):
        whitelist.parse(data.replace(old, new).encode())


def test_known_irregularities_are_read() -> None:
    data = f"""<ListeBlancheDRIM-M xmlns="{NAMESPACES[1]}">
      <ListeDomaines><Domaine><DNCertificatOperateur> CN=x </DNCertificatOperateur><vi/>
      <db>\tdb1.test\n</db><Inconnu><a/></Inconnu></Domaine></ListeDomaines>
      <DateDeGeneration>2024-01-01T00:00:00Z</DateDeGeneration></ListeBlancheDRIM-M>"""
    # `Inconnu` holds an element: only texts are entries of a list.
    with pytest.raises(WhiteListError):
        whitelist.parse(data.encode())
    read = whitelist.parse(data.replace("<a/>", "?").encode("utf-16"))
    assert read.domains == (Domain(identifier="", db="db1.test", operator_dn="CN=x"),)
    assert read.version == ""


def test_two_thousand_entries(signer: Credential) -> None:
    domains = tuple(replace(LIST.domains[0], identifier=str(n)) for n in range(2_000))
    verified = whitelist.verify(build(signer, replace(LIST, domains=domains)))
    assert verified.white_list.domains == domains


def test_size_is_bounded() -> None:
    with pytest.raises(WhiteListError, match="limite"):
        whitelist.parse(b" " * (16 * 1024 * 1024 + 1))


@settings(max_examples=150)
@given(data=st.data())
def test_hostile_bytes_are_refused_or_change_nothing(data: st.DataObject) -> None:
    signed = hostile_seed()
    start = data.draw(st.integers(0, len(signed) - 1))
    length = data.draw(st.integers(0, 12))
    put = data.draw(st.one_of(st.binary(max_size=8), st.sampled_from([b"<a/>", b"<!---->", b" "])))
    changed = signed[:start] + put + signed[start + length :]
    for read in (whitelist.parse, lambda d: whitelist.verify(d).white_list):
        try:
            result = read(changed)
        except RemoteProtocolError:
            continue
        assert read is whitelist.parse or result == LIST


_SEED: list[bytes] = []


def hostile_seed() -> bytes:
    if not _SEED:
        pki = Pki.create(clock=lambda: NOW, crl_url="http://igc.test/CRL/x.crl")
        _SEED.append(build(pki.sign("x", "1", key=pki.throwaway_key)))
    return _SEED[0]
