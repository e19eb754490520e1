"""What a viewer's page asks for by itself, read without running its script."""

from __future__ import annotations

import json
from typing import Any

import pytest

from simulators.user.page import read_page
from simulators.user.viewer import images_address

DATA: dict[str, Any] = {
    "exam": "K2",
    "first": "S1",
    "exams": [
        {"key": "K1", "series": [{"uid": "S1", "address": "/wrong"}]},
        {"key": "K2", "series": [{"uid": "S0", "address": "/no"}, {"uid": "S1", "address": "/a"}]},
    ],
}


def address(text: str) -> str:
    page = f'<html><body><script type="application/json" id="data">{text}</script></body></html>'
    return images_address(read_page(200, "https://box/", "text/html", page.encode()))


def test_the_series_that_the_page_opens_on() -> None:
    assert address(json.dumps(DATA)) == "/a/stream"


@pytest.mark.parametrize("text", ["", "{", "[]", '{"exams": 1}', json.dumps({**DATA, "first": ""})])
def test_a_page_that_names_none(text: str) -> None:
    assert address(text) == ""


def test_no_page_at_all() -> None:
    assert images_address(read_page(200, "https://box/", "text/plain", b"x")) == ""
