"""What a DRIMbox takes for an answer of Pro Santé Connect."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response, StreamingResponse

from drimbox_ref.psc import PscChannel, PscUnavailable
from wire.http_client import HttpClient
from wire.http_server import serve_http


async def endless() -> AsyncIterator[bytes]:
    yield b'{"active":true'
    while True:
        yield b" "
        await asyncio.sleep(0.01)


ANSWERS: dict[str, Any] = {
    "good": lambda: Response(b'{"active":true}'),
    "twice": lambda: Response(b'{"active":false,"active":true}'),
    "deeper twice": lambda: Response(b'{"active":true,"x":{"a":1,"a":2}}'),
    "empty": lambda: Response(b""),
    "page": lambda: Response(b"<!doctype html>"),
    "list": lambda: Response(b"[]"),
    "marked": lambda: Response(b'\xef\xbb\xbf{"active":true}'),
    "utf-16": lambda: Response('{"active":true}'.encode("utf-16")),
    "not text": lambda: Response(b'{"a":"\xff"}'),
    "deep": lambda: Response(b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}"),
    "huge": lambda: Response(b'{"a":"' + b"x" * 1_000_000 + b'"}'),
    "huge number": lambda: Response(b'{"exp":' + b"9" * 10_000 + b"}"),
    "endless": lambda: StreamingResponse(endless()),
    "elsewhere": lambda: RedirectResponse("/good", status_code=307),
}


async def ask(name: str, deadline_s: float = 10) -> tuple[int, Any]:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        path = Request(scope).url.path[1:].replace("%20", " ")
        await ANSWERS[path]()(scope, receive, send)

    server = await serve_http(app, actor="psc")
    try:
        async with HttpClient(actor="box") as client:
            channel = PscChannel("https://psc.test", client=client, deadline_s=deadline_s)
            return await channel.json("POST", f"{server.url}/{name}", transaction="t")
    finally:
        await server.stop(grace=0)


@pytest.mark.anyio
async def test_an_object() -> None:
    assert await ask("good") == (200, {"active": True})


@pytest.mark.anyio
@pytest.mark.parametrize("name", [one for one in ANSWERS if one not in ("good", "endless")])
async def test_anything_else_is_no_answer(name: str) -> None:
    with pytest.raises(PscUnavailable):
        await ask(name)


@pytest.mark.anyio
async def test_an_answer_that_does_not_end_is_given_up() -> None:
    with pytest.raises(PscUnavailable, match="sans fin"):
        await ask("endless", deadline_s=0.2)
