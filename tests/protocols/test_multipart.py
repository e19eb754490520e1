"""Multipart bodies: written then read whatever the chunks, and never surprised by hostile bytes."""

from __future__ import annotations

import contextlib
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.errors import LocalProtocolError
from protocols.multipart import (
    Epilogue,
    Event,
    MultipartError,
    Parser,
    PartBegin,
    PartData,
    PartEnd,
    Writer,
    body_length,
    boundary_of,
    format_content_type,
    parse_content_type,
)
from tests.cost import growth

BOUNDARY = "kit=_boundary"
Headers = tuple[tuple[str, str], ...]


def read(parser: Parser, chunks: list[bytes]) -> list[tuple[Headers, bytes]]:
    parts: list[tuple[Headers, bytearray]] = []
    for chunk in chunks:
        for event in parser.feed(chunk):
            if isinstance(event, PartBegin):
                parts.append((event.headers, bytearray()))
            elif isinstance(event, PartData):
                parts[-1][1].extend(event.data)
            elif isinstance(event, PartEnd):
                assert event.size == len(parts[-1][1])
    return [(headers, bytes(data)) for headers, data in parts]


def cut(data: bytes, points: list[int]) -> list[bytes]:
    edges = sorted({0, len(data), *(point % (len(data) + 1) for point in points)})
    return [data[a:b] for a, b in itertools.pairwise(edges)]


def written(parts: list[tuple[Headers, bytes]], boundary: str = BOUNDARY) -> bytes:
    writer = Writer(boundary)
    pieces = [piece for h, d in parts for piece in (writer.begin_part(h), writer.data(d))]
    return b"".join([*pieces, writer.end()])


# Bodies made of what delimiters are made of: the hard case.
nasty = st.lists(
    st.sampled_from([b"\r", b"\n", b"-", b"--", b"\r\n--", BOUNDARY[:5].encode(), b"x", b"\0"])
).map(b"".join)
bodies = st.one_of(st.binary(max_size=200), nasty)
names = st.sampled_from(["Content-Type", "Content-ID", "X-Kit"])
values = st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=20)
headers = st.lists(st.tuples(names, values), max_size=3).map(tuple)


@given(
    st.lists(st.tuples(headers, bodies, st.booleans()), min_size=1, max_size=4),
    st.lists(st.integers(min_value=0), max_size=12),
    st.binary(max_size=30),
)
def test_what_is_written_is_read_whatever_the_chunks(
    parts: list[tuple[Headers, bytes, bool]], points: list[int], epilogue: bytes
) -> None:
    expected = [
        ((*h, ("Content-Length", str(len(d)))) if announced else h, d)
        for h, d, announced in parts
        if b"--" + BOUNDARY.encode() not in d
    ]
    body = written(expected)
    assert len(body) == body_length(BOUNDARY, [(h, len(d)) for h, d in expected])
    parser = Parser(BOUNDARY)
    assert read(parser, cut(b"preamble\r\n" + body + epilogue, points)) == expected
    assert parser.complete


@given(st.lists(st.tuples(headers, bodies), min_size=1, max_size=3))
def test_byte_by_byte_gives_the_same_as_at_once(parts: list[tuple[Headers, bytes]]) -> None:
    body = written(parts)
    at_once, byte_by_byte = Parser(BOUNDARY), Parser(BOUNDARY)
    assert read(at_once, [body]) == read(byte_by_byte, [bytes([b]) for b in body])
    assert at_once.complete == byte_by_byte.complete


@given(st.lists(st.one_of(st.binary(max_size=60), nasty), max_size=8), st.booleans())
def test_hostile_bytes_only_raise_multipart_error(chunks: list[bytes], begun: bool) -> None:
    parser = Parser(BOUNDARY)
    with contextlib.suppress(MultipartError):
        if begun:
            parser.feed(b"--" + BOUNDARY.encode() + b"\r\n")
        for chunk in chunks:
            fed = parser.feed(chunk)
            assert all(len(e.data) > 0 for e in fed if isinstance(e, PartData))
        parser.finish()


@given(nasty, st.lists(st.integers(min_value=0), max_size=6))
def test_lf_only_bodies_keep_their_carriage_returns(data: bytes, points: list[int]) -> None:
    if b"--" + BOUNDARY.encode() in data:
        return
    mark = b"--" + BOUNDARY.encode()
    body = mark + b"\nContent-ID: <0.1>\n\n" + data + b"\n" + mark + b"--"
    parser = Parser(BOUNDARY)
    assert read(parser, cut(body, points)) == [((("Content-ID", "<0.1>"),), data)]
    assert parser.complete


def test_events_are_in_order() -> None:
    events: list[Event] = Parser("b").feed(b"--b\r\nA: 1\r\n\r\nxy\r\n--b\r\n\r\n\r\n--b--\r\nz")
    assert events == [
        PartBegin((("A", "1"),)),
        PartData(b"xy"),
        PartEnd(2),
        PartBegin(()),
        PartEnd(0),
        Epilogue(),
    ]


def test_a_part_may_have_no_body_at_all() -> None:
    parser = Parser("b")
    assert read(parser, [b"--b\r\nA: 1\r\n\r\n--b--"]) == [((("A", "1"),), b"")]
    assert parser.complete


