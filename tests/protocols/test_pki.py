"""Certificate paths: each way in which one can be wrong is told from the others."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import TypeVar

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from hypothesis import given, settings
from hypothesis import strategies as st

from protocols.errors import LocalProtocolError
from protocols.pki import (
    ChainError,
    ChainFault,
    extended_key_usage,
    key_usage,
    read_certificate,
    verify_chain,
)

NOW = datetime(2026, 11, 22, tzinfo=UTC)
YEAR = timedelta(days=365)
CA = (x509.BasicConstraints(ca=True, path_length=None), True)
KEYS: dict[str, rsa.RSAPrivateKey] = {}

Extension = tuple[x509.ExtensionType, bool]


def key(name: str) -> rsa.RSAPrivateKey:
    if name not in KEYS:
        KEYS[name] = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return KEYS[name]


def name(cn: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, cn)])


def issue(
    subject: str,
    issuer: str,
    *extensions: Extension,
    key_of: str = "",
    begin: datetime = NOW - YEAR,
    end: datetime = NOW + YEAR,
) -> x509.Certificate:
    builder = (
        x509.CertificateBuilder()
        .subject_name(name(subject))
        .issuer_name(name(issuer))
        .public_key(key(key_of or subject).public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(end)
    )
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical)
    return builder.sign(key(issuer), SHA256())


def crl(
    issuer: str, *revoked: x509.Certificate, signed_by: str = "", age: timedelta = timedelta(days=1)
) -> x509.CertificateRevocationList:
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(name(issuer))
        .last_update(NOW - age)
        .next_update(NOW - age + timedelta(days=7))
    )
    for certificate in revoked:
        builder = builder.add_revoked_certificate(
            x509.RevokedCertificateBuilder()
            .serial_number(certificate.serial_number)
            .revocation_date(NOW - age)
            .build()
        )
    return builder.sign(key(signed_by or issuer), SHA256())


@pytest.fixture(scope="module")
def root() -> x509.Certificate:
    return issue("root", "root", CA)


@pytest.fixture(scope="module")
def middle() -> x509.Certificate:
    return issue("middle", "root", (x509.BasicConstraints(ca=True, path_length=0), True))


@pytest.fixture(scope="module")
def leaf() -> x509.Certificate:
    return issue("leaf", "middle")


Refuse = Callable[..., ChainFault]


@pytest.fixture
def refused(root: x509.Certificate) -> Refuse:
    def check(
        certificate: x509.Certificate,
        *intermediates: x509.Certificate,
        at: datetime = NOW,
        crls: list[x509.CertificateRevocationList] | None = None,
    ) -> ChainFault:
        with pytest.raises(ChainError) as caught:
            verify_chain(certificate, intermediates, [root], at, crls)
        return caught.value.kind

    return check


def test_a_path_is_found_among_useless_and_misleading_certificates(
    root: x509.Certificate, middle: x509.Certificate, leaf: x509.Certificate
) -> None:
    homonym = issue("middle", "stranger", CA, key_of="stranger")
    expired = issue("middle", "root", CA, end=NOW - timedelta(days=1))
    verify_chain(leaf, [homonym, middle, root, leaf], [root], NOW)
    verify_chain(issue("direct", "root"), [], [root], NOW)
    with pytest.raises(ChainError):
        verify_chain(leaf, [homonym, expired], [root], NOW)


def test_no_path(
    refused: Refuse, root: x509.Certificate, middle: x509.Certificate, leaf: x509.Certificate
) -> None:
    assert refused(leaf) is ChainFault.UNTRUSTED
    assert refused(issue("alone", "alone")) is ChainFault.UNTRUSTED
    forged = issue("leaf", "stranger", key_of="leaf")
    assert refused(forged, middle) is ChainFault.UNTRUSTED
    false_root = issue("root", "root", CA, key_of="stranger")
    assert refused(issue("x", "stranger"), false_root) is ChainFault.UNTRUSTED
    assert refused(root) is ChainFault.UNTRUSTED  # an anchor is no leaf


def test_only_authorities_issue(refused: Refuse, middle: x509.Certificate) -> None:
    subscriber = issue("abonne", "middle")
    assert refused(issue("x", "abonne"), subscriber, middle) is ChainFault.NOT_A_CA
    below = issue("sous-ac", "middle", CA)
    assert refused(issue("x", "sous-ac"), below, middle) is ChainFault.NOT_A_CA
    usage = x509.KeyUsage(
        digital_signature=True, content_commitment=True, key_encipherment=False,
        data_encipherment=False, key_agreement=False, key_cert_sign=False, crl_sign=False,
        encipher_only=False, decipher_only=False,
    )  # fmt: skip
    mute = issue("muette", "root", CA, (usage, True))
    assert refused(issue("x", "muette"), mute) is ChainFault.NOT_A_CA
    assert key_usage(mute) == {"digitalSignature", "nonRepudiation"}


def test_every_certificate_of_the_path_must_be_valid(
    refused: Refuse, leaf: x509.Certificate, middle: x509.Certificate
) -> None:
    assert refused(leaf, middle, at=NOW + 2 * YEAR) is ChainFault.EXPIRED
    assert refused(leaf, middle, at=NOW - 2 * YEAR) is ChainFault.NOT_YET_VALID
    old = issue("vieille", "root", CA, end=NOW - timedelta(seconds=1))
    assert refused(issue("x", "vieille"), old) is ChainFault.EXPIRED


def test_unknown_critical_extensions_are_refused(
    refused: Refuse, root: x509.Certificate, middle: x509.Certificate
) -> None:
    private = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.250.1.71.1.2.5"), b"\x04\x01A")
    assert refused(issue("x", "middle", (private, True)), middle) is ChainFault.CRITICAL_EXTENSION
    verify_chain(issue("x", "middle", (private, False)), [middle], [root], NOW)


def test_revocation(
    refused: Refuse, root: x509.Certificate, middle: x509.Certificate, leaf: x509.Certificate
) -> None:
    verify_chain(leaf, [middle], [root], NOW, [crl("root"), crl("middle")])
    assert refused(leaf, middle, crls=[crl("middle", leaf)]) is ChainFault.REVOKED
    assert refused(leaf, middle, crls=[]) is ChainFault.CRL_MISSING
    assert refused(leaf, middle, crls=[crl("root")]) is ChainFault.CRL_MISSING
    forged = crl("middle", signed_by="stranger")
    assert refused(leaf, middle, crls=[forged]) is ChainFault.CRL_MISSING
    stale = crl("middle", age=timedelta(days=8))
    assert refused(leaf, middle, crls=[stale]) is ChainFault.CRL_STALE
    future = crl("middle", age=timedelta(days=-1))
    assert refused(leaf, middle, crls=[future]) is ChainFault.CRL_STALE
    verify_chain(leaf, [middle], [root], NOW, [stale, crl("middle")])
    told_once = crl("middle", leaf, age=timedelta(days=8))
    assert refused(leaf, middle, crls=[told_once, crl("middle")]) is ChainFault.REVOKED


def test_a_thousand_intermediates_end(
    root: x509.Certificate, leaf: x509.Certificate, middle: x509.Certificate
) -> None:
    loop = [issue("a", "b", CA), issue("b", "a", CA), issue("a", "a", CA)]
    with pytest.raises(ChainError):
        verify_chain(issue("x", "a"), loop * 300, [root], NOW)
    with pytest.raises(ChainError):
        verify_chain(leaf, [*(loop * 300), middle], [root], NOW)


def test_usages_of_a_bare_certificate(leaf: x509.Certificate) -> None:
    assert key_usage(leaf) == frozenset()
    assert extended_key_usage(leaf) == frozenset()


def test_an_instant_without_zone_is_our_mistake(
    root: x509.Certificate, middle: x509.Certificate, leaf: x509.Certificate
) -> None:
    with pytest.raises(LocalProtocolError):
        verify_chain(leaf, [middle], [root], NOW.replace(tzinfo=None))


@settings(max_examples=200)
@given(data=st.data())
def test_a_corrupt_leaf_is_never_trusted(data: st.DataObject) -> None:
    root, middle, leaf = pinned()
    der = bytearray(leaf.public_bytes(Encoding.DER))
    position = data.draw(st.integers(0, len(der) - 1))
    der[position] ^= data.draw(st.integers(1, 255))
    with pytest.raises(ChainError):
        verify_chain(read_certificate(bytes(der)), [middle], [root], NOW)


def test_a_version_that_does_not_exist_is_malformed() -> None:
    der = pinned()[2].public_bytes(Encoding.DER)
    version_3 = bytes.fromhex("a003020102")
    with pytest.raises(ChainError) as caught:
        read_certificate(der.replace(version_3, version_3[:-1] + b"\x03", 1))
    assert caught.value.kind is ChainFault.MALFORMED
    assert read_certificate(der) == pinned()[2]
    assert read_certificate(pinned()[2].public_bytes(Encoding.PEM)) == pinned()[2]


def test_a_signature_that_is_not_whole_octets_is_refused(refused: Refuse) -> None:
    root, middle, leaf = pinned()
    der = leaf.public_bytes(Encoding.DER)
    verify_chain(read_certificate(der), [middle], [root], NOW)
    assert refused(read_certificate(one_unused_bit(leaf)), middle) is ChainFault.UNTRUSTED
    listed = even(crl("middle", age=timedelta(hours=h)) for h in range(1, 100))
    verify_chain(leaf, [middle], [root], NOW, [listed])
    cut = x509.load_der_x509_crl(one_unused_bit(listed))
    with pytest.raises(ChainError) as caught:
        verify_chain(leaf, [middle], [root], NOW, [cut])
    assert caught.value.kind is ChainFault.CRL_MISSING


Signed = TypeVar("Signed", x509.Certificate, x509.CertificateRevocationList)


def even(made: Iterable[Signed]) -> Signed:
    """One whose signature ends with a 0 bit, which DER allows to be called unused."""
    return next(one for one in made if not one.signature[-1] & 1)


def one_unused_bit(signed: x509.Certificate | x509.CertificateRevocationList) -> bytes:
    der = bytearray(signed.public_bytes(Encoding.DER))
    der[-len(signed.signature) - 1] = 1
    return bytes(der)


@functools.cache
def pinned() -> tuple[x509.Certificate, x509.Certificate, x509.Certificate]:
    """Root, middle and leaf of one path."""
    root, middle = issue("root", "root", CA), issue("middle", "root", CA)
    return root, middle, even(issue("leaf", "middle") for _ in range(100))
