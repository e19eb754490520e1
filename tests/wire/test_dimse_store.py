"""Our own upper layer for C-STORE and C-ECHO: strangers at either end, and what they do wrong."""

from __future__ import annotations

import logging
import socket
import struct
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pydicom
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.dataset import Dataset
from pynetdicom import AE, build_role, evt
from pynetdicom import association as pynetdicom_association
from pynetdicom.dsutils import encode

from protocols.dicom import split_part10
from protocols.dimse import (
    HEAD,
    Abort,
    AssociateAccept,
    Association,
    Command,
    CommandReceived,
    DataReceived,
    ReleaseRequest,
    Role,
    negotiated,
)
from wire.dimse import (
    AbortAssociation,
    AssociationInfo,
    DimseClient,
    DimseFailure,
    DimsePeer,
    DimseRefusal,
    DimseServer,
    FindRequest,
    Handlers,
    StoreRequest,
    serve_dimse,
)
from wire.dimse.identifiers import encoded
from wire.exchange import Exchange, Outcome, ignore

FILES = Path(pydicom.__file__).parent / "data" / "test_files"
MR, ECHO = "1.2.840.10008.5.1.4.1.1.4", "1.2.840.10008.1.1"
FIND, GET = "1.2.840.10008.5.1.4.1.2.2.1", "1.2.840.10008.5.1.4.1.2.2.3"
EXPLICIT = "1.2.840.10008.1.2.1"
FILE = (FILES / "MR_small.dcm").read_bytes()
PATIENCE_S = 20.0

Serve = Callable[..., tuple[DimsePeer, list[Exchange]]]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Start providers that end with the test; gives the peer to call and what it observed."""
    servers: list[DimseServer] = []

    def start(handlers: Handlers, **options: Any) -> tuple[DimsePeer, list[Exchange]]:
        seen: list[Exchange] = []
        options.setdefault("storage", {MR: [EXPLICIT]})
        server = serve_dimse(
            handlers, ae_title="PACS", actor="pacs", observe=seen.append, **options
        )
        servers.append(server)
        return DimsePeer("127.0.0.1", server.port, "PACS", "pacs"), seen

    yield start
    for server in servers:
        server.stop()


@pytest.fixture
def acceptors(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The associations that pynetdicom serves, one entry each."""
    started: list[str] = []
    start = pynetdicom_association.Association.start

    def spy(association: Any) -> None:
        if association.is_acceptor:
            started.append(association.name)
        start(association)

    monkeypatch.setattr(pynetdicom_association.Association, "start", spy)
    return started


def collecting(received: list[StoreRequest]) -> Handlers:
    def store(request: StoreRequest) -> int:
        received.append(request)
        return 0x0000

    return Handlers(store=store, find=lambda request: ())


def stranger(peer: DimsePeer, *more: str, roles: bool = False) -> Any:
    """An association of pynetdicom's for MR and C-ECHO."""
    entity = AE("STRANGER")
    for syntax in (ECHO, *more):
        entity.add_requested_context(syntax)
    entity.add_requested_context(MR, EXPLICIT)
    association = entity.associate(
        peer.host, peer.port, ext_neg=[build_role(MR, scp_role=True)] if roles else []
    )
    assert association.is_established
    return association


@pytest.mark.parametrize(
    ("more", "roles", "whose"),
    [((), False, 0), ((FIND,), False, 0), ((GET,), False, 1), ((), True, 1)],
)
def test_a_stranger_stores_whoever_serves_it(
    serve: Serve, acceptors: list[str], more: tuple[str, ...], roles: bool, whose: int
) -> None:
    received: list[StoreRequest] = []
    peer, seen = serve(collecting(received))
    association = stranger(peer, *more, roles=roles)
    try:
        assert association.send_c_echo().Status == 0x0000
        assert association.send_c_store(pydicom.dcmread(FILES / "MR_small.dcm")).Status == 0x0000
    finally:
        association.release()
    assert len(acceptors) == whose
    (request,) = received
    assert (request.calling_ae, request.transfer_syntax) == ("STRANGER", EXPLICIT)
    assert pydicom.dcmread(FILES / "MR_small.dcm").SOPInstanceUID == request.sop_instance
    assert [(one.transaction, one.outcome) for one in seen] == [
        ("C-ECHO", Outcome.ANSWERED),
        ("C-STORE", Outcome.ANSWERED),
    ]
    # Both tell the same of it, to the order of the fields.
    stored = seen[1].request
    assert stored is not None
    assert [name for name, _ in stored.head] == [
        "AffectedSOPClassUID", "CommandField", "MessageID", "Priority", "CommandDataSetType",
        "AffectedSOPInstanceUID", "TransferSyntaxUID", "CallingAETitle", "CalledAETitle",
    ]  # fmt: skip
    assert seen[1].response is not None
    assert seen[1].response.header("Status") == "0x0000"


