"""MLLP on real sockets: every end that an exchange can have, on both sides of the wire."""

from __future__ import annotations

import asyncio
import datetime
import socket
import statistics
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from protocols.mllp import frame
from wire.exchange import Direction, Exchange, Outcome, ignore
from wire.mllp import Handler, MllpClient, MllpServer, MllpTimeout, PeerInfo, serve_mllp
from wire.tls import ClientTls, ServerTls

Scenario = Callable[[], Awaitable[None]]


def run(scenario: Scenario) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(10):
            await scenario()

    asyncio.run(bounded())


class Journal:
    """Keeps exchanges and lets a test wait for the next one."""

    def __init__(self) -> None:
        self.exchanges: list[Exchange] = []
        self._arrived = asyncio.Event()

    def __call__(self, exchange: Exchange) -> None:
        self.exchanges.append(exchange)
        self._arrived.set()

    async def wait(self, count: int = 1) -> list[Exchange]:
        while len(self.exchanges) < count:
            self._arrived.clear()
            await self._arrived.wait()
        return self.exchanges


async def echo(message: bytes, peer: PeerInfo) -> bytes:
    return b"ACK " + message[-20:]


@asynccontextmanager
async def serving(
    handler: Handler = echo, *, max_size: int = 1 << 20, tls: ServerTls | None = None
) -> AsyncIterator[tuple[MllpServer, Journal]]:
    journal = Journal()
    server = await serve_mllp(handler, actor="source", observe=journal, max_size=max_size, tls=tls)
    try:
        yield server, journal
    finally:
        await server.stop()


@asynccontextmanager
async def scripted(
    script: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
) -> AsyncIterator[int]:
    """A raw TCP peer that does as it is told."""

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await script(reader, writer)
        writer.close()

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


def client(port: int, observe: Callable[[Exchange], None] = ignore) -> MllpClient:
    return MllpClient("127.0.0.1", port, actor="ris", observe=observe, peer="box")


