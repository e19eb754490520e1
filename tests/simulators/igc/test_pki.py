"""The test PKI has the shape of the dossier, and its faults are faults of one thing only."""

from __future__ import annotations

import shutil
import ssl
import stat
import subprocess
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.x509.oid import ExtendedKeyUsageOID

from protocols.pki import ChainError, ChainFault, extended_key_usage, key_usage, verify_chain
from simulators.igc import Credential, Pki

NOW = datetime.now(UTC)
CRL_URL = "http://igc.test:8080/CRL/KIT-ACI-EL-ORG.crl"


@pytest.fixture(scope="module")
def pki() -> Pki:
    return Pki.create(clock=lambda: NOW, crl_url=CRL_URL)


@pytest.fixture(scope="module")
def auth(pki: Pki) -> Credential:
    return pki.auth_cli("db1.test", "318751275100020", "AGENCE", key=pki.throwaway_key)


def check(pki: Pki, credential: Credential, *, crl: bytes | None = None) -> None:
    crls = None if crl is None else [x509.load_der_x509_crl(crl)]
    verify_chain(credential.certificate, credential.chain, [pki.igc_root], NOW, crls)


def fault(pki: Pki, credential: Credential, *, crl: bytes | None = None) -> ChainFault:
    with pytest.raises(ChainError) as caught:
        check(pki, credential, crl=crl)
    return caught.value.kind


def test_a_subject_reads_as_the_white_list_writes_it(auth: Credential) -> None:
    assert auth.dn == "CN=db1.test,OU=318751275100020,O=AGENCE,ST=Paris (75),C=FR"


def test_the_organisation_is_cut_at_forty_characters(pki: Pki) -> None:
    name = "AGENCE DES SYSTEMES D'INFORMATION PARTAGES DE SANTE"
    credential = pki.sign("x", "1", name, "Rhône (69)", key=pki.throwaway_key)
    assert f"O={name[:40]},ST=Rhône (69)" in credential.dn


def test_auth_cli_and_sign_differ_by_their_usages(pki: Pki, auth: Credential) -> None:
    sign = pki.sign("x", "1", key=pki.throwaway_key)
    assert key_usage(auth.certificate) == {"digitalSignature"}
    assert extended_key_usage(auth.certificate) == {ExtendedKeyUsageOID.CLIENT_AUTH.dotted_string}
    assert key_usage(sign.certificate) == {"digitalSignature", "nonRepudiation"}
    assert extended_key_usage(sign.certificate) == {
        ExtendedKeyUsageOID.EMAIL_PROTECTION.dotted_string
    }


def test_a_signer_says_how_long_its_key_signs(pki: Pki, auth: Credential) -> None:
    sign = pki.sign("x", "1", key=pki.throwaway_key).certificate
    period = sign.extensions.get_extension_for_class(x509.PrivateKeyUsagePeriod).value
    assert (period.not_before, period.not_after) == (
        sign.not_valid_before_utc.replace(tzinfo=None),
        sign.not_valid_after_utc.replace(tzinfo=None),
    )
    with pytest.raises(x509.ExtensionNotFound):
        auth.certificate.extensions.get_extension_for_class(x509.PrivateKeyUsagePeriod)


def test_a_leaf_carries_the_test_policy_the_product_and_its_addresses(auth: Credential) -> None:
    extensions = auth.certificate.extensions
    policies = extensions.get_extension_for_class(x509.CertificatePolicies).value
    assert [p.policy_identifier.dotted_string for p in policies] == ["1.2.250.1.213.1.7.2.1.1.1.1"]
    product = extensions.get_extension_for_oid(x509.ObjectIdentifier("1.2.250.1.71.1.2.5")).value
    assert product.value == bytes.fromhex("040183")
    points = extensions.get_extension_for_class(x509.CRLDistributionPoints).value
    assert points[0].full_name[0].value == CRL_URL
    access = extensions.get_extension_for_class(x509.AuthorityInformationAccess).value
    assert [one.access_location.value for one in access] == [
        "http://igc.test:8080/ocsp",
        "http://igc.test:8080/AC/KIT-ACI-EL-ORG.cer",
    ]
    life = auth.certificate.not_valid_after_utc - auth.certificate.not_valid_before_utc
    assert life == timedelta(days=3 * 365)