def test_we_store_at_a_stranger() -> None:
    received: list[bytes] = []

    def store(event: Any) -> int:
        received.append(event.request.DataSet.getvalue())
        return 0xB007

    entity = AE("PACS")
    entity.add_supported_context(MR, EXPLICIT)
    server = entity.start_server(
        ("127.0.0.1", 0), block=False, evt_handlers=[(evt.EVT_C_STORE, store)]
    )
    try:
        peer = DimsePeer("127.0.0.1", server.server_address[1], "PACS")
        seen: list[Exchange] = []
        client = DimseClient("BOX", actor="source", observe=seen.append)
        assert client.store(peer, [FILE, FILE]) == [0xB007, 0xB007]
    finally:
        server.shutdown()
    assert received == [split_part10(FILE).dataset] * 2
    assert [one.outcome for one in seen] == [Outcome.ANSWERED] * 2


class Rude:
    """An acceptor of one association that answers each C-STORE by `answer`."""

    def __init__(self, answer: Callable[[Association, CommandReceived], bytes]) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.peer = DimsePeer("127.0.0.1", self._listener.getsockname()[1], "RUDE")
        self._answer = answer
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        link, _ = self._listener.accept()
        association, asked = Association(Role.ACCEPTOR), None
        with link, suppress(OSError):
            while data := link.recv(65_536):
                association.feed(data)
                while (event := association.next_event()) is not None:
                    if isinstance(event, CommandReceived):
                        asked = event
                    elif isinstance(event, DataReceived):
                        if event.last and asked is not None:
                            link.sendall(self._answer(association, asked))
                    elif isinstance(event, (Abort, ReleaseRequest)):
                        return
                    else:
                        accept = AssociateAccept(
                            calling_ae=event.calling_ae,
                            called_ae=event.called_ae,
                            contexts=negotiated(event.contexts, {MR: (EXPLICIT,)}),
                            maximum_length=0,
                        )
                        link.sendall(association.send(accept))

    def close(self) -> None:
        self._listener.close()
        self._thread.join(PATIENCE_S)
        assert not self._thread.is_alive()


def response(asked: CommandReceived, **changes: int) -> Command:
    return Command(
        {
            "CommandField": 0x8001,
            "MessageIDBeingRespondedTo": asked.command.number("MessageID"),
            "CommandDataSetType": 0x0101,
            "Status": 0x0000,
            **changes,
        }
    )


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"MessageIDBeingRespondedTo": 9}, "réponse à un autre message"),
        ({"CommandField": 0x8030}, "opération 8030"),
        ({"Status": -1}, "sans Status"),
    ],
)
def test_an_answer_to_something_else_acknowledges_nothing(
    changes: dict[str, int], told: str
) -> None:
    def answer(association: Association, asked: CommandReceived) -> bytes:
        values = {**response(asked), **changes}
        kept = Command({name: value for name, value in values.items() if value != -1})
        return b"".join(association.message(asked.context_id, kept))

    rude = Rude(answer)
    seen: list[Exchange] = []
    client = DimseClient("BOX", actor="source", observe=seen.append, timeout=PATIENCE_S)
    with pytest.raises(DimseFailure) as caught:
        client.store(rude.peer, [FILE])
    rude.close()
    assert caught.value.kind == "aborted"
    assert [one.outcome for one in seen] == [Outcome.ABORTED]
    assert told in seen[0].reason


@pytest.mark.parametrize(
    ("answer", "kind", "told"),
    [
        (b"", "timeout", "pas de réponse à temps"),
        (Abort().encode(), "aborted", "A-ABORT reçu"),
        (b"\x09\0\0\0\0\0", "aborted", "PDU de type 09"),
        (ReleaseRequest().encode(), "aborted", "réponse inattendue"),
    ],
)
def test_a_receiver_that_does_not_answer_a_store(answer: bytes, kind: str, told: str) -> None:
    rude = Rude(lambda association, asked: answer)
    seen: list[Exchange] = []
    client = DimseClient("BOX", actor="source", observe=seen.append, timeout=0.3)
    part = split_part10(FILE)
    with client.open_store(rude.peer, [(part.sop_class, part.transfer_syntax)]) as session:
        for _ in range(2):
            # What was lost once is not found again by trying on the same association.
            with pytest.raises(DimseFailure) as caught:
                session.send(
                    part.dataset,
                    sop_class=part.sop_class,
                    sop_instance=part.sop_instance,
                    transfer_syntax=part.transfer_syntax,
                )
        assert caught.value.kind == "aborted"
    rude.close()
    assert [one.outcome for one in seen] == [
        Outcome.TIMED_OUT if kind == "timeout" else Outcome.ABORTED,
        Outcome.ABORTED,
    ]
    assert told in seen[0].reason
    assert "déjà interrompue" in seen[1].reason


