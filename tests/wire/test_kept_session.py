"""A client that keeps its connection, and resumes, before a server of Python's library."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from wire.exchange import Exchange, Outcome
from wire.kept_session import Answered, KeptClient
from wire.tls import ClientTls

from .conftest import TinyPki

_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nkit"


@asynccontextmanager
async def _stranger(
    pki: TinyPki, *, tickets: int, answers: int = 10
) -> AsyncIterator[tuple[str, int]]:
    """It knows of no HTTP: one answer for each blank line, and hangs up after so many."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pki.server.certificate, pki.server.key)
    context.num_tickets = tickets

    async def met(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in range(answers):
            try:
                await reader.readuntil(b"\r\n\r\n")
            except (asyncio.IncompleteReadError, OSError):
                break
            writer.write(_ANSWER)
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(met, "127.0.0.1", 0, ssl=context)
    try:
        yield server.sockets[0].getsockname()
    finally:
        server.close()


def _play(
    pki: TinyPki,
    version: ssl.TLSVersion,
    story: Callable[[KeptClient], object],
    *,
    tickets: int = 2,
    answers: int = 10,
    tls: ClientTls | None = None,
) -> tuple[list[Answered], list[Exchange]]:
    told: list[Exchange] = []

    async def play() -> list[Answered]:
        async with _stranger(pki, tickets=tickets, answers=answers) as where:
            client = KeptClient(
                where,
                host="db.kit.test",
                tls=tls or pki.calling(),
                observe=told.append,
                version=version,
            )
            found = await story(client)  # type: ignore[misc]
            await client.hang_up()
            return found  # type: ignore[no-any-return]

    return asyncio.run(play()), told


VERSIONS = pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])


async def _twice(client: KeptClient) -> list[Answered]:
    return [await client.ask("/", ()), await client.ask("/", ())]


async def _back(client: KeptClient) -> list[Answered]:
    first = await client.ask("/", ())
    await client.hang_up()
    return [first, await client.ask("/", ())]


@VERSIONS
def test_two_requests_are_one_connection(pki: TinyPki, version: ssl.TLSVersion) -> None:
    (one, two), told = _play(pki, version, _twice)
    assert (one.status, two.status, two.body) == (200, 200, b"kit")
    assert told[0].connection == told[1].connection
    assert not one.resumed


@VERSIONS
def test_a_session_is_resumed(pki: TinyPki, version: ssl.TLSVersion) -> None:
    (one, two), told = _play(pki, version, _back)
    assert (one.resumed, two.resumed, two.status) == (False, True, 200)
    assert told[0].connection != told[1].connection


def test_a_server_that_gives_no_ticket_resumes_nothing(pki: TinyPki) -> None:
    (_, two), _ = _play(pki, ssl.TLSVersion.TLSv1_3, _back, tickets=0)
    assert (two.resumed, two.status) == (False, 200)


def test_a_connection_that_the_server_closed_is_told_and_made_again(pki: TinyPki) -> None:
    async def thrice(client: KeptClient) -> list[Answered]:
        return [*await _twice(client), await client.ask("/", ())]

    (one, two, three), told = _play(pki, ssl.TLSVersion.TLSv1_3, thrice, answers=1)
    assert (one.status, two.status, three.status) == (200, None, 200)
    assert two.tls_reason
    assert told[1].outcome is Outcome.REFUSED


def test_a_server_that_is_not_trusted_is_asked_nothing(pki: TinyPki) -> None:
    async def once(client: KeptClient) -> list[Answered]:
        return [await client.ask("/", ())]

    (one,), _ = _play(pki, ssl.TLSVersion.TLSv1_3, once, tls=ClientTls(pki.organisations.trust))
    assert (one.status, one.tls_reason) == (None, "CERTIFICATE_VERIFY_FAILED")
