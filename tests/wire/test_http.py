"""The HTTP server and client against each other, and each against raw sockets."""

from __future__ import annotations

import asyncio
import hashlib
import socket
from collections import deque
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from protocols.errors import LocalProtocolError
from wire.exchange import Direction, Exchange, Label, Outcome, ignore
from wire.http_client import HttpClient, Interrupted, TimedOut, Unreachable
from wire.http_server import abort, note, peer_chain, serve_http, tls_of
from wire.http_transport import CONNECTIONS

Observe = Callable[[Exchange], None]


def run(coroutine: Any) -> Any:
    return asyncio.run(asyncio.wait_for(coroutine, 30))


async def echo(request: Request) -> Response:
    body = await request.body()
    note(request.scope, transaction="ITI-41", detail="TD2.1a", keys=["k1", "", "k1"], peer="box")
    return Response(body, media_type=request.headers.get("content-type", "text/plain"))


async def crash(request: Request) -> Response:
    raise ZeroDivisionError("by design")


async def half(request: Request) -> Response:
    async def body() -> AsyncIterator[bytes]:
        yield b"x" * 1000
        abort(request.scope)
        yield b"y" * 1000

    return StreamingResponse(body(), headers={"content-length": "2000"})


async def nothing(request: Request) -> Response:
    abort(request.scope)
    return PlainTextResponse("never seen")


async def who(request: Request) -> Response:
    tls = tls_of(request.scope)
    return PlainTextResponse(f"{len(peer_chain(request.scope))} {tls and tls.version}")


async def silent(request: Request) -> Response:
    while (await request.receive())["type"] != "http.disconnect":
        pass
    return PlainTextResponse("too late")


async def hop(request: Request) -> Response:
    answer = RedirectResponse("/cookie", status_code=303)
    answer.set_cookie("session", "s1")
    return answer


async def cookie(request: Request) -> Response:
    return PlainTextResponse(request.cookies.get("session", "none"))


APP = Starlette(
    routes=[
        Route("/echo", echo, methods=["GET", "POST"]),
        Route("/crash", crash),
        Route("/half", half),
        Route("/nothing", nothing),
        Route("/who", who),
        Route("/silent", silent),
        Route("/hop", hop, methods=["POST"]),
        Route("/cookie", cookie),
    ]
)


def sides(seen: list[Exchange]) -> tuple[list[Exchange], list[Exchange]]:
    return (
        [e for e in seen if e.direction is Direction.OUT],
        [e for e in seen if e.direction is Direction.IN],
    )


@pytest.mark.parametrize("secure", [False, True])
def test_both_sides_record_the_same_exchange(
    pki: Any, seen: list[Exchange], observe: Observe, secure: bool
) -> None:
    async def scenario() -> None:
        server = await serve_http(
            APP, actor="dmp", observe=observe, tls=pki.serving("required") if secure else None
        )
        async with HttpClient(
            actor="source", observe=observe, tls=pki.calling(pki.client)
        ) as client:
            for _ in range(2):
                answer = await client.request(
                    "POST",
                    server.url + "/echo?a=1",
                    headers=[("Content-Type", "text/xml"), ("X-Two", "a"), ("X-Two", "b")],
                    content=b"<a/>",
                    transaction="ITI-41",
                    keys=["k2"],
                )
        assert (answer.status, answer.body) == (200, b"<a/>")
        assert answer.headers.get("CONTENT-TYPE") == "text/xml; charset=utf-8"
        assert (answer.tls is not None) == secure
        await server.stop()

    run(scenario())
    sent, served = sides(seen)
    for out, into in zip(sent, served, strict=True):
        assert out.request is not None
        assert into.request is not None
        assert out.response is not None
        assert into.response is not None
        assert into.request.start_line == out.request.start_line == "POST /echo?a=1 HTTP/1.1"
        assert into.request.body == out.request.body == b"<a/>"
        assert into.request.sha256 == hashlib.sha256(b"<a/>").hexdigest()
        assert into.response.start_line == out.response.start_line == "HTTP/1.1 200 OK"
        assert [value for name, value in into.request.head if name == "x-two"] == ["a", "b"]
        assert dict(into.response.head) == dict(out.response.head)
        assert not into.request.truncated
        assert not out.response.truncated
        assert out.outcome is into.outcome is Outcome.ANSWERED
        assert (into.transaction, into.detail, into.keys) == ("ITI-41", "TD2.1a", ("k1",))
        assert into.peer == "box"
        assert out.keys == ("k2",)
        assert into.mono_end >= into.mono_start
    assert sent[0].connection == sent[1].connection
    assert served[0].connection == served[1].connection
    if secure:
        assert sent[0].tls is not None
        assert sent[0].tls.peer_chain
        assert served[0].tls is not None
        assert served[0].tls.peer_chain


