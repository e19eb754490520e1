"""What is kept of a body, whatever the pieces it came in."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.multipart import Writer
from wire.recording import (
    IMAGE_BODY_BYTES,
    KEPT_BYTES,
    MESSAGE_BYTES,
    PART_HEAD_BYTES,
    BodyRecorder,
)

IMAGES = 'multipart/related; type="application/dicom"; boundary="frontier"'


def record(content_type: str | None, body: bytes, step: int = 65536) -> BodyRecorder:
    recorder = BodyRecorder(content_type)
    for start in range(0, len(body), step):
        recorder.feed(body[start : start + step])
    return recorder


@pytest.mark.parametrize(
    ("content_type", "limit"),
    [
        (None, KEPT_BYTES),
        ("application/pdf", KEPT_BYTES),
        ("not a type at all", KEPT_BYTES),
        ("application/fhir+json; charset=utf-8", MESSAGE_BYTES),
        ("text/xml", MESSAGE_BYTES),
        ('multipart/related; type="application/xop+xml"; boundary=x', MESSAGE_BYTES),
    ],
)
def test_a_body_is_whole_up_to_its_limit(content_type: str | None, limit: int) -> None:
    body = bytes(range(256)) * 4096 * 33
    payload = record(content_type, body).payload(start_line="POST / HTTP/1.1", head=())
    assert payload.body == body[:limit]
    assert payload.truncated
    assert payload.size == len(body)
    assert payload.sha256 == hashlib.sha256(body).hexdigest()
    small = record(content_type, b"abc").payload(start_line="", head=())
    assert (small.body, small.truncated, small.parts) == (b"abc", False, ())


def images(*parts: bytes) -> bytes:
    writer = Writer("frontier")
    pieces = []
    for number, part in enumerate(parts):
        pieces.append(
            writer.begin_part([("Content-Type", "application/dicom"), ("N", str(number))])
        )
        pieces.append(writer.data(part))
    return b"".join([*pieces, writer.end()])


@given(parts=st.lists(st.binary(max_size=300), max_size=4), step=st.integers(1, 200))
def test_images_are_outlined_however_they_are_cut(parts: list[bytes], step: int) -> None:
    body = images(*parts)
    payload = record(IMAGES, body, step).payload(start_line="", head=())
    assert [part.size for part in payload.parts] == [len(part) for part in parts]
    assert [part.head for part in payload.parts] == parts
    assert [part.sha256 for part in payload.parts] == [
        hashlib.sha256(part).hexdigest() for part in parts
    ]
    assert [dict(part.headers)["N"] for part in payload.parts] == [
        str(n) for n in range(len(parts))
    ]
    assert payload.sha256 == hashlib.sha256(body).hexdigest()


def test_big_parts_keep_their_beginning_only() -> None:
    part = bytes(range(256)) * 4096
    payload = record(IMAGES, images(part, part)).payload(start_line="", head=())
    assert [one.head for one in payload.parts] == [part[:PART_HEAD_BYTES]] * 2
    assert len(payload.body) == IMAGE_BODY_BYTES
    assert payload.truncated


def test_a_part_cut_in_the_middle_counts_for_what_came() -> None:
    body = images(b"a" * 100)[:-80]
    payload = record(IMAGES, body).payload(start_line="", head=(), incomplete=True)
    assert 0 < payload.parts[0].size < 100
    assert payload.truncated


@given(st.binary(max_size=2000))
def test_hostile_bodies_are_counted_all_the_same(body: bytes) -> None:
    payload = record(IMAGES, b"--frontier\r\n" + body, 77).payload(start_line="", head=())
    assert payload.size == len(body) + 12
