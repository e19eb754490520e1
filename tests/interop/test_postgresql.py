"""The scenarios of the Source with PostgreSQL as its archive: the same verdicts as with a file."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.campaign import Options, play
from bench.parallel import serial_because
from bench.profile import Profile
from bench.verdicts import Verdict
from features import FEATURES, STEP_MODULES
from tests.drimbox_ref.postgresql import running

pytestmark = [pytest.mark.interop, pytest.mark.slow]

_SCENARIOS = (
    "SCN-PUB-01", "SCN-RES-01", "SCN-VIE-01", "SCN-VIE-06", "SCN-IMG-01", "SCN-ARC-01",
    "SCN-ARC-02",
)  # fmt: skip
"""Publication, restart after a kill, replacement, depublication, images, and the archive."""


def test_the_same_scenarios_pass(tmp_path: Path) -> None:
    with running() as server:
        profile = Profile.model_validate({"source": {"database": server.database()}})
        options = Options(
            features=FEATURES,
            steps=STEP_MODULES,
            runs=tmp_path,
            profile=profile,
            only=_SCENARIOS,
            seed=5,
        )
        assert "une seule Source" in serial_because(options)
        run = play(options)
    assert {one.id: one.verdict for one in run.scenarios} == dict.fromkeys(_SCENARIOS, Verdict.PASS)
    assert not list(tmp_path.rglob("source.sqlite"))
