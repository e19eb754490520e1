"""DMP lot signatures: xmlsec1 accepts ours, and a lot that differs from its manifest is refused."""

from __future__ import annotations

import re
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocols.dn import same_dn
from protocols.errors import LocalProtocolError, RemoteProtocolError
from protocols.xmlsig import LotReference, SignatureError, SignatureFault, sign_lot, verify_lot
from protocols.xmlsig.lot import PURPOSE_SOURCE
from simulators.igc import Credential, Pki

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
KOS = ("2.25.1", bytes(range(256)) * 4)
CR = ("2.25.2", "<!-- avant --><a xmlns='urn:a'\n b='1'><c/>é</a>".encode())
DOCUMENTS = dict([KOS, CR])
SET = "2.25.9"


@pytest.fixture(scope="module")
def pki() -> Pki:
    return Pki.create(clock=lambda: NOW, crl_url="http://igc.test/CRL/KIT-ACI-EL-ORG.crl")


@pytest.fixture(scope="module")
def signer(pki: Pki) -> Credential:
    return pki.sign("signataire", "1")


def lot(signer: Credential, algorithm: Literal["sha1", "sha256"] = "sha1") -> bytes:
    return sign_lot(
        [LotReference(*KOS), LotReference(*CR, is_xml=True)],
        submission_set_uid=SET,
        signature_uid="2.25.3",
        key=signer.key,
        certificates=[signer.certificate, *signer.chain],
        signing_time=NOW,
        algorithm=algorithm,
    )


@pytest.mark.parametrize("algorithm", ["sha1", "sha256"])
def test_round_trip(signer: Credential, algorithm: Literal["sha1", "sha256"]) -> None:
    verified = verify_lot(lot(signer, algorithm), DOCUMENTS)
    assert verified.certificate == signer.certificate
    assert verified.submission_set_uid == SET
    assert verified.references == ("2.25.1", "2.25.2")
    assert verified.signing_time == NOW
    assert verified.method.endswith(f"rsa-{algorithm}")
    assert verified.purpose == PURPOSE_SOURCE


def test_xml_is_signed_in_canonical_form_and_the_rest_as_it_is(signer: Credential) -> None:
    data = lot(signer)
    rewritten = b"<!-- avant --><a xmlns='urn:a' b=\"1\"><c></c>&#233;</a>"
    verify_lot(data, DOCUMENTS | {CR[0]: rewritten})
    with pytest.raises(SignatureError) as caught:
        verify_lot(data, DOCUMENTS | {CR[0]: rewritten.replace(b"avant", b"apres")})
    assert (caught.value.kind, caught.value.where) == (SignatureFault.DIGEST, CR[0])
    with pytest.raises(SignatureError) as caught:
        verify_lot(data, DOCUMENTS | {KOS[0]: KOS[1] + b"\0"})
    assert (caught.value.kind, caught.value.where) == (SignatureFault.DIGEST, KOS[0])


def test_the_manifest_and_the_lot_name_the_same_documents(signer: Credential) -> None:
    data = lot(signer)
    for documents in ({KOS[0]: KOS[1]}, DOCUMENTS | {"2.25.4": b""}, {}):
        with pytest.raises(SignatureError) as caught:
            verify_lot(data, documents)
        assert caught.value.kind is SignatureFault.REFERENCE


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("urn:oid:2.25.1", "urn:oid:2.25.8", SignatureFault.DIGEST),
        ("2026-11-22T10:00:00Z", "2026-11-23T10:00:00Z", SignatureFault.DIGEST),
        ("<SignatureValue>", "<SignatureValue>AAAA", SignatureFault.VALUE),
        ("rsa-sha1", "rsa-sha256", SignatureFault.ALGORITHM),
        ('Id="IHEManifest"', 'Id="autre"', SignatureFault.REFERENCE),
        ('<Object><Manifest Id="IHEManifest">', "<Object><Manifest>", SignatureFault.REFERENCE),
        ("<SignatureProperties>", '<SignatureProperties Id="IHEManifest">',
         SignatureFault.REFERENCE),
        ("xml-c14n-20010315", "xml-c14n-autre", SignatureFault.ALGORITHM),
    ],
)  # fmt: skip
def test_one_change_is_refused(
    signer: Credential, old: str, new: str, expected: SignatureFault
) -> None:
    with pytest.raises(SignatureError) as caught:
        verify_lot(lot(signer).replace(old.encode(), new.encode()), DOCUMENTS)
    assert caught.value.kind is expected