def requestor(peer: DimsePeer) -> tuple[socket.socket, Association]:
    """An association of our own syntax, whose bytes a test writes."""
    from protocols.dimse import AssociateRequest, ProposedContext

    association = Association(Role.REQUESTOR)
    link = socket.create_connection((peer.host, peer.port), timeout=PATIENCE_S)
    contexts = tuple(
        ProposedContext(number, syntax, (EXPLICIT,))
        for number, syntax in ((1, MR), (3, ECHO), (5, FIND))
    )
    link.sendall(
        association.send(
            AssociateRequest(
                calling_ae="RAW", called_ae="PACS", contexts=contexts, maximum_length=0
            )
        )
    )
    assert isinstance(answered(link, association), AssociateAccept)
    return link, association


def answered(link: socket.socket, association: Association) -> Any:
    """The next event that comes; None when the connection ends."""
    while (event := association.next_event()) is None:
        data = link.recv(65_536)
        if not data:
            return None
        association.feed(data)
    return event


def asking(number: int = 1, **changes: int | str) -> Command:
    values: dict[str, int | str] = {
        "CommandField": 0x0001,
        "MessageID": number,
        "Priority": 0,
        "CommandDataSetType": 0x0001,
        "AffectedSOPClassUID": MR,
        "AffectedSOPInstanceUID": "1.2.3",
        **changes,
    }
    return Command({name: value for name, value in values.items() if value != ""})


@pytest.mark.parametrize(
    ("context", "changes", "status"),
    [
        (1, {}, 0x0000),
        (3, {}, 0x0122),
        (1, {"CommandField": 0x0140}, 0x0211),
    ],
)
def test_each_request_is_answered_on_its_context(
    serve: Serve, context: int, changes: dict[str, int], status: int
) -> None:
    peer, _ = serve(collecting([]))
    link, association = requestor(peer)
    with link:
        # A C-CANCEL of nothing is answered by nothing.
        cancel = Command({"CommandField": 0x0FFF, "MessageIDBeingRespondedTo": 1,
                          "CommandDataSetType": 0x0101})  # fmt: skip
        for piece in association.message(context, cancel):
            link.sendall(piece)
        for piece in association.message(context, asking(7, **changes), b"\0\0"):
            link.sendall(piece)
        event = answered(link, association)
        assert isinstance(event, CommandReceived)
        assert event.context_id == context
        assert event.command["Status"] == status
        assert event.command["MessageIDBeingRespondedTo"] == 7
        assert event.command["CommandField"] == asking(7, **changes).field | 0x8000


