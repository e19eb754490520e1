"""Tokens: what is signed verifies, what is not does not, and no bytes break the reader."""

from __future__ import annotations

import base64
import json

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import KeySet as OracleKeySet
from joserfc.jwk import RSAKey

from protocols.errors import LocalProtocolError
from protocols.jose import (
    SigningKey,
    TokenError,
    at_hash,
    check_claims,
    parse_jwks,
    peek,
    read,
    s256,
    sign,
    verify,
)

KEY = SigningKey("k1", rsa.generate_private_key(65537, 2048))
OTHER = SigningKey("k1", rsa.generate_private_key(65537, 2048))
SECRET = SigningKey("h1", b"0123456789abcdef0123456789abcdef")
JWKS = json.dumps({"keys": [KEY.public_jwk]}).encode()


def part(value: object) -> str:
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


RS256 = part({"alg": "RS256"})


def kind_of(token: str) -> str:
    with pytest.raises(TokenError) as refusal:
        verify(token, parse_jwks(JWKS))
    return refusal.value.kind


@given(
    st.dictionaries(
        st.text(max_size=10), st.text(max_size=20) | st.integers() | st.booleans(), max_size=5
    )
)
def test_what_is_signed_verifies(claims: dict[str, object]) -> None:
    token = verify(sign(claims, KEY), parse_jwks(JWKS))
    assert token.claims == claims
    assert token.header == {"alg": "RS256", "typ": "JWT", "kid": "k1"}


def test_an_independent_reader_agrees() -> None:
    token = jwt.decode(
        sign({"sub": "é"}, KEY), OracleKeySet.import_key_set(json.loads(JWKS)), ["RS256"]
    )
    assert token.claims == {"sub": "é"}


def test_secret_keys_sign_what_only_their_owner_reads() -> None:
    token = sign({"typ": "Refresh"}, SECRET)
    assert verify(token, SECRET.keys, algorithms=["HS256"]).claims == {"typ": "Refresh"}
    with pytest.raises(TokenError):
        verify(token, SECRET.keys)
    with pytest.raises(LocalProtocolError):
        assert SECRET.public_jwk
    assert "0123456789" not in repr(SECRET)


def test_forgeries_are_refused_each_for_its_reason() -> None:
    good = sign({"sub": "x"}, KEY)
    head, body, signature = good.split(".")
    pem = KEY.public_jwk["n"].encode()
    assert kind_of(sign({"sub": "x"}, OTHER)) == "signature"
    assert kind_of(f"{head}.{part({'sub': 'y'})}.{signature}") == "signature"
    assert kind_of(f"{head}.{body}.") == "signature"
    for name in ("none", "None", "HS256", "RS512", 5, None):
        assert kind_of(f"{part({'alg': name, 'kid': 'k1'})}.{body}.{signature}") == "algorithm"
    assert kind_of(sign({"sub": "x"}, SigningKey("k1", pem))) == "algorithm"
    assert kind_of(sign({"sub": "x"}, SigningKey("k2", OTHER.key))) == "key"
    jwk = OTHER.public_jwk
    assert kind_of(jwt.encode({"alg": "RS256", "jwk": jwk}, {}, RSAKey.import_key(_pem()))) in (
        "signature",
    )
    critical = {"alg": "RS256", "kid": "k1", "crit": ["b64"], "b64": False}
    assert kind_of(f"{part(critical)}.{body}.{signature}") == "malformed"


def _pem() -> bytes:
    from cryptography.hazmat.primitives import serialization

    assert not isinstance(OTHER.key, bytes)
    return OTHER.key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def test_a_secret_key_never_verifies_what_rsa_should_have_signed() -> None:
    token = sign({"sub": "x"}, SECRET)
    with pytest.raises(TokenError) as refusal:
        verify(token, KEY.keys, algorithms=["RS256", "HS256"])
    assert refusal.value.kind == "key"


@pytest.mark.parametrize(
    "token",
    [
        "",
        "a.b",
        "a.b.c.d",
        "....",
        ".".join([part([]), part({}), "x"]),
        ".".join([RS256, part(b"{"), "x"]),
        ".".join([RS256, part(b"[" * 20000), "x"]),
        ".".join([RS256, part(b'{"a":1,"a":2}'), "x"]),
        ".".join([part(b"\xff\xfe"), part({}), "x"]),
        "é.é.é",
        "a" * 70000,
    ],
)
def test_malformed_tokens(token: str) -> None:
    assert kind_of(token) == "malformed"


@given(st.text(max_size=200) | st.lists(st.binary(max_size=60), min_size=3, max_size=3))
def test_hostile_text_raises_token_error_only(token: str | list[bytes]) -> None:
    text = token if isinstance(token, str) else ".".join(part(piece) for piece in token)
    with pytest.raises(TokenError):
        verify(text, KEY.keys)


@given(st.binary(max_size=300))
def test_hostile_key_sets_raise_token_error_only(data: bytes) -> None:
    with pytest.raises(TokenError):
        parse_jwks(data)


def test_key_sets() -> None:
    ec = {"kty": "EC", "kid": "e", "crv": "P-256", "x": "a", "y": "b"}
    both = json.dumps({"keys": [ec, KEY.public_jwk]}).encode()
    assert set(parse_jwks(both).by_kid) == {"k1"}
    twice = json.dumps({"keys": [KEY.public_jwk, KEY.public_jwk]}).encode()
    for bad in (b"{}", b"[]", b'{"keys": 3}', b'{"keys": [{"kty": "RSA"}]}', twice):
        with pytest.raises(TokenError) as refusal:
            parse_jwks(bad)
        assert refusal.value.kind == "key"


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"exp": 1000}, "expired"),
        ({"exp": None}, "claims"),
        ({"exp": "2000"}, "claims"),
        ({"exp": True}, "claims"),
        ({"exp": float("nan")}, "claims"),
        ({"iat": 1001}, "not-yet-valid"),
        ({"nbf": 1e400}, "not-yet-valid"),
        ({"iss": "bas"}, "claims"),
        ({"aud": ["other"]}, "claims"),
        ({"nonce": ""}, "claims"),
    ],
)
def test_claims_are_judged(changes: dict[str, object], kind: str) -> None:
    claims = {"exp": 1001, "iat": 1000, "iss": "psc", "aud": ["me", "you"], "nonce": "n"}
    check_claims(claims, now=1000, issuer="psc", audience="me", nonce="n")
    with pytest.raises(TokenError) as refusal:
        check_claims({**claims, **changes}, now=1000, issuer="psc", audience="me", nonce="n")
    assert refusal.value.kind == kind


def test_leeway_and_absent_expectations() -> None:
    check_claims({"exp": 990}, now=1000, leeway=20)
    check_claims({"exp": 1001, "aud": "x"}, now=1000)


def test_published_vectors() -> None:
    # RFC 7636 appendix B.
    assert (
        s256("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")
        == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
    )
    # OpenID Connect Core appendix A.3.
    assert at_hash("jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y") == "77QmUPtjPfzWtF2AnpK9RQ"


def test_reading_does_not_verify() -> None:
    token = sign({"jti": "1"}, OTHER)
    assert read(token).claims == peek(token) == {"jti": "1"}


def test_claims_must_be_json() -> None:
    with pytest.raises(LocalProtocolError):
        sign({"a": object()}, KEY)
