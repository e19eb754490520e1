"""Each socle requirement has a scenario, or says what file proves it and under which name."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from bench.campaign import Options, selected_by
from bench.gate import check_features
from bench.selection import SOCLE
from drimbench.cli import app
from drimbench.coverage import measure
from drimbench.socle_page import DEFAULT_PATH, socle_page
from features import FEATURES
from spec.requirements import CATALOGUE, Verification
from spec.socle import ROWS, Manner, Row

MEASURED = measure()
PAGE = Path(__file__).parents[2] / DEFAULT_PATH
FAMILIES = ("DMP/AIRS", "DMP/CONF", "DMP/HISTO", "DMP/PSC", "DMP/UX", "PSC", "CDA", "SSI/GEN",
            "SSI/IAM", "SSI/IE")  # fmt: skip
ELSEWHERE = {"DMP/UX.07", "DMP/UX.14", "DMP/UX.49"}
"""Cited by requirements of the Consumer, and not in the table of the socle."""


def test_every_socle_requirement_of_the_catalogue_has_its_row() -> None:
    socle = {id for id, one in CATALOGUE.items() if one.family.startswith(FAMILIES)}
    assert set(ROWS) == socle - ELSEWHERE


@pytest.mark.parametrize("one", ROWS.values(), ids=lambda one: one.requirement.id)
def test_a_row_agrees_with_the_catalogue(one: Row) -> None:
    known = one.requirement
    assert one.proof.endswith(".")
    expected = {
        Manner.SCENARIO: {Verification.AUTOMATIC},
        Manner.VIDEO: {Verification.REVIEW},
        Manner.ATTESTATION: {Verification.ATTESTATION},
        Manner.PROCEDURE: {Verification.ATTESTATION},
        Manner.NO_TEXT: {Verification.NONE},
    }
    assert known.verification in expected[one.manner]
    if one.manner is Manner.SCENARIO:
        assert MEASURED.scenarios_of(known.id)


def test_the_suite_plays_what_the_wire_shows_of_it_and_nothing_else() -> None:
    chosen = selected_by(Options(features=FEATURES, steps=(), suite=SOCLE))
    carried = {id for one in ROWS.values() for id in one.played}
    assert chosen == {
        pickle.scenario
        for pickle in check_features(FEATURES)
        if not carried.isdisjoint(pickle.tags)
    }
    assert {"SCN-SEC-TLS-08", "SCN-IMR-13"} < chosen


def test_the_page_is_the_one_that_the_command_makes(tmp_path: Path) -> None:
    page = tmp_path / "socle.md"
    result = CliRunner().invoke(app, ["docs", "socle", "--output", str(page)])
    assert result.exit_code == 0
    assert page.read_text() == socle_page(MEASURED)
    assert page.read_text() == PAGE.read_text(), f"drimbench docs socle --output {DEFAULT_PATH}"
