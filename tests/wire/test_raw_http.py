"""`wire.raw_http` against the HTTP server of Python's library, which is not ours."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from wire.exchange import Exchange, Outcome
from wire.raw_http import Heard, say


class _Stranger(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def port() -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Stranger)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_address[1]
    server.shutdown()
    thread.join()
    server.server_close()


def _say(data: bytes, port: int, silence: float = 5.0) -> tuple[Heard, list[Exchange]]:
    told: list[Exchange] = []
    heard = asyncio.run(
        say(
            data,
            host="kit",
            port=port,
            connect_to={"kit": f"127.0.0.1:{port}"},
            observe=told.append,
            tls=None,
            silence=silence,
        )
    )
    return heard, told


def test_every_answer_of_a_connection_is_heard(port: int) -> None:
    one = b"GET / HTTP/1.1\r\nHost: kit\r\n\r\n"
    last = b"GET / HTTP/1.1\r\nHost: kit\r\nConnection: close\r\n\r\n"
    heard, told = _say(one + last, port)
    assert (heard.statuses, heard.closed) == ((204, 204), True)
    assert told[0].request is not None
    assert told[0].request.body == one + last


def test_a_connection_that_stays_open_is_not_closed(port: int) -> None:
    heard, _ = _say(b"GET / HTTP/1.1\r\nHost: kit\r\n\r\n", port, silence=0.3)
    assert (heard.statuses, heard.closed, heard.reason) == ((204,), False, "")
    assert dict(heard.head)["Server"].startswith("BaseHTTP")


def test_nobody_there_is_told() -> None:
    heard, told = _say(b"GET / HTTP/1.1\r\n\r\n", 9)
    assert heard.reason
    assert not heard.closed
    assert told[0].outcome is Outcome.REFUSED