def test_names_lead_where_they_are_told_and_certificates_still_match_names(
    pki: Any, seen: list[Exchange], observe: Observe
) -> None:
    async def scenario() -> None:
        server = await serve_http(APP, actor="source", tls=pki.serving("optional"))
        routes = {"db.kit.test": f"127.0.0.1:{server.port}", "other.kit.test:8443": server.url[8:]}
        async with HttpClient(
            actor="consumer", observe=observe, tls=pki.calling(), connect_to=routes
        ) as client:
            answer = await client.request("GET", "https://DB.kit.test/who")
            assert answer.body == b"0 TLSv1.3"
            with pytest.raises(Unreachable) as failure:
                await client.request("GET", "https://other.kit.test:8443/who")
            assert failure.value.tls_reason == "CERTIFICATE_VERIFY_FAILED"
            with pytest.raises(Unreachable) as failure:
                await client.request("GET", "https://other.kit.test.invalid/who")
            assert failure.value.tls_reason is None
        await server.stop()

    run(scenario())
    good, wrong, unknown = seen
    assert good.peer == "db.kit.test"
    assert good.request is not None
    assert good.request.header("host") == "db.kit.test"
    assert good.tls is not None
    assert good.tls.server_name == "db.kit.test"
    assert wrong.outcome is unknown.outcome is Outcome.REFUSED
    assert wrong.tls is not None
    assert wrong.tls.peer_chain, "the refused certificate is evidence"
    assert unknown.tls is None


def test_a_server_refused_by_the_client_gets_the_alert(
    pki: Any, seen: list[Exchange], observe: Observe
) -> None:
    from wire.tls import ClientTls

    async def scenario() -> None:
        server = await serve_http(APP, actor="dmp", observe=observe, tls=pki.serving())
        async with HttpClient(actor="box", tls=ClientTls(pki.organisations.trust)) as client:
            with pytest.raises(Unreachable):
                await client.request("GET", server.url + "/who")
        async with HttpClient(actor="box", tls=pki.calling()) as client:
            await client.request("GET", server.url + "/who")
        await server.stop()

    run(scenario())
    assert seen[0].tls is not None
    assert seen[0].tls.reason == "TLSV1_ALERT_UNKNOWN_CA"
    assert seen[1].outcome is Outcome.ANSWERED


@pytest.mark.parametrize(
    ("shown", "reason"),
    [("none", "CERTIFICATE_REQUIRED"), ("stranger", "UNKNOWN_CA")],
)
def test_a_refused_client_certificate_is_unreachable_with_its_alert(
    pki: Any, seen: list[Exchange], observe: Observe, shown: str, reason: str
) -> None:
    async def scenario() -> None:
        server = await serve_http(APP, actor="source", tls=pki.serving("required"))
        tls = pki.calling(pki.stranger if shown == "stranger" else None)
        async with HttpClient(actor="consumer", observe=observe, tls=tls) as client:
            with pytest.raises(Unreachable) as failure:
                await client.request("GET", server.url + "/who")
        assert reason in (failure.value.tls_reason or "")
        await server.stop()

    run(scenario())
    assert seen[0].outcome is Outcome.REFUSED
    assert seen[0].tls is not None
    assert reason in (seen[0].tls.reason or "")
    assert seen[0].response is None


@pytest.mark.parametrize("secure", [False, True])
def test_aborted_answers(pki: Any, seen: list[Exchange], observe: Observe, secure: bool) -> None:
    async def scenario() -> None:
        server = await serve_http(
            APP, actor="dmp", observe=observe, tls=pki.serving() if secure else None
        )
        async with HttpClient(actor="source", observe=observe, tls=pki.calling()) as client:
            with pytest.raises(Unreachable):
                await client.request("GET", server.url + "/nothing")
            with pytest.raises(Interrupted):
                await client.request("GET", server.url + "/half")
        await server.stop()

    run(scenario())
    sent, served = sides(seen)
    assert [e.outcome for e in sent] == [Outcome.ABORTED, Outcome.ABORTED]
    assert [e.outcome for e in served] == [Outcome.ABORTED, Outcome.ABORTED]
    assert sent[0].response is None
    assert served[0].reason == "connexion coupée par le service"
    assert sent[1].response is not None
    assert sent[1].response.body == b"x" * 1000
    assert sent[1].response.truncated
    assert served[1].response is not None
    assert served[1].response.truncated


