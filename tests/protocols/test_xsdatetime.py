"""xs:dateTime: strict to read, UTC to write."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.errors import LocalProtocolError
from protocols.xsdatetime import DateTimeError, format_instant, parse_instant


def test_offsets_are_kept_and_naive_stays_naive() -> None:
    assert parse_instant("2026-06-19T18:06:52Z") == datetime(2026, 6, 19, 18, 6, 52, tzinfo=UTC)
    with_offset = parse_instant(" 2023-11-14T14:44:58.150+01:00\n")
    assert with_offset.utcoffset() == timedelta(hours=1)
    assert with_offset.microsecond == 150_000
    assert parse_instant("2023-11-14T14:44:58").tzinfo is None


def test_writing_is_in_utc() -> None:
    instant = datetime(2026, 1, 1, 0, 30, 0, 987_654, tzinfo=timezone(timedelta(hours=1)))
    assert format_instant(instant) == "2025-12-31T23:30:00Z"
    assert format_instant(instant, milliseconds=True) == "2025-12-31T23:30:00.987Z"
    with pytest.raises(LocalProtocolError):
        format_instant(datetime(2026, 1, 1))


@pytest.mark.parametrize(
    "text",
    ["", "2026-06-19", "20260619T180652Z", "2026-W25-5T18:06:52Z", "2026-02-30T00:00:00Z",
     "2026-06-19 18:06:52Z", "2026-06-19T18:06Z", "2026-06-19T18:06:52+0100",
     "2026-06-19T18:06:52+25:00", "٢٠26-06-19T18:06:52Z", "2026-06-19T24:00:00Z"],
)  # fmt: skip
def test_what_is_not_an_instant(text: str) -> None:
    with pytest.raises(DateTimeError) as caught:
        parse_instant(text, where="ici")
    assert caught.value.where == "ici"


@given(st.datetimes(timezones=st.just(UTC)))
def test_round_trip(instant: datetime) -> None:
    written = format_instant(instant, milliseconds=True)
    assert abs(parse_instant(written) - instant) < timedelta(milliseconds=1)


@given(st.one_of(st.text(max_size=30), st.from_regex(r"[0-9T:Z.+-]{1,30}")))
def test_hostile_text(text: str) -> None:
    with contextlib.suppress(DateTimeError):
        parse_instant(text)
