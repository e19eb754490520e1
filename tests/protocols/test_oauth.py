"""OAuth as it is written: read back whatever is written, and never surprised by hostile bytes."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.errors import LocalProtocolError, RemoteProtocolError
from protocols.jose import read
from protocols.oauth import (
    FORM_TYPE,
    FormError,
    build_form,
    confirmation,
    parse_form,
    thumbprint,
    thumbprint_in_hex,
    unsigned,
)

TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)


@given(st.dictionaries(TEXT, TEXT, max_size=20))
def test_what_is_written_is_read_back(parameters: dict[str, str]) -> None:
    assert parse_form(FORM_TYPE, build_form(parameters)) == parameters


@given(st.binary(max_size=200))
def test_hostile_bytes_are_a_form_or_an_error_of_theirs(body: bytes) -> None:
    with contextlib.suppress(RemoteProtocolError):
        parse_form(FORM_TYPE + "; charset=utf-8", body)


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/json", b"a=1"),
        ("", b"a=1"),
        (FORM_TYPE, b"a=1&a=2"),
        (FORM_TYPE, b"a=1&a="),
        (FORM_TYPE, b"\xff=1"),
        (FORM_TYPE, b"a=%ff"),
        (FORM_TYPE, b"&".join(b"p%d=1" % n for n in range(200))),
    ],
)
def test_a_form_that_two_readers_would_read_differently_is_refused(kind: str, body: bytes) -> None:
    with pytest.raises(FormError):
        parse_form(kind, body)


def test_the_two_forms_of_a_thumbprint() -> None:
    digest = hashlib.sha256(b"certificat").digest()
    assert base64.urlsafe_b64decode(thumbprint(b"certificat") + "=") == digest
    assert "=" not in thumbprint(b"certificat")
    assert base64.b64decode(thumbprint_in_hex(b"certificat")) == digest.hex().encode()


def test_cnf_is_an_object_or_the_thumbprint_alone() -> None:
    said = thumbprint(b"certificat")
    assert confirmation(json.dumps({"x5t#S256": said})) == confirmation(said) == said
    for wrong in ('{"x5t": "a"}', '{"x5t#S256": 3}', "{"):
        with pytest.raises(FormError):
            confirmation(wrong)


@given(st.text(max_size=100))
def test_cnf_of_a_stranger_is_read_or_refused(value: str) -> None:
    with contextlib.suppress(RemoteProtocolError):
        confirmation(value)


@given(st.dictionaries(TEXT, TEXT, max_size=5))
def test_a_token_that_nobody_signed_is_read_as_any_other(claims: dict[str, str]) -> None:
    token = read(unsigned(claims))
    assert (token.header["alg"], dict(token.claims)) == ("none", claims)


def test_claims_that_json_cannot_say_are_our_own_mistake() -> None:
    with pytest.raises(LocalProtocolError):
        unsigned({"a": object()})