@pytest.mark.parametrize(
    "damage",
    [
        b"".join(bytes(one) for one in (HEAD.pack(4, 8), struct.pack(">LBB", 4, 9, 3), b"ab")),
        b"\x05\0\0\0\0\x04\0\0\0\0",
    ],
    ids=["unknown context", "release in a data set"],
)
def test_what_may_not_come_ends_the_association(
    serve: Serve, damage: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    peer, _ = serve(collecting([]))
    link, association = requestor(peer)
    with link, caplog.at_level(logging.WARNING):
        *pieces, _, _ = association.message(1, asking(), bytes(300_000))
        for piece in pieces:
            link.sendall(piece)
        link.sendall(damage)
        event = answered(link, association)
        assert event == Abort(2, 6)
        assert answered(link, association) is None
    assert len(caplog.records) == 1
    assert caplog.records[0].exc_info is None


@pytest.mark.parametrize("missing", ["MessageID", "AffectedSOPInstanceUID"])
def test_a_request_without_what_names_it_is_no_request(serve: Serve, missing: str) -> None:
    received: list[StoreRequest] = []
    peer, _ = serve(collecting(received))
    link, association = requestor(peer)
    with link:
        for piece in association.message(1, asking(**{missing: ""}), b"\0\0"):
            link.sendall(piece)
        assert answered(link, association) == Abort(2, 6)
    assert received == []


def finding(link: socket.socket, association: Association, keys: bytes) -> None:
    command = asking(7, CommandField=0x0020, AffectedSOPClassUID=FIND, AffectedSOPInstanceUID="")
    for piece in association.message(5, command, keys):
        link.sendall(piece)


@pytest.mark.parametrize(
    ("said", "ends"),
    [("cancel", 0xFE00), ("another request", Abort(2, 6)), ("nonsense", Abort(2, 6))],
)
def test_a_query_that_is_interrupted(serve: Serve, said: str, ends: int | Abort) -> None:
    entered, gate = threading.Event(), threading.Event()

    def find(request: FindRequest) -> Iterator[Any]:
        answer = Dataset()
        answer.PatientID = "1"
        yield answer
        entered.set()
        assert gate.wait(PATIENCE_S)
        while not request.cancelled():
            yield answer

    peer, _ = serve(Handlers(find=find))
    link, association = requestor(peer)
    with link:
        finding(link, association, b"")
        assert entered.wait(PATIENCE_S)
        cancel = Command({"CommandField": 0x0FFF, "MessageIDBeingRespondedTo": 7,
                          "CommandDataSetType": 0x0101})  # fmt: skip
        more = {
            "cancel": association.message(5, cancel),
            "another request": association.message(3, asking(8, CommandDataSetType=0x0101)),
            "nonsense": iter([b"\x09\0\0\0\0\0"]),
        }[said]
        link.sendall(b"".join(bytes(piece) for piece in more))
        gate.set()
        told: list[Any] = []
        while (event := answered(link, association)) is not None:
            told.append(event.command["Status"] if isinstance(event, CommandReceived) else event)
            if told[-1] == ends:
                break
        assert told[-1] == ends
        assert told[0] == 0xFF00


@given(
    texts=st.dictionaries(
        st.sampled_from(("PatientID", "AccessionNumber", "StudyDate", "PatientName",
                         "ModalitiesInStudy", "SeriesNumber", "PatientWeight", "StudyDescription",
                         "NumberOfFrames", "Rows", "ReferencedStudySequence")),
        st.sampled_from(("", "1", "12", "20261122", "A^B", ["CT", "MR"], [], "é", None)),
    ),
    implicit=st.booleans(),
)  # fmt: skip
def test_an_identifier_is_written_as_pydicom_writes_it(
    texts: dict[str, Any], implicit: bool
) -> None:
    made = Dataset()
    made.SpecificCharacterSet = "ISO_IR 192"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for keyword, value in texts.items():
            with suppress(Exception):
                # Some values are none of their VR.
                setattr(made, keyword, value)
        expected = encode(made, implicit, True)
        if expected is not None:
            assert encoded(made, implicit=implicit) == expected


def test_what_a_handler_raises(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    raised: list[Exception] = [
        DimseRefusal(0xA700, "plein é" + "x" * 80), ValueError("bug"), AbortAssociation(),
    ]  # fmt: skip

    def store(request: StoreRequest) -> int:
        raise raised.pop(0)

    peer, seen = serve(Handlers(store=store))
    client = DimseClient("BOX", actor="source", observe=ignore)
    with caplog.at_level(logging.ERROR):
        assert client.store(peer, [FILE, FILE]) == [0xA700, 0xC000]
        with pytest.raises(DimseFailure) as caught:
            client.store(peer, [FILE])
    assert caught.value.kind == "aborted"
    assert [record.exc_info is not None for record in caplog.records] == [True]
    assert [(one.outcome, one.reason) for one in seen] == [
        (Outcome.ANSWERED, ""), (Outcome.ANSWERED, ""), (Outcome.ABORTED, "A-ABORT émis"),
    ]  # fmt: skip
    assert seen[0].response is not None
    assert seen[0].response.header("ErrorComment") == "plein ?" + "x" * 57


def test_an_admission_that_breaks_ends_its_association_alone(serve: Serve) -> None:
    callers = iter((ValueError("bug"), None))

    def admit(association: AssociationInfo) -> None:
        if (error := next(callers)) is not None:
            raise error

    peer, _ = serve(Handlers(store=lambda request: 0, admit=admit))
    client = DimseClient("BOX", actor="source", observe=ignore)
    with pytest.raises(DimseFailure):
        client.store(peer, [FILE])
    assert client.store(peer, [FILE]) == [0x0000]


def test_no_acknowledged_instance_is_lost_by_short_associations(serve: Serve) -> None:
    """A short one; `make interop` plays 12,000."""
    lock, kept = threading.Lock(), set[str]()

    def store(request: StoreRequest) -> int:
        with lock:
            kept.add(request.sop_instance)
        return 0x0000

    peer, _ = serve(Handlers(store=store))
    part = split_part10(FILE)
    acknowledged: set[str] = set()

    def send(thread: int) -> None:
        client = DimseClient("BOX", actor="source", observe=ignore)
        for number in range(50):
            uid = f"1.2.{thread + 1}.{number + 1}"
            with client.open_store(peer, [(MR, EXPLICIT)]) as session:
                status = session.send(
                    part.dataset[:400], sop_class=MR, sop_instance=uid, transfer_syntax=EXPLICIT
                )
            if status == 0x0000:
                with lock:
                    acknowledged.add(uid)

    threads = [threading.Thread(target=send, args=(one,)) for one in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_S)
    assert len(acknowledged) == 200
    assert acknowledged <= kept
