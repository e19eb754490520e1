"""Refusals in the handshake: the alert leaves, arrives, and is observed."""

from __future__ import annotations

import asyncio
import gc
import shutil
import socket
import ssl
import subprocess
import weakref
from asyncio import sslproto
from collections.abc import Callable
from typing import Any

import pytest
from starlette.responses import PlainTextResponse

from wire.exchange import Direction, Exchange, Outcome
from wire.http_server import serve_http
from wire.tls import (
    ServerTls,
    client_context,
    failure_reason,
    install,
    log_keys,
    server_context,
    watch_handshakes,
)

OK = PlainTextResponse("ok")
OPENSSL = shutil.which("openssl")
Observe = Callable[[Exchange], None]


def run(coroutine: Any) -> Any:
    return asyncio.run(asyncio.wait_for(coroutine, 20))


def ask(host: str, port: int, context: ssl.SSLContext) -> bytes:
    """One request on a blocking socket: TLS 1.3 tells a refused client only when it reads."""
    with (
        socket.create_connection((host, port), timeout=5) as raw,
        context.wrap_socket(raw, server_hostname="localhost") as sock,
    ):
        sock.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        received = b""
        while chunk := sock.recv(4096):
            received += chunk
        return received


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize(
    ("shown", "alert", "reason"),
    [
        ("none", "CERTIFICATE_REQUIRED|HANDSHAKE_FAILURE", "PEER_DID_NOT_RETURN_A_CERTIFICATE"),
        ("stranger", "UNKNOWN_CA", "CERTIFICATE_VERIFY_FAILED"),
        ("expired", "CERTIFICATE_EXPIRED", "CERTIFICATE_VERIFY_FAILED"),
    ],
)
def test_a_refused_client_reads_why_and_the_server_observes_it(
    pki: Any,
    seen: list[Exchange],
    observe: Observe,
    version: ssl.TLSVersion,
    shown: str,
    alert: str,
    reason: str,
) -> None:
    leaf = {
        "none": None,
        "stranger": pki.stranger,
        "expired": pki.organisations.leaf("consumer.kit.test", expired=True),
    }[shown]
    context = client_context(pki.calling(leaf))
    context.maximum_version = version

    async def scenario() -> None:
        server = await serve_http(OK, actor="source", observe=observe, tls=pki.serving("required"))
        with pytest.raises(ssl.SSLError) as refusal:
            await asyncio.to_thread(ask, server.host, server.port, context)
        assert any(word in str(refusal.value.reason) for word in alert.split("|"))
        await server.stop()

    run(scenario())
    assert [(e.protocol, e.transaction, e.outcome, e.direction) for e in seen] == [
        ("TLS", "TLS", Outcome.REFUSED, Direction.IN)
    ]
    assert seen[0].tls is not None
    assert seen[0].tls.reason == reason
    assert seen[0].tls.server_name == "localhost"
    assert bool(seen[0].tls.peer_chain) == (shown != "none")


@pytest.mark.parametrize("require", ["optional", "required"])
def test_a_good_client_is_served(
    pki: Any, seen: list[Exchange], observe: Observe, require: str
) -> None:
    async def scenario() -> None:
        server = await serve_http(OK, actor="source", observe=observe, tls=pki.serving(require))
        context = client_context(pki.calling(pki.client))
        answer = await asyncio.to_thread(ask, server.host, server.port, context)
        assert answer.endswith(b"ok")
        await server.stop()

    run(scenario())
    assert seen[0].outcome is Outcome.ANSWERED
    assert seen[0].peer == "consumer.kit.test"
    assert seen[0].tls is not None
    assert seen[0].tls.version == "TLSv1.3"
    assert seen[0].tls.peer_chain[0] == ssl.PEM_cert_to_DER_cert(pki.client.certificate.read_text())


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_an_asyncio_client_says_why_it_refuses_the_server(
    pki: Any, seen: list[Exchange], observe: Observe, version: ssl.TLSVersion
) -> None:
    context = client_context(pki.calling())
    context.maximum_version = version
    untrusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    untrusting.maximum_version = version
    untrusting.load_verify_locations(pki.organisations.trust)

    async def scenario() -> None:
        server = await serve_http(OK, actor="dmp", observe=observe, tls=pki.serving())
        with pytest.raises(ssl.SSLCertVerificationError):
            await asyncio.open_connection(
                server.host, server.port, ssl=untrusting, server_hostname="localhost"
            )
        await asyncio.to_thread(ask, server.host, server.port, context)
        await server.stop()

    run(scenario())
    assert seen[0].tls is not None
    assert seen[0].tls.reason == "TLSV1_ALERT_UNKNOWN_CA"
    assert [e.outcome for e in seen] == [Outcome.REFUSED, Outcome.ANSWERED]


def test_a_peer_that_just_leaves_is_recorded_as_closed(
    pki: Any, seen: list[Exchange], observe: Observe
) -> None:
    async def scenario() -> None:
        server = await serve_http(OK, actor="dmp", observe=observe, tls=pki.serving())
        _, writer = await asyncio.open_connection(server.host, server.port)
        writer.close()
        await writer.wait_closed()
        # The same listener still serves, and by then it has seen the other leave.
        context = client_context(pki.calling())
        await asyncio.to_thread(ask, server.host, server.port, context)
        await server.stop()

    run(scenario())
    refused = [e for e in seen if e.outcome is Outcome.REFUSED]
    assert [e.tls.reason for e in refused if e.tls] == ["closed"]


