"""Certificates and CRLs: our test PKI passes, its faults are seen, damaged bytes give a report."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given, settings
from hypothesis import strategies as st

from simulators.igc import Credential, Pki
from simulators.igc.credential import pem
from spec.certificates import PROFILES
from validators.api import Context, guess, validate
from validators.examples import pki as example
from validators.finding import Severity

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
STRUCTURE = "318751275100020"


@pytest.fixture(scope="module")
def pki() -> Pki:
    return Pki.create(clock=lambda: NOW, crl_url="http://igc.test/CRL/KIT-ACI-EL-ORG.crl")


def fired(data: bytes, kind: str | None = None, context: Context | None = None) -> set[str]:
    found = validate(data, kind, context=context).findings
    return {one.rule for one in found if one.severity is not Severity.INFO}


def whole(credential: Credential) -> bytes:
    return pem(credential.certificate, *credential.chain)


def demanded(pki: Pki, profile: str) -> Context:
    trust = pki.market_bundle_pem if profile == "marche" else pki.igc_bundle_pem
    return Context(at=NOW, authorities=trust, certificate_profile=profile)


def test_the_test_pki_follows_the_profiles(pki: Pki) -> None:
    made = {
        "org-auth-cli": pki.auth_cli("db1.test", STRUCTURE, key=pki.throwaway_key),
        "org-sign": pki.sign("KIT Liste Blanche", STRUCTURE, key=pki.throwaway_key),
        "marche": pki.server("db1.test", key=pki.throwaway_key),
    }
    for profile, credential in made.items():
        for data in (whole(credential), credential.certificate.public_bytes(Encoding.DER)):
            assert guess(data) == "certificat"
        assert fired(whole(credential), context=demanded(pki, profile)) == set(), profile
        for other in PROFILES.keys() - {profile}:
            assert "CERT-001" in fired(whole(credential), context=demanded(pki, other))


@pytest.mark.parametrize("profile", PROFILES)
def test_the_example_of_each_profile_passes(profile: str) -> None:
    context = replace(example.TRUST, certificate_profile=profile)
    assert fired(example.leaf(profile), context=context) == set()


def test_the_faults_of_the_test_pki_are_seen(pki: Pki) -> None:
    context = demanded(pki, "org-auth-cli")

    def faults(credential: Credential) -> set[str]:
        return fired(whole(credential), context=context)

    key = pki.throwaway_key
    assert faults(pki.auth_cli("a", STRUCTURE, expired=True, key=key)) == {"CERT-040"}
    assert faults(pki.auth_cli("a", STRUCTURE, not_yet_valid=True, key=key)) == {"CERT-040"}
    lonely = faults(pki.auth_cli("a", STRUCTURE, self_signed=True, key=key))
    assert {"CERT-017", "CERT-041"} <= lonely
    assert "CERT-041" in faults(pki.auth_cli("a", STRUCTURE, issuer="market", key=key))
    assert faults(pki.auth_cli("a", "IMAGERIE", key=key)) == {"CERT-021"}


def test_the_intermediate_may_come_from_either_side(pki: Pki) -> None:
    leaf = pki.auth_cli("a", STRUCTURE, key=pki.throwaway_key)
    alone = pem(leaf.certificate)
    assert fired(alone, context=demanded(pki, "org-auth-cli")) == set()
    root_only = Context(at=NOW, authorities=pem(pki.igc_root))
    assert fired(alone, context=root_only) == {"CERT-041"}
    assert fired(whole(leaf), context=root_only) == set()


def test_the_crl_of_the_test_pki_passes(pki: Pki) -> None:
    revoked = pki.auth_cli("révoqué", STRUCTURE, key=pki.throwaway_key)
    pki.revoke(revoked)
    context = Context(at=NOW, authorities=pki.igc_bundle_pem)
    for data in (pki.crl(), pki.root_crl()):
        assert guess(data) == "crl"
        assert fired(data, context=context) == set()
    as_pem = x509.load_der_x509_crl(pki.crl()).public_bytes(Encoding.PEM)
    assert guess(as_pem) == "crl"
    assert fired(as_pem, context=context) == set()
    late = replace(context, at=NOW + timedelta(days=30))
    assert fired(pki.crl(), context=late) == {"CRL-040"}
    stranger = Context(at=NOW, authorities=pki.market_bundle_pem)
    assert fired(pki.crl(), context=stranger) == {"CRL-041"}


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("certificat", b""),
        ("certificat", b"-----BEGIN CERTIFICATE-----"),
        ("certificat", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"),
        ("certificat", b"\x30\x82\xff\xff\x30"),
        ("certificat", b"\x30" * 2_000_000),
        ("crl", b"\x30\x84\xff\xff\xff\xff"),
    ],
)
def test_unreadable_bytes_are_a_finding(kind: str, data: bytes) -> None:
    assert fired(data, kind) == {"CERT-000" if kind == "certificat" else "CRL-000"}


def test_a_long_chain_is_refused() -> None:
    assert fired(example.leaf() * 21, "certificat") == {"CERT-000"}


def test_trust_that_cannot_be_read_is_no_trust_to_judge_with() -> None:
    assert fired(example.leaf(), context=Context(authorities=b"?")) == set()


@settings(max_examples=400)
@given(data=st.data())
def test_a_damaged_certificate_gives_a_report(data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from(["certificat", "crl"]))
    good = pinned()[kind]
    der = bytearray(good)
    for _ in range(data.draw(st.integers(1, 3))):
        der[data.draw(st.integers(0, len(der) - 1))] = data.draw(st.integers(0, 255))
    context = replace(example.TRUST, certificate_profile="org-auth-cli")
    report = validate(bytes(der), kind, context=context)
    assert report.verdict in {"pass", "warn", "fail"}
    if bytes(der) != good:
        # The signature no longer holds, or the change is in what it does not cover.
        assert report.verdict != "pass" or der[-260:] != good[-260:]


_PINNED: dict[str, bytes] = {}


def pinned() -> dict[str, bytes]:
    if not _PINNED:
        leaf = x509.load_pem_x509_certificate(example.leaf())
        _PINNED.update(certificat=leaf.public_bytes(Encoding.DER), crl=example.crl())
    return _PINNED
