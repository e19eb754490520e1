"""What a vendor declares: told apart, never judged otherwise, never forgotten."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from bench.agreements import agreed
from bench.assemble import load
from bench.outcomes import Failure
from bench.profile import ExpectedFailure, Profile, ProfileError, read
from bench.verdicts import ExitCode, Verdict, exit_code
from reports.html import render
from tests.bench.written import write_run

EXPECTED = {"scenario": "SCN-1", "reason": "corrigé en 2.1", "until": "9999-12-31"}


def test_a_declared_failure_does_not_count(tmp_path: Path) -> None:
    run = write_run(
        tmp_path,
        "a",
        {"SCN-1": Failure.NOT_MET, "SCN-2": None},
        expected_failures=[EXPECTED],
    )
    found = load(run)
    assert [one.verdict for one in found.scenarios] == [Verdict.XFAIL, Verdict.PASS]
    assert found.verdict is Verdict.PASS
    assert "corrigé en 2.1" in found.scenarios[0].reason
    assert "raté" in found.scenarios[0].reason
    assert found.requirement_verdict("DB.SO.12") is Verdict.PASS


def test_one_that_passes_is_told(tmp_path: Path) -> None:
    run = write_run(tmp_path, "a", {"SCN-1": None}, expected_failures=[EXPECTED])
    found = load(run)
    assert found.verdict is Verdict.XPASS
    assert exit_code(found.verdict) is ExitCode.XPASS


def test_one_that_is_over_counts_again(tmp_path: Path) -> None:
    stale = {**EXPECTED, "until": "2020-01-01"}
    run = write_run(tmp_path, "a", {"SCN-1": Failure.NOT_MET}, expected_failures=[stale])
    found = load(run)
    assert found.verdict is Verdict.FAIL
    assert any("périmé depuis le 01/01/2020" in note for note in found.notes)


@pytest.mark.parametrize("verdict", list(Verdict))
def test_only_a_failure_of_the_product_is_expected(verdict: Verdict) -> None:
    expected = ExpectedFailure(scenario="SCN-1", reason="r", until=date(2026, 1, 2))
    changed = {
        Verdict.FAIL: Verdict.XFAIL,
        Verdict.PASS: Verdict.XPASS,
        Verdict.WARN: Verdict.XPASS,
    }
    assert agreed(verdict, expected, date(2026, 1, 2)) is changed.get(verdict, verdict)
    assert agreed(verdict, expected, date(2026, 1, 3)) is verdict
    assert agreed(verdict, None, date(2026, 1, 2)) is verdict


def test_a_challenge_changes_nothing_and_is_shown(tmp_path: Path) -> None:
    challenge = {
        "requirement": "DB.SO.12",
        "argument": "le texte dit <autre> chose",
        "by": "A. Martin",
        "on": "2026-11-22",
    }
    run = load(write_run(tmp_path, "a", {"SCN-1": Failure.NOT_MET}, challenges=[challenge]))
    assert run.verdict is Verdict.FAIL
    page = render(run)
    assert "le texte dit &lt;autre&gt; chose" in page
    assert "en attente" in page


def test_a_campaign_cut_is_not_conform(tmp_path: Path) -> None:
    run = load(write_run(tmp_path, "a", {"SCN-1": None}, ended=False, plan=("SCN-1", "SCN-2")))
    assert run.unplayed == ("SCN-2",)
    assert run.verdict is Verdict.SKIP
    assert any("1 scénario(s) non joué(s)" in note for note in run.notes)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('[[challenges]]\nrequirement="DB.SO.9999"\nargument="a"\nby="b"\non=2026-01-01', "9999"),
        ('[[expected_failures]]\nscenario="SCN-1"\nreason=""\nuntil=2026-01-01', "reason"),
        ('[[expected_failures]]\nscenario="SCN-1"\nreason="r"', "until"),
        ('[[expected_failures]]\nscenario="DB.SO.12"\nreason="r"\nuntil=2026-01-01', "scenario"),
        (
            '[[expected_failures]]\nscenario="SCN-1"\nreason="r"\nuntil=2026-01-01\n' * 2,
            "deux fois",
        ),
    ],
)
def test_a_declaration_is_whole(tmp_path: Path, text: str, told: str) -> None:
    file = tmp_path / "p.toml"
    file.write_text(text)
    with pytest.raises(ProfileError, match=told):
        read(file)


def test_a_profile_says_it_all(tmp_path: Path) -> None:
    file = tmp_path / "p.toml"
    file.write_text(
        '[suites]\nnuit = ["publication", "DB.SO.12"]\n'
        '[[expected_failures]]\nscenario = "SCN-1"\nreason = "r"\nuntil = 2026-12-31\n'
        '[[challenges]]\nrequirement = "DB/SO.12"\nargument = "a"\nby = "b"\non = 2026-11-22\n'
    )
    profile = read(file)
    assert profile.suites == {"nuit": ("publication", "DB.SO.12")}
    assert profile.expected_failures[0].until == date(2026, 12, 31)
    assert profile != Profile()
