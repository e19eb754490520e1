"""The DICOM upper layer, sans-IO: any split of the bytes, any fragment size, hostile lengths."""

from __future__ import annotations

import itertools
import struct
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pynetdicom.pdu import A_ASSOCIATE_AC, A_ASSOCIATE_RQ

from protocols.dimse import (
    HEAD,
    LONGEST_COMMAND,
    LONGEST_PDU,
    NO_DATA_SET,
    WITH_DATA_SET,
    Abort,
    AssociateAccept,
    AssociateReject,
    AssociateRequest,
    Association,
    Command,
    CommandReceived,
    ContextAnswer,
    DataReceived,
    Operation,
    PduType,
    ProposedContext,
    ReleaseReply,
    ReleaseRequest,
    Role,
    State,
    negotiated,
)
from protocols.errors import LocalProtocolError, RemoteProtocolError

CT, ECHO = "1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.1.1"
EXPLICIT, IMPLICIT, JPEG_LS = "1.2.840.10008.1.2.1", "1.2.840.10008.1.2", "1.2.840.10008.1.2.4.80"
REQUEST = AssociateRequest(
    calling_ae="BOX",
    called_ae="PACS",
    contexts=(
        ProposedContext(1, CT, (JPEG_LS, EXPLICIT)),
        ProposedContext(3, ECHO, (IMPLICIT,)),
        ProposedContext(5, "1.2.3", (IMPLICIT,)),
        ProposedContext(7, CT, (JPEG_LS,)),
    ),
    maximum_length=16_384,
)
SUPPORTED = {CT: (EXPLICIT,), ECHO: (EXPLICIT, IMPLICIT)}

uids = st.from_regex(r"[1-9](\.[1-9][0-9]{0,5}){1,8}", fullmatch=True)
titles = st.text("ABCDEFGHIJ_ 0123456789", min_size=1, max_size=16).filter(
    lambda title: title.strip() == title
)
commands = st.fixed_dictionaries(
    {"CommandField": st.integers(0, 0xFFFF), "MessageID": st.integers(0, 0xFFFF)},
    optional={
        "AffectedSOPClassUID": uids,
        "AffectedSOPInstanceUID": uids,
        "Status": st.integers(0, 0xFFFF),
        "ErrorComment": st.text("abc xyz", min_size=1, max_size=64).map(str.strip),
        "MoveOriginatorApplicationEntityTitle": titles,
        "MoveOriginatorMessageID": st.integers(0, 0xFFFF),
        "NumberOfRemainingSuboperations": st.integers(0, 0xFFFF),
    },
)


def pair(
    request: AssociateRequest = REQUEST, *, maximum: int = 16_384
) -> tuple[Association, Association]:
    """Both parties of an association that is open."""
    ours, theirs = (Association(role, maximum_length=maximum) for role in Role)
    theirs.feed(ours.send(request))
    asked = theirs.next_event()
    assert isinstance(asked, AssociateRequest)
    accept = AssociateAccept(
        calling_ae=asked.calling_ae,
        called_ae=asked.called_ae,
        contexts=negotiated(asked.contexts, SUPPORTED),
        maximum_length=maximum,
    )
    ours.feed(theirs.send(accept))
    assert ours.next_event() == accept
    assert ours.contexts == theirs.contexts
    return ours, theirs


def events(association: Association, stream: bytes, cuts: Sequence[int]) -> list[object]:
    """What a stream gives in pieces; data as bytes, an error by its text."""
    bounds = sorted({0, len(stream), *(cut % (len(stream) + 1) for cut in cuts)})
    found: list[object] = []
    for start, end in itertools.pairwise(bounds):
        association.feed(stream[start:end])
        try:
            while (event := association.next_event()) is not None:
                if isinstance(event, DataReceived):
                    found.append((event.context_id, bytes(event.data), event.last))
                else:
                    found.append(event)
        except RemoteProtocolError as error:
            return [*found, str(error)]
    return found


def whole(found: list[object]) -> list[object]:
    """The same with the fragments of each data set put together."""
    told: list[object] = []
    data = b""
    for event in found:
        if not isinstance(event, tuple):
            told.append(event)
            continue
        data += event[1]
        if event[2]:
            told.append(data)
            data = b""
    return told


