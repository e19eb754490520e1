"""No secret survives, and what is not a secret does."""

from __future__ import annotations

import base64
import json
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports import redact


def _b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


@st.composite
def tokens(draw: st.DrawFn) -> str:
    """A JWS: a JSON object with an algorithm, another object, and some signature."""
    extra = draw(st.dictionaries(st.text(max_size=5), st.text(max_size=9), max_size=3))
    blanks = draw(st.sampled_from(["", " ", "\n", "\r\n", "\t"]))
    header = "{" + blanks + json.dumps({"alg": "RS256", **extra})[1:]
    payload = json.dumps(draw(st.dictionaries(st.text(max_size=5), st.text(max_size=30))))
    signature = _b64(draw(st.binary(min_size=32, max_size=80)))
    return ".".join((_b64(header.encode()), _b64(payload.encode()), signature))


def _secret(token: str) -> str:
    """What would let a reader use the token: its signature."""
    return token.rpartition(".")[2]


@given(st.text(), tokens(), st.text())
def test_no_jwt_survives_in_a_text(before: str, token: str, after: str) -> None:
    shown = redact.text(before + token + after)
    assert token not in shown
    assert _secret(token) not in shown


@given(st.binary(), tokens(), st.binary())
def test_no_jwt_survives_in_bytes_and_the_length_is_kept(
    before: bytes, token: str, after: bytes
) -> None:
    raw = before + token.encode() + after
    shown = redact.data(raw)
    assert token.encode() not in shown
    assert len(shown) == len(raw)


@given(st.one_of(st.text(), tokens()))
def test_masking_twice_is_masking_once(content: str) -> None:
    once = redact.text(content)
    assert redact.text(once) == once


@given(tokens())
def test_a_token_is_masked_whatever_its_header(token: str) -> None:
    assert redact.header("Authorization", f"Bearer {token}").startswith(
        "Bearer ‹jeton masqué, sha256 "
    )
    assert token not in redact.header("X-Jeton", token)
    assert token not in redact.header("Set-Cookie", f"sid={token}; Path=/; HttpOnly")


def test_the_same_token_keeps_the_same_mask() -> None:
    assert redact.header("Authorization", "Bearer opaque-1") == redact.header(
        "authorization", "Bearer opaque-1"
    )
    assert redact.header("Authorization", "Bearer opaque-1") != redact.header(
        "Authorization", "Bearer opaque-2"
    )


@pytest.mark.parametrize(
    ("written", "secret"),
    [
        ("GET /callback?code=SplxlOBeZQQ&state=af0 HTTP/1.1", "SplxlOBeZQQ"),
        ("https://x.example/cb?state=af0&code=SplxlOBeZQQ#fin", "SplxlOBeZQQ"),
        ("token=2YotnFZFEjr1zCsicMWpAA&token_type_hint=access_token", "2YotnFZFEjr1zCsicMWpAA"),
        ('{"refresh_token": "tGzv3JOkF0XG5Qx2TlKWIA"}', "tGzv3JOkF0XG5Qx2TlKWIA"),
        ("client_secret=gX1fBat3bV", "gX1fBat3bV"),
        ("password: hunter2", "hunter2"),
        ('{"auth_req_id":"1c266114-a1be-4252"}', "1c266114"),
        ("grant_type=x&auth_req_id=1c266114-a1be-4252", "1c266114"),
        ("subject_token=opaque-42&subject_token_type=urn", "opaque-42"),
        ('{"proxy_session_id": "9f0c-secret"}', "9f0c"),
        ("logout_token=opaque-43", "opaque-43"),
        ("Authorization: Bearer mF_9.B5f-4.1JqM-opaque-value", "mF_9.B5f-4.1JqM-opaque-value"),
        ("-----BEGIN PRIVATE KEY-----\nMIIEvQ\n-----END PRIVATE KEY-----", "MIIEvQ"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIEcoupée", "MIIEcoupée"),
    ],
)
def test_secrets_named_by_their_context_are_masked(written: str, secret: str) -> None:
    assert secret not in redact.text(written)


@pytest.mark.parametrize(
    "written",
    [
        '<code code="39111-0" codeSystem="2.16.840.1.113883.6.1"/>',
        "1.3.46.670589.11.1234567890.1234567890.1234567890",
        "https://greyhound-example.something.example/wado",
        'WWW-Authenticate: Bearer realm="wado", error="invalid_token"',
        "grant_type=authorization_code&client_id=KIT",
        "subject_token_type=urn:ietf:params:oauth:token-type:access_token&scope=dmp",
        "le jeton Bearer est absent",
        "<ds:SignatureValue>kNq0Zq8sXv5m</ds:SignatureValue>",
        "-----BEGIN CERTIFICATE-----\nMIID\n-----END CERTIFICATE-----",
    ],
)
def test_what_is_no_secret_is_left_alone(written: str) -> None:
    assert redact.text(written) == written


def test_a_password_leaves_no_digest_behind() -> None:
    assert redact.value("password", "azerty") == redact.value("password", "qwerty")


def test_cookies_keep_their_names_and_attributes(world: SimpleNamespace) -> None:
    shown = redact.header("Set-Cookie", f"{world.COOKIE}; Path=/; Secure")
    assert shown.startswith("KEYCLOAK_SESSION=‹cookie masqué")
    assert shown.endswith("; Path=/; Secure")
    assert world.COOKIE not in redact.header("Cookie", f"a=1; {world.COOKIE}")
