"""OpenSSL judges what the responders answer: the truth, and each of their faults."""

from __future__ import annotations

import asyncio
import base64
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp

from simulators.igc import MENU, Credential, Pki, pem, service
from simulators.igc.authorities import PERSONS
from simulators.igc.faults import OCSP, Betrayed, Refusal, Said, Who
from simulators.igc.ocsp import Responder
from wire.faults import Faults, Value

openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl est absent")


@pytest.fixture(scope="module")
def pki() -> Pki:
    return Pki.create(
        clock=lambda: datetime.now(UTC), crl_url="http://igc.test/CRL/KIT-ACI-EL-ORG.crl"
    )


@pytest.fixture(scope="module")
def responder(pki: Pki) -> Responder:
    return Responder(pki)


@pytest.fixture(scope="module")
def good(pki: Pki) -> Credential:
    return pki.auth_cli("good", "1", key=pki.throwaway_key)


@pytest.fixture(scope="module")
def revoked(pki: Pki) -> Credential:
    made = pki.auth_cli("bad", "1", key=pki.throwaway_key)
    pki.revoke(made, x509.ReasonFlags.cessation_of_operation)
    return made


class Stranger:
    """`openssl ocsp`: it asks, and judges what is answered."""

    def __init__(self, pki: Pki, responder: Responder, folder: Path) -> None:
        self._pki, self._responder, self._folder = pki, responder, folder
        self._issuer = self._file("issuer.pem", pem(pki.igc_intermediate))
        self._trust = self._file("trust.pem", pki.igc_bundle_pem)

    def judge(
        self, leaf: Credential, *, kind: str = "", nonce: bool = True, **values: Value
    ) -> str:
        faults = Faults(MENU)
        if kind:
            faults.set(kind, OCSP, values)
        asked = self._folder / "asked.der"
        about = ["-issuer", str(self._issuer)]
        about += ["-cert", str(self._file("leaf.pem", pem(leaf.certificate)))]
        about += [] if nonce else ["-no_nonce"]
        self._run(*about, "-reqout", str(asked))
        answer = self._responder.answer(asked.read_bytes(), faults.strike(OCSP))
        said = self._file("said.der", answer)
        trust = ["-CAfile", str(self._trust)]
        # It compares the nonce of a request that it reads, and tells the status of a certificate
        # that it is told: never both.
        told = self._run("-reqin", str(asked), "-respin", str(said), *trust)
        return told + self._run(*about[:4], "-no_nonce", "-respin", str(said), *trust)

    def _file(self, name: str, data: bytes) -> Path:
        (self._folder / name).write_bytes(data)
        return self._folder / name

    @staticmethod
    def _run(*arguments: str) -> str:
        done = subprocess.run(
            ["openssl", "ocsp", *arguments], capture_output=True, text=True, check=False, timeout=30
        )
        return done.stdout + done.stderr


@pytest.fixture
def stranger(pki: Pki, responder: Responder, tmp_path: Path) -> Stranger:
    return Stranger(pki, responder, tmp_path)


@openssl
@pytest.mark.parametrize("nonce", [True, False])
def test_the_truth(stranger: Stranger, good: Credential, revoked: Credential, nonce: bool) -> None:
    told = stranger.judge(good, nonce=nonce)
    assert "Response verify OK" in told
    assert "leaf.pem: good" in told
    assert "WARNING" not in told
    told = stranger.judge(revoked, nonce=nonce)
    assert "Response verify OK" in told
    assert "leaf.pem: revoked" in told
    assert "Reason: cessationOfOperation" in told


@openssl
@pytest.mark.parametrize(
    ("kind", "values", "said"),
    [
        ("statut", {"dit": Said.REVOKED}, "leaf.pem: revoked"),
        ("statut", {"dit": Said.UNKNOWN}, "leaf.pem: unknown"),
        ("statut", {"dit": Said.OTHER}, "leaf.pem: ERROR: No Status found"),
        ("refus", {"statut": Refusal.TRY_LATER}, "Responder Error: trylater (3)"),
        ("refus", {"statut": Refusal.INTERNAL_ERROR}, "Responder Error: internalerror (2)"),
        ("refus", {"statut": Refusal.MALFORMED}, "Responder Error: malformedrequest (1)"),
        ("refus", {"statut": Refusal.SIGNATURE_REQUIRED}, "Responder Error: sigrequired (5)"),
        ("refus", {"statut": Refusal.UNAUTHORIZED}, "Responder Error: unauthorized (6)"),
        ("perimee", {"jours": 1}, "status expired"),
        ("future", {"jours": 1}, "status not yet valid"),
        ("signataire", {"qui": Who.LOOK_ALIKE}, "Response Verify Failure"),
        ("signataire", {"qui": Who.MARKET}, "Response Verify Failure"),
        ("signataire", {"qui": Who.NO_PURPOSE}, "missing ocspsigning usage"),
        ("signataire", {"qui": Who.EXPIRED}, "certificate has expired"),
        ("rejeu", {}, "WARNING: no nonce in response"),
        ("alteree", {}, "Response Verify Failure"),
    ],
)
def test_each_fault_is_of_one_thing(
    stranger: Stranger, good: Credential, kind: str, values: dict[str, Value], said: str
) -> None:
    told = stranger.judge(good, kind=kind, **values)
    assert said in told
    of_status = kind in ("statut", "perimee", "future", "rejeu")
    assert ("Response verify OK" in told) == of_status, told


