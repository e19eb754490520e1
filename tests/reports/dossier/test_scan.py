"""Each kind of leak is found, also across two chunks, and what only looks like one is left."""

from __future__ import annotations

import base64
import json

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from bench import concealed
from reports.dossier.scan import Known, LeakKind, Scanner, known_from

HEADER = base64.urlsafe_b64encode(json.dumps({"alg": "RS256"}).encode()).rstrip(b"=")
TOKEN = HEADER + b".eyJzdWIiOiIxIn0.c2lnbmF0dXJl"
KNOWN = known_from([("KIT-SAUVETERRE EDMOND", "140047505619769"), ("LE GALL ANNE", "")])
EC = ec.generate_private_key(ec.SECP256R1())
RSA = rsa.generate_private_key(65537, 2048)


def der(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> bytes:
    return key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


LEAKS: list[tuple[LeakKind, bytes]] = [
    (LeakKind.TOKEN, TOKEN),
    (LeakKind.TOKEN, b"Authorization: Bearer 0123456789abcdef0123456789"),
    (LeakKind.SECRET, b"client_secret=s3cr3t-0123456789"),
    (LeakKind.SECRET, b'{"refresh_token": "a1b2c3d4e5f6"}'),
    (LeakKind.PRIVATE_KEY, b"-----BEGIN RSA PRIVATE KEY-----"),
    (LeakKind.PRIVATE_KEY, b"-----BEGIN ENCRYPTED PRIVATE KEY-----"),
    (LeakKind.PRIVATE_KEY, der(EC)),
    (LeakKind.PRIVATE_KEY, der(RSA)),
    (LeakKind.TLS_KEYS, b"CLIENT_RANDOM " + b"0a" * 32 + b" " + b"0b" * 48),
    (LeakKind.INS, b'<id extension="255069743524709"/>'),
    (LeakKind.NAME, b"PID|1||1^^^X||DURAND^JEANNE^^^^^L||19500101|F"),
    (LeakKind.NAME, b"PID|1||1^^^X||TESTARD^JEANNE^^^^^L||19500101|F"),
    (LeakKind.NAME, b"<rim:Value>PID-5|DURAND^JEANNE</rim:Value>"),
    (LeakKind.NAME, b"\x10\x00\x10\x00PN\x0e\x00DURAND^JEANNE "),
    (LeakKind.NAME, b'"00100010":{"vr":"PN","Value":[{"Alphabetic":"DURAND^JEANNE"}]}'),
    (LeakKind.NAME, b"<patient><name><family qualifier='BR'>DURAND</family></name></patient>"),
]

FINE = [
    b"Le jeton est au format eyJ, comme tout JWT.",
    b"eyJhbGNpZGVudGFsbHk.not.ajson",
    "Authorization: Bearer ‹jeton masqué, sha256 0123abcd…›".encode(),
    b"client_secret : absent de la demande",
    '{"refresh_token": "‹jeton masqué›"}'.encode(),
    b"-----BEGIN CERTIFICATE-----",
    b"-----BEGIN PUBLIC KEY-----",
    EC.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
    b"CLIENT_RANDOM n'est pas \xc3\xa9crit",
    b'<id extension="140047505619769"/>',
    b"1.2.250.255069743524709.1",
    b"255069743524760",
    b"PID|1||1^^^X||KIT-SAUVETERRE^EDMOND^^^^^L",
    b"PID|1||1^^^X||PAT-TROIS^DOMINIQUE^^^^^L",
    b"PID|1||1^^^X||LE GALL^ANNE^^^^^L",
    b"\x10\x00\x10\x00PN\x16\x00KIT-SAUVETERRE^EDMOND ",
    b"<assignedPerson><name><family>DURAND</family></name></assignedPerson>",
]  # fmt: skip


def scanned(data: bytes, size: int, known: Known = KNOWN) -> list[tuple[LeakKind, int]]:
    scanner = Scanner("f", known)
    for begin in range(0, len(data), size):
        scanner.feed(data[begin : begin + size])
    return [(leak.kind, leak.line) for leak in scanner.leaks()]


@pytest.mark.parametrize(("kind", "data"), LEAKS, ids=range(len(LEAKS)))
@pytest.mark.parametrize("size", [7, 1 << 20])
def test_a_leak_is_found_wherever_a_chunk_ends(kind: LeakKind, data: bytes, size: int) -> None:
    around = b"a\nb\n" + data + b"\nfin\n"
    assert (kind, 3) in scanned(around, size)


@pytest.mark.parametrize("data", FINE, ids=range(len(FINE)))
def test_what_only_looks_like_a_leak(data: bytes) -> None:
    assert scanned(b"a\n" + data + b"\nfin\n", 1 << 20) == []


def test_a_leak_far_in_a_large_file() -> None:
    data = b"x" * 99 + b"\n"
    assert scanned(data * 30_000 + TOKEN, 1 << 20) == [(LeakKind.TOKEN, 30_001)]


def test_a_value_of_a_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(concealed, "_known", {})
    concealed.conceal("CODE_CPS", "tres-secret-42")
    assert scanned(b"x tres-secret-42", 1 << 20) == [(LeakKind.VARIABLE, 1)]
    assert scanned(b"x tres-secret-43", 1 << 20) == []
