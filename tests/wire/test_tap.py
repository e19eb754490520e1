"""The tap: bytes pass unchanged whatever becomes of them, and what passed is told as it was."""

from __future__ import annotations

import asyncio
import itertools
import socket
import struct
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pydicom
import pytest
from anyio.from_thread import BlockingPortal
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.dataset import Dataset

from protocols.dicom import split_part10
from protocols.mllp import frame
from tests.wire.test_http import APP
from wire.dimse import DimseClient, DimseFailure, DimsePeer, Handlers, serve_dimse
from wire.exchange import Direction, Exchange, Outcome, ignore
from wire.http_client import HttpClient, HttpFailure, Interrupted
from wire.http_server import HttpServer, serve_http
from wire.mllp import MllpClient, PeerInfo, serve_mllp
from wire.tap import (
    Cut,
    DimseEar,
    HalfClosed,
    HttpEar,
    Line,
    MllpEar,
    SealedEar,
    Side,
    Stored,
    Tap,
    TapTls,
    Witness,
    open_tap,
)
from wire.tap.sealed import server_name

FILES = Path(pydicom.__file__).parent / "data" / "test_files"
CT = "1.2.840.10008.5.1.4.1.1.2"
EXPLICIT, IMPLICIT = "1.2.840.10008.1.2.1", "1.2.840.10008.1.2"
LINE = Line(connection="1", caller="box")
RESET = struct.pack("ii", 1, 0)


def run(coroutine: Any) -> Any:
    return asyncio.run(asyncio.wait_for(coroutine, 30))


class Silent:
    """An ear that keeps what it hears."""

    def __init__(self) -> None:
        self.heard = dict.fromkeys(Side, b"")
        self.ends: list[Side] = []
        self.reasons: list[str] = []
        self.done = asyncio.Event()

    def hear(self, side: Side, data: bytes) -> None:
        self.heard[side] += data

    def ended(self, side: Side) -> None:
        self.ends.append(side)

    def over(self, reason: str) -> None:
        self.reasons.append(reason)
        self.done.set()


class Neighbour:
    """Reads to the end, having said what it has to say; or breaks the connection."""

    def __init__(self, says: list[bytes], *, breaks: bool = False) -> None:
        self.says = says
        self.breaks = breaks
        self.got = b""
        self.broken: BaseException | None = None
        self.done = asyncio.Event()

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if self.breaks:
                await reader.readexactly(1)
                raw = writer.get_extra_info("socket")
                raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
                writer.transport.abort()
                return
            self.got = await reader.read()
            for piece in self.says:  # only once the caller has closed its direction
                writer.write(piece)
                await writer.drain()
        except OSError as error:
            self.broken = error
        finally:
            writer.close()
            self.done.set()


@asynccontextmanager
async def between(
    neighbour: Any, ear: Any = None, witness: Witness | None = None, **options: Any
) -> AsyncIterator[tuple[Tap, Any]]:
    """A tap in front of a plain TCP neighbour."""
    heard = ear or Silent()
    server = await asyncio.start_server(neighbour, "127.0.0.1", 0)
    towards = server.sockets[0].getsockname()[:2]
    told = witness or Witness(actor="dmp", observe=ignore)
    tap = await open_tap(lambda line, _: heard, told, towards, **options)
    try:
        yield tap, heard
    finally:
        await tap.stop()
        server.close()


# Bytes ----------------------------------------------------------------------------------------

PIECES = st.lists(st.binary(min_size=1, max_size=300), max_size=8)


