"""STOW-RS: what is written is multipart, what is read is a store response or an error."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols import stow
from protocols.errors import RemoteProtocolError
from protocols.multipart import Parser, PartBegin, PartData, PartEnd, boundary_of

UIDS = st.from_regex(r"2\.25\.[1-9][0-9]{0,10}", fullmatch=True)


def element(uid: str, reason: int | None = None) -> dict[str, object]:
    item: dict[str, object] = {"00081155": {"vr": "UI", "Value": [uid]}}
    if reason is not None:
        item["00081197"] = {"vr": "US", "Value": [reason]}
    return item


@given(st.lists(st.binary(max_size=200), max_size=4))
def test_each_file_is_one_part(files: list[bytes]) -> None:
    boundary = "kit-0123456789"
    parser = Parser(boundary_of(stow.content_type(boundary)))
    found: list[bytes] = []
    for event in [one for piece in stow.body(files, boundary) for one in parser.feed(piece)]:
        match event:
            case PartBegin():
                assert ("Content-Type", "application/dicom") in tuple(event.headers)
                found.append(b"")
            case PartData():
                found[-1] += event.data
            case PartEnd():
                pass
    parser.finish()
    assert found == files


@given(
    st.lists(UIDS, unique=True, max_size=3),
    st.dictionaries(UIDS, st.none() | st.integers(0, 0xFFFF), max_size=3),
    st.booleans(),
)
def test_what_was_taken_and_what_was_not(
    stored: list[str], failed: dict[str, int | None], in_array: bool
) -> None:
    data_set: dict[str, object] = {"00081190": {"vr": "UR", "Value": ["https://x/studies/1"]}}
    if stored:
        data_set["00081199"] = {"vr": "SQ", "Value": [element(uid) for uid in stored]}
    if failed:
        items = [element(uid, reason) for uid, reason in failed.items()]
        data_set["00081198"] = {"vr": "SQ", "Value": items}
    read = stow.read_answer(json.dumps([data_set] if in_array else data_set).encode())
    assert read.stored == tuple(stored)
    assert read.failed == failed


def test_an_empty_answer_says_nothing() -> None:
    assert stow.read_answer(b"") == stow.Answer((), {})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["00081198", "00081199", "00081155", "00081197", "Value"]), inner
        )
    ),
    max_leaves=12,
)


@given(JSON.map(lambda value: json.dumps(value).encode()) | st.binary(max_size=60))
def test_hostile_answers_raise_one_family(data: bytes) -> None:
    try:
        stow.read_answer(data)
    except RemoteProtocolError:
        return


@pytest.mark.parametrize(
    "data", [b"<xml/>", b"[]", b"3", b'{"00081198": {"Value": [{}]}}', b'{"00081199": []}', b"\xff"]
)
def test_what_is_no_answer(data: bytes) -> None:
    with pytest.raises(stow.StowSyntaxError):
        stow.read_answer(data)
