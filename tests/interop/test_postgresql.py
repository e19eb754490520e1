"""The scenarios of the Source with PostgreSQL as its archive: the same verdicts as with a file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.campaign import Options, play
from bench.parallel import serial_because
from bench.profile import Profile
from bench.results import Run
from bench.verdicts import Verdict
from features import FEATURES, STEP_MODULES
from tests.drimbox_ref.postgresql import Server, running

pytestmark = [pytest.mark.interop, pytest.mark.slow]

_SCENARIOS = (
    "SCN-PUB-01", "SCN-RES-01", "SCN-VIE-01", "SCN-VIE-06", "SCN-IMG-01", "SCN-ARC-01",
    "SCN-ARC-02",
)  # fmt: skip
"""Publication, restart after a kill, replacement, depublication, images, and the archive."""


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running() as started:
        yield started


def test_the_same_scenarios_pass(tmp_path: Path, server: Server) -> None:
    run = campaign(tmp_path, server, only=_SCENARIOS)
    assert {one.id: one.verdict for one in run.scenarios} == dict.fromkeys(_SCENARIOS, Verdict.PASS)
    assert not list(tmp_path.rglob("source.sqlite"))


@pytest.mark.whole
def test_every_scenario_of_a_source_passes(tmp_path: Path, server: Server) -> None:
    run = campaign(tmp_path, server, suite="source")
    assert {
        one.id: one.reason
        for one in run.scenarios
        if one.verdict not in (Verdict.PASS, Verdict.OMIT)
    } == {}
    assert sum(one.verdict is Verdict.OMIT for one in run.scenarios) == 3  # a native product's
    assert len(run.scenarios) > 70
    assert not list(tmp_path.rglob("source.sqlite"))


def campaign(tmp_path: Path, server: Server, *, only: tuple[str, ...] = (), suite: str = "") -> Run:
    """Played by one Source, whose durable state is a database of that server's."""
    options = Options(
        features=FEATURES,
        steps=STEP_MODULES,
        runs=tmp_path,
        profile=Profile.model_validate(
            {"claims": {"consumer": False}, "source": {"database": server.database()}}
        ),
        only=only,
        suite=suite,
        seed=5,
    )
    assert "une seule Source" in serial_because(options)
    return play(options)