def store(number: int, data: bytes | None) -> Command:
    return Command(
        {
            "CommandField": Operation.C_STORE,
            "MessageID": number,
            "CommandDataSetType": NO_DATA_SET if data is None else WITH_DATA_SET,
            "AffectedSOPClassUID": CT,
            "AffectedSOPInstanceUID": f"1.2.{number}",
        }
    )


@given(
    messages=st.lists(st.none() | st.binary(max_size=2000), min_size=1, max_size=5),
    maximum=st.sampled_from((128, 200, 1024, 16_384)),
    cuts=st.lists(st.integers(0, 20_000), max_size=12),
)
def test_messages_survive_any_split_and_any_fragment_size(
    messages: list[bytes | None], maximum: int, cuts: list[int]
) -> None:
    ours, theirs = pair(maximum=maximum)
    expected: list[object] = []
    stream = b""
    for number, data in enumerate(messages, 1):
        command = store(number, data)
        stream += b"".join(ours.message(1, command, data))
        expected += [CommandReceived(1, command), *([] if data is None else [data])]
    stream += ours.send(ReleaseRequest())
    assert whole(events(theirs, stream, cuts)) == [*expected, ReleaseRequest()]
    # No PDU is longer than what was announced.
    position = 0
    while position < len(stream):
        _, length = HEAD.unpack_from(stream, position)
        assert length <= maximum
        position += HEAD.size + length
    assert ours.state is State.RELEASING
    ours.feed(theirs.send(ReleaseReply()))
    assert ours.next_event() == ReleaseReply()
    assert ours.state is theirs.state is State.CLOSED


@given(
    stream=st.lists(
        st.binary(max_size=30)
        | st.builds(
            lambda kind, body: HEAD.pack(kind, len(body)) + body,
            st.integers(0, 8),
            st.binary(max_size=60),
        )
        | st.builds(
            lambda context, control, body: (
                HEAD.pack(4, len(body) + 6)
                + struct.pack(">LBB", len(body) + 2, context, control)
                + body
            ),
            st.integers(0, 4),
            st.integers(0, 3),
            st.binary(max_size=60) | st.just(store(1, b"").encode()),
        ),
        max_size=6,
    ).map(b"".join),
    cuts=st.lists(st.integers(0, 400), max_size=8),
)
def test_hostile_bytes_raise_one_error_wherever_they_are_cut(
    stream: bytes, cuts: list[int]
) -> None:
    for role in range(2):
        at_once, in_pieces = (pair()[role] for _ in range(2))
        assert events(at_once, stream, []) == events(in_pieces, stream, cuts)


@given(content=st.binary(max_size=200), cut=st.integers(0, 400), place=st.integers(0, 400))
def test_hostile_associations_raise_our_error_only(content: bytes, cut: int, place: int) -> None:
    encoded = REQUEST.encode()[HEAD.size :]
    damaged = encoded[: place % len(encoded)] + content + encoded[place % len(encoded) :]
    for candidate in (content, encoded[: cut % len(encoded)], damaged):
        for kind in (AssociateRequest, AssociateAccept):
            try:
                kind.decode(candidate)
            except RemoteProtocolError:
                continue


@given(values=commands, has_data=st.booleans())
def test_a_command_set_is_read_as_it_was_written(
    values: dict[str, int | str], has_data: bool
) -> None:
    kind = WITH_DATA_SET if has_data else NO_DATA_SET
    command = Command({**values, "CommandDataSetType": kind})
    encoded = command.encode()
    assert Command.decode(encoded) == command
    assert list(Command.decode(encoded)) == list(command)
    assert command.has_data is has_data
    assert int.from_bytes(encoded[8:12], "little") == len(encoded) - 12


@given(st.binary(max_size=120))
def test_hostile_command_sets_raise_our_error_only(data: bytes) -> None:
    try:
        Command.decode(data)
    except RemoteProtocolError:
        return


