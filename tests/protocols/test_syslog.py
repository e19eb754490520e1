"""Syslog: what is written is read back, whatever the pieces; what is no syslog is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.errors import LocalProtocolError
from protocols.syslog import Deframer, Message, SyslogError, format_message, frame, parse

_WORD = st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=32).filter(
    lambda word: word != "-"
)
_NAME = st.from_regex(r"[a-z@0-9]{1,16}", fullmatch=True)
_MESSAGES = st.builds(
    Message,
    priority=st.integers(0, 191),
    time=st.sampled_from(["", "2026-11-22T10:00:00.000001Z"]),
    host=_WORD,
    app=_WORD,
    process=_WORD,
    id=_WORD,
    data=st.dictionaries(_NAME, st.dictionaries(_NAME, st.text(st.characters(codec="utf-8")))).map(
        dict
    ),
    text=st.binary(max_size=60).filter(lambda text: not text.startswith(b"\xef\xbb\xbf")),
)


@given(message=_MESSAGES)
def test_a_message_comes_back(message: Message) -> None:
    assert parse(format_message(message)) == message


@given(texts=st.lists(st.binary(max_size=40), max_size=6), sizes=st.lists(st.integers(1, 9)))
def test_frames_come_out_whatever_the_pieces(texts: list[bytes], sizes: list[int]) -> None:
    stream = b"".join(frame(b"x" + text) for text in texts)
    deframer, found, at = Deframer(), [], 0
    for size in [*sizes, len(stream)]:
        found += deframer.feed(stream[at : at + size])
        at += size
    assert found == [b"x" + text for text in texts]


def test_it_is_written_as_the_rfc_says() -> None:
    message = Message(
        priority=85,
        time="2026-11-22T10:00:00Z",
        host="boite",
        app="drimbox-source",
        id="IHE+RFC-3881",
        data={"kit@32473": {"mac": 'a"]\\'}},
        text="<é/>".encode(),
    )
    assert (
        format_message(message)
        == (
            "<85>1 2026-11-22T10:00:00Z boite drimbox-source - IHE+RFC-3881 "
            '[kit@32473 mac="a\\"\\]\\\\"] \ufeff<é/>'
        ).encode()
    )


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<13>",
        b"<192>1 - - - - - -",
        b"<1>2 - - - - - -",
        b"<1>1 - - - - - [x",
        b"<1>1 - - - - - -x",
    ],
)
def test_what_is_no_message_is_refused(data: bytes) -> None:
    with pytest.raises(SyslogError):
        parse(data)


@pytest.mark.parametrize("data", [b"x", b"0 ", b"-1 x", b"123456789012", b"99999999 x"])
def test_what_is_no_frame_is_refused(data: bytes) -> None:
    with pytest.raises(SyslogError):
        Deframer().feed(data)


@pytest.mark.parametrize("fields", [{"host": "a b"}, {"app": "x" * 49}, {"id": "é"}])
def test_a_header_that_cannot_be_written_is_our_fault(fields: dict[str, str]) -> None:
    with pytest.raises(LocalProtocolError):
        format_message(Message(priority=1, **fields))  # type: ignore[arg-type]
