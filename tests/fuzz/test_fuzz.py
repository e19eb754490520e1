"""Hostile inputs: a reader answers, or raises what it documents, in bounded time and memory."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from random import Random

import pytest

from tests.fuzz.driver import LONGEST_S, fuzz, input_of
from tests.fuzz.heavy import HEAVY, SIZE
from tests.fuzz.hostile import LONGEST, deep_dicom, xml_bomb
from tests.fuzz.targets import TARGETS, Target
from validators.api import KINDS, validate
from validators.finding import Severity

COUNT = 2_000
SEED = 20261122
"""Fixed here, so that `make test` says the same twice; `make fuzz` draws another each time."""
ROOT = Path(__file__).parents[2]


@pytest.mark.slow
@pytest.mark.parametrize("name", TARGETS)
def test_hostile_inputs_break_nothing(name: str) -> None:
    outcome = fuzz(TARGETS[name], COUNT, SEED)
    assert not outcome.failures, outcome.failures
    assert outcome.passed, f"+{outcome.grown_mib:.0f} Mio"


@pytest.mark.slow
@pytest.mark.parametrize("name", HEAVY)
def test_hundred_megabytes_are_bounded(name: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.fuzz.heavy", name],
        capture_output=True,
        text=True,
        timeout=120,
        cwd=ROOT,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-1000:]
    for target, cost in json.loads(done.stdout).items():
        assert cost["seconds"] < 30, (target, cost)
        # Some copies of the input, never a multiple that grows with its structure.
        assert cost["grown_mib"] < 12 * SIZE / 2**20, (target, cost)


@pytest.mark.parametrize("name", TARGETS)
def test_seeds_are_readable(name: str) -> None:
    """A target that refuses its own seeds would be fuzzed at its door only."""
    target = TARGETS[name]
    target.read(target.seeds[0])


def test_an_input_is_played_again_by_its_number() -> None:
    target = TARGETS["hl7v2"]
    first = [input_of(target, 7, number) for number in range(200)]
    assert first == [input_of(target, 7, number) for number in range(200)]
    assert len(set(first)) > 150
    assert max(map(len, first)) <= LONGEST


def test_a_broken_reader_is_caught() -> None:
    """The proof can fail: an exception that is not documented, a hang."""

    def fragile(data: bytes) -> object:
        return data.decode("ascii")

    outcome = fuzz(Target("fragile", (b"abc",), fragile), 200, 1)
    assert outcome.failures
    assert "UnicodeDecodeError" in outcome.failures[0].what
    assert not outcome.passed


def test_a_hang_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.fuzz.driver.LONGEST_S", 0.05)

    def endless(data: bytes) -> object:
        while True:
            data = data[1:] + data[:1]

    outcome = fuzz(Target("endless", (b"abc",), endless), 1, 1)
    assert "TooLong" in outcome.failures[0].what
    assert outcome.seconds < LONGEST_S


@pytest.mark.parametrize("kind", KINDS)
def test_bombs_are_findings(kind: str) -> None:
    """Refused with a finding of the kind: never unfolded, never an exception."""
    external = b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>'
    for data in (xml_bomb(Random(3)), external, deep_dicom(5000), b"\xff\xfe" * 200):
        report = validate(data, kind)
        assert report.verdict != "pass"
        assert any(found.severity is not Severity.INFO for found in report.findings)
        assert not any("root:" in str(found.as_dict()) for found in report.findings)