@given(values=commands, place=st.integers(0, 400), wrong=st.binary(min_size=1, max_size=4))
def test_an_answer_repeats_what_was_read(
    values: dict[str, int | str], place: int, wrong: bytes
) -> None:
    """Of a damaged command set too: what could not be said again is refused when it comes."""
    damaged = bytearray(Command({**values, "CommandDataSetType": NO_DATA_SET}).encode())
    place %= len(damaged)
    damaged[place : place + len(wrong)] = wrong
    try:
        read = Command.decode(bytes(damaged))
    except RemoteProtocolError:
        return
    uids = {name: value for name, value in read.items() if name.endswith("UID")}
    assert Command({**uids, "CommandField": 0x8001, "CommandDataSetType": NO_DATA_SET}).encode()


@pytest.mark.parametrize("uid", [b"1.2.\xc6.", b"\xff\xff"])
def test_a_uid_that_is_no_text_is_refused(uid: bytes) -> None:
    damaged = Command({**store(7, b""), "AffectedSOPClassUID": "x" * len(uid)}).encode()
    assert damaged.count(b"x" * len(uid)) == 1
    with pytest.raises(RemoteProtocolError, match="UID illisible"):
        Command.decode(damaged.replace(b"x" * len(uid), uid))


def test_a_command_set_is_read_by_a_stranger() -> None:
    from io import BytesIO

    from pynetdicom.dsutils import decode

    command = Command({**store(7, b""), "MoveOriginatorApplicationEntityTitle": "BOX"})
    read = decode(BytesIO(command.encode()), True, True)
    told = {one.keyword: one.value for one in read if one.keyword != "CommandGroupLength"}
    assert told == dict(command)


@pytest.mark.parametrize(
    "values",
    [
        {"Unheard": 1},
        {"MessageID": 65_536},
        {"MessageID": "1"},
        {"ErrorComment": "é"},
        {"OffendingElement": "00080018"},
    ],
)
def test_a_command_set_that_we_cannot_write(values: dict[str, int | str]) -> None:
    with pytest.raises(LocalProtocolError):
        Command(values).encode()


def test_associations_are_read_by_a_stranger() -> None:
    asked, answered = A_ASSOCIATE_RQ(), A_ASSOCIATE_AC()
    asked.decode(REQUEST.encode())
    assert (str(asked.calling_ae_title), str(asked.called_ae_title)) == ("BOX", "PACS")
    assert [int(one.context_id) for one in asked.presentation_context] == [1, 3, 5, 7]
    assert asked.user_information.maximum_length == 16_384
    accept = AssociateAccept(
        calling_ae="BOX",
        called_ae="PACS",
        contexts=negotiated(REQUEST.contexts, SUPPORTED),
        maximum_length=0,
    )
    answered.decode(accept.encode())
    assert [one.result for one in answered.presentation_context] == [0, 0, 3, 4]
    assert AssociateAccept.decode(accept.encode()[HEAD.size :]) == accept
    assert AssociateRequest.decode(REQUEST.encode()[HEAD.size :]) == REQUEST


def test_what_an_acceptor_prefers_is_chosen() -> None:
    (answer,) = negotiated(
        (ProposedContext(1, CT, (JPEG_LS, EXPLICIT)),), {CT: (EXPLICIT, JPEG_LS)}
    )
    assert answer == ContextAnswer(1, 0, EXPLICIT)


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (HEAD.pack(4, LONGEST_PDU + 1), "octets annoncés"),
        (HEAD.pack(9, 4), "PDU de type 09"),
        (HEAD.pack(4, 0), "vide"),
        (HEAD.pack(4, 4) + bytes(4), "PDV tronqué"),
        (HEAD.pack(4, 6) + struct.pack(">LBB", 1, 1, 3), "PDV de 1 octets"),
        (HEAD.pack(4, 6) + struct.pack(">LBB", 3, 1, 3), "PDV de 3 octets"),
        (HEAD.pack(4, 6) + struct.pack(">LBB", 2, 9, 3), "contexte de présentation 9"),
        (HEAD.pack(4, 6) + struct.pack(">LBB", 2, 1, 2), "sans commande"),
        (HEAD.pack(4, 6) + struct.pack(">LBB", 2, 1, 3), "sans CommandField"),
        (HEAD.pack(1, 0), "tronqué"),
        (HEAD.pack(2, 4) + bytes(4), "tronqué"),
        (HEAD.pack(3, 4) + bytes(4), "AssociateReject reçu dans l'état open"),
        (HEAD.pack(6, 4) + bytes(4), "ReleaseReply reçu dans l'état open"),
        (HEAD.pack(7, 2) + bytes(2), "tronqué"),
    ],
)
def test_what_may_not_come_is_told(damage: bytes, told: str) -> None:
    _, theirs = pair()
    theirs.feed(damage)
    for _ in range(2):
        with pytest.raises(RemoteProtocolError, match=told):
            theirs.next_event()