@settings(max_examples=40, deadline=None)
@given(PIECES, PIECES)
def test_the_same_bytes_come_out_on_both_sides(asked: list[bytes], told: list[bytes]) -> None:
    """And a direction closed leaves the other one open: the neighbour answers after the end."""

    async def scenario() -> None:
        neighbour = Neighbour(told)
        async with between(neighbour) as (tap, ear):
            reader, writer = await asyncio.open_connection(tap.host, tap.port)
            for piece in asked:
                writer.write(piece)
                await writer.drain()
            writer.write_eof()
            assert await reader.read() == b"".join(told)
            assert neighbour.got == b"".join(asked)
            writer.close()
            await ear.done.wait()
            assert ear.heard == {Side.CALLER: b"".join(asked), Side.CALLED: b"".join(told)}
            assert ear.ends == [Side.CALLER, Side.CALLED]
            assert ear.reasons == ["connexion fermée"]

    run(scenario())


def test_more_than_any_buffer_passes() -> None:
    async def scenario() -> None:
        large = bytes(range(256)) * 12_000
        neighbour = Neighbour([large])
        async with between(neighbour) as (tap, _):
            reader, writer = await asyncio.open_connection(tap.host, tap.port)
            writer.write(large)
            writer.write_eof()
            assert await reader.read() == large
            assert neighbour.got == large
            writer.close()

    run(scenario())


def test_a_connection_that_the_neighbour_breaks_is_broken() -> None:
    async def scenario() -> None:
        async with between(Neighbour([], breaks=True)) as (tap, ear):
            reader, writer = await asyncio.open_connection(tap.host, tap.port)
            writer.write(b"x")
            with pytest.raises(ConnectionResetError):
                await reader.read()
            await ear.done.wait()
            assert ear.reasons[0].startswith("connexion rompue")
            writer.transport.abort()

    run(scenario())


def test_a_connection_that_the_caller_breaks_is_broken() -> None:
    async def scenario() -> None:
        neighbour = Neighbour([])
        async with between(neighbour) as (tap, ear):
            _, writer = await asyncio.open_connection(tap.host, tap.port)
            writer.write(b"x")
            raw = writer.get_extra_info("socket")
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            writer.transport.abort()
            await neighbour.done.wait()
            assert isinstance(neighbour.broken, ConnectionResetError)
            await ear.done.wait()

    run(scenario())


def test_an_ear_that_fails_holds_nothing_up() -> None:
    class Broken(Silent):
        def hear(self, side: Side, data: bytes) -> None:
            raise ZeroDivisionError("by design")

    async def scenario() -> None:
        neighbour = Neighbour([b"answer"])
        async with between(neighbour, Broken()) as (tap, ear):
            reader, writer = await asyncio.open_connection(tap.host, tap.port)
            writer.write(b"question")
            writer.write_eof()
            assert await reader.read() == b"answer"
            assert neighbour.got == b"question"
            assert ear.reasons == ["le banc ne suit plus cette connexion : by design"]
            writer.close()

    run(scenario())


def test_a_neighbour_that_is_not_there(seen: list[Exchange]) -> None:
    async def scenario() -> None:
        with socket.socket() as held:
            held.bind(("127.0.0.1", 0))
            witness = Witness(actor="pacs", observe=seen.append)
            tap = await open_tap(lambda *_: Silent(), witness, held.getsockname())
            reader, writer = await asyncio.open_connection(tap.host, tap.port)
            with pytest.raises(ConnectionResetError):
                await reader.read()
            writer.transport.abort()
            await tap.stop()

    run(scenario())
    (exchange,) = seen
    assert (exchange.actor, exchange.outcome) == ("pacs", Outcome.REFUSED)
    assert "injoignable" in exchange.reason


# A network that is not good -------------------------------------------------------------------


class Worse:
    """Lets `size` bytes through, then does what it is told."""

    def __init__(self, size: int, then: Exception | None, *, changed: bool = False) -> None:
        self._left = size
        self._then = then
        self._changed = changed

    async def carry(self, data: bytes) -> AsyncIterator[bytes]:
        kept, self._left = data[: self._left], max(0, self._left - len(data))
        yield bytes(one ^ 0xFF for one in kept) if self._changed else kept
        if self._then is not None and not self._left:
            raise self._then