def test_a_connection_that_answered_before_is_no_refusal(
    pki: Any, seen: list[Exchange], observe: Observe
) -> None:
    async def scenario() -> None:
        server = await serve_http(APP, actor="source", tls=pki.serving("optional"))
        async with HttpClient(actor="consumer", observe=observe, tls=pki.calling()) as client:
            await client.request("GET", server.url + "/who")
            with pytest.raises(Unreachable) as later:
                await client.request("GET", server.url + "/nothing")
            with pytest.raises(Unreachable) as first:
                await client.request("GET", server.url + "/nothing")
        assert later.value.tls_reason is None
        assert first.value.tls_reason == "closed"
        await server.stop()

    run(scenario())
    assert [e.outcome for e in seen] == [Outcome.ANSWERED, Outcome.ABORTED, Outcome.ABORTED]


def test_a_client_that_leaves_mid_way_is_recorded(seen: list[Exchange], observe: Observe) -> None:
    async def scenario() -> None:
        left = asyncio.Event()

        def told(exchange: Exchange) -> None:
            observe(exchange)
            left.set()

        server = await serve_http(APP, actor="psc", observe=told)
        _, writer = await asyncio.open_connection(server.host, server.port)
        writer.write(b"GET /silent HTTP/1.1\r\nHost: x\r\n\r\n")
        await writer.drain()
        writer.close()
        await left.wait()
        await server.stop()

    run(scenario())
    assert seen[0].outcome is Outcome.ABORTED
    assert seen[0].reason == "connexion coupée par le client"


def test_a_silent_server_times_out(seen: list[Exchange], observe: Observe) -> None:
    async def scenario() -> None:
        server = await serve_http(APP, actor="psc")
        async with HttpClient(actor="source", observe=observe, timeout=0.1) as client:
            with pytest.raises(TimedOut):
                await client.request("GET", server.url + "/silent", transaction="introspection")
        await server.stop(grace=0)

    run(scenario())
    assert [(e.outcome, e.transaction) for e in seen] == [(Outcome.TIMED_OUT, "introspection")]


def test_a_crowd_that_gives_up_leaves_the_client_usable() -> None:
    """Who waited for a connection is given one that was left, and leaves before it hears of it:
    httpcore would keep the connection, and the place that it takes, for nobody."""

    async def scenario() -> bytes:
        arrived = asyncio.Queue[None]()
        crowd = deque[asyncio.Task[Any]]()

        async def counted(scope: Any, receive: Any, send: Any) -> None:
            if scope["path"] == "/silent":
                arrived.put_nowait(None)
            await APP(scope, receive, send)

        def leave(exchange: Exchange) -> None:
            # The place of this one was just given to the first that waits.
            if crowd and exchange.connection:
                crowd.popleft().cancel()

        server = await serve_http(counted, actor="psc", observe=ignore)
        async with HttpClient(actor="source", observe=leave, timeout=10) as client:
            every = [
                asyncio.create_task(client.request("GET", server.url + "/silent"))
                for _ in range(2 * CONNECTIONS)
            ]
            for _ in range(CONNECTIONS):
                await arrived.get()
            crowd.extend(every[CONNECTIONS:])
            for one in every[:CONNECTIONS]:
                one.cancel()
            told = await asyncio.gather(*every, return_exceptions=True)
            assert all(isinstance(one, asyncio.CancelledError) for one in told)
            answer = await client.request("POST", server.url + "/echo", content=b"after")
        await server.stop(grace=0)
        return answer.body

    assert run(scenario()) == b"after"


def test_nobody_there(seen: list[Exchange], observe: Observe) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]

    async def scenario() -> None:
        async with HttpClient(actor="source", observe=observe) as client:
            with pytest.raises(Unreachable):
                await client.request("GET", f"http://127.0.0.1:{port}/")

    run(scenario())
    assert seen[0].outcome is Outcome.REFUSED
    assert seen[0].request is not None
    assert seen[0].peer == f"127.0.0.1:{port}"


