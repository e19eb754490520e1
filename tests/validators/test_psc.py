"""PSC artefacts: what our own provider emits passes, and what forgers write does not."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from protocols import jose
from simulators.psc import discovery
from simulators.psc.professionals import TEST_PROFESSIONALS, userinfo
from simulators.psc.realm import Lifetimes, Realm
from spec import psc
from validators.api import Context, guess, validate
from validators.examples import psc as example
from validators.examples.credential import key
from validators.finding import Severity

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
ISSUER = "https://auth.psc.test" + psc.REALM_PATH


def fired(data: bytes, kind: str | None = None, context: Context | None = None) -> set[str]:
    found = validate(data, kind, context=context).findings
    return {one.rule for one in found if one.severity is not Severity.INFO}


@pytest.fixture(scope="module")
def realm() -> Realm:
    made = Realm(
        key=key(),
        clock=lambda: NOW,
        rng=random.Random(7),
        professionals=TEST_PROFESSIONALS,
        lifetimes=Lifetimes(),
    )
    made.issuer = ISSUER
    return made


def test_the_tokens_of_our_provider_pass(realm: Realm) -> None:
    minted = realm.mint(realm.log_in(TEST_PROFESSIONALS[0]), "client", "nonce")
    jwks = json.dumps({"keys": [realm.key.public_jwk]}).encode()
    context = Context(at=NOW, jwks=jwks)
    for token in (minted.access, minted.refresh, minted.id):
        assert guess(token.encode()) == "jeton-psc"
        assert fired(token.encode(), context=context) == set()
    late = replace(context, at=NOW + timedelta(minutes=3))
    assert fired(minted.access.encode(), context=late) == {"JETON-040"}
    early = replace(context, at=NOW - timedelta(minutes=3))
    assert fired(minted.access.encode(), context=early) == {"JETON-040"}


def test_a_stranger_s_key_signs_nothing(realm: Realm) -> None:
    minted = realm.mint(realm.log_in(TEST_PROFESSIONALS[0]), "client", "nonce")
    assert fired(minted.access.encode(), context=example.KEYS) == {"JETON-041"}
    context = Context(jwks=b"not a key set")
    assert fired(example.token(), context=context) == {"JETON-041"}


@pytest.mark.parametrize("professional", TEST_PROFESSIONALS, ids=lambda one: one.id)
def test_the_userinfo_of_our_provider_passes(realm: Realm, professional: Any) -> None:
    answer = userinfo(professional, realm.sub(professional))
    data = json.dumps(answer).encode()
    assert guess(data) == "userinfo"
    assert validate(data).findings == ()
    signed = jose.sign(answer | {"iss": ISSUER, "aud": "client"}, realm.key).encode()
    assert validate(signed, "userinfo").findings == ()
    assert fired(example.http(signed), "userinfo") == {"UINFO-021"}
    assert fired(example.http(signed, media_type="application/jwt"), "userinfo") == set()


def test_the_discovery_of_our_provider_passes() -> None:
    wallet = discovery.document(ISSUER, "https://wallet.psc.test/auth")
    assert fired(json.dumps(wallet).encode()) == set()
    keycloak = discovery.document(ISSUER, ISSUER + psc.AUTHORIZATION)
    assert fired(json.dumps(keycloak).encode()) == {"DECOUV-006"}


@pytest.mark.parametrize("value", ["false", "true", 1, 0, None, [], {}])
def test_only_a_json_boolean_says_active(value: object) -> None:
    data = json.dumps({"active": value}).encode()
    assert "INTRO-001" in fired(data)


def test_active_is_needed() -> None:
    assert "INTRO-001" in fired(b"{}", "introspection")


@pytest.mark.parametrize(
    "data",
    [
        b'{"active": false, "active": true}',
        b'\xef\xbb\xbf{"active": false}',
        b'{"active": NaN}',
        b'{"active": true, "username": "\\ud800"}',
        b'{"active": ' + b"[" * 100_000,
        b'{"active": ' + b"9" * 5_000 + b"}",
        b'"active"',
        b"",
        b"{" + b" " * (4 * 1024 * 1024) + b"}",
        b"HTTP/1.1 \xff\r\n\r\n{}",
        '{"active": "é"}'.encode("latin-1"),
    ],
)
def test_what_two_readers_could_read_in_two_ways_is_unreadable(data: bytes) -> None:
    assert fired(data, "introspection") == {"INTRO-000"}


def test_hostile_members_are_findings() -> None:
    for value in (None, True, 10**4000, -1, 1e308, [], {"a": []}, "x" * 10_000):
        for name in ("exp", "iat", "sub", "iss", "typ", "scope", "otherIds", "azp", "authMode"):
            spoilt = json.loads(example.introspection()) | {name: value}
            assert fired(json.dumps(spoilt).encode(), "introspection")
            claims = example.claims() | {name: value}
            text = jose.sign(claims, jose.SigningKey("kit", key())).encode()
            report = validate(text, "jeton-psc", context=example.AT)
            # A long client id is no fault.
            assert report.findings or (name == "azp" and isinstance(value, str))


@pytest.mark.parametrize(
    "profile",
    [None, [], "x", {"exercices": "x"}, {"exercices": [1, {"activities": [1, {}]}]}],
)
def test_hostile_profiles_are_findings(profile: object) -> None:
    spoilt = json.loads(example.userinfo()) | {"SubjectRefPro": profile}
    assert fired(json.dumps(spoilt).encode(), "userinfo") & {"UINFO-007", "UINFO-009"}


def test_many_activities_give_few_findings() -> None:
    practice = {"activities": [{} for _ in range(2_000)]}
    spoilt = example.userinfo(SubjectRefPro={"exercices": [practice] * 20})
    assert len(validate(spoilt).findings) < 15_000


def test_a_token_may_come_as_a_header_value() -> None:
    assert fired(b"Bearer " + example.token() + b"\r\n") == set()
    assert fired(b"", "jeton-psc") == {"JETON-000"}
    assert fired("Bearer é.é.é".encode(), "jeton-psc") == {"JETON-000"}


@pytest.mark.parametrize("kind", ["Bearer", "Refresh", "ID"])
def test_each_type_has_its_members(kind: str) -> None:
    assert fired(example.token(kind)) == set()
    claims = example.claims(kind)
    for name in ("exp", "iat", "jti", "iss", "sub", "azp", "session_state"):
        assert name in claims
        assert "JETON-011" in fired(example.token(kind, **{name: None})), name


def test_the_ans_form_of_a_thumbprint_is_told() -> None:
    """Padded base64 of the hexadecimal text: what ANS examples hold, not RFC 8705."""
    good = {"x5t#S256": "K8-37K4sT6yA2DB9eVb6Un9cVGl6gq3hZ0OtXbzFM18"}
    assert fired(example.token(cnf=good)) == set()
    assert fired(example.token(cnf={"x5t#S256": "MmJj" * 21 + "MmI="})) == {"JETON-024"}
    assert fired(example.token(cnf=[])) == {"JETON-024"}


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("grant_types_supported", "DECOUV-008"),
        ("code_challenge_methods_supported", "DECOUV-009"),
        ("token_endpoint_auth_methods_supported", "DECOUV-010"),
    ],
)
def test_a_list_that_is_left_out_has_its_default(name: str, rule: str) -> None:
    """RFC 8414 section 2: no refresh, no PKCE, a password."""
    found = validate(example.discovery(**{name: None}), "decouverte").findings
    assert {one.rule for one in found} == {rule}


def test_the_lists_of_the_known_documents_are_registered() -> None:
    known = {
        "response_types_supported": ["code", "id_token token", "code id_token token"],
        "grant_types_supported": [
            "authorization_code",
            "refresh_token",
            "urn:ietf:params:oauth:grant-type:device_code",
        ],
        "id_token_signing_alg_values_supported": ["RS256", "EdDSA", "HS512"],
    }
    assert validate(example.discovery(**known), "decouverte").verdict == "pass"
