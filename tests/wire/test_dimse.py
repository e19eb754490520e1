"""The DIMSE adapter: operations, refusals, what is observed, and pynetdicom's response race."""

from __future__ import annotations

import hashlib
import json
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pydicom
import pytest
from pydicom.dataset import Dataset
from pynetdicom import AE, evt

from protocols.dicom import split_part10
from protocols.errors import LocalProtocolError
from wire.dimse import (
    AbortAssociation,
    DimseClient,
    DimseFailure,
    DimsePeer,
    DimseRefusal,
    DimseServer,
    FindRequest,
    Handlers,
    MovePlan,
    MoveRequest,
    Outgoing,
    StoreRequest,
    is_failure,
    move_key,
    serve_dimse,
)
from wire.dimse.tuning import adopt
from wire.exchange import Direction, Exchange, Outcome, ignore

FILES = Path(pydicom.__file__).parent / "data" / "test_files"
CT, MR = "1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.5.1.4.1.1.4"
EXPLICIT, IMPLICIT = "1.2.840.10008.1.2.1", "1.2.840.10008.1.2"
JPEG_LS = "1.2.840.10008.1.2.4.80"
ECHO = "1.2.840.10008.1.1"

Serve = Callable[..., tuple[DimsePeer, list[Exchange]]]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Start providers that end with the test; gives the peer to call and what it observed."""
    servers: list[DimseServer] = []

    def start(handlers: Handlers, **options: Any) -> tuple[DimsePeer, list[Exchange]]:
        seen: list[Exchange] = []
        options.setdefault("storage", {CT: [EXPLICIT, JPEG_LS], MR: [EXPLICIT, JPEG_LS]})
        server = serve_dimse(
            handlers, ae_title="PACS", actor="pacs", observe=seen.append, **options
        )
        servers.append(server)
        return DimsePeer("127.0.0.1", server.port, "PACS", "pacs"), seen

    yield start
    for server in servers:
        server.stop()


def client(seen: list[Exchange] | None = None, **options: Any) -> DimseClient:
    observe = ignore if seen is None else seen.append
    return DimseClient("BOX", actor="source", observe=observe, **options)


def identifier(level: str = "STUDY", **keys: Any) -> Dataset:
    dataset = Dataset()
    dataset.QueryRetrieveLevel = level
    for keyword, value in keys.items():
        setattr(dataset, keyword, value)
    return dataset


def answer(uid: str) -> Dataset:
    return identifier(StudyInstanceUID=uid, AccessionNumber="ACN1", PatientID="IPP1")


def test_echo_is_observed_at_both_ends(serve: Serve) -> None:
    peer, at_server = serve(Handlers())
    at_client: list[Exchange] = []
    client(at_client).echo(peer)
    for seen, actor, other, direction in (
        (at_server, "pacs", "BOX", Direction.IN),
        (at_client, "source", "pacs", Direction.OUT),
    ):
        (exchange,) = seen
        assert exchange.protocol == "DIMSE"
        assert (exchange.actor, exchange.peer, exchange.direction) == (actor, other, direction)
        assert (exchange.transaction, exchange.outcome) == ("C-ECHO", Outcome.ANSWERED)
        assert exchange.response is not None
        assert exchange.response.header("Status") == "0x0000"
        assert exchange.mono_end >= exchange.mono_start


def test_find_gives_the_matches_and_keeps_the_bytes(serve: Serve) -> None:
    requests: list[FindRequest] = []

    def find(request: FindRequest) -> Iterator[Dataset]:
        requests.append(request)
        yield from (answer("1.2.1"), answer("1.2.2"))

    peer, seen = serve(Handlers(find=find))
    matches = client().find(peer, identifier(StudyInstanceUID="1.2.1\\1.2.2"), model="PATIENT")
    assert [match.StudyInstanceUID for match in matches] == ["1.2.1", "1.2.2"]
    (request,) = requests
    assert (request.model, request.association.calling_ae) == ("PATIENT", "BOX")
    (exchange,) = seen
    assert exchange.transaction == "C-FIND"
    assert exchange.request is not None
    assert exchange.response is not None
    assert exchange.request.body == request.raw
    assert exchange.request.header("TransferSyntaxUID") == request.transfer_syntax
    assert exchange.request.header("CallingAETitle") == "BOX"
    assert exchange.response.header("Matches") == "2"
    lines = [json.loads(line) for line in exchange.response.body.splitlines()]
    assert [line["0020000D"]["Value"] for line in lines] == [["1.2.1"], ["1.2.2"]]
    assert set(exchange.keys) == {"1.2.1", "1.2.2", "ACN1", "IPP1"}


def test_a_failure_status_after_partial_results(serve: Serve) -> None:
    def find(request: FindRequest) -> Iterator[Dataset]:
        yield answer("1.2.1")
        raise DimseRefusal(0xA700, "plein")

    peer, seen = serve(Handlers(find=find))
    with pytest.raises(DimseFailure) as caught:
        client().find(peer, identifier())
    assert (caught.value.kind, caught.value.status) == ("status", 0xA700)
    assert caught.value.comment == "plein"
    (exchange,) = seen
    assert exchange.response is not None
    assert exchange.response.header("Status") == "0xA700"
    assert exchange.response.header("Matches") == "1"


def test_an_abort_in_the_middle(serve: Serve) -> None:
    def find(request: FindRequest) -> Iterator[Dataset]:
        yield answer("1.2.1")
        raise AbortAssociation

    peer, at_server = serve(Handlers(find=find))
    at_client: list[Exchange] = []
    with pytest.raises(DimseFailure) as caught:
        client(at_client).find(peer, identifier())
    assert caught.value.kind == "aborted"
    assert [(e.transaction, e.outcome) for e in at_client] == [("C-FIND", Outcome.ABORTED)]
    assert [(e.transaction, e.outcome) for e in at_server] == [("C-FIND", Outcome.ABORTED)]
    assert at_client[0].reason == "A-ABORT reçu"


def test_a_provider_that_does_not_answer(serve: Serve) -> None:
    gate = threading.Event()

    def find(request: FindRequest) -> Iterator[Dataset]:
        gate.wait(10)
        yield answer("1.2.1")

    peer, _ = serve(Handlers(find=find))
    seen: list[Exchange] = []
    with pytest.raises(DimseFailure) as caught:
        client(seen, timeout=0.3).find(peer, identifier())
    gate.set()
    assert caught.value.kind == "timeout"
    assert [(e.transaction, e.outcome) for e in seen] == [("C-FIND", Outcome.TIMED_OUT)]


def test_nobody_listens() -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        peer = DimsePeer("127.0.0.1", held.getsockname()[1], "PACS", "pacs")
        seen: list[Exchange] = []
        with pytest.raises(DimseFailure) as caught:
            client(seen).echo(peer)
    assert caught.value.kind == "refused"
    assert [(e.transaction, e.outcome, e.peer) for e in seen] == [
        ("C-ECHO", Outcome.REFUSED, "pacs")
    ]


def test_somebody_listens_and_says_nothing() -> None:
    with socket.socket() as mute:
        mute.bind(("127.0.0.1", 0))
        mute.listen()
        peer = DimsePeer("127.0.0.1", mute.getsockname()[1], "PACS")
        seen: list[Exchange] = []
        with pytest.raises(DimseFailure) as caught:
            client(seen, connect_timeout=0.3).echo(peer)
    assert caught.value.kind == "timeout"
    assert [e.outcome for e in seen] == [Outcome.TIMED_OUT]


@pytest.mark.parametrize("options", [{"calling_ae_titles": {"OTHER"}}, {"check_called_ae": True}])
def test_a_rejected_association_is_seen_by_both(serve: Serve, options: dict[str, Any]) -> None:
    peer, at_server = serve(Handlers(), **options)
    at_client: list[Exchange] = []
    unknown = DimsePeer(peer.host, peer.port, "WRONG")
    with pytest.raises(DimseFailure) as caught:
        client(at_client).echo(unknown)
    assert caught.value.kind == "refused"
    assert "not recognised" in caught.value.comment
    assert [(e.transaction, e.outcome) for e in at_client] == [("C-ECHO", Outcome.REFUSED)]
    (exchange,) = at_server
    assert (exchange.transaction, exchange.outcome) == ("A-ASSOCIATE", Outcome.REFUSED)
    assert exchange.peer == "BOX"
    assert exchange.request is not None
    assert exchange.request.header("CalledAETitle") == "WRONG"


def test_a_service_that_is_not_offered(serve: Serve) -> None:
    peer, _ = serve(Handlers())
    with pytest.raises(DimseFailure) as caught:
        client().find(peer, identifier())
    assert caught.value.kind == "refused"
    assert "contexte" in caught.value.comment


def collector(received: list[StoreRequest], status: int = 0x0000) -> Handlers:
    def store(request: StoreRequest) -> int:
        received.append(request)
        return status

    return Handlers(store=store)


@pytest.mark.parametrize("name", ["CT_small.dcm", "MR_small_jpeg_ls_lossless.dcm"])
def test_stored_bytes_are_those_of_the_file(serve: Serve, name: str) -> None:
    received: list[StoreRequest] = []
    peer, seen = serve(collector(received))
    data = (FILES / name).read_bytes()
    assert client().store(peer, [data]) == [0x0000]
    file = split_part10(data)
    (request,) = received
    assert request.dataset == file.dataset
    assert request.transfer_syntax == file.transfer_syntax
    assert (request.sop_class, request.sop_instance) == (file.sop_class, file.sop_instance)
    assert (request.move_originator_ae, request.move_originator_message_id) == ("", None)
    (exchange,) = seen
    payload = exchange.request
    assert payload is not None
    assert payload.truncated
    assert (payload.size, payload.sha256) == (
        len(file.dataset),
        hashlib.sha256(file.dataset).hexdigest(),
    )
    assert file.dataset.startswith(payload.body)
    assert file.dataset[len(payload.body) :].startswith(b"\xe0\x7f\x10\x00")
    study = pydicom.dcmread(FILES / name).StudyInstanceUID
    assert study in exchange.keys


def test_implicit_is_made_explicit_only_when_nothing_else_is_accepted(serve: Serve) -> None:
    data = (FILES / "MR_small_implicit.dcm").read_bytes()
    original = split_part10(data)
    for accepted, expected in (([EXPLICIT], EXPLICIT), ([EXPLICIT, IMPLICIT], IMPLICIT)):
        received: list[StoreRequest] = []
        peer, _ = serve(collector(received), storage={MR: accepted})
        assert client().store(peer, [data]) == [0x0000]
        assert received[0].transfer_syntax == expected
        assert (received[0].dataset == original.dataset) is (expected == IMPLICIT)
        assert received[0].dataset[-1000:] == original.dataset[-1000:]


def test_a_transfer_syntax_that_is_refused(serve: Serve) -> None:
    peer, at_server = serve(collector([]), storage={MR: [EXPLICIT]})
    seen: list[Exchange] = []
    jpeg_ls = (FILES / "MR_small_jpeg_ls_lossless.dcm").read_bytes()
    explicit = (FILES / "MR_small.dcm").read_bytes()
    with pytest.raises(DimseFailure) as caught:
        client(seen).store(peer, [explicit, jpeg_ls])
    assert caught.value.kind == "refused"
    assert [(e.transaction, e.outcome) for e in seen] == [
        ("C-STORE", Outcome.ANSWERED),
        ("C-STORE", Outcome.REFUSED),
    ]
    assert len(at_server) == 1


def test_a_failure_status_of_a_store_is_returned(serve: Serve) -> None:
    peer, _ = serve(collector([], status=0xA700))
    assert client().store(peer, [(FILES / "CT_small.dcm").read_bytes()]) == [0xA700]
    assert is_failure(0xA700)
    assert not is_failure(0xB000)


def outgoing(name: str) -> Outgoing:
    file = split_part10((FILES / name).read_bytes())
    return Outgoing(
        sop_class=file.sop_class,
        sop_instance=file.sop_instance,
        transfer_syntax=file.transfer_syntax,
        dataset=lambda: file.dataset,
    )


def mover(
    destination: DimsePeer, instances: list[Outgoing], plan: Iterator[Outgoing] | None = None
) -> Handlers:
    def move(request: MoveRequest) -> MovePlan:
        if request.destination != destination.ae_title:
            raise DimseRefusal(0xA801, "destination inconnue")
        return MovePlan(
            destination=destination,
            count=len(instances),
            instances=instances if plan is None else plan,
            contexts=[(one.sop_class, one.transfer_syntax) for one in instances],
        )

    return Handlers(move=move)


def test_a_move_ties_its_stores_to_itself(serve: Serve) -> None:
    received: list[StoreRequest] = []
    destination, at_destination = serve(collector(received))
    instances = [outgoing("CT_small.dcm"), outgoing("MR_small_jpeg_ls_lossless.dcm")]
    peer, at_pacs = serve(mover(destination, instances))
    at_box: list[Exchange] = []
    progress: list[Any] = []
    result = client(at_box).move(
        peer, identifier(StudyInstanceUID="1.2"), destination="PACS", message_id=4242,
        progress=progress.append,
    )  # fmt: skip
    assert (result.status, result.completed, result.failed) == (0x0000, 2, 0)
    assert [(step.completed, step.remaining) for step in progress] == [(1, 1)]
    assert [one.dataset for one in received] == [one.dataset() for one in instances]
    for one in received:
        assert (one.move_originator_ae, one.move_originator_message_id) == ("BOX", 4242)
    key = move_key("BOX", 4242)
    assert [e.transaction for e in at_pacs] == ["C-STORE", "C-STORE", "C-MOVE"]
    assert all(key in e.keys for e in (*at_pacs, *at_box, *at_destination))
    assert {e.direction for e in at_pacs if e.transaction == "C-STORE"} == {Direction.OUT}


def test_a_move_of_nothing(serve: Serve) -> None:
    peer, _ = serve(mover(DimsePeer("127.0.0.1", 1, "NOBODY"), []))
    result = client().move(peer, identifier(), destination="NOBODY")
    assert (result.status, result.completed) == (0x0000, 0)


def test_moves_that_fail(serve: Serve) -> None:
    destination, _ = serve(collector([]), storage={CT: [EXPLICIT]})
    both = [outgoing("CT_small.dcm"), outgoing("MR_small.dcm")]
    peer, _ = serve(mover(destination, both))
    with pytest.raises(DimseFailure) as caught:
        client().move(peer, identifier(), destination="ELSEWHERE")
    assert caught.value.status == 0xA801

    # One SOP class is refused: a warning, and the instance is named.
    result = client().move(peer, identifier(), destination="PACS")
    assert (result.status, result.completed, result.failed) == (0xB000, 1, 1)
    assert result.failed_instances == (both[1].sop_instance,)

    # All are: a failure.
    peer, _ = serve(mover(destination, both[1:]))
    with pytest.raises(DimseFailure) as caught:
        client().move(peer, identifier(), destination="PACS")
    assert caught.value.status == 0xA702

    # The destination does not answer.
    peer, _ = serve(mover(DimsePeer("127.0.0.1", 1, "PACS"), both))
    with pytest.raises(DimseFailure) as caught:
        client().move(peer, identifier(), destination="PACS")
    assert caught.value.status == 0xA702
    assert caught.value.result is not None
    assert caught.value.result.failed == 2


def test_a_move_cut_in_the_middle(serve: Serve) -> None:
    received: list[StoreRequest] = []
    destination, _ = serve(collector(received))
    instances = [outgoing("CT_small.dcm"), outgoing("MR_small.dcm")]

    def failing() -> Iterator[Outgoing]:
        yield instances[0]
        raise DimseRefusal(0xA702, "panne")

    peer, _ = serve(mover(destination, instances, failing()))
    with pytest.raises(DimseFailure) as caught:
        client().move(peer, identifier(), destination="PACS")
    result = caught.value.result
    assert result is not None
    assert (result.status, result.completed, result.failed) == (0xA702, 1, 1)
    assert len(received) == 1

    def aborting() -> Iterator[Outgoing]:
        yield instances[0]
        raise AbortAssociation

    peer, seen = serve(mover(destination, instances, aborting()))
    with pytest.raises(DimseFailure) as caught:
        client().move(peer, identifier(), destination="PACS")
    assert caught.value.kind == "aborted"
    assert [(e.transaction, e.outcome) for e in seen] == [
        ("C-STORE", Outcome.ANSWERED),
        ("C-MOVE", Outcome.ABORTED),
    ]


def test_a_damaged_identifier_is_refused(serve: Serve) -> None:
    asked: list[MoveRequest] = []

    def move(request: MoveRequest) -> MovePlan:
        asked.append(request)
        raise DimseRefusal(0xA801)

    peer, _ = serve(Handlers(move=move, find=lambda request: iter(())))
    damaged = identifier(StudyInstanceUID="1.2")
    damaged.add_new(0x00080005, "CS", "ISO_IR 100")
    with pytest.raises(DimseFailure) as caught:
        client().move(peer, damaged, destination="X")
    assert caught.value.status == 0xA801
    assert len(asked) == 1


def test_stop_frees_the_port_and_ends_what_is_going_on() -> None:
    entered, gate = threading.Event(), threading.Event()

    def find(request: FindRequest) -> Iterator[Dataset]:
        entered.set()
        gate.wait(10)
        return iter(())

    server = serve_dimse(Handlers(find=find), ae_title="A", actor="a", observe=ignore)
    failures: list[DimseFailure] = []

    def ask() -> None:
        try:
            client(timeout=10).find(DimsePeer("127.0.0.1", server.port, "A"), identifier())
        except DimseFailure as failure:
            failures.append(failure)

    thread = threading.Thread(target=ask)
    thread.start()
    assert entered.wait(5)
    # Somebody else is connected and has not asked for an association yet.
    with socket.create_connection(("127.0.0.1", server.port), timeout=5):
        server.stop()
        server.stop()
    gate.set()
    thread.join(timeout=10)
    assert not thread.is_alive()
    assert [failure.kind for failure in failures] == ["aborted"]
    again = serve_dimse(Handlers(), ae_title="A", actor="a", observe=ignore, port=server.port)
    assert again.port == server.port
    again.stop()


def test_no_delay_is_set_at_both_ends(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []

    def spy(association: Any) -> None:
        adopt(association)
        sock = association.dul.socket.socket
        seen.append(sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))

    monkeypatch.setattr("wire.dimse.client.adopt", spy)
    monkeypatch.setattr("wire.dimse.server.adopt", spy)
    destination = DimsePeer("127.0.0.1", 1, "NOBODY")
    peer, _ = serve(mover(destination, []))
    client().move(peer, identifier(), destination="NOBODY")
    assert [bool(value) for value in seen] == [True, True]


def test_a_paused_reactor_takes_no_response(serve: Serve) -> None:
    """pynetdicom's race, step by step: without `adopt` the reactor would take the message."""
    peer, _ = serve(Handlers())
    entity = AE("BOX")
    entity.add_requested_context(ECHO)
    association = entity.associate(
        peer.host, peer.port, evt_handlers=[(evt.EVT_CONN_OPEN, lambda e: adopt(e.assoc))]
    )
    assert association.is_established
    association._reactor_checkpoint.clear()
    association.dimse.msg_queue.put((1, "response"))
    # What a reactor that had already passed its checkpoint does next:
    assert association.dimse.get_msg(block=False) == (None, None)
    # What the sender does:
    assert association.dimse.get_msg(block=True) == (1, "response")
    association._reactor_checkpoint.set()
    association.release()


def test_no_response_is_lost_by_concurrent_senders(serve: Serve) -> None:
    received: list[StoreRequest] = []
    peer, _ = serve(collector(received))
    data = (FILES / "MR_small.dcm").read_bytes()
    statuses: list[int] = []

    def send() -> None:
        statuses.extend(client(timeout=5).store(peer, [data] * 40))

    threads = [threading.Thread(target=send) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert statuses == [0x0000] * 160
    assert len(received) == 160


def test_our_own_mistakes(serve: Serve) -> None:
    with pytest.raises(LocalProtocolError):
        DimseClient("A" * 17, actor="a", observe=ignore)
    peer, _ = serve(Handlers())
    contexts = [(f"1.2.{number}", JPEG_LS) for number in range(129)]
    with pytest.raises(LocalProtocolError), client().open_store(peer, contexts):
        pass
