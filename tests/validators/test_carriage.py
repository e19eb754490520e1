"""What carries a message: Host, status, charset, media type, MIME package."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from validators.api import KINDS, Context, validate
from validators.examples import dmp, wado
from validators.finding import Severity

REQUESTS = ("iti-41", "iti-18", "iti-43", "iti-57", "td0.2", "wado-request", "appel-contextuel")
ANSWERS = ("iti-18-response", "iti-43-response", "registry-response", "td0.2-response")
PLAIN = ("iti-18", "iti-43", "iti-57", "td0.2", "iti-18-response", "td0.2-response", "soap-fault")


def fired(data: bytes, kind: str) -> set[str]:
    found = validate(data, kind).findings
    return {one.rule for one in found if one.severity is not Severity.INFO}


def with_host(kind: str, value: str) -> bytes:
    head, _, body = KINDS[kind].rules.good().partition(b"\r\n\r\n")
    lines = [line for line in head.split(b"\r\n") if not line.startswith(b"Host:")]
    return b"\r\n".join([*lines, f"Host: {value}".encode("latin-1")]) + b"\r\n\r\n" + body


@pytest.mark.parametrize("kind", REQUESTS)
@pytest.mark.parametrize("host", ["dmp.exemple.fr:443", "[2001:db8::1]:8443", "127.0.0.1"])
def test_any_host_is_a_host(kind: str, host: str) -> None:
    assert "HTTP-001" not in fired(with_host(kind, host), kind)


@pytest.mark.parametrize("kind", REQUESTS)
@pytest.mark.parametrize(
    "host", ["", "https://dmp.fr", "a b", "moi@dmp.fr", "dmp.fr/", "a\r\nHost: b"]
)
def test_what_is_no_host_is_told(kind: str, host: str) -> None:
    assert "HTTP-001" in fired(with_host(kind, host), kind)


@pytest.mark.parametrize("kind", REQUESTS)
def test_only_http_1_1_demands_it(kind: str) -> None:
    older = KINDS[kind].rules.rules["HTTP-001"].bad().replace(b" HTTP/1.1", b" HTTP/1.0", 1)
    assert "HTTP-001" not in fired(older, kind)
    assert "HTTP-001" not in fired(KINDS[kind].rules.good().partition(b"\r\n\r\n")[2] or b"x", kind)


@pytest.mark.parametrize("kind", ANSWERS)
@pytest.mark.parametrize("status", ["202 Accepted", "302 Found", "500 Internal Server Error", "x"])
def test_a_success_comes_with_200(kind: str, status: str) -> None:
    spoiled = KINDS[kind].rules.good().replace(b"HTTP/1.1 200 OK", f"HTTP/1.1 {status}".encode())
    assert "HTTP-002" in fired(spoiled, kind)


@pytest.mark.parametrize("status", ["400 Bad Request", "500 Erreur"])
def test_a_fault_comes_with_an_error(status: str) -> None:
    good = dmp.fault().replace(b"500 Internal Server Error", status.encode())
    assert "HTTP-003" not in fired(good, "soap-fault")
    assert "HTTP-003" in fired(good.replace(status.encode(), b"200 OK"), "soap-fault")


@pytest.mark.parametrize("kind", PLAIN)
@pytest.mark.parametrize("charset", ["utf-8", "UTF8", '"UTF-8"'])
def test_an_alias_of_the_encoding_is_the_encoding(kind: str, charset: str) -> None:
    good = KINDS[kind].rules.good().replace(b"charset=UTF-8", f"charset={charset}".encode(), 1)
    assert "HTTP-004" not in fired(good, kind)


@given(charset=st.text(st.characters(codec="latin-1"), max_size=40))
def test_any_charset_is_judged(charset: str) -> None:
    header = b"charset=" + charset.encode("latin-1")
    validate(dmp.query().replace(b"charset=UTF-8", header, 1), "iti-18")


def test_a_plain_answer_has_the_media_type_of_soap() -> None:
    for kind in ("iti-18-response", "td0.2-response", "soap-fault"):
        spoiled = KINDS[kind].rules.good().replace(b"application/soap+xml", b"text/html", 1)
        assert len(fired(spoiled, kind)) == 1


def test_what_answers_a_publication_may_be_plain_or_packed() -> None:
    plain = KINDS["registry-response"].rules.rules["REG-107"].good()
    assert b"multipart" not in plain
    assert fired(plain, "registry-response") == set()
    # A retrieval is always answered in a package.
    alone = KINDS["iti-18-response"].rules.good().replace(b"AdhocQuery", b"Rien")
    assert fired(alone, "iti-43-response") == {"ITI43-100"}


def test_a_fault_names_its_request_when_it_could_read_it() -> None:
    context = Context(request=dmp.asked_query())
    assert validate(dmp.fault(), context=context).verdict == "pass"
    other = dmp.fault().replace(dmp.MESSAGE_ID.encode(), b"urn:uuid:0")
    assert {one.rule for one in validate(other, context=context).findings} == {"FAULT-104"}


def test_a_wado_request_without_manifest_still_needs_a_host() -> None:
    assert fired(wado.request(), "wado-request") == set()
    assert fired(with_host("wado-request", ""), "wado-request") == {"HTTP-001"}
