"""What judges a Consumer: nothing automatic is left out, and what is not says why."""

from __future__ import annotations

from pathlib import Path

from typer.testing import CliRunner

from bench.campaign import Options, selected_by
from drimbench.cli import app
from drimbench.consumer_page import DEFAULT_PATH, consumer_page, requirements_of_a_consumer
from drimbench.coverage import measure
from features import FEATURES
from spec.draft_scenarios import CONSUMER_STEPS
from spec.requirements import CATALOGUE, Verification

MEASURED = measure()
PAGE = Path(__file__).parents[2] / DEFAULT_PATH


def test_the_suite_plays_every_automatic_requirement_and_the_others_say_why() -> None:
    own = requirements_of_a_consumer()
    assert len(own) == 77
    unplayed = [
        one.id
        for one in own
        if one.verification is Verification.AUTOMATIC
        and not MEASURED.scenarios_of(one.id, role="consumer")
    ]
    assert unplayed == []
    assert [one.id for one in own if one.verification is not Verification.AUTOMATIC] == [
        one.id for one in own if one.reason
    ]


def test_each_step_of_the_drafts_is_there_with_its_proofs() -> None:
    cited = {
        step
        for one in CATALOGUE.values()
        for step in one.steps
        if step.startswith(("SCN_DB/CO.01.", "SCN_DB/CO.02."))
    }
    assert cited <= {one.id for one in CONSUMER_STEPS}
    (line,) = (
        one
        for one in PAGE.read_text(encoding="utf-8").splitlines()
        if "| `SCN_DB/CO.01.06` |" in one
    )
    assert "`SCN-CON-02`" in line
    assert "`SCN_DB/CO.01.06.01` : résultat de validateur" in line


def test_the_suite_is_what_the_command_plays() -> None:
    chosen = selected_by(Options(features=FEATURES, steps=(), suite="consumer"))
    assert chosen == MEASURED.suite("consumer")
    assert {"SCN-CON-02", "SCN-END-01"} <= chosen
    assert not any(id.startswith(("SCN-PUB", "SCN-FOU")) for id in chosen)


def test_the_page_is_the_one_that_the_command_makes(tmp_path: Path) -> None:
    page = tmp_path / "a" / "consommatrice.md"
    made = CliRunner().invoke(app, ["docs", "consumer", "--output", str(page)])
    assert made.exception is None
    assert page.read_text(encoding="utf-8") == consumer_page(MEASURED)
    assert PAGE.read_text(encoding="utf-8") == consumer_page(MEASURED), "drimbench docs consumer"
