"""The recorded matrix is that of the bench as it is, and the READMEs say what it says.

`drimbench mutants NAME --full --record docs/reference/matrice.json` plays and records wrong boxes
that are new or changed; `drimbench docs mutants docs/reference/matrice.json README.md README.fr.md`
then writes the numbers into the pages.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.campaign import not_claimed
from bench.gate import ROLES, check_features
from bench.profile import EMBEDDED
from drimbench.matrix_page import rewrite
from features import FEATURES
from mutants.record import read
from mutants.registry import catalogue
from spec.requirements import is_requirement

ROOT = Path(__file__).parents[2]
RECORDED = ROOT / "docs" / "reference" / "matrice.json"
SCENARIOS = sorted(
    one.scenario
    for one in check_features(FEATURES)
    if not not_claimed(EMBEDDED, ROLES.intersection(one.tags), filter(is_requirement, one.tags))
)
"""Those that apply to the reference, which wrong boxes are made of."""


def test_it_lists_the_wrong_boxes_that_exist() -> None:
    recorded = {one.mutant: one for one in read(RECORDED).rows}
    assert list(recorded) == [one.name for one in catalogue()]
    for one in catalogue():
        assert recorded[one.name].role == one.role
        assert recorded[one.name].requirements == one.requirements


def test_it_lists_the_scenarios_that_exist() -> None:
    assert sorted(read(RECORDED).scenarios) == SCENARIOS


def test_every_wrong_box_is_caught_and_few_cry_wolf() -> None:
    record = read(RECORDED)
    assert not [one.mutant for one in record.rows if not one.killed_by]
    assert not [one.mutant for one in record.rows if one.untold]
    assert record.precision >= 0.95


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_wrong_box_turns_each_scenario_red(scenario: str) -> None:
    assert [one.mutant for one in read(RECORDED).rows if scenario in one.killed_by]


@pytest.mark.parametrize("name", ["README.md", "README.fr.md"])
def test_the_readme_says_what_was_recorded(name: str) -> None:
    page = ROOT / name
    assert page.read_text(encoding="utf-8") == rewrite(page, read(RECORDED))