def test_the_two_authorities_do_not_know_each_other(pki: Pki, auth: Credential) -> None:
    check(pki, auth)
    server = pki.server("db1.test", key=pki.throwaway_key)
    verify_chain(server.certificate, server.chain, [pki.market_root], NOW)
    assert fault(pki, server) is ChainFault.UNTRUSTED
    with pytest.raises(ChainError):
        verify_chain(auth.certificate, auth.chain, [pki.market_root], NOW)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"expired": True}, ChainFault.EXPIRED),
        ({"not_yet_valid": True}, ChainFault.NOT_YET_VALID),
        ({"self_signed": True}, ChainFault.UNTRUSTED),
        ({"issuer": "market"}, ChainFault.UNTRUSTED),
    ],
)
def test_each_fault_is_refused_for_what_it_is(
    pki: Pki, options: dict[str, object], expected: ChainFault
) -> None:
    twin = pki.auth_cli("a", "1", key=pki.throwaway_key)
    wrong = pki.auth_cli("a", "1", key=pki.throwaway_key, **options)  # type: ignore[arg-type]
    assert wrong.dn == twin.dn
    assert key_usage(wrong.certificate) == key_usage(twin.certificate)
    assert fault(pki, wrong) is expected


def test_revocation_shows_in_the_next_crl_only(pki: Pki) -> None:
    credential = pki.auth_cli("revoked", "1", key=pki.throwaway_key)
    other = pki.auth_cli("other", "1", key=pki.throwaway_key)
    before = pki.crl()
    assert pki.crl() is before  # served again: no signature per download
    check(pki, credential, crl=before)
    pki.revoke(credential)
    assert fault(pki, credential, crl=pki.crl()) is ChainFault.REVOKED
    check(pki, other, crl=pki.crl())


def test_a_crl_is_renewed_at_half_of_its_life() -> None:
    now = [NOW]
    pki = Pki.create(clock=lambda: now[0], crl_url=CRL_URL)
    first = pki.crl()
    now[0] += timedelta(days=4)
    second = x509.load_der_x509_crl(pki.crl())
    assert second.last_update_utc > x509.load_der_x509_crl(first).last_update_utc


def test_a_crl_made_during_a_verification_serves_it() -> None:
    """The verifier read its clock, then asked for the CRL, and a second had begun in between."""
    now = NOW.replace(microsecond=0) + timedelta(days=1)
    pki = Pki.create(clock=lambda: NOW, crl_url=CRL_URL)
    credential = pki.auth_cli("db1.test", "318751275100020", key=pki.throwaway_key)
    other = pki.auth_cli("db2.test", "318751275100020", key=pki.throwaway_key)
    pki.clock = lambda: now
    began = now - timedelta(milliseconds=20)
    crls = [x509.load_der_x509_crl(pki.crl())]
    verify_chain(credential.certificate, credential.chain, [pki.igc_root], began, crls)
    pki.revoke(other)
    crl = x509.load_der_x509_crl(pki.crl())
    assert all(entry.revocation_date_utc <= crl.last_update_utc for entry in crl)


def test_a_stale_crl_can_be_asked_for(pki: Pki, auth: Credential) -> None:
    stale = pki.crl(this_update=NOW - timedelta(days=9), next_update=NOW - timedelta(days=2))
    assert fault(pki, auth, crl=stale) is ChainFault.CRL_STALE
    check(pki, auth, crl=pki.crl())


def test_what_the_market_issued_cannot_be_revoked(pki: Pki) -> None:
    with pytest.raises(ValueError, match="issued by no"):
        pki.revoke(pki.server("x.test", key=pki.throwaway_key))


def test_a_server_answers_to_its_names_and_to_loopback(pki: Pki) -> None:
    server = pki.server("db1.test", "vi1.test", key=pki.throwaway_key)
    names = server.certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["db1.test", "vi1.test"]
    assert [str(ip) for ip in names.get_values_for_type(x509.IPAddress)] == ["127.0.0.1"]
    with pytest.raises(ValueError, match="at least one name"):
        pki.server()