@pytest.mark.parametrize("then", [Cut("coupure"), HalfClosed()])
def test_a_passage_decides_what_arrives(then: Exception) -> None:
    async def scenario() -> None:
        neighbour = Neighbour([b"answer"])
        passages = {Side.CALLER: Worse(3, then, changed=True), Side.CALLED: Worse(99, None)}
        async with between(neighbour, passage=passages.__getitem__) as (tap, ear):
            reader, writer = await asyncio.open_connection(tap.host, tap.port)
            writer.write(b"question")
            if isinstance(then, Cut):
                with pytest.raises(ConnectionResetError):
                    await reader.read()
                await neighbour.done.wait()
                assert isinstance(neighbour.broken, ConnectionResetError)
            else:
                assert await reader.read() == b"answer"
                assert neighbour.got == bytes(one ^ 0xFF for one in b"que")
            writer.close()
            await ear.done.wait()
            assert ear.heard[Side.CALLER] == b"question"  # what was sent, not what arrived

    run(scenario())


# HTTP -----------------------------------------------------------------------------------------


@asynccontextmanager
async def tapped_http(
    at_server: list[Exchange], at_tap: list[Exchange], **tls: Any
) -> AsyncIterator[tuple[HttpServer, Tap]]:
    server = await serve_http(APP, actor="dmp", observe=at_server.append, tls=tls.get("server"))
    witness = Witness(actor="dmp", observe=at_tap.append)
    tap = await open_tap(HttpEar, witness, (server.host, server.port), tls=tls.get("tap"))
    try:
        yield server, tap
    finally:
        await tap.stop()
        await server.stop(grace=0)


def told(exchange: Exchange) -> dict[str, Any]:
    """What must be the same whoever records it: names of headers lose their case in ASGI."""
    found: dict[str, Any] = {"outcome": exchange.outcome, "actor": exchange.actor}
    for name in ("request", "response"):
        one = getattr(exchange, name)
        if one is not None:
            head = sorted((key.lower(), value) for key, value in one.head)
            found[name] = replace(one, head=tuple(head))
    return found


def test_http_is_told_as_the_server_tells_it() -> None:
    at_server: list[Exchange] = []
    at_tap: list[Exchange] = []

    async def scenario() -> None:
        async with tapped_http(at_server, at_tap) as (_, tap):
            url = f"http://{tap.host}:{tap.port}"
            async with HttpClient(actor="source") as client:
                kind = [("Content-Type", "application/soap+xml"), ("X-Two", "a"), ("X-Two", "b")]
                body = b"<x/>" * 40_000
                answer = await client.request("POST", url + "/echo?a=1", headers=kind, content=body)
                assert answer.body == body
                await client.request("GET", url + "/echo")
                await client.request("HEAD", url + "/echo")
                await client.request("GET", url + "/crash")

    run(scenario())
    assert len(at_tap) == 4
    assert [told(one) for one in at_tap] == [told(one) for one in at_server]
    assert len({one.connection for one in at_tap}) == 1


def test_half_an_answer_is_half_an_answer_to_all() -> None:
    at_tap: list[Exchange] = []

    async def scenario() -> None:
        tapped = tapped_http([], at_tap)
        async with tapped as (_, tap), HttpClient(actor="source") as client:
            with pytest.raises(Interrupted):
                await client.request("GET", f"http://{tap.host}:{tap.port}/half")
            with pytest.raises(HttpFailure):
                await client.request("GET", f"http://{tap.host}:{tap.port}/nothing")

    run(scenario())
    half, nothing = at_tap
    assert (half.outcome, nothing.outcome) == (Outcome.ABORTED, Outcome.ABORTED)
    assert half.response is not None
    assert half.response.truncated
    assert nothing.response is None


