"""Each row of the security catalogue is played, or says who judges it or why nobody does."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from bench.campaign import Options, selected_by
from bench.gate import SECURITY, check_features
from bench.profile import EMBEDDED
from drimbench.cli import app
from drimbench.coverage import measure
from drimbench.security_page import DEFAULT_PATH, security_page
from features import FEATURES
from spec.security import ROWS, Judged, Row

MEASURED = measure()
PAGE = Path(__file__).parents[2] / DEFAULT_PATH
PICKLES = check_features(FEATURES)


@pytest.mark.parametrize("one", ROWS.values(), ids=lambda one: one.id)
def test_a_scenario_carries_a_row_or_a_person_judges_it(one: Row) -> None:
    played = MEASURED.scenarios_of(one.requirement_id)
    assert bool(played) == (one.judged is Judged.AUTOMATIC)


def test_the_name_of_an_attack_begins_with_its_row() -> None:
    attacks = [pickle for pickle in PICKLES if pickle.domain == SECURITY]
    assert attacks
    for pickle in attacks:
        row = pickle.title.split()[0]
        assert ROWS[row].requirement_id in pickle.tags
        assert pickle.scenario == f"SCN-SEC-{row}"


def test_the_suite_plays_every_row_that_is_played_and_nothing_else() -> None:
    chosen = selected_by(Options(features=FEATURES, steps=(), suite=SECURITY))
    carried = {row.requirement_id for row in ROWS.values()}
    assert chosen == {pickle.scenario for pickle in PICKLES if not carried.isdisjoint(pickle.tags)}


def test_an_attack_is_played_when_it_is_asked_for_only() -> None:
    def chosen(*words: str, suite: str = "") -> frozenset[str]:
        options = Options(
            features=FEATURES, steps=(), profile=EMBEDDED, only=tuple(words), suite=suite
        )
        return selected_by(options)

    attack = "SCN-SEC-TLS-08"
    assert attack not in chosen()
    assert attack not in chosen("source")
    assert attack not in chosen(suite="source")
    assert chosen("TLS-08") == chosen("KIT-SEC-TLS-08") == {attack}
    assert attack in chosen(SECURITY)


def test_the_page_is_the_one_that_the_command_makes(tmp_path: Path) -> None:
    page = tmp_path / "a" / "securite.md"
    result = CliRunner().invoke(app, ["docs", "security", "--output", str(page)])
    assert result.exit_code == 0
    assert page.read_text() == security_page(MEASURED)
    assert page.read_text() == PAGE.read_text(), f"drimbench docs security --output {DEFAULT_PATH}"