def test_a_command_set_is_bounded() -> None:
    _, theirs = pair()
    step = 16_000
    piece = HEAD.pack(4, step + 6) + struct.pack(">LBB", step + 2, 1, 1) + bytes(step)
    theirs.feed(piece * (LONGEST_COMMAND // step + 1))
    with pytest.raises(RemoteProtocolError, match="jeu de commandes"):
        theirs.next_event()


def test_a_data_set_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("protocols.dimse.association.LONGEST_DATA_SET", 1000)
    ours, theirs = pair()
    found = events(theirs, b"".join(ours.message(1, store(1, b""), bytes(1001))), [])
    assert str(found[-1]).startswith("jeu de données de plus de 1000")


def test_a_command_does_not_come_in_the_middle_of_a_data_set() -> None:
    ours, theirs = pair()
    pieces = list(ours.message(1, store(1, b""), bytes(20_000)))
    stream = b"".join(pieces[:-2]) + b"".join(ours.message(1, store(2, None)))
    assert "au milieu d'un jeu de données" in str(events(theirs, stream, [])[-1])


def test_what_we_may_not_send() -> None:
    ours, theirs = pair()
    with pytest.raises(LocalProtocolError):
        ours.send(REQUEST)
    with pytest.raises(LocalProtocolError):
        theirs.send(ReleaseReply())
    for context, command, data in ((9, store(1, None), None), (1, store(1, None), b""),
                                   (1, store(1, b""), None)):  # fmt: skip
        with pytest.raises(LocalProtocolError):
            list(ours.message(context, command, data))
    theirs.send(Abort())
    with pytest.raises(LocalProtocolError):
        list(theirs.message(1, store(1, None)))
    with pytest.raises(LocalProtocolError):
        AssociateRequest(
            calling_ae="A" * 17, called_ae="B", contexts=REQUEST.contexts, maximum_length=0
        ).encode()


def test_both_may_ask_for_the_release_at_once() -> None:
    ours, theirs = pair()
    one, other = ours.send(ReleaseRequest()), theirs.send(ReleaseRequest())
    ours.feed(other)
    theirs.feed(one)
    assert ours.next_event() == theirs.next_event() == ReleaseRequest()
    one, other = ours.send(ReleaseReply()), theirs.send(ReleaseReply())
    ours.feed(other)
    theirs.feed(one)
    assert ours.next_event() == theirs.next_event() == ReleaseReply()
    assert ours.state is theirs.state is State.CLOSED


@pytest.mark.parametrize("last", [AssociateReject(1, 1, 7), Abort(2, 6)])
def test_the_end_of_an_association(last: AssociateReject | Abort) -> None:
    ours, theirs = (Association(role) for role in Role)
    theirs.feed(ours.send(REQUEST))
    assert theirs.next_event() == REQUEST
    ours.feed(theirs.send(last))
    assert ours.next_event() == last
    assert ours.state is theirs.state is State.CLOSED
    ours.feed(HEAD.pack(PduType.RELEASE_REQUEST, 4) + bytes(4))
    with pytest.raises(RemoteProtocolError):
        ours.next_event()


def test_a_fragment_held_outlives_the_growth_of_the_buffer() -> None:
    ours, theirs = pair(maximum=128)
    stream = b"".join(ours.message(1, store(1, b""), b"a" * 60))
    theirs.feed(stream)
    command, data = theirs.next_event(), theirs.next_event()
    assert isinstance(command, CommandReceived)
    assert isinstance(data, DataReceived)
    theirs.feed(bytes(100_000))
    assert bytes(data.data) == b"a" * 60
