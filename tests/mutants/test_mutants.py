"""The bench fails wrong boxes, on the requirements that they break and on no other, in the feature
files that were written against them: `drimbench mutants --full` plays all."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.gate import check_features
from features import FEATURES, STEP_MODULES
from mutants.matrix import QUICK, Ground, Red, Trial, play_one, processes, selection
from mutants.registry import Mutant, find

pytestmark = pytest.mark.slow

CAUGHT_BY = {
    "sans-acquittement": {"SCN-PUB-01", "SCN-PUB-05", "SCN-REF-06"},
    "un-seul-kos": {"SCN-PUB-02"},
    "jeton-non-verifie": {"SCN-IMG-01", "SCN-IMR-02", "SCN-IMR-03", "SCN-IMR-04", "SCN-IMR-05"},
    "serie-hors-kos": {"SCN-IMR-08"},
    "ins-d-un-autre": {"SCN-IMG-02"},
    "ipp-d-origine": {"SCN-CON-02"},
    "source-verifiee-apres": {"SCN-COR-05"},
}
"""The scenarios that were written against each of these defects."""


def on_its_own(red: Red) -> bool:
    """A requirement that the scenario carries is blamed, not only one that a finding names."""
    return not set(red.requirements).isdisjoint(red.blamed)


@pytest.mark.parametrize("name", CAUGHT_BY)
def test_the_scenarios_of_its_requirements_turn_red_and_no_other(name: str, tmp_path: Path) -> None:
    wrong = find(name)
    ground = Ground(features=FEATURES, steps=STEP_MODULES, runs=tmp_path, profile=QUICK)

    with processes(ground, 1) as pool:
        trial = pool.submit(play_one, wrong, ground, written_beside(wrong)).result()

    red = [one for one in trial.killed_by if on_its_own(one)]
    assert {one.scenario for one in red} >= CAUGHT_BY[name]
    assert all(not set(one.requirements).isdisjoint(wrong.requirements) for one in red)
    assert not trial.false_alarms, told(trial.false_alarms)
    assert not trial.consequences, told(trial.consequences)
    assert not trial.skipped, told(trial.skipped)
    assert not trial.untold, told(trial.untold)
    assert len(trial.ran) > len(CAUGHT_BY[name]), told_ran(trial)


def written_beside(wrong: Mutant) -> list[str]:
    """What its role plays of the feature files of those that were written against it, but for rows
    of the security catalogue."""
    every = {one.scenario: one.file for one in check_features(FEATURES)}
    files = {every[id] for id in CAUGHT_BY[wrong.name]}
    return [
        id
        for id in selection(wrong, FEATURES)
        if every[id] in files and not id.startswith("SCN-SEC-")
    ]


def told(reds: tuple[Red, ...]) -> str:
    """For the reader of a failed test."""
    return "\n".join(f"{one.scenario} {one.verdict} {one.reason}" for one in reds)


def told_ran(trial: Trial) -> str:
    """What was played, for the reader of a failed test."""
    return f"{len(trial.ran)} scénarios joués : {', '.join(trial.ran)}"
