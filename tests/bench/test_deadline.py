"""Waiting for what nobody announces: often at first, then less, never past the deadline."""

from __future__ import annotations

from threading import Event
from typing import Any

import pytest

from bench import deadline
from bench.deadline import until


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """A clock that waiting moves, and nothing else: the list of what was waited."""
    waits: list[float] = []

    class Waited(Event):
        def wait(self, timeout: float | None = None) -> bool:
            assert timeout is not None
            waits.append(timeout)
            return False

    class Time:
        @staticmethod
        def monotonic() -> float:
            return sum(waits)

    monkeypatch.setattr(deadline, "Event", Waited)
    monkeypatch.setattr(deadline, "time", Time)
    return waits


def test_what_is_so_already_is_not_waited_for(clock: list[float]) -> None:
    assert until(lambda: True, deadline_s=6.0)
    assert clock == []


def test_what_never_comes_is_looked_for_a_few_times(clock: list[float]) -> None:
    looked: list[Any] = []
    assert not until(lambda: bool(looked.append(None)), deadline_s=6.0)
    assert sum(clock) == pytest.approx(6.0)
    assert 10 < len(looked) < 40
    assert clock[0] < 0.05
    assert max(clock) <= 0.5


def test_what_comes_late_is_seen_soon_after(clock: list[float]) -> None:
    assert until(lambda: sum(clock) >= 3.0, deadline_s=6.0)
    assert sum(clock) < 3.0 + 0.5


def test_the_deadline_itself_is_looked_at_once_more(clock: list[float]) -> None:
    assert until(lambda: sum(clock) >= 6.0 - 1e-9, deadline_s=6.0)


def test_no_time_at_all_is_one_look(clock: list[float]) -> None:
    assert until(lambda: True, deadline_s=0.0)
    assert not until(lambda: False, deadline_s=0.0)
    assert clock == []