class TestAnswered:
    def test_both_sides_record_the_message_and_its_ack(self) -> None:
        async def scenario() -> None:
            seen = Journal()
            async with serving() as (server, journal), client(server.port, seen) as ris:
                assert await ris.send(b"MSH|1") == b"ACK MSH|1"
                assert await ris.send(b"MSH|2") == b"ACK MSH|2"
                await journal.wait(2)
            sent, served = seen.exchanges[0], journal.exchanges[0]
            assert (sent.direction, served.direction) == (Direction.OUT, Direction.IN)
            assert (sent.actor, sent.peer, served.actor) == ("ris", "box", "source")
            for exchange in (sent, served):
                assert exchange.outcome is Outcome.ANSWERED
                assert exchange.request is not None
                assert exchange.request.body == b"MSH|1"
                assert exchange.response is not None
                assert exchange.response.body == b"ACK MSH|1"
                assert exchange.mono_start <= exchange.mono_end
                assert exchange.tls is None
            assert len({exchange.connection for exchange in seen.exchanges}) == 1

        run(scenario)

    def test_label_names_the_transaction(self) -> None:
        async def scenario() -> None:
            seen = Journal()
            async with (
                serving() as (server, _),
                MllpClient(
                    "127.0.0.1",
                    server.port,
                    actor="ris",
                    observe=seen,
                    label=lambda exchange: exchange.labelled(transaction="ORU^R01", keys=["M1"]),
                ) as ris,
            ):
                await ris.send(b"MSH|")
            assert seen.exchanges[0].transaction == "ORU^R01"
            assert seen.exchanges[0].keys == ("M1",)

        run(scenario)

    def test_many_connections_at_once(self) -> None:
        async def scenario() -> None:
            together = asyncio.Barrier(10)

            async def meet(message: bytes, peer: PeerInfo) -> bytes:
                await together.wait()  # passes only when ten messages are being handled
                return message

            async with serving(meet) as (server, journal):

                async def one(n: int) -> None:
                    async with client(server.port) as ris:
                        assert await ris.send(b"MSH|%d" % n) == b"MSH|%d" % n

                await asyncio.gather(*(one(n) for n in range(10)))
                await journal.wait(10)
            assert len({exchange.connection for exchange in journal.exchanges}) == 10

        run(scenario)

    def test_pipelined_fragmented_and_surrounded_by_junk(self) -> None:
        async def scenario() -> None:
            async with serving() as (server, journal):
                reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
                stream = b"\r\n" + frame(b"one") + b"hello" + frame(b"two") + frame(b"three")
                for start in range(0, len(stream), 7):
                    writer.write(stream[start : start + 7])
                    await writer.drain()
                expected = b"".join(frame(b"ACK " + m) for m in (b"one", b"two", b"three"))
                assert await reader.readexactly(len(expected)) == expected
                writer.close()
                await journal.wait(3)
            one, two, three = (exchange.request for exchange in journal.exchanges)
            assert one is not None
            assert one.header("mllp-junk") == "2 octets : 0d 0a"
            assert two is not None
            assert (two.header("mllp-junk") or "").startswith("5 octets")
            assert three is not None
            assert three.head == ()

        run(scenario)

    def test_half_a_megabyte(self) -> None:
        async def scenario() -> None:
            message = b"MSH|" + b"QUJD" * 125_000
            async with serving() as (server, journal), client(server.port) as ris:
                await ris.send(message)
                (served,) = await journal.wait()
            assert served.request is not None
            assert served.request.body == message

        run(scenario)

    def test_a_second_block_is_not_the_next_ack(self) -> None:
        async def twice(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            for n in (b"1", b"2"):
                await reader.readuntil(b"\x1c\r")
                writer.write(frame(b"ACK" + n) + frame(b"more" + n))
            await reader.read()

        async def scenario() -> None:
            seen = Journal()
            async with scripted(twice) as port, client(port, seen) as ris:
                assert await ris.send(b"MSH|1") == b"ACK1"
                assert await ris.send(b"MSH|2") == b"ACK2"
            response = seen.exchanges[0].response
            assert response is not None
            assert (response.header("mllp-extra") or "").startswith("5 octets")

        run(scenario)


class TestSenderFailures:
    def test_refused(self) -> None:
        async def scenario() -> None:
            with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as held:
                held.bind(("127.0.0.1", 0))  # bound, not listening: nobody else can take it
                seen = Journal()
                async with client(held.getsockname()[1], seen) as ris:
                    with pytest.raises(ConnectionError):
                        await ris.send(b"MSH|")
            (exchange,) = seen.exchanges
            assert exchange.outcome is Outcome.REFUSED
            assert exchange.request is not None
            assert exchange.request.body == b"MSH|"
            assert exchange.response is None

        run(scenario)

    def test_silence_is_a_timeout_and_the_next_message_gets_a_new_connection(self) -> None:
        connections = 0

        async def silent_once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal connections
            connections += 1
            await reader.readuntil(b"\x1c\r")
            if connections > 1:
                writer.write(frame(b"ACK"))
            await reader.read()

        async def scenario() -> None:
            seen = Journal()
            async with scripted(silent_once) as port, client(port, seen) as ris:
                with pytest.raises(MllpTimeout):
                    await ris.send(b"MSH|", timeout=0.05)
                assert await ris.send(b"MSH|") == b"ACK"
            assert [e.outcome for e in seen.exchanges] == [Outcome.TIMED_OUT, Outcome.ANSWERED]
            assert seen.exchanges[0].connection != seen.exchanges[1].connection

        run(scenario)

    @pytest.mark.parametrize("answer", [b"", b"\x0bMSA|A", b"HTTP/1.1 400\r\n"])
    def test_closed_before_a_whole_ack(self, answer: bytes) -> None:
        async def half(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\x1c\r")
            writer.write(answer)
            await writer.drain()

        async def scenario() -> None:
            seen = Journal()
            async with scripted(half) as port, client(port, seen) as ris:
                with pytest.raises(ConnectionError):
                    await ris.send(b"MSH|")
            (exchange,) = seen.exchanges
            assert exchange.outcome is Outcome.ABORTED
            if answer:
                assert exchange.response is not None
                assert exchange.response.truncated
                assert exchange.response.body or exchange.response.head
            else:
                assert exchange.response is None

        run(scenario)


class TestReceiverFailures:
    def test_a_message_cut_in_the_middle(self) -> None:
        async def scenario() -> None:
            async with serving() as (server, journal):
                _, writer = await asyncio.open_connection("127.0.0.1", server.port)
                writer.write(b"\x0bMSH|half")
                await writer.drain()
                writer.close()
                (exchange,) = await journal.wait()
            assert exchange.outcome is Outcome.ABORTED
            assert exchange.request is not None
            assert (exchange.request.body, exchange.request.truncated) == (b"MSH|half", True)

        run(scenario)

    def test_a_stranger_that_speaks_another_protocol(self) -> None:
        async def scenario() -> None:
            async with serving() as (server, journal):
                _, writer = await asyncio.open_connection("127.0.0.1", server.port)
                writer.write(b"GET / HTTP/1.1\r\n\r\n")
                writer.close()
                (exchange,) = await journal.wait()
            assert exchange.outcome is Outcome.ABORTED
            assert exchange.request is not None
            assert exchange.request.header("mllp-junk") is not None

        run(scenario)

    def test_a_probe_leaves_no_trace(self) -> None:
        async def scenario() -> None:
            async with serving() as (server, journal):
                _, writer = await asyncio.open_connection("127.0.0.1", server.port)
                writer.write(b"\r\n")
                writer.close()
                async with client(server.port) as ris:
                    await ris.send(b"MSH|")
                (exchange,) = await journal.wait()
            assert exchange.outcome is Outcome.ANSWERED

        run(scenario)

    def test_too_large_closes_after_answering_what_was_whole(self) -> None:
        async def scenario() -> None:
            async with serving(max_size=1000) as (server, journal):
                reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
                writer.write(frame(b"small") + b"\x0b" + b"x" * 5000)
                assert await reader.read() == frame(b"ACK small")
                writer.close()
                await journal.wait(2)
            assert [e.outcome for e in journal.exchanges] == [Outcome.ANSWERED, Outcome.ABORTED]
            assert "1000 octets" in journal.exchanges[1].reason

        run(scenario)

    def test_a_silent_handler_sends_nothing(self) -> None:
        async def mute(message: bytes, peer: PeerInfo) -> bytes | None:
            return None

        async def scenario() -> None:
            async with serving(mute) as (server, journal):
                async with client(server.port) as ris:
                    with pytest.raises(MllpTimeout):
                        await ris.send(b"MSH|", timeout=0.05)
                (exchange,) = await journal.wait()
            assert exchange.outcome is Outcome.ABORTED
            assert exchange.response is None

        run(scenario)

    def test_a_broken_handler_is_told_and_the_server_lives(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        async def broken(message: bytes, peer: PeerInfo) -> bytes:
            if message == b"bad":
                raise KeyError("bug")
            return b"ACK"

        async def scenario() -> None:
            async with serving(broken) as (server, journal):
                async with client(server.port) as ris:
                    with pytest.raises(ConnectionError):
                        await ris.send(b"bad")
                    assert await ris.send(b"good") == b"ACK"
                await journal.wait(2)
            assert "KeyError" in journal.exchanges[0].reason

        run(scenario)
        assert "bug" in caplog.text

    def test_stop_cuts_what_is_in_hand(self) -> None:
        async def scenario() -> None:
            begun = asyncio.Event()

            async def slow(message: bytes, peer: PeerInfo) -> bytes:
                begun.set()
                await asyncio.Event().wait()
                return b"never"

            async with serving(slow) as (server, journal), client(server.port) as ris:
                sending = asyncio.create_task(ris.send(b"MSH|"))
                await begun.wait()
                await server.stop()
                with pytest.raises(ConnectionError):
                    await sending
            (exchange,) = journal.exchanges
            assert (exchange.outcome, exchange.reason) == (Outcome.ABORTED, "récepteur arrêté")

        run(scenario)


@pytest.fixture(scope="module")
def identity(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A self-signed certificate that serves both sides, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "essai")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    folder = tmp_path_factory.mktemp("mllp-tls")
    crt, pem = folder / "crt.pem", folder / "key.pem"
    crt.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    pem.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return crt, pem


class TestTls:
    def test_mutual(self, identity: tuple[Path, Path]) -> None:
        crt, key = identity

        async def scenario() -> None:
            seen = Journal()
            server_tls = ServerTls(crt, key, client_ca=crt, require="required")
            async with (
                serving(tls=server_tls) as (server, journal),
                MllpClient(
                    server.host,
                    server.port,
                    actor="ris",
                    observe=seen,
                    tls=ClientTls(crt, crt, key),
                    server_name="localhost",
                ) as ris,
            ):
                assert await ris.send(b"MSH|") == b"ACK MSH|"
                (served,) = await journal.wait()
            assert served.tls is not None
            assert served.tls.version == "TLSv1.3"
            assert len(served.tls.peer_chain) == 1
            assert served.peer == "essai"
            assert seen.exchanges[0].tls is not None

        run(scenario)

    def test_missing_client_certificate_is_a_refusal_on_both_sides(
        self, identity: tuple[Path, Path]
    ) -> None:
        crt, key = identity

        async def scenario() -> None:
            seen = Journal()
            server_tls = ServerTls(crt, key, client_ca=crt, require="required")
            async with (
                serving(tls=server_tls) as (server, journal),
                MllpClient(
                    server.host,
                    server.port,
                    actor="ris",
                    observe=seen,
                    tls=ClientTls(crt),
                    server_name="localhost",
                ) as ris,
            ):
                with pytest.raises(ConnectionError):
                    await ris.send(b"MSH|")
                (served,) = await journal.wait()
            assert (served.protocol, served.outcome) == ("TLS", Outcome.REFUSED)
            (sent,) = seen.exchanges
            assert sent.outcome is Outcome.REFUSED
            assert sent.tls is not None
            assert "CERTIFICATE_REQUIRED" in (sent.tls.reason or "")

        run(scenario)

    def test_an_unreadable_certificate_is_our_fault(self, tmp_path: Path) -> None:
        with pytest.raises(OSError, match="No such file"):
            MllpClient(
                "localhost", 1, actor="ris", observe=ignore, tls=ClientTls(tmp_path / "none.pem")
            )


async def median(send: Callable[[], Awaitable[object]]) -> float:
    """Seconds of a round trip, half of twenty being shorter."""
    took: list[float] = []
    for _ in range(20):
        begun = time.perf_counter()
        await send()
        took.append(time.perf_counter() - begun)
    return statistics.median(took)


def test_no_delay_between_messages() -> None:
    """The TCP_NODELAY trap costs 40 ms a message on a kept connection: 200 bare echoes."""
    message = b"MSH|" + b"x" * 3000

    async def bare_echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(1 << 16):
            writer.write(data)

    async def scenario() -> None:
        bare = await asyncio.start_server(bare_echo, "127.0.0.1", 0)
        reader, writer = await asyncio.open_connection(*bare.sockets[0].getsockname())

        async def echoed() -> None:
            writer.write(message)
            await reader.readexactly(len(message))

        async with serving() as (server, _), client(server.port) as ris:
            ratios = [await median(lambda: ris.send(message)) / await median(echoed) for _ in "abc"]
        writer.close()
        bare.close()
        assert min(ratios) < 30

    run(scenario)