def test_sha1_can_be_refused(signer: Credential) -> None:
    verify_lot(lot(signer, "sha256"), DOCUMENTS, legacy=False)
    with pytest.raises(SignatureError) as caught:
        verify_lot(lot(signer), DOCUMENTS, legacy=False)
    assert caught.value.kind is SignatureFault.ALGORITHM


def test_our_own_misuse(signer: Credential) -> None:
    for documents in ([], [LotReference("1", b""), LotReference("1", b"")]):
        with pytest.raises(LocalProtocolError, match="uniqueId"):
            sign_lot(
                documents,
                submission_set_uid=SET,
                signature_uid="s",
                key=signer.key,
                certificates=[signer.certificate],
                signing_time=NOW,
            )


@pytest.mark.skipif(shutil.which("xmlsec1") is None, reason="xmlsec1 est absent")
@pytest.mark.parametrize("algorithm", ["sha1", "sha256"])
def test_xmlsec1_agrees(
    pki: Pki, signer: Credential, tmp_path: Path, algorithm: Literal["sha1", "sha256"]
) -> None:
    trust = pki.write(tmp_path).igc_trust
    chain = tmp_path / "chain.pem"
    chain.write_bytes(pki.igc_bundle_pem)

    def verify(data: bytes) -> str:
        document = tmp_path / "lot.xml"
        document.write_bytes(data)
        command = ["xmlsec1", "--verify", "--ignore-manifests", "--id-attr:Id", "Manifest"]
        command += ["--id-attr:Id", "http://uri.etsi.org/01903/v1.1.1#:SignedProperties"]
        command += ["--verification-gmt-time", "2026-11-22+10:00:00"]
        command += ["--trusted-pem", str(trust), "--untrusted-pem", str(chain), str(document)]
        result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=20)
        return result.stderr + result.stdout

    good = lot(signer, algorithm)
    assert "SignedInfo References (ok/all): 2/2" in verify(good)
    assert "FAIL" in verify(good.replace(b"urn:oid:2.25.1", b"urn:oid:2.25.8"))


def test_the_demonstrator_s_own_lot_verifies() -> None:
    """Calibration: a lot that a Java stack signed in 2023, verified down to the KOS."""
    sample = Path(__file__).parents[4] / "shared/reference/ans-demonstrator-samples"
    if not sample.exists():
        pytest.skip("échantillons de référence absents (../shared/reference)")
    message = (sample / "XDS/publication.xml").read_bytes()
    start = message.index(b'<Signature xmlns="http://www.w3.org/2000/09/xmldsig#"')
    signature = message[start : message.index(b"</Signature>", start)] + b"</Signature>"
    # The copy was pretty-printed after signing: the spaces between elements are not original.
    signature = re.sub(rb">\s+<", b"><", signature)
    kos_uid = re.findall(rb'"urn:oid:([0-9.]+)"', signature)[1].decode()
    verified = verify_lot(signature, {kos_uid: (sample / "KOS/ko.dcm").read_bytes()})
    assert same_dn(
        verified.certificate,
        "CN=DRIMbox,OU=499700367909006,O=CABINET M DOC0036790,ST=Paris (75),C=FR",
    )
    assert verified.method.endswith("rsa-sha1")
    assert verified.purpose == PURPOSE_SOURCE


@settings(max_examples=100)
@given(data=st.data())
def test_hostile_bytes_are_refused_or_change_nothing(data: st.DataObject) -> None:
    signed = hostile_seed()
    start = data.draw(st.integers(0, len(signed) - 1))
    length = data.draw(st.integers(0, 12))
    put = data.draw(st.one_of(st.binary(max_size=8), st.sampled_from([b"<a/>", b"<!---->", b" "])))
    try:
        verified = verify_lot(signed[:start] + put + signed[start + length :], DOCUMENTS)
    except RemoteProtocolError:
        return
    assert verified.references == ("2.25.1", "2.25.2")
    assert (verified.submission_set_uid, verified.signing_time) == (SET, NOW)


_SEED: list[bytes] = []


def hostile_seed() -> bytes:
    if not _SEED:
        pki = Pki.create(clock=lambda: NOW, crl_url="http://igc.test/CRL/x.crl")
        _SEED.append(lot(pki.sign("x", "1", key=pki.throwaway_key)))
    return _SEED[0]
