"""Streams stay streams, small requests stay fast."""

from __future__ import annotations

import asyncio
import socket
import statistics
import sys
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.routing import Route

from protocols.multipart import Writer
from wire.exchange import Direction, Exchange, Outcome
from wire.http_client import HttpClient
from wire.http_server import serve_http

Observe = Callable[[Exchange], None]
MIB = 1024 * 1024
CHUNK = bytes(MIB)


def run(coroutine: Any) -> Any:
    return asyncio.run(asyncio.wait_for(coroutine, 60))


async def images(request: Request) -> StreamingResponse:
    count = int(request.query_params["count"])

    async def body() -> AsyncIterator[bytes]:
        writer = Writer("b")
        for _ in range(count):
            yield writer.begin_part([("Content-Type", "application/dicom")])
            yield writer.data(CHUNK)
        yield writer.end()

    kind = 'multipart/related; type="application/dicom"; boundary=b'
    return StreamingResponse(body(), media_type=kind)


async def upload(request: Request) -> PlainTextResponse:
    total = 0
    async for chunk in request.stream():
        total += len(chunk)
    return PlainTextResponse(str(total))


async def slow(request: Request) -> StreamingResponse:
    async def body() -> AsyncIterator[bytes]:
        yield b"first"
        await request.app.state.gate.wait()
        yield b"second"

    return StreamingResponse(body())


APP = Starlette(
    routes=[
        Route("/images", images),
        Route("/upload", upload, methods=["POST"]),
        Route("/slow", slow),
    ]
)


def peak_rss() -> int:
    """Highest resident size since `reset_peak`, in bytes."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise AssertionError("no VmHWM")


def reset_peak() -> None:
    Path("/proc/self/clear_refs").write_text("5")


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_64_mib_pass_both_ways_in_bounded_memory(
    pki: Any, seen: list[Exchange], observe: Observe
) -> None:
    async def scenario() -> tuple[int, int]:
        server = await serve_http(APP, actor="source", observe=observe, tls=pki.serving("required"))

        async def down(client: HttpClient, count: int) -> int:
            total = 0
            url = f"{server.url}/images?count={count}"
            async with client.stream("GET", url, transaction="WADO-RS") as answer:
                async for chunk in answer.aiter():
                    total += len(chunk)
            return total

        async def up(client: HttpClient, count: int) -> int:
            async def body() -> AsyncIterator[bytes]:
                for _ in range(count):
                    yield CHUNK

            return int((await client.request("POST", server.url + "/upload", content=body())).body)

        async with HttpClient(
            actor="consumer", observe=observe, tls=pki.calling(pki.client)
        ) as client:
            await down(client, 12)
            await up(client, 12)
            reset_peak()
            before = peak_rss()
            assert await down(client, 64) > 64 * MIB
            assert await up(client, 64) == 64 * MIB
            grown = peak_rss() - before
        await server.stop()
        return grown, before

    grown, _ = run(scenario())
    assert grown < 16 * MIB
    downs = [e for e in seen if e.response and len(e.response.parts) == 64]
    assert {e.direction for e in downs} == {Direction.IN, Direction.OUT}
    assert all(e.outcome is Outcome.ANSWERED for e in seen)
    assert len({e.response.sha256 for e in downs if e.response}) == 1
    assert {part.size for e in downs if e.response for part in e.response.parts} == {MIB}


def test_the_first_bytes_arrive_before_the_last_are_made(
    seen: list[Exchange], observe: Observe
) -> None:
    async def scenario() -> None:
        APP.state.gate = asyncio.Event()
        server = await serve_http(APP, actor="source", observe=observe)
        async with (
            HttpClient(actor="consumer", observe=observe) as client,
            client.stream("GET", server.url + "/slow") as answer,
        ):
            body = answer.aiter()
            assert await anext(body) == b"first"
            APP.state.gate.set()
            assert [chunk async for chunk in body] == [b"second"]
        await server.stop()

    run(scenario())
    assert [e.outcome for e in seen] == [Outcome.ANSWERED, Outcome.ANSWERED]


def test_leaving_a_stream_early_is_an_aborted_exchange(
    seen: list[Exchange], observe: Observe
) -> None:
    async def scenario() -> None:
        server = await serve_http(APP, actor="source")
        async with HttpClient(actor="consumer", observe=observe) as client:
            async with client.stream("GET", server.url + "/images?count=64") as answer:
                async for _ in answer.aiter():
                    break
            again = await client.request("GET", server.url + "/images?count=0")
            assert again.status == 200
        await server.stop()

    run(scenario())
    assert [e.outcome for e in seen] == [Outcome.ABORTED, Outcome.ANSWERED]
    assert seen[0].reason == "lecture abandonnée par le client"


class Echo(asyncio.Protocol):
    """The fastest answer that asyncio can give."""

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.transport.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")


def round_trip(host: str, port: int, count: int) -> float:
    """Median seconds of a small request on one kept-alive connection."""
    request = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
    times = []
    with socket.create_connection((host, port), timeout=10) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for _ in range(count):
            start = time.perf_counter()
            sock.sendall(request)
            answer = b""
            while not answer.endswith(b"ok"):
                answer += sock.recv(4096)
            times.append(time.perf_counter() - start)
    return statistics.median(times)


def test_a_kept_alive_request_costs_little_more_than_a_bare_echo(
    seen: list[Exchange], observe: Observe
) -> None:
    """Without TCP_NODELAY on the accepted socket an answer in two writes waits 40 ms."""

    async def scenario() -> float:
        loop = asyncio.get_running_loop()
        bare = await loop.create_server(Echo, "127.0.0.1", 0)
        host, port = bare.sockets[0].getsockname()
        server = await serve_http(PlainTextResponse("ok"), actor="psc", observe=observe)
        ratios = []
        for _ in range(5):
            floor = await asyncio.to_thread(round_trip, host, port, 60)
            ours = await asyncio.to_thread(round_trip, server.host, server.port, 60)
            ratios.append(ours / floor)
        await server.stop()
        bare.close()
        return min(ratios)

    assert run(scenario()) < 10  # 2 to 3 with httptools, up to 8 with h11, 400 with Nagle
    assert len(seen) == 300


def test_headers_without_end_are_refused(seen: list[Exchange], observe: Observe) -> None:
    async def scenario() -> None:
        server = await serve_http(APP, actor="source", observe=observe)
        reader, writer = await asyncio.open_connection(server.host, server.port)
        writer.write(b"GET / HTTP/1.1\r\nX: ")
        try:
            for _ in range(64):
                writer.write(b"a" * 8192)
                await writer.drain()
            await reader.read()
        except ConnectionError:
            pass  # cut while we were still sending: as good as a 400
        writer.close()
        await server.stop()

    run(scenario())
    assert [e.reason for e in seen] == ["requête HTTP illisible"]
    assert seen[0].response is not None
    assert seen[0].response.start_line.endswith("400 Bad Request")
