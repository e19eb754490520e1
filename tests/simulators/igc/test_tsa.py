"""A time stamp is what was asked for, and each way to be wrong is told; OpenSSL agrees."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import new, sha256
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from hypothesis import given, settings
from hypothesis import strategies as st

from protocols.errors import LocalProtocolError
from protocols.timestamp import (
    DIGESTS,
    REPLY_TYPE,
    REQUEST_TYPE,
    Timestamp,
    TimestampError,
    TimestampFault,
    timestamp_request,
    verify_timestamp,
)
from simulators.igc import MENU, Credential, Pki, pem, service
from simulators.igc.faults import TSA, Motive, Who
from simulators.igc.tsa import POLICY, TimeStamper
from wire.faults import Faults, Value

DATA = b"manifeste"
NONCE = 0x8123456789ABCDEF


@dataclass
class Bench:
    """An authority with a clock."""

    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    pki: Pki = field(init=False)
    authority: TimeStamper = field(init=False)

    def __post_init__(self) -> None:
        self.pki = Pki.create(
            clock=lambda: self.now, crl_url="http://igc.test/CRL/KIT-ACI-EL-ORG.crl"
        )
        self.authority = TimeStamper(self.pki)

    def stamp(self, kind: str = "", *, algorithm: str = "sha256", **values: Value) -> bytes:
        faults = Faults(MENU)
        if kind:
            faults.set(kind, TSA, values)
        asked = timestamp_request(new(algorithm, DATA).digest(), algorithm=algorithm, nonce=NONCE)
        return self.authority.answer(asked, faults.strike(TSA))

    def verify(self, response: bytes, *, data: bytes = DATA, crl: bytes | None = None) -> Timestamp:
        crls = None if crl is None else [x509.load_der_x509_crl(crl)]
        roots = [self.pki.igc_root]
        return verify_timestamp(response, data, roots, self.now, nonce=NONCE, crls=crls)

    def fault(
        self, response: bytes, *, data: bytes = DATA, crl: bytes | None = None
    ) -> TimestampFault:
        with pytest.raises(TimestampError) as caught:
            self.verify(response, data=data, crl=crl)
        assert str(caught.value)
        return caught.value.kind


@pytest.fixture(scope="module")
def shared() -> Bench:
    return Bench()


@pytest.mark.parametrize("algorithm", DIGESTS)
def test_a_token_holds(shared: Bench, algorithm: str) -> None:
    told = shared.verify(shared.stamp(algorithm=algorithm), crl=shared.pki.crl())
    assert abs(told.instant - shared.now) < timedelta(seconds=1)
    assert told.digest == new(algorithm, DATA).digest()
    assert told.policy == POLICY
    again = shared.verify(shared.stamp())
    assert again.serial > told.serial
    assert again.signer == told.signer


@pytest.mark.parametrize(
    ("kind", "values", "expected"),
    [
        *(("rejet", {"motif": one}, TimestampFault.REFUSED) for one in Motive),
        ("empreinte", {}, TimestampFault.DIGEST),
        ("rejeu", {}, TimestampFault.NONCE),
        ("sans-certificat", {}, TimestampFault.UNTRUSTED),
        ("horloge", {"heures": 1}, TimestampFault.FUTURE),
        ("alteree", {}, TimestampFault.SIGNATURE),
        ("signataire", {"qui": Who.LOOK_ALIKE}, TimestampFault.UNTRUSTED),
        ("signataire", {"qui": Who.MARKET}, TimestampFault.UNTRUSTED),
        ("signataire", {"qui": Who.NO_PURPOSE}, TimestampFault.PURPOSE),
        ("signataire", {"qui": Who.EXPIRED}, TimestampFault.EXPIRED),
    ],
)
def test_each_fault_is_told(
    shared: Bench, kind: str, values: dict[str, Value], expected: TimestampFault
) -> None:
    assert shared.fault(shared.stamp(kind, **values)) is expected


def test_a_token_of_the_past_holds_and_one_before_its_certificate_does_not(
    shared: Bench,
) -> None:
    assert shared.fault(shared.stamp("horloge", heures=-24)) is TimestampFault.UNTRUSTED


def test_other_data_are_not_what_was_stamped(shared: Bench) -> None:
    assert shared.fault(shared.stamp(), data=DATA + b" ") is TimestampFault.DIGEST


def test_a_token_ends_with_its_certificate_or_its_revocation() -> None:
    bench = Bench()
    token = bench.stamp()
    signer = bench.verify(token).signer
    bench.now = signer.not_valid_after_utc - timedelta(seconds=1)
    assert bench.verify(token).signer == signer
    bench.now += timedelta(seconds=2)
    assert bench.fault(token) is TimestampFault.EXPIRED
    assert bench.verify(bench.stamp()).signer != signer, "the authority has renewed its own"
    bench = Bench()
    token = bench.stamp()
    bench.pki.revoke(Credential(bench.pki.throwaway_key, bench.verify(token).signer))
    assert bench.verify(token)
    assert bench.fault(token, crl=bench.pki.crl()) is TimestampFault.UNTRUSTED


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 10_000), st.integers(0, 7))
def test_no_bit_of_a_response_can_change(shared: Bench, at: int, bit: int) -> None:
    right = _RIGHT.setdefault("token", shared.stamp())
    at %= len(right)
    changed = right[:at] + bytes([right[at] ^ 1 << bit]) + right[at + 1 :]
    try:
        told = shared.verify(changed)
    except TimestampError:
        return
    # What the signature does not cover says nothing: how the same thing is written.
    assert told == shared.verify(right)


_RIGHT: dict[str, bytes] = {}


@settings(max_examples=50, deadline=None)
@given(st.binary(max_size=200))
def test_anything_is_answered_and_anything_is_refused(shared: Bench, data: bytes) -> None:
    assert shared.fault(data) is TimestampFault.MALFORMED
    assert shared.fault(shared.authority.answer(data)) is TimestampFault.REFUSED


def test_what_is_not_stamped(shared: Bench) -> None:
    for digest, algorithm in ((b"x", "sha256"), (sha256(b"").digest(), "md5")):
        with pytest.raises(LocalProtocolError):
            timestamp_request(digest, algorithm=algorithm, nonce=1)
    right = timestamp_request(sha256(DATA).digest(), nonce=1)
    by_sha256 = bytes.fromhex("608648016503040201")
    longer = right.replace(by_sha256, by_sha256[:-1] + b"\x03")
    assert b"bad-data-format" in shared.authority.answer(longer)
    unknown = right.replace(by_sha256, by_sha256[:-1] + b"\x7f")
    assert b"bad-alg" in shared.authority.answer(unknown)
    second = right.replace(bytes.fromhex("020101"), bytes.fromhex("020102"), 1)
    assert b"bad-request" in shared.authority.answer(second)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl est absent")
def test_openssl_asks_and_agrees(shared: Bench, tmp_path: Path) -> None:
    def run(*arguments: str) -> str:
        command = ["openssl", "ts", *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
        return done.stdout + done.stderr

    (tmp_path / "data").write_bytes(DATA)
    (tmp_path / "root.pem").write_bytes(pem(shared.pki.igc_root))
    asked, said = tmp_path / "asked.tsq", tmp_path / "said.tsr"
    trust = "-CAfile", str(tmp_path / "root.pem")
    for options in ("-sha256", "-cert"), ("-sha512", "-cert", "-tspolicy", POLICY):
        run("-query", "-data", str(tmp_path / "data"), *options, "-out", str(asked))
        said.write_bytes(shared.authority.answer(asked.read_bytes()))
        assert "Verification: OK" in run(
            "-verify", "-queryfile", str(asked), "-in", str(said), *trust
        )
        assert f"Policy OID: {POLICY}" in run("-reply", "-in", str(said), "-text")
    said.write_bytes(shared.stamp("alteree"))
    data = str(tmp_path / "data")
    assert "Verification: FAILED" in run("-verify", "-data", data, "-in", str(said), *trust)
    said.write_bytes(shared.stamp("rejet", motif=Motive.CLOCK))
    assert "Status: Rejected" in run("-reply", "-in", str(said), "-text")
    run("-query", "-data", data, "-tspolicy", "1.2.3.4", "-out", str(asked))
    assert b"unaccepted-policy" in shared.authority.answer(asked.read_bytes())


def test_over_http() -> None:
    async def scenario() -> None:
        igc = await service.start(clock=lambda: datetime.now(UTC), observe=lambda _: None)
        try:
            async with httpx.AsyncClient(trust_env=False) as client:
                answer = await client.post(
                    igc.url + "/tsa",
                    content=timestamp_request(sha256(DATA).digest(), nonce=NONCE),
                    headers={"Content-Type": REQUEST_TYPE},
                )
                assert answer.headers["content-type"] == REPLY_TYPE
                now = datetime.now(UTC)
                assert verify_timestamp(answer.content, DATA, [igc.pki.igc_root], now, nonce=NONCE)
                huge = await client.post(igc.url + "/tsa", content=bytes(100_000))
                assert b"bad-data-format" in huge.content
        finally:
            await igc.stop()

    asyncio.run(scenario())
