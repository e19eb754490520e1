"""Capabilities: the reference's two forms pass, a bare sign of life too, depth is bounded."""

from __future__ import annotations

import json

import pytest

from drimbox_ref.source.capabilities import Capabilities
from validators.api import guess, validate
from validators.capabilities import read
from validators.context import Context
from validators.examples import capabilities as example
from validators.finding import Severity

BASE = "https://db1.test:8443/dicomweb"


def fired(data: bytes) -> set[str]:
    found = validate(data, "capacites").findings
    return {one.rule for one in found if one.severity is not Severity.INFO}


@pytest.mark.parametrize("as_json", [False, True])
def test_what_the_reference_answers_passes(as_json: bool) -> None:
    media_type, body = Capabilities(BASE).describe(as_json=as_json)
    for data in (body, example.http(body, media_type=media_type)):
        assert guess(data) == "capacites"
        assert fired(data) == set()


def test_a_sign_of_life_is_enough() -> None:
    """What is answered to a health check that asks for JSON is not written anywhere."""
    alive = example.http(b'{"status": "UP"}', media_type="application/json")
    assert fired(alive) == set()
    assert fired(b"HTTP/1.1 204 No Content\r\n\r\n") == set()
    assert fired(b"HTTP/1.1 503 Service Unavailable\r\n\r\n") == {"CAPA-001"}
    assert fired(b"<html><body>Bienvenue</body></html>") >= {"CAPA-003", "CAPA-005"}


def test_nested_resources_add_their_paths() -> None:
    inner = example.wadl().replace(
        b'<wadl:resource path="studies/{StudyInstanceUID}/series/{SeriesInstanceUID}">',
        b'<wadl:resource path="/studies/{s}"><wadl:resource path="series/{t}/">',
    )
    inner = inner.replace(
        b"</wadl:resource></wadl:resources>", b"</wadl:resource>" * 2 + b"</wadl:resources>"
    )
    assert fired(inner) == set()
    assert "studies/{}/series/{}" in [one.path for one in read(inner, Context()).methods]


def test_stow_and_qido_are_told() -> None:
    assert fired(example.wadl(verb="POST")) >= {"CAPA-005", "CAPA-008"}
    paths = ("studies", "studies/{a}/series/{b}")
    assert fired(example.json_form(paths=paths)) == {"CAPA-008"}


def test_depth_and_number_are_bounded() -> None:
    head, tail = b'<wadl:resource path="a">', b"</wadl:resource>"
    deep = example.wadl(paths=()).replace(
        b"/>", b">" + head * 200 + tail * 200 + b"</wadl:resources>"
    )
    assert fired(deep) == {"CAPA-005"}
    many = example.wadl(paths=["studies/{a}"] * 5_000)
    assert len(read(many, Context()).methods) == 2_000


@pytest.mark.parametrize(
    "document",
    [b"[]", b'{"resources": 1}', b'{"resources": [1, {"path": 3, "method": []}], "base": []}'],
)
def test_hostile_documents_are_findings(document: bytes) -> None:
    assert fired(document)


def sonde(body: dict[str, object], status: str = "200 OK") -> set[str]:
    return fired(
        example.http(json.dumps(body).encode(), status=status, media_type="application/json")
    )


@pytest.mark.parametrize("status", ["401 Unauthorized", "403 Forbidden"])
def test_a_probe_has_no_token(status: str) -> None:
    assert sonde({}, status) == {"CAPA-001", "CAPA-020"}


def test_who_is_down_says_so() -> None:
    assert sonde({"status": "DOWN"}) == {"CAPA-021"}
    assert sonde({"status": "DOWN"}, "503 Service Unavailable") == {"CAPA-001"}


@pytest.mark.parametrize(
    "body",
    [
        {"build": {"version": "4.2.1"}},
        {"pacs": "10.0.0.12"},
        {"checks": [{"name": "PACS", "data": {"url": "http://192.168.1.4:104/aet"}}]},
        {"last": {"study": "1.2.250.1.999.1.1.8121.5.1"}},
        {"patient": "279035121518989"},
    ],
)
def test_a_probe_learns_nothing_else(body: dict[str, object]) -> None:
    assert sonde(body) == {"CAPA-022"}


def test_a_named_check_is_no_secret() -> None:
    assert sonde({"status": "UP", "checks": [{"name": "PACS", "status": "UP"}]}) == set()


def test_a_method_may_be_written_once() -> None:
    """WADL 2.8: another resource refers to it."""
    shared = example.wadl().replace(
        b"</wadl:resources>",
        b'<wadl:resource path="autre/{a}"><wadl:method href="#RetrieveStudy"/></wadl:resource>'
        b"</wadl:resources>",
    )
    assert fired(shared) == set()