@openssl
def test_a_lie_about_a_revoked_one(stranger: Stranger, revoked: Credential) -> None:
    assert "leaf.pem: good" in stranger.judge(revoked, kind="statut", dit=Said.GOOD)


@openssl
@pytest.mark.parametrize(
    ("par", "said"),
    [
        (Betrayed.STALE, "status expired"),
        (Betrayed.OTHER, "leaf.pem: ERROR: No Status found"),
        (Betrayed.LOOK_ALIKE, "Response Verify Failure"),
        (Betrayed.MARKET, "Response Verify Failure"),
        (Betrayed.NO_PURPOSE, "missing ocspsigning usage"),
        (Betrayed.NO_NONCE, "WARNING: no nonce in response"),
        (Betrayed.OTHER_NONCE, "Nonce Verify error"),
        (Betrayed.SPOILT, "Response Verify Failure"),
    ],
)
def test_a_lie_that_proves_nothing(
    stranger: Stranger, revoked: Credential, par: Betrayed, said: str
) -> None:
    told = stranger.judge(revoked, kind="bon-mal-prouve", par=par)
    assert said in told
    assert "leaf.pem: revoked" not in told


@pytest.mark.parametrize("algorithm", [SHA1(), SHA256()])
def test_any_branch_answers_and_only_for_its_own(
    pki: Pki, responder: Responder, good: Credential, algorithm: SHA1 | SHA256
) -> None:
    def status(leaf: x509.Certificate, issuer: x509.Certificate) -> ocsp.OCSPResponse:
        asked = ocsp.OCSPRequestBuilder().add_certificate(leaf, issuer, algorithm).build()
        return ocsp.load_der_ocsp_response(responder.answer(asked.public_bytes(Encoding.DER)))

    person = pki.issue(PERSONS, good.certificate.subject, lambda *_: [], key=pki.throwaway_key)
    for one in (good, person):
        answer = status(one.certificate, one.chain[0])
        assert answer.certificate_status is ocsp.OCSPCertStatus.GOOD
        signer = answer.certificates[0]
        signer.verify_directly_issued_by(one.chain[0])
        assert signer.extensions.get_extension_for_class(x509.OCSPNoCheck)
    server = pki.server("x.test", key=pki.throwaway_key)
    refused = status(server.certificate, server.chain[0])
    assert refused.response_status is ocsp.OCSPResponseStatus.UNAUTHORIZED


@pytest.mark.parametrize("data", [b"", b"0\x00", b"<html>", b"\x30\x84\xff\xff\xff\xff"])
def test_what_is_no_request_is_told_so(responder: Responder, data: bytes) -> None:
    answer = ocsp.load_der_ocsp_response(responder.answer(data))
    assert answer.response_status is ocsp.OCSPResponseStatus.MALFORMED_REQUEST


def test_over_http_by_post_and_by_get_and_its_other_faults() -> None:
    async def scenario() -> None:
        igc = await service.start(clock=lambda: datetime.now(UTC), observe=lambda _: None)
        try:
            leaf = igc.pki.auth_cli("x", "1", key=igc.pki.throwaway_key)
            asked = ocsp.OCSPRequestBuilder().add_certificate(
                leaf.certificate, igc.pki.igc_intermediate, SHA1()
            )
            der = asked.build().public_bytes(Encoding.DER)
            access = leaf.certificate.extensions.get_extension_for_class(
                x509.AuthorityInformationAccess
            ).value
            url = access[0].access_location.value
            assert url == igc.url + "/ocsp"
            async with httpx.AsyncClient(trust_env=False) as client:
                posted = await client.post(url, content=der)
                got = await client.get(f"{url}/{base64.b64encode(der).decode()}")
                for answer in (posted, got):
                    assert answer.headers["content-type"] == "application/ocsp-response"
                    read = ocsp.load_der_ocsp_response(answer.content)
                    assert read.certificate_status is ocsp.OCSPCertStatus.GOOD
                nonsense = await client.get(f"{url}/!!")
                read = ocsp.load_der_ocsp_response(nonsense.content)
                assert read.response_status is ocsp.OCSPResponseStatus.MALFORMED_REQUEST
                igc.faults.set("http", OCSP, {"code": 503}, times=1)
                assert (await client.post(url, content=der)).status_code == 503
                igc.faults.set("page", OCSP, times=1)
                assert b"<html>" in (await client.post(url, content=der)).content
                igc.faults.set("tronquee", OCSP, times=1)
                assert len((await client.post(url, content=der)).content) < len(got.content)
        finally:
            await igc.stop()

    asyncio.run(scenario())
