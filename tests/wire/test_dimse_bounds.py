"""DIMSE peers that stop in the middle or talk nonsense: let go of in time, and nobody kept out."""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress

import pytest
from pynetdicom import AE, evt

from wire.dimse import DimseClient, DimseFailure, DimsePeer, DimseServer, Handlers, serve_dimse
from wire.dimse import server as served
from wire.dimse.bounds import LONGEST_PDU
from wire.exchange import ignore

ECHO, MOVE = "1.2.840.10008.1.1", "1.2.840.10008.5.1.4.1.2.2.2"
ABORT, ACCEPT, REJECT = b"\x07", b"\x02", b"\x03"
PATIENCE_S = 20.0
"""Only what never ends is found by it."""


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[DimseServer]:
    """A listener with room for one, that waits for nobody long."""
    monkeypatch.setattr(served, "_IDLE_S", 0.1)
    monkeypatch.setattr(served, "_MOST_ASSOCIATIONS", 1)
    started = serve_dimse(
        Handlers(find=lambda request: ()),
        ae_title="A",
        actor="a",
        observe=ignore,
        association_timeout=0.3,
        timeout=0.3,
    )
    yield started
    started.stop()


def client() -> DimseClient:
    return DimseClient("BOX", actor="b", observe=ignore, timeout=0.3, connect_timeout=0.3)


def spoken(server: DimseServer, *more: str) -> list[bytes]:
    """The PDUs of an association, a C-ECHO and its release, as pynetdicom sends them.

    With nothing but C-ECHO proposed, what serves it is ours; with `more`, pynetdicom.
    """
    sent: list[bytes] = []
    entity = AE()
    for syntax in (ECHO, *more):
        entity.add_requested_context(syntax)
    association = entity.associate(
        server.host,
        server.port,
        evt_handlers=[(evt.EVT_DATA_SENT, lambda event: sent.append(bytes(event.data)))],
    )
    association.send_c_echo()
    association.release()
    gone(server)
    return sent


def gone(server: DimseServer) -> None:
    """Every association of the listener has ended, and its place is free."""
    assert server.wait_idle(PATIENCE_S)


def converse(server: DimseServer, *pieces: bytes) -> bytes:
    """What comes back until the listener closes; each piece once the one before was answered."""
    answer = bytearray()
    with socket.create_connection((server.host, server.port), timeout=PATIENCE_S) as link:
        for number, piece in enumerate(pieces):
            link.sendall(piece)
            if number < len(pieces) - 1:
                answer += link.recv(65536)
        with suppress(ConnectionResetError):
            while data := link.recv(65536):
                answer += data
    return bytes(answer)


@pytest.mark.parametrize("more", [(), (MOVE,)], ids=["ours", "pynetdicom"])
@pytest.mark.parametrize(
    "stop", ["nothing", "half a head", "half a request", "too long", "unknown type", "half a PDU"]
)
def test_a_peer_that_says_nothing_more_gives_its_place_back(
    server: DimseServer, stop: str, more: tuple[str, ...]
) -> None:
    associate, echo, _ = spoken(server, *more)
    pieces = {
        "nothing": [b""],
        "half a head": [associate[:3]],
        "half a request": [associate[:50]],
        "too long": [b"\x01\x00" + (LONGEST_PDU + 1).to_bytes(4, "big") + b"abc"],
        "unknown type": [b"\x20\x00\x00\x00\x00\x04abcd"],
        "half a PDU": [associate, echo[:20]],
    }[stop]
    answer = converse(server, *pieces)
    assert answer[:1] == {"unknown type": ABORT, "half a PDU": ACCEPT}.get(stop, b"")
    gone(server)
    client().echo(DimsePeer(server.host, server.port, "A"))


