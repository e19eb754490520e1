"""Records made by hand: what is written is read back; what comes back never breaks the reader."""

from __future__ import annotations

import ssl
import struct
import warnings
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.errors import RemoteProtocolError
from simulators.igc import Pki
from wire.exchange import Exchange, Outcome
from wire.http_server import serve_http
from wire.tls import ClientTls, ServerTls
from wire.tls_probe import Met, probe
from wire.tls_records import (
    LARGEST,
    Alert,
    Answers,
    ClientHello,
    Content,
    ServerHello,
    Version,
    key_share,
    record,
    records,
    server_name,
    supported_versions,
    usual,
)
from wire.tls_renegotiation import renegotiate

HOST = "db1.drimbench.test"
SUITES = (0xC02B, 0xC02F, 0xC013, 0xC009, 0x002F, 0x1301)
ALLOW_CLIENT_RENEGOTIATION = 1 << 8


@given(
    suites=st.lists(st.integers(0, 0xFFFF), max_size=40),
    session=st.binary(max_size=32),
    name=st.from_regex(r"[a-z]{1,20}\.test", fullmatch=True),
    each=st.integers(1, LARGEST),
)
def test_lengths_are_those_of_what_they_announce(
    suites: list[int], session: bytes, name: str, each: int
) -> None:
    hello = ClientHello(
        version=Version.TLS1_2,
        suites=suites,
        session=session,
        extensions=(server_name(name), *usual()),
    )
    message = hello.handshake()
    assert int.from_bytes(message[1:4], "big") == len(message) - 4
    assert message[6:38] == hello.random
    after = 39 + len(session)
    (size,) = struct.unpack_from("!H", message, after)
    assert size == 2 * len(suites)
    (rest,) = struct.unpack_from("!H", message, after + 2 + size + 2)
    assert rest == len(message) - (after + 2 + size + 4)
    assert name.encode() in message

    joined, wire = b"", hello.wire(each=each)
    while wire:
        kind, version, size = struct.unpack_from("!BHH", wire)
        assert (kind, version) == (Content.HANDSHAKE, Version.TLS1_0)
        assert size <= each
        joined, wire = joined + wire[5 : 5 + size], wire[5 + size :]
    assert joined == message


@given(data=st.binary(max_size=80), cut=st.integers(1, 80))
def test_hostile_bytes_are_events_or_a_named_error(data: bytes, cut: int) -> None:
    for whole in (data, record(Content.HANDSHAKE, b"\x02" + len(data).to_bytes(3, "big") + data)):
        answers = Answers()
        try:
            for start in range(0, len(whole), cut):
                for event in answers.feed(whole[start : start + cut]):
                    assert isinstance(event, Alert | ServerHello)
        except RemoteProtocolError:
            pass


@given(cut=st.integers(1, 20))
def test_answers_are_read_however_they_are_cut(cut: int) -> None:
    body = struct.pack("!H", 0x0303) + bytes(32) + b"\0" + struct.pack("!HB", 0x1301, 0)
    body += struct.pack("!HHHH", 6, 43, 2, 0x0304)
    hello = b"\x02" + len(body).to_bytes(3, "big") + body
    said = records(Content.HANDSHAKE, hello, each=7) + record(Content.ALERT, b"\x02\x28")
    answers, events = Answers(), []
    for start in range(0, len(said), cut):
        events += answers.feed(said[start : start + cut])
    assert events == [ServerHello(Version.TLS1_3, 0x1301, 0, (43,)), Alert(2, 40)]
    assert events[1].name == "handshake_failure"


class Server:
    """An HTTPS service that asks for a client certificate, and its context touched or not."""

    def __init__(self, folder: Path, tune: Callable[[ssl.SSLContext], None] | None) -> None:
        pki = Pki.create(clock=lambda: datetime.now(UTC), crl_url="http://igc.test/x.crl")
        files = pki.write(folder)
        shown = pki.server(HOST).write(folder, "serveur")
        client = pki.auth_cli("db2.drimbench.test", "1").write(folder, "client")
        self.tls = ServerTls(shown.certificate, shown.key, files.igc_trust, "required", tune)
        self.client = ClientTls(files.market_trust, client.certificate, client.key)
        self.seen: list[Exchange] = []

    async def meet(self, *offers: bytes) -> list[Met]:
        server = await serve_http(_nothing, actor="essai", tls=self.tls)
        try:
            return [
                await probe(
                    data,
                    host=HOST,
                    port=443,
                    connect_to={HOST: f"127.0.0.1:{server.port}"},
                    observe=self.seen.append,
                )
                for data in offers
            ]
        finally:
            await server.stop(grace=0)

    async def renegotiate(self) -> str:
        server = await serve_http(_nothing, actor="essai", tls=self.tls)
        try:
            return await renegotiate(("127.0.0.1", server.port), tls=self.client, host=HOST)
        finally:
            await server.stop(grace=0)


async def _nothing(scope: object, receive: object, send: object) -> None:
    raise AssertionError("no request is made")


def offering(version: Version) -> bytes:
    """That version, and no other."""
    more = (supported_versions(version), key_share()) if version is Version.TLS1_3 else ()
    return ClientHello(
        version=min(version, Version.TLS1_2), suites=SUITES, extensions=(*usual(), *more)
    ).wire()


def old(context: ssl.SSLContext) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion.TLSv1
    context.set_ciphers("DEFAULT:@SECLEVEL=0")


def again(context: ssl.SSLContext) -> None:
    context.options |= ALLOW_CLIENT_RENEGOTIATION


def newest(context: ssl.SSLContext) -> None:
    context.minimum_version = ssl.TLSVersion.TLSv1_3


@pytest.mark.anyio
async def test_old_versions_are_refused_and_new_ones_greeted(tmp_path: Path) -> None:
    server = Server(tmp_path, None)
    found = await server.meet(*map(offering, Version))
    assert [one.refused for one in found] == [True, True, True, False, False]
    assert [one.reason for one in found[1:3]] == ["protocol_version"] * 2
    assert [one.hello.version for one in found if one.hello] == [Version.TLS1_2, Version.TLS1_3]
    assert [one.outcome for one in server.seen] == [Outcome.REFUSED] * 3 + [Outcome.ANSWERED] * 2


@pytest.mark.anyio
async def test_a_server_of_before_greets_them(tmp_path: Path) -> None:
    tls1_0, tls1_1 = await Server(tmp_path, old).meet(
        offering(Version.TLS1_0), offering(Version.TLS1_1)
    )
    assert tls1_0.hello is not None
    assert tls1_0.hello.version == Version.TLS1_0
    assert tls1_1.hello is not None
    assert tls1_1.hello.version == Version.TLS1_1


@pytest.mark.anyio
async def test_nobody_there_refuses_nothing() -> None:
    met = await probe(
        offering(Version.TLS1_2), host=HOST, port=1, connect_to={HOST: "127.0.0.1:1"},
        observe=lambda exchange: None,
    )  # fmt: skip
    assert (met.refused, met.reason, met.connected) == (False, None, False)


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("tune", "said"), [(None, "no_renegotiation"), (again, ""), (newest, "TLS 1.3")]
)
async def test_a_second_handshake_inside_the_first(
    tmp_path: Path, tune: Callable[[ssl.SSLContext], None] | None, said: str
) -> None:
    assert await Server(tmp_path, tune).renegotiate() == said