def test_mutual_tls_is_ended_and_begun_again(pki: Any) -> None:
    at_server: list[Exchange] = []
    at_tap: list[Exchange] = []
    begun = TapTls(
        shown=pki.serving("optional"), towards=pki.calling(pki.client), server_name="db.kit.test"
    )

    async def scenario() -> None:
        options = {"server": pki.serving("required"), "tap": begun}
        tapped = tapped_http(at_server, at_tap, **options)
        calling = HttpClient(actor="source", tls=pki.calling(pki.client))
        async with tapped as (_, tap), calling as client:
            answer = await client.request("GET", f"https://{tap.host}:{tap.port}/who")
            assert answer.body == b"2 TLSv1.3"

    run(scenario())
    (exchange,) = at_tap
    assert exchange.peer == "consumer.kit.test"
    assert exchange.tls is not None
    assert at_server[0].tls is not None
    assert exchange.tls.peer_chain == at_server[0].tls.peer_chain


def test_a_neighbour_that_does_not_want_our_certificate(pki: Any) -> None:
    at_tap: list[Exchange] = []
    begun = TapTls(
        shown=pki.serving(), towards=pki.calling(pki.stranger), server_name="db.kit.test"
    )

    async def scenario() -> None:
        options = {"server": pki.serving("required"), "tap": begun}
        tapped = tapped_http([], at_tap, **options)
        calling = HttpClient(actor="source", tls=pki.calling())
        async with tapped as (_, tap), calling as client:
            with pytest.raises(HttpFailure):
                await client.request("GET", f"https://{tap.host}:{tap.port}/who")

    run(scenario())
    (exchange,) = at_tap
    assert exchange.outcome is not Outcome.ANSWERED
    assert "UNKNOWN_CA" in exchange.reason


ASKED = (
    b"POST /one HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
    b"HEAD /two HTTP/1.1\r\nHost: a\r\n\r\n"
    b"PUT /three HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nde"
)
ANSWERED = (
    b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nfg"
    b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n"
    b"HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\nuntil the end"
)


def cut(data: bytes, places: list[int]) -> Iterator[bytes]:
    bounds = sorted({0, len(data), *(place % len(data) for place in places)})
    return (data[a:b] for a, b in itertools.pairwise(bounds))


@given(st.lists(st.integers(0, 500)), st.lists(st.integers(0, 500)))
def test_however_the_bytes_come(asked: list[int], answered: list[int]) -> None:
    """Three questions sent at once, chunked, without body, and answered until the end."""
    seen: list[Exchange] = []
    ear = HttpEar(LINE, Witness(actor="psc", observe=seen.append))
    for piece in cut(ASKED, asked):
        ear.hear(Side.CALLER, piece)
    for piece in cut(ANSWERED, answered):
        ear.hear(Side.CALLED, piece)
    ear.ended(Side.CALLED)
    ear.over("fin")
    assert [
        (one.request.start_line, one.request.body, one.response.start_line, one.response.body)
        for one in seen
        if one.request and one.response
    ] == [
        ("POST /one HTTP/1.1", b"abc", "HTTP/1.1 200 OK", b"fg"),
        ("HEAD /two HTTP/1.1", b"", "HTTP/1.1 200 OK", b""),
        ("PUT /three HTTP/1.1", b"de", "HTTP/1.1 404 Not Found", b"until the end"),
    ]
    assert {one.outcome for one in seen} == {Outcome.ANSWERED}


def test_what_is_not_http_passes_and_is_told() -> None:
    async def scenario(seen: list[Exchange]) -> None:
        neighbour = Neighbour([b"answer"])
        witness = Witness(actor="dmp", observe=seen.append)
        async with between(neighbour, HttpEar(LINE, witness), witness) as (tap, _):
            reader, writer = await asyncio.open_connection(tap.host, tap.port)
            writer.write(b"\x00\x01 no HTTP\r\n\r\n")
            writer.write_eof()
            assert await reader.read() == b"answer"
            writer.close()

    seen: list[Exchange] = []
    run(scenario(seen))
    exchange, deaf = seen
    assert (deaf.transaction, deaf.outcome) == ("connexion", Outcome.ABORTED)
    assert exchange.outcome is Outcome.ABORTED
    assert exchange.request is not None
    assert exchange.request.body == b"\x00\x01 no HTTP\r\n\r\n"
    assert "HTTP illisible" in exchange.reason


