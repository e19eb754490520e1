"""One peer cannot flood a box, and takes nothing away from another one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from drimbox_ref.config import ConfigError, Table
from drimbox_ref.limits import DEFAULT_PER_MINUTE, Limited, Limiter, read_limits


class Time:
    def __init__(self) -> None:
        self.at = 1000.0

    def __call__(self) -> float:
        return self.at


@given(st.integers(6, 10_000), st.lists(st.floats(0, 30), max_size=30))
def test_nobody_has_more_than_a_burst_and_the_rate(per_minute: int, pauses: list[float]) -> None:
    """Whatever the rhythm; and who waits as long as he was told is admitted."""
    time, admitted = Time(), 0
    limiter, begun = Limiter(per_minute, now=time), time.at
    for pause in pauses:
        time.at += pause
        for _ in range(20):
            admitted += limiter.wait_s("peer") == 0
        allowed = per_minute // 6 + (time.at - begun) * per_minute / 60
        assert admitted <= allowed + 1
    if wait := limiter.wait_s("peer"):
        time.at += wait
        assert limiter.wait_s("peer") == 0


def test_what_is_allowed_is_given_whole() -> None:
    limiter = Limiter(60, now=Time())
    assert [limiter.wait_s("one") == 0 for _ in range(12)] == [True] * 10 + [False] * 2
    assert limiter.wait_s("another") == 0


def test_no_limit_remembers_nobody() -> None:
    limiter = Limiter(0)
    assert not any(limiter.wait_s("peer") for _ in range(10_000))
    assert len(limiter) == 0


def test_memory_is_bounded() -> None:
    limiter = Limiter(60, now=Time(), peers=50)
    for number in range(1000):
        assert limiter.wait_s(f"peer {number}") == 0
    assert len(limiter) == 50


def asked(per_minute: int, **options: Any) -> Callable[[str], httpx.Response]:
    async def hello(request: object) -> PlainTextResponse:
        return PlainTextResponse("hello")

    routes = [Route("/", hello), Route("/free", hello)]
    app = Limited(Starlette(routes=routes), Limiter(per_minute, now=Time()), **options)

    async def get(path: str) -> httpx.Response:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://box") as client:
            return await client.get(path)

    return lambda path: asyncio.run(get(path))


def test_too_many_requests_are_told_when_to_come_back() -> None:
    get = asked(6)  # one at a time, another ten seconds later
    assert get("/").status_code == 200
    refused = get("/")
    assert refused.status_code == 429
    assert refused.headers["retry-after"] == "10"
    assert "Trop de demandes" in refused.text
    assert get("/free").status_code == 429


def test_only_some_paths_may_count() -> None:
    get = asked(6, paths=["/"])
    assert [get("/").status_code for _ in range(2)] == [200, 429]
    assert [get("/free").status_code for _ in range(3)] == [200] * 3


def test_the_configuration(tmp_path: Path) -> None:
    file = tmp_path / "box.toml"
    assert read_limits(Table(file, "", {})).per_minute == DEFAULT_PER_MINUTE
    assert read_limits(Table(file, "", {"limits": {"per_minute": 0}})).per_minute == 0
    for wrong in ({"per_minute": -1}, {"per_minute": "10"}, {"par_minute": 10}):
        with pytest.raises(ConfigError, match="limits"):
            read_limits(Table(file, "", {"limits": wrong}))
