"""Whatever a peer sends, a judge answers: bytes never raise."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from validators.api import KINDS, guess, validate

FEW = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
GOOD = {name: kind.rules.good() for name, kind in KINDS.items()}


@pytest.mark.parametrize("name", KINDS)
@FEW
@given(data=st.binary(max_size=400))
def test_any_bytes_give_a_report(name: str, data: bytes) -> None:
    assert validate(data, name).verdict in {"pass", "warn", "fail"}


@pytest.mark.parametrize("name", KINDS)
@FEW
@given(draw=st.data())
def test_a_damaged_example_gives_a_report(name: str, draw: st.DataObject) -> None:
    """Cut, overwritten and repeated stretches of the good example."""
    data = bytearray(GOOD[name])
    for _ in range(draw.draw(st.integers(1, 4))):
        start = draw.draw(st.integers(0, max(0, len(data) - 1)))
        size = draw.draw(st.integers(0, 60))
        kind = draw.draw(st.sampled_from(["cut", "write", "double"]))
        piece = bytes(data[start : start + size])
        if kind == "cut":
            del data[start : start + size]
        elif kind == "write":
            data[start : start + size] = draw.draw(st.binary(max_size=60))
        else:
            data[start:start] = piece
    assert validate(bytes(data), name).verdict in {"pass", "warn", "fail"}


@FEW
@given(data=st.binary(max_size=300))
def test_a_guess_never_raises(data: bytes) -> None:
    assert guess(data) in {None, *KINDS}