# MLLP -----------------------------------------------------------------------------------------


def test_mllp_is_told_as_the_server_tells_it() -> None:
    at_server: list[Exchange] = []
    at_tap: list[Exchange] = []

    async def answer(message: bytes, peer: PeerInfo) -> bytes | None:
        return b"ACK " + message if message != b"silence" else None

    async def scenario() -> None:
        server = await serve_mllp(answer, actor="source", observe=at_server.append)
        witness = Witness(actor="source", observe=at_tap.append)
        tap = await open_tap(MllpEar, witness, (server.host, server.port))
        async with MllpClient(tap.host, tap.port, actor="ris", observe=ignore) as client:
            assert await client.send(b"one", timeout=5) == b"ACK one"
        reader, writer = await asyncio.open_connection(tap.host, tap.port)
        writer.write(b"junk" + frame(b"two") + frame(b"silence") + b"\x0bnever ended")
        assert await reader.readuntil(b"\r") == frame(b"ACK two")
        writer.write_eof()
        await reader.read()
        writer.close()
        await tap.stop()
        await server.stop()

    run(scenario())
    assert len(at_tap) == 4
    assert [told(one) for one in at_tap] == [told(one) for one in at_server]


def test_a_neighbour_that_calls(seen: list[Exchange]) -> None:
    """A real RIS: what it sends goes out in its name."""
    witness = Witness(actor="ris", observe=seen.append, direction=Direction.OUT, peer="source")
    ear = MllpEar(LINE, witness)
    ear.hear(Side.CALLER, frame(b"message"))
    ear.hear(Side.CALLED, frame(b"ack"))
    (exchange,) = seen
    assert (exchange.actor, exchange.peer) == ("ris", "source")
    assert exchange.direction is Direction.OUT
    assert exchange.response is not None
    assert exchange.response.body == b"ack"


# DIMSE ----------------------------------------------------------------------------------------


@contextmanager
def tapped_dimse(
    portal: BlockingPortal,
    handlers: Handlers,
    stored: Callable[[Stored], None] | None = None,
    **options: Any,
) -> Iterator[tuple[DimsePeer, list[Exchange], list[Exchange]]]:
    at_server: list[Exchange] = []
    at_tap: list[Exchange] = []
    server = serve_dimse(
        handlers, ae_title="PACS", actor="pacs", observe=at_server.append,
        storage={CT: [EXPLICIT, IMPLICIT]}, **options,
    )  # fmt: skip
    witness = Witness(actor="pacs", observe=at_tap.append)

    async def start() -> Tap:
        return await open_tap(
            lambda line, told: DimseEar(line, told, stored), witness, (server.host, server.port)
        )

    tap = portal.call(start)
    try:
        yield DimsePeer(tap.host, tap.port, "PACS"), at_server, at_tap
    finally:
        portal.call(tap.stop)
        server.stop()


def client() -> DimseClient:
    return DimseClient("BOX", actor="source", observe=ignore)


def test_dimse_is_told_as_the_provider_tells_it(portal: BlockingPortal) -> None:
    def find(request: Any) -> Iterator[Dataset]:
        for number in range(2):
            match = Dataset()
            match.QueryRetrieveLevel = "STUDY"
            match.StudyInstanceUID = f"1.2.{number}"
            yield match

    taken: list[Stored] = []
    file = (FILES / "CT_small.dcm").read_bytes()
    identifier = Dataset()
    identifier.QueryRetrieveLevel = "STUDY"
    identifier.StudyInstanceUID = "1.2.0\\1.2.1"
    handlers = Handlers(find=find, store=lambda _: 0)
    with tapped_dimse(portal, handlers, taken.append) as (peer, at_server, at_tap):
        client().echo(peer)
        assert len(client().find(peer, identifier)) == 2
        assert client().store(peer, [file]) == [0]
        with_tap, direct = [told(one) for one in at_tap], [told(one) for one in at_server]
    assert [one.transaction for one in at_tap] == ["C-ECHO", "C-FIND", "C-STORE"]
    assert with_tap == direct
    assert [one.keys for one in at_tap] == [one.keys for one in at_server]
    assert [one.peer for one in at_tap] == ["BOX"] * 3
    (instance,) = taken
    part10 = split_part10(file)
    assert instance.dataset == part10.dataset
    assert (instance.sop_instance, instance.transfer_syntax) == (part10.sop_instance, EXPLICIT)


