"""DER of our own reads as it was written, and what is no DER is refused by DerError alone."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from cryptography import x509
from hypothesis import given
from hypothesis import strategies as st

from protocols import der

CONTENTS = st.binary(max_size=300)


@given(st.integers())
def test_integers(value: int) -> None:
    (read,) = der.elements(der.integer(value))
    assert read.as_integer == value


@given(
    st.integers(0, 2),
    st.integers(0, 39),
    st.lists(st.integers(0, 2**128 - 1), max_size=8),
)
def test_object_identifiers_are_those_of_x509(first: int, second: int, rest: list[int]) -> None:
    dotted = ".".join(map(str, (first, second, *rest)))
    (read,) = der.elements(der.oid(dotted))
    assert read.as_oid == dotted
    assert x509.ObjectIdentifier(dotted).dotted_string == dotted


@given(st.lists(CONTENTS, max_size=5))
def test_a_sequence_and_a_set(contents: list[bytes]) -> None:
    parts = [der.octets(one) for one in contents]
    read = der.only(der.sequence(*parts), der.SEQUENCE)
    assert [one.expect(der.OCTET_STRING) for one in read] == contents
    encoded = der.set_of(*parts)
    assert der.set_of(*reversed(parts)) == encoded
    assert len(der.only(encoded, der.SET)) == len(parts)


@given(st.binary(max_size=64))
def test_anything_is_read_or_refused(data: bytes) -> None:
    try:
        found = list(der.elements(data))
    except der.DerError:
        return
    assert b"".join(der.tlv(one.tag, one.content) for one in found) == data


@pytest.mark.parametrize(
    "data",
    [
        "3080",  # indefinite
        "308101 00",  # a long form for a short length
        "3082007f",  # a leading zero
        "30850000000001",
        "1f8101 00",  # a long tag
        "3003 0201",  # beyond the end
        "30",
    ],
)
def test_what_der_forbids(data: str) -> None:
    with pytest.raises(der.DerError):
        list(der.elements(bytes.fromhex(data)))


@pytest.mark.parametrize(
    ("microsecond", "said"), [(0, "10Z"), (500_000, "10.5Z"), (50_999, "10.05Z"), (999, "10Z")]
)
def test_a_time_has_no_final_zero(microsecond: int, said: str) -> None:
    instant = datetime(2026, 11, 23, 4, 5, 10, microsecond, tzinfo=UTC)
    (read,) = der.elements(der.time(instant))
    assert read.expect(der.GENERALIZED_TIME).decode() == "202611230405" + said


def test_wrong_tags_are_told() -> None:
    (read,) = der.elements(der.octets(b"x"))
    with pytest.raises(der.DerError, match="02 attendu, 04 trouvé"):
        assert read.as_integer
    for wrong in (b"", der.integer(1) * 2, der.integer(1)):
        with pytest.raises(der.DerError):
            der.only(wrong, der.SEQUENCE)
