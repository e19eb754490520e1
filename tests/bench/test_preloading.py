"""KOS that the DMP and a Source's archive hold before the run, instead of a publication in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.campaign import Options, play
from bench.profile import Profile
from bench.results import Run
from bench.verdicts import Verdict
from features import FEATURES, STEP_MODULES
from validators.api import validate

pytestmark = pytest.mark.slow


def campaign(runs: Path, table: dict[str, object], scenario: str) -> Run:
    profile = Profile.model_validate(table)
    return play(
        Options(features=FEATURES, steps=STEP_MODULES, runs=runs, profile=profile, only=(scenario,))
    )


def test_a_consumer_starts_from_preloaded_kos(tmp_path: Path) -> None:
    table: dict[str, object] = {"claims": {"source": False}, "consumer": {"start": "preloaded"}}
    run = campaign(tmp_path, table, "SCN-CON-02")
    assert run.verdict is Verdict.PASS, run.scenarios[0].reason
    assert not {"ORU^R01", "ITI-41", "C-FIND"} & run.counts().keys()
    assert run.counts()["WADO-RS"] == 2


def test_an_archive_that_nobody_imports_leaves_images_unverified(tmp_path: Path) -> None:
    table: dict[str, object] = {"claims": {"consumer": False}, "source": {"start": "xdm"}}
    run = campaign(tmp_path, table, "SCN-IMG-02")
    (scenario,) = run.scenarios
    assert scenario.verdict is Verdict.SKIP
    assert "importer dans la Source l'archive XDM" in scenario.reason
    (packed,) = (run.directory / "xdm").iterdir()
    findings = validate(packed.read_bytes(), "xdm").findings
    assert [one for one in findings if one.severity == "error"] == []


def test_publication_itself_is_never_preloaded(tmp_path: Path) -> None:
    table: dict[str, object] = {"claims": {"consumer": False}, "source": {"start": "xdm"}}
    run = campaign(tmp_path, table, "SCN-PUB-05")
    assert run.verdict is Verdict.PASS, run.scenarios[0].reason
