"""Measures read on captures, and held against the published thresholds."""

from __future__ import annotations

import pytest

from bench.pace import Grading, grade_first, grade_rate, series_of, sum_of
from bench.profile import Load
from wire.exchange import Direction, Exchange, Outcome, Part, Payload, stamp


def exchange(
    begun: float, ended: float, *, size: int = 0, parts: tuple[Part, ...] = ()
) -> Exchange:
    return Exchange(
        protocol="HTTP", actor="voisin", peer="x", direction=Direction.IN,
        outcome=Outcome.ANSWERED, connection="1", utc=stamp()[0], mono_start=begun, mono_end=ended,
        request=Payload(size=size), response=Payload(size=size, parts=parts),
    )  # fmt: skip


def part(mono: float) -> Part:
    headers = (("Content-Type", 'application/dicom; transfer-syntax="1.2.3"'),)
    return Part(headers=headers, size=10, sha256="", mono=mono)


def test_a_series_on_the_wire() -> None:
    one = series_of(exchange(10.0, 12.0, size=2_500_000, parts=(part(10.5), part(12.0))))
    assert (one.images, one.first_s, one.whole_s) == (2, 0.5, 2.0)
    assert one.megabits_s == pytest.approx(10.0)
    assert one.transfer_syntaxes == ("1.2.3",)


def test_a_capture_of_before_knows_no_first_image() -> None:
    assert series_of(exchange(10.0, 12.0, parts=(part(0.0),))).first_s is None


def test_stores_side_by_side_are_counted_once() -> None:
    both = sum_of([exchange(1.0, 3.0, size=500_000), exchange(2.0, 5.0, size=500_000)])
    assert (both.images, both.first_s, both.whole_s) == (2, 2.0, 4.0)
    assert both.megabits_s == pytest.approx(2.0)


def test_no_store_at_all() -> None:
    assert sum_of([]).images == 0


@pytest.mark.parametrize(
    ("seconds", "grading"),
    [(1.0, Grading.MET), (1.1, Grading.TOLERATED), (4.8, Grading.TOLERATED), (4.9, Grading.BEYOND)],
)
def test_both_thresholds_of_the_first_image(seconds: float, grading: Grading) -> None:
    assert grade_first(seconds, Load()) is grading


def test_the_threshold_of_a_throughput_is_an_option() -> None:
    assert grade_rate(99.0, Load()) is Grading.BEYOND
    assert grade_rate(99.0, Load(throughput_mbps=50)) is Grading.MET