def test_a_boundary_that_begins_a_longer_word_is_data() -> None:
    parser = Parser("b")
    assert read(parser, [b"--b \t\r\n\r\n\r\n--bc\r\n--b--"]) == [((), b"\r\n--bc")]


def test_folded_header_and_case_insensitive_lookup() -> None:
    (begin,) = Parser("b").feed(b"--b\r\nContent-Type: a/b;\r\n  x=1\r\n\r\n")
    assert isinstance(begin, PartBegin)
    assert begin.header("content-type") == "a/b; x=1"
    assert begin.header("absent", "?") == "?"


def test_a_truncated_stream_is_told() -> None:
    parser = Parser("b")
    parser.feed(b"--b\r\n\r\nhalf a part\r\n--b")
    assert not parser.complete
    with pytest.raises(MultipartError, match="tronqué"):
        parser.finish()


@pytest.mark.parametrize("length", ["3", "5", "99999999999999999999", "-1", "²"])
def test_a_lying_content_length_is_refused(length: str) -> None:
    head = f"--b\r\nContent-Length: {length}\r\n\r\n".encode()
    parser = Parser("b")
    with pytest.raises(MultipartError, match="Content-Length"):
        parser.feed(head + b"data\r\n--b\r\n\r\n\r\n--b--")
    searched = Parser("b", trust_length=False)
    assert read(searched, [head + b"data\r\n--b--"])[0][1] == b"data"


def test_header_blocks_are_bounded() -> None:
    parser = Parser("b")
    parser.feed(b"--b\r\n" + b"X-Endless: 1\r\n" * 1000)
    with pytest.raises(MultipartError, match="16384"):
        parser.feed(b"X-Endless: 1\r\n" * 1000)


@pytest.mark.parametrize("line", [b"no colon", b": no name", b"Name : x", b" folded first"])
def test_malformed_headers_are_refused(line: bytes) -> None:
    with pytest.raises(MultipartError, match="mal formé"):
        Parser("b").feed(b"--b\r\n" + line + b"\r\n\r\n")


@pytest.mark.parametrize("announced", [True, False])
def test_streaming_holds_next_to_nothing_and_copies_no_chunk(announced: bool) -> None:
    parser = Parser(BOUNDARY)
    chunk = bytes(range(1, 10)) * 100_000
    head = (("Content-Length", str(50 * len(chunk))),) if announced else ()
    parser.feed(Writer(BOUNDARY).begin_part(head))
    for index in range(50):
        events = parser.feed(chunk)
        data = events[-1]
        assert isinstance(data, PartData)
        assert index == 0 or data.data is chunk
        assert len(parser._buffer) <= len(BOUNDARY) + 8


def test_line_ends_only_do_not_make_the_search_quadratic() -> None:
    def read(count: int) -> None:
        parser = Parser(BOUNDARY)
        parser.feed(Writer(BOUNDARY).begin_part(()))
        parser.feed(b"\r\n--kit" * count)

    assert growth(lambda: read(30_000), lambda: read(480_000)) < 64  # 256 if quadratic


def test_the_writer_holds_a_part_to_its_length() -> None:
    writer = Writer("b")
    writer.begin_part([("Content-Length", "3")])
    writer.data(b"xy")
    with pytest.raises(LocalProtocolError, match="announced 3"):
        writer.end()
    with pytest.raises(LocalProtocolError):
        Writer("b").data(b"outside")
    with pytest.raises(LocalProtocolError):
        Writer("b").begin_part([("A", "1\r\nB: 2")])
    with pytest.raises(LocalProtocolError):
        Writer("é")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("application/dicom", ("application/dicom", {})),
        ("Multipart/Related; Boundary=x", ("multipart/related", {"boundary": "x"})),
        (
            'multipart/related;boundary="a;b"; type=application/xop+xml ;',
            ("multipart/related", {"boundary": "a;b", "type": "application/xop+xml"}),
        ),
        (r'a/b; x="q\"uote\\"; x=2', ("a/b", {"x": 'q"uote\\'})),
        ("a/b; boundary=uuid:1-2", ("a/b", {"boundary": "uuid:1-2"})),
    ],
)
def test_content_types(value: str, expected: tuple[str, dict[str, str]]) -> None:
    assert parse_content_type(value) == expected


@pytest.mark.parametrize("value", ["", "text", "a/b; x", 'a/b; x="open', 'a/b; x="y"z', "a/b; =1"])
def test_malformed_content_types_are_refused(value: str) -> None:
    with pytest.raises(MultipartError):
        parse_content_type(value)


@given(st.text(max_size=80))
def test_hostile_content_types_only_raise_multipart_error(value: str) -> None:
    with contextlib.suppress(MultipartError):
        parse_content_type(value)
        boundary_of(value)


@given(st.dictionaries(st.sampled_from(["boundary", "type", "start"]), values, max_size=3))
def test_content_types_roundtrip(parameters: dict[str, str]) -> None:
    value = format_content_type("multipart/related", parameters)
    assert parse_content_type(value) == ("multipart/related", parameters)


@pytest.mark.parametrize("value", ["application/dicom; boundary=x", "multipart/related", "x"])
def test_no_boundary(value: str) -> None:
    with pytest.raises(MultipartError):
        boundary_of(value)
