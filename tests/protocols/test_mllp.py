"""MLLP framing: any fragmentation, junk, unterminated blocks, bounds."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.errors import LocalProtocolError
from protocols.mllp import Decoder, MllpJunk, MllpTooLarge, frame

messages = st.binary(max_size=40).filter(lambda m: b"\x0b" not in m and b"\x1c\r" not in m)


def feed_in_pieces(decoder: Decoder, stream: bytes, cuts: list[int]) -> list[bytes | MllpJunk]:
    bounds = sorted({0, len(stream), *(cut % (len(stream) + 1) for cut in cuts)})
    events: list[bytes | MllpJunk] = []
    for start, end in itertools.pairwise(bounds):
        events += decoder.feed(stream[start:end])
    return events


@given(st.lists(messages, min_size=1, max_size=5), st.lists(st.integers(0, 300), max_size=12))
def test_messages_survive_any_fragmentation(sent: list[bytes], cuts: list[int]) -> None:
    decoder = Decoder()
    stream = b"".join(map(frame, sent))
    assert feed_in_pieces(decoder, stream, cuts) == sent
    assert not decoder.in_block
    assert decoder.pending == b""


@given(st.binary(max_size=200), st.lists(st.integers(0, 200), max_size=8))
def test_no_byte_is_lost_whatever_comes(stream: bytes, cuts: list[int]) -> None:
    decoder = Decoder()
    events = feed_in_pieces(decoder, stream, cuts)
    kept = sum(len(event) if isinstance(event, bytes) else event.size for event in events)
    complete = sum(isinstance(event, bytes) for event in events)
    unterminated = sum(isinstance(event, MllpJunk) and event.unterminated for event in events)
    framing = 3 * complete + unterminated + decoder.in_block
    assert kept + framing + len(decoder.pending) == len(stream)


def test_junk_between_blocks_is_noted() -> None:
    events = Decoder().feed(b"GET / \x0bA\x1c\r\r\n\x0bB\x1c\r")
    assert events == [MllpJunk(b"GET / ", 6), b"A", MllpJunk(b"\r\n", 2), b"B"]
    assert isinstance(events[0], MllpJunk)
    assert not events[0].blank
    assert isinstance(events[2], MllpJunk)
    assert events[2].blank


def test_long_junk_is_shown_in_part() -> None:
    (junk,) = Decoder().feed(b"x" * 10_000)
    assert isinstance(junk, MllpJunk)
    assert (len(junk.data), junk.size) == (256, 10_000)


def test_a_block_without_end_gives_way_to_the_next() -> None:
    assert Decoder().feed(b"\x0bhalf\x0bwhole\x1c\r") == [
        MllpJunk(b"half", 4, unterminated=True),
        b"whole",
    ]


def test_an_end_byte_alone_is_content() -> None:
    assert Decoder().feed(b"\x0ba\x1cb\x1c\r") == [b"a\x1cb"]


def test_pending_shows_the_begun_block() -> None:
    decoder = Decoder()
    assert decoder.feed(b"\x0bMSH|") == []
    assert decoder.in_block
    assert decoder.pending == b"MSH|"


def test_too_large_is_refused_and_gives_back_what_was_whole() -> None:
    decoder = Decoder(max_size=10)
    with pytest.raises(MllpTooLarge) as caught:
        decoder.feed(frame(b"0123456789") + b"\x0b" + b"x" * 11)
    assert caught.value.completed == (b"0123456789",)


def test_too_large_is_seen_before_the_end_comes() -> None:
    decoder = Decoder(max_size=10)
    decoder.feed(b"\x0b12345678")
    with pytest.raises(MllpTooLarge):
        decoder.feed(b"901")


@pytest.mark.parametrize("message", [b"a\x0bb", b"a\x1c\rb"])
def test_a_message_with_delimiters_cannot_be_framed(message: bytes) -> None:
    with pytest.raises(LocalProtocolError):
        frame(message)