def test_clear_text_on_a_tls_port_is_observed(
    pki: Any, seen: list[Exchange], observe: Observe
) -> None:
    async def scenario() -> None:
        server = await serve_http(OK, actor="dmp", observe=observe, tls=pki.serving())
        reader, writer = await asyncio.open_connection(server.host, server.port)
        writer.write(b"GET / HTTP/1.1\r\n\r\n")
        await reader.read()
        writer.close()
        await server.stop()

    run(scenario())
    assert [e.tls.reason for e in seen if e.tls] == ["HTTP_REQUEST"]


def test_python_does_not_ship_the_fix_yet(pki: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fails on the day it does: then `install` need not flush the alert any more."""
    install()
    patched: Any = sslproto.SSLProtocol._on_handshake_complete  # type: ignore[attr-defined]
    context = client_context(pki.calling(pki.stranger))

    async def scenario() -> str:
        server = await serve_http(OK, actor="source", tls=pki.serving("required"))
        with monkeypatch.context() as stock:
            stock.setattr(sslproto.SSLProtocol, "_on_handshake_complete", patched.__wrapped__)
            try:
                answer = await asyncio.to_thread(ask, server.host, server.port, context)
            except OSError as error:
                return failure_reason(error)
            finally:
                await server.stop()
        assert answer == b"", "a stranger was served"
        return "closed"

    assert run(scenario()) in ("closed", "UNEXPECTED_EOF_WHILE_READING")


def test_installing_twice_wraps_once() -> None:
    install()
    first: Any = sslproto.SSLProtocol._on_handshake_complete  # type: ignore[attr-defined]
    install()
    assert sslproto.SSLProtocol._on_handshake_complete is first  # type: ignore[attr-defined]
    assert not hasattr(first.__wrapped__, "sends_alert")


def test_old_versions_and_suites_are_refused(pki: Any) -> None:
    context = server_context(pki.serving())
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2
    names = [suite["name"] for suite in context.get_ciphers()]
    assert names
    assert all(name.startswith(("TLS_", "ECDHE-")) for name in names)
    assert not any("CBC" in name or "SHA1" in name or name.endswith("-SHA") for name in names)


def test_asking_for_certificates_needs_an_authority(pki: Any) -> None:
    with pytest.raises(ValueError, match="client_ca"):
        ServerTls(pki.server.certificate, pki.server.key, None, "required")


@pytest.mark.interop
@pytest.mark.skipif(OPENSSL is None, reason="openssl absent")
@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
@pytest.mark.parametrize(("shown", "alert"), [("none", None), ("stranger", b"unknown ca")])
def test_the_alert_reaches_openssl(pki: Any, version: str, shown: str, alert: bytes | None) -> None:
    command = [OPENSSL or "openssl", "s_client", "-ign_eof", version, "-CAfile"]
    command += [str(pki.market.trust), "-connect"]
    if alert is None:
        alert = b"certificate required" if version == "-tls1_3" else b"handshake failure"

    async def scenario() -> bytes:
        server = await serve_http(OK, actor="source", tls=pki.serving("required"))
        arguments = [*command, f"{server.host}:{server.port}"]
        if shown == "stranger":
            arguments += ["-cert", str(pki.stranger.certificate), "-key", str(pki.stranger.key)]
        done = await asyncio.to_thread(
            subprocess.run,
            arguments,
            input=b"GET / HTTP/1.0\r\n\r\n",
            capture_output=True,
            timeout=15,
            check=False,
        )
        await server.stop()
        return done.stdout + done.stderr

    assert alert in run(scenario())


def test_the_secrets_of_a_session_are_kept_only_when_asked(pki: Any, tmp_path: Any) -> None:
    """A file that its owner alone reads, in the format of NSS, and no longer than asked."""
    file = tmp_path / "keys.log"

    def once() -> None:
        async def work() -> None:
            server = await serve_http(
                OK, actor="source", observe=lambda one: None, tls=pki.serving()
            )
            context = client_context(pki.calling())
            await asyncio.to_thread(ask, "127.0.0.1", server.port, context)
            await server.stop()

        run(work())

    once()
    assert not file.exists()
    log_keys(file)
    try:
        once()
    finally:
        log_keys(None)
    kept = file.read_text()
    assert "CLIENT_TRAFFIC_SECRET_0 " in kept
    assert file.stat().st_mode & 0o077 == 0
    once()
    assert file.read_text() == kept


def test_who_hears_of_failed_handshakes_is_not_kept_alive(pki: Any) -> None:
    class Server:
        def __init__(self) -> None:
            self.context = server_context(pki.serving())
            watch_handshakes(self.context, actor="source", observe=self.hear)

        def hear(self, exchange: Exchange) -> None:
            raise AssertionError("nobody connects")

    gone = weakref.ref(Server())
    gc.collect()
    assert gone() is None


def test_a_context_of_somebody_else_is_not_watched() -> None:
    with pytest.raises(TypeError):
        watch_handshakes(ssl.create_default_context(), actor="source", observe=[].append)