def test_what_was_not_kept_is_not_stored(portal: BlockingPortal) -> None:
    taken: list[Stored] = []
    file = (FILES / "CT_small.dcm").read_bytes()
    with tapped_dimse(portal, Handlers(store=lambda _: 0xA700), taken.append) as (peer, _, at_tap):
        assert client().store(peer, [file]) == [0xA700]
    assert not taken
    assert [one.transaction for one in at_tap] == ["C-STORE"]


def test_a_rejected_association_is_told(portal: BlockingPortal) -> None:
    rejected = tapped_dimse(portal, Handlers(), calling_ae_titles={"OTHER"})
    with rejected as (peer, _, at_tap), pytest.raises(DimseFailure):
        client().echo(peer)
    (exchange,) = at_tap
    assert (exchange.outcome, exchange.transaction) == (Outcome.REFUSED, "A-ASSOCIATE")
    assert exchange.request is not None
    assert exchange.request.header("CallingAETitle") == "BOX"


@given(st.lists(st.integers(0, 10_000)), st.binary(max_size=40))
def test_hostile_pdus_only_make_deaf(places: list[int], noise: bytes) -> None:
    """An association request of ours, cut and followed by anything: the ear says so or goes on."""
    from pynetdicom import AE
    from pynetdicom.pdu import A_ASSOCIATE_RQ
    from pynetdicom.pdu_primitives import A_ASSOCIATE

    primitive = A_ASSOCIATE()
    primitive.application_context_name = "1.2.840.10008.3.1.1.1"
    primitive.calling_ae_title, primitive.called_ae_title = "BOX", "PACS"
    primitive.presentation_context_definition_list = AE().requested_contexts
    pdu = A_ASSOCIATE_RQ()
    pdu.from_primitive(primitive)
    ear = DimseEar(LINE, Witness(actor="pacs", observe=ignore))
    data = pdu.encode()
    for piece in cut(data, places):
        ear.hear(Side.CALLER, piece)
    assert ear._association.calling_ae == "BOX"
    try:
        ear.hear(Side.CALLER, noise)
    except Exception:  # the relay's guard takes any of them
        ear.over("illisible")


# Sealed ---------------------------------------------------------------------------------------


def test_sealed_bytes_are_counted_and_the_certificate_is_the_neighbour_s(pki: Any) -> None:
    seen: list[Exchange] = []

    async def scenario() -> None:
        server = await serve_http(APP, actor="dmp", observe=ignore, tls=pki.serving("required"))
        witness = Witness(actor="dmp", observe=seen.append)
        tap = await open_tap(SealedEar, witness, (server.host, server.port))
        where = {"db.kit.test": f"{tap.host}:{tap.port}"}
        calling = HttpClient(actor="source", tls=pki.calling(pki.client), connect_to=where)
        async with calling as client:
            answer = await client.request("GET", "https://db.kit.test/who")
            assert answer.body == b"2 TLSv1.3"
        await tap.stop()
        await server.stop(grace=0)

    run(scenario())
    (exchange,) = seen
    assert (exchange.protocol, exchange.transaction) == ("TCP", "connexion")
    assert exchange.request is not None
    assert exchange.response is not None
    assert exchange.request.header("server_name") == "db.kit.test"
    assert not exchange.request.body
    assert exchange.request.size > 0
    assert exchange.response.size > 0


@given(st.binary(max_size=200))
def test_what_is_no_hello_asks_for_nobody(data: bytes) -> None:
    assert server_name(data) == ""
