"""A small crowd: nothing crosses in the right Consumer, and what wrong ones let cross is seen."""

from __future__ import annotations

import json
import sys

import pytest

from load.crowd.__main__ import main
from load.crowd.people import members
from load.crowd.playing import Crowd, play


def wrong(name: str) -> tuple[str, ...]:
    return (sys.executable, "-m", "mutants", name, "--config", "{config}", "--ready", "{ready}")


def test_marks_of_members_are_nobody_else_s() -> None:
    owners: dict[str, int] = {}
    for one in members(50, 7):
        for mark in one.marks:
            assert owners.setdefault(mark, one.number) == one.number
    # A mark within another's would be taken for it.
    for inner, owner in owners.items():
        assert {number for mark, number in owners.items() if inner in mark} == {owner}


def test_nothing_crosses_among_eight(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--people", "8", "--seconds", "10", "--seed", "7", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["crossings"] == []
    assert told["rounds"] >= 8
    assert told["refused"] > 0
    assert told["exchanges"]["WADO-RS"] >= 8
    assert told["exchanges"]["C-STORE"] >= 24


@pytest.mark.parametrize(
    ("name", "said"),
    [("jeton-dans-le-cookie", "un jeton chez")],
)
def test_what_a_wrong_consumer_lets_cross_is_seen(name: str, said: str) -> None:
    outcome = play(Crowd(seed=7, people=2, seconds=0.5, command=wrong(name)))
    assert not outcome.conform
    assert any(said in one for one in outcome.crossings)


def test_numbers_that_make_no_crowd_are_refused() -> None:
    assert main(["--people", "1"]) == 64
    assert main(["--people", "beaucoup"]) == 64
