"""What judges a Source: nothing automatic is left out, and no edge case is forgotten."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from bench.campaign import Options, selected_by
from drimbench.cli import app
from drimbench.coverage import measure
from drimbench.source_page import DEFAULT_PATH, requirements_of_a_source, source_page
from features import FEATURES
from spec.edge_cases import EDGE_CASES, EdgeCase
from spec.requirements import Verification

MEASURED = measure()
PAGE = Path(__file__).parents[2] / DEFAULT_PATH
CASES = [case for origin in EDGE_CASES for case in origin.cases]


def test_the_suite_plays_every_automatic_requirement() -> None:
    own = requirements_of_a_source()
    assert len(own) == 70
    unplayed = [
        one.id
        for one in own
        if one.verification is Verification.AUTOMATIC
        and not MEASURED.scenarios_of(one.id, role="source")
    ]
    assert unplayed == []


def test_the_suite_is_what_the_command_plays() -> None:
    chosen = selected_by(Options(features=FEATURES, steps=(), suite="source"))
    assert chosen == MEASURED.suite("source")
    assert "SCN-PUB-01" in chosen
    assert not any(id.startswith(("SCN-CON", "SCN-FOU")) for id in chosen)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.text[:40])
def test_each_edge_case_is_played_or_says_why_not(case: EdgeCase) -> None:
    assert case.scenarios or case.rules or case.reason
    assert set(case.scenarios) <= MEASURED.scenarios.keys()
    assert set(case.rules) <= MEASURED.rules.keys()
    for text in (case.text, case.reason):
        assert not text or text.endswith((".", "?"))


def test_a_scenario_of_a_reason_exists_too() -> None:
    told = {word.strip(".,;)(") for case in CASES for word in case.reason.split()}
    assert {word for word in told if word.startswith("SCN-")} <= MEASURED.scenarios.keys()
    files = {word for word in told if word.endswith((".py", ".md"))}
    assert files
    assert all((PAGE.parents[2] / name).is_file() for name in files)


def test_the_page_is_the_one_that_the_command_makes(tmp_path: Path) -> None:
    page = tmp_path / "a" / "source.md"
    made = CliRunner().invoke(app, ["docs", "source", "--output", str(page)])
    assert made.exception is None
    assert CliRunner().invoke(app, ["docs", "source"]).output == page.read_text(encoding="utf-8")
    assert page.read_text(encoding="utf-8") == source_page(MEASURED)
    assert PAGE.read_text(encoding="utf-8") == source_page(MEASURED), "drimbench docs source"