def test_files_hold_leaf_then_chain_and_a_private_key_for_its_owner_only(
    pki: Pki, auth: Credential, tmp_path: Path
) -> None:
    for _ in range(2):  # a second run replaces the first
        files = auth.write(tmp_path / "c", "client")
        bundles = pki.write(tmp_path)
    assert stat.S_IMODE(files.key.stat().st_mode) == 0o600
    leaf, issuer = x509.load_pem_x509_certificates(files.certificate.read_bytes())
    assert (leaf, issuer) == (auth.certificate, pki.igc_intermediate)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_cert_chain(files.certificate, files.key)
    context.load_verify_locations(bundles.market_trust)
    assert context.cert_store_stats()["x509_ca"] == 2


def test_threads_share_one_authority() -> None:
    pki = Pki.create(clock=lambda: NOW, crl_url=CRL_URL)
    roots: list[x509.Certificate] = []
    threads = [threading.Thread(target=lambda: roots.append(pki.igc_root)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(roots) == 4
    assert len(set(roots)) == 1


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl est absent")
def test_openssl_agrees(pki: Pki, tmp_path: Path) -> None:
    good = pki.auth_cli("good", "1", key=pki.throwaway_key)
    revoked = pki.auth_cli("bad", "1", key=pki.throwaway_key)
    expired = pki.auth_cli("old", "1", key=pki.throwaway_key, expired=True)
    pki.revoke(revoked)
    trust = pki.write(tmp_path).igc_trust
    lists = tmp_path / "crl.pem"
    lists.write_bytes(
        b"".join(
            x509.load_der_x509_crl(der).public_bytes(serialization.Encoding.PEM)
            for der in (pki.crl(), pki.root_crl())
        )
    )

    def verify(credential: Credential) -> str:
        leaf = credential.write(tmp_path, credential.dn[3:6]).certificate
        command = ["openssl", "verify", "-x509_strict", "-crl_check_all", "-purpose", "sslclient"]
        command += ["-CAfile", str(trust), "-CRLfile", str(lists), str(leaf)]
        result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=20)
        return result.stdout + result.stderr

    assert ": OK" in verify(good)
    assert "certificate revoked" in verify(revoked)
    assert "certificate has expired" in verify(expired)


def test_a_kept_pki_is_the_same_one(tmp_path: Path) -> None:
    def made(url: str = "http://127.0.0.1:1/CRL/KIT-ACI-EL-ORG.crl") -> Pki:
        return Pki.create(clock=lambda: NOW, crl_url=url, keep=tmp_path)

    first, second = made(), made()
    assert first.igc_bundle_pem == second.igc_bundle_pem
    assert first.market_bundle_pem == second.market_bundle_pem
    leaf, server = first.auth_cli("KIT", "1"), first.server("db1.drimbench.test")
    assert second.vouches_for(leaf)
    assert second.vouches_for(server)
    leaf.write(tmp_path, "feuille")
    read = Credential.read(tmp_path, "feuille")
    assert (read.certificate, read.chain) == (leaf.certificate, leaf.chain)
    assert read.key.private_numbers() == leaf.key.private_numbers()
    stranger = Pki.create(clock=lambda: NOW, crl_url="http://127.0.0.1:1/x.crl")
    assert not stranger.vouches_for(leaf)
    for fault in ({"expired": True}, {"not_yet_valid": True}, {"self_signed": True}):
        assert not second.vouches_for(second.auth_cli("KIT", "1", **fault))  # type: ignore[arg-type]
    later = Pki.create(clock=lambda: NOW + timedelta(days=9 * 365), crl_url="x", keep=tmp_path)
    assert later.igc_root != first.igc_root  # too near its end to vouch for a new leaf


def test_a_credential_that_was_spoiled_is_told(tmp_path: Path) -> None:
    pki = Pki.create(clock=lambda: NOW, crl_url="http://127.0.0.1:1/x.crl")
    pki.auth_cli("A", "1").write(tmp_path, "a")
    pki.auth_cli("B", "1").write(tmp_path, "b")
    (tmp_path / "a.key").write_bytes((tmp_path / "b.key").read_bytes())
    with pytest.raises(ValueError, match="not the key"):
        Credential.read(tmp_path, "a")
    with pytest.raises(OSError, match="No such file"):
        Credential.read(tmp_path, "c")
