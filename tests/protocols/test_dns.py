"""DNS messages are read, and whatever is none is told in one way."""

from __future__ import annotations

from contextlib import suppress

import dns.message
import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.dns import read
from protocols.errors import RemoteProtocolError

QUESTION = dns.message.make_query("db1.mesimagesmedicales.fr", "A", use_edns=True).to_wire()


def test_a_question_is_read() -> None:
    (asked,) = read(QUESTION).question
    assert asked.name.to_text() == "db1.mesimagesmedicales.fr."


@given(st.binary(max_size=12))
def test_a_message_shorter_than_its_header_is_none(data: bytes) -> None:
    if len(data) < 12:
        with pytest.raises(RemoteProtocolError):
            read(data)


@given(st.data())
def test_any_bytes_are_a_message_or_told_in_one_way(data: st.DataObject) -> None:
    """Of nothing, and of a good question with some bytes changed."""
    changed = bytearray(QUESTION)
    for place in data.draw(st.lists(st.integers(0, len(changed) - 1), max_size=6)):
        changed[place] = data.draw(st.integers(0, 255))
    for one in (bytes(changed), data.draw(st.binary(max_size=80))):
        with suppress(RemoteProtocolError):
            assert read(one).id >= 0