@pytest.mark.parametrize(
    "damage",
    [b"\x04\0\0\0\0\x09\0\0\0\x05\x01\x03abc", b"\x04\0\0\0\0\x04\0\0\0\0"],
    ids=["no command", "empty"],
)
@pytest.mark.parametrize("more", [(), (MOVE,)], ids=["ours", "pynetdicom"])
def test_nonsense_is_answered_by_an_abort_and_leaves_no_trace(
    server: DimseServer, damage: bytes, more: tuple[str, ...], caplog: pytest.LogCaptureFixture
) -> None:
    associate = spoken(server, *more)[0]
    with caplog.at_level(logging.WARNING):
        answer = converse(server, associate, damage)
        gone(server)
    size = int.from_bytes(answer[2:6], "big")
    assert answer[:1] == ACCEPT
    assert answer[6 + size :][:1] == ABORT
    assert caplog.records
    assert not any(record.exc_info for record in caplog.records)


def test_who_leaves_before_asking_frees_the_place_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(served, "_MOST_ASSOCIATIONS", 1)
    server = serve_dimse(
        Handlers(), ae_title="A", actor="a", observe=ignore, association_timeout=10 * PATIENCE_S
    )
    with socket.create_connection((server.host, server.port), timeout=PATIENCE_S) as link:
        link.sendall(b"\x01\x00")
        link.shutdown(socket.SHUT_WR)
        assert link.recv(1) == b""
    gone(server)
    server.stop()


@pytest.mark.parametrize("more", [(), (MOVE,)], ids=["ours", "pynetdicom"])
def test_stopping_does_not_wait_for_half_a_pdu(more: tuple[str, ...]) -> None:
    handlers = Handlers(find=lambda request: ())
    server = serve_dimse(handlers, ae_title="A", actor="a", observe=ignore)
    associate, echo, _ = spoken(server, *more)
    with socket.create_connection((server.host, server.port), timeout=PATIENCE_S) as link:
        link.sendall(associate)
        assert link.recv(65536)[:1] == ACCEPT
        link.sendall(echo[:20])
        stopping = threading.Thread(target=server.stop, daemon=True)
        stopping.start()
        stopping.join(PATIENCE_S)
        assert not stopping.is_alive()


@pytest.mark.parametrize("whole", [0, 1], ids=["association", "echo"])
def test_a_provider_that_stops_in_the_middle_of_an_answer(whole: int) -> None:
    """The caller's side: it gives up after its time-out, as for a provider that says nothing."""
    server = serve_dimse(Handlers(), ae_title="A", actor="a", observe=ignore)
    ended: list[str] = []

    def ask(port: int) -> None:
        try:
            client().echo(DimsePeer("127.0.0.1", port, "A"))
        except DimseFailure as failure:
            ended.append(failure.kind)

    with socket.create_server(("127.0.0.1", 0)) as between:
        asking = threading.Thread(target=ask, args=(between.getsockname()[1],), daemon=True)
        asking.start()
        near, _ = between.accept()
        with near, socket.create_connection((server.host, server.port)) as far:
            for _ in range(whole):
                far.sendall(near.recv(65536))
                near.sendall(far.recv(65536))
            far.sendall(near.recv(65536))
            near.sendall(far.recv(65536)[:8])
            asking.join(PATIENCE_S)
            assert not asking.is_alive()
    server.stop()
    assert ended == ["timeout"]


@pytest.mark.parametrize("more", [(), (MOVE,)], ids=["ours", "pynetdicom"])
def test_a_caller_that_states_no_maximum_length_is_rejected(
    server: DimseServer, more: tuple[str, ...]
) -> None:
    # Nothing could be answered to it: how long a fragment may be would not be known.
    request, *_ = spoken(server, *more)
    at = request.index(b"\x51\x00\x00\x04")
    bare = bytearray(request[:at] + request[at + 8 :])
    for length in (2, request.index(b"\x50\x00", 74) + 2):
        width = 4 if length == 2 else 2
        size = int.from_bytes(bare[length : length + width], "big") - 8
        bare[length : length + width] = size.to_bytes(width, "big")
    assert converse(server, bytes(bare))[:1] == REJECT
    gone(server)
    client().echo(DimsePeer(server.host, server.port, "A"))