def test_a_broken_application_answers_500_and_is_recorded(
    seen: list[Exchange], observe: Observe, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(scope: Any, receive: Any, send: Any) -> None:
        raise ZeroDivisionError("by design")

    async def scenario() -> None:
        server = await serve_http(broken, actor="dmp", observe=observe)
        async with HttpClient(actor="source") as client:
            assert (await client.request("GET", server.url)).status == 500
        await server.stop()

    run(scenario())
    assert seen[0].outcome is Outcome.ANSWERED
    assert seen[0].reason == "ZeroDivisionError: by design"
    assert "application failed" in caplog.text


def test_garbage_is_answered_400_and_recorded(seen: list[Exchange], observe: Observe) -> None:
    async def scenario() -> bytes:
        server = await serve_http(APP, actor="dmp", observe=observe)
        reader, writer = await asyncio.open_connection(server.host, server.port)
        writer.write(b"\x00\x01 nonsense\r\n\r\n")
        answer = await reader.read()
        writer.close()
        await server.stop()
        return answer

    assert run(scenario()).startswith(b"HTTP/1.1 400")
    assert seen[0].reason == "requête HTTP illisible"


def test_redirects_and_cookies_are_for_browsers_only(
    seen: list[Exchange], observe: Observe
) -> None:
    async def scenario() -> None:
        server = await serve_http(APP, actor="consumer")
        async with HttpClient(actor="box") as plain:
            answer = await plain.request("POST", server.url + "/hop")
            assert (answer.status, answer.headers.get("location")) == (303, "/cookie")
            assert (await plain.request("GET", server.url + "/cookie")).body == b"none"
        async with HttpClient(
            actor="user", observe=observe, follow_redirects=True, cookies=True
        ) as browser:
            answer = await browser.request("POST", server.url + "/hop", transaction="appel")
            assert (answer.body, answer.url) == (b"s1", server.url + "/cookie")
        await server.stop()

    run(scenario())
    assert [e.request.start_line for e in seen if e.request] == [
        "POST /hop HTTP/1.1",
        "GET /cookie HTTP/1.1",
    ]
    assert [e.transaction for e in seen] == ["appel", "appel"]


def test_our_own_misuse_is_a_local_error() -> None:
    async def scenario() -> None:
        server = await serve_http(APP, actor="dmp")
        async with HttpClient(actor="source") as client:
            with pytest.raises(LocalProtocolError):
                await client.request("GET", server.url, headers={"X": "a\r\nb: c"})
            with pytest.raises(LocalProtocolError):
                await client.request("GET", "https://127.0.0.1:1/")
            with pytest.raises(LocalProtocolError):
                await client.request("GET", "ftp://127.0.0.1/")
        await server.stop()

    run(scenario())


@pytest.mark.parametrize("secure", [False, True])
def test_stop_frees_the_port_whatever_clients_do(pki: Any, secure: bool) -> None:
    tls = pki.serving() if secure else None

    async def scenario() -> None:
        server = await serve_http(APP, actor="dmp", tls=tls)
        port = server.port
        async with HttpClient(actor="box", tls=pki.calling()) as client:
            await client.request("GET", server.url + "/who")
            busy = asyncio.create_task(client.request("GET", server.url + "/silent"))
            await asyncio.sleep(0)
            await server.stop(grace=0.05)
            with pytest.raises(Unreachable):
                await busy
            server = await serve_http(APP, actor="dmp", tls=tls, port=port)
            assert (await client.request("GET", server.url + "/who")).status == 200
        await server.stop()

    run(scenario())


def test_a_taken_port_is_an_error_and_a_label_names_exchanges(seen: list[Exchange]) -> None:
    label: Label = lambda exchange: exchange.labelled(transaction="CRL")  # noqa: E731

    async def scenario() -> None:
        server = await serve_http(APP, actor="igc", observe=seen.append, label=label)
        with pytest.raises(OSError, match=r"[Aa]ddress"):
            await serve_http(APP, actor="igc", port=server.port)
        async with HttpClient(actor="box") as client:
            await client.request("GET", server.url + "/who")
        await server.stop()

    run(scenario())
    assert [e.transaction for e in seen] == ["CRL"]


def test_helpers_do_no_harm_without_our_server() -> None:
    scope: dict[str, Any] = {"type": "http"}
    note(scope, transaction="x")
    abort(scope)
    assert peer_chain(scope) == ()
    assert tls_of(scope) is None
