"""How a run is read: proofs, consequences, false alarms, starved and untold scenarios."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bench.campaign import CampaignError
from bench.results import Run, ScenarioResult, StepResult
from bench.verdicts import Verdict, merge
from mutants.matrix import judge, selection
from mutants.registry import Mutant
from validators.finding import Finding, Severity

WRONG = Mutant(
    name="essai",
    breaks="Rien.",
    requirements=("DB.SO.33",),
    consequences=("DB.SO.34",),
    role="source",
    transform=lambda parts: parts,
)


def scenario(
    name: str, verdict: Verdict, *requirements: str, finding: Finding | None = None
) -> ScenarioResult:
    """A scenario of one step, which failed unless a finding did."""
    step = StepResult(
        index=0,
        keyword="Alors",
        text="la demande est refusée",
        verdict=verdict if finding is None else Verdict.PASS,
        message="",
        started=None,
        ended=None,
    )
    return ScenarioResult(
        id=name,
        title=name,
        feature="",
        domain="images",
        requirements=requirements,
        verdict=verdict,
        reason="pourquoi",
        duration_s=0.0,
        case={},
        steps=(step,),
        expectations=(),
        findings=() if finding is None else (("x", finding),),
        exchanges=(),
    )


def run(*scenarios: ScenarioResult) -> Run:
    return Run(
        directory=Path("run"),
        id="run",
        seed=1,
        started=datetime(2026, 11, 22, tzinfo=UTC),
        duration_s=1.0,
        verdict=merge(one.verdict for one in scenarios),
        meta={},
        scenarios=scenarios,
        ambient=(),
    )


def test_each_scenario_falls_in_one_group() -> None:
    trial = judge(
        WRONG,
        run(
            scenario("vert", Verdict.PASS, "DB.SO.33"),
            scenario("averti", Verdict.WARN, "DB.SO.33"),
            scenario("preuve", Verdict.FAIL, "DB.SO.33", "DB.SO.46"),
            scenario("suite", Verdict.FAIL, "DB.SO.34"),
            scenario("à tort", Verdict.FAIL, "DB.SO.12"),
            scenario("affamé", Verdict.SKIP, "DB.SO.12"),
            scenario("cassé", Verdict.ERROR, "DB.SO.33"),
            scenario("sans objet", Verdict.OMIT, "DB.SO.33"),
        ),
    )
    assert trial.killed
    assert [one.scenario for one in trial.killed_by] == ["preuve"]
    assert [one.scenario for one in trial.consequences] == ["suite"]
    assert [one.scenario for one in trial.false_alarms] == ["à tort"]
    assert [one.scenario for one in trial.skipped] == ["affamé"]
    assert [one.scenario for one in trial.untold] == ["cassé"]
    assert trial.red == {"preuve", "suite", "à tort"}
    assert trial.ran == ("vert", "averti", "preuve", "suite", "à tort", "affamé", "cassé")


@pytest.mark.parametrize(
    ("named", "killed"), [(("DB.SO.33", "DB.CO.68"), True), (("DB.SO.39",), False)]
)
def test_a_finding_blames_what_it_names(named: tuple[str, ...], killed: bool) -> None:
    finding = Finding(rule="KIT-1", severity=Severity.ERROR, message="m", requirements=named)
    trial = judge(WRONG, run(scenario("s", Verdict.FAIL, "DB.SO.46", finding=finding)))
    assert trial.killed is killed
    (red,) = (*trial.killed_by, *trial.false_alarms)
    assert set(red.blamed) == set(named)
    assert red.requirements == ("DB.SO.46",)


def test_a_finding_does_not_excuse_a_failed_step() -> None:
    finding = Finding(
        rule="KIT-1", severity=Severity.ERROR, message="m", requirements=("DB.SO.33",)
    )
    failed = scenario("s", Verdict.FAIL, "DB.SO.46")
    trial = judge(WRONG, run(replace(failed, findings=(("x", finding),))))
    assert [one.blamed for one in trial.false_alarms] == [("DB.SO.46",)]


def test_a_warning_blames_nothing() -> None:
    finding = Finding(
        rule="KIT-1", severity=Severity.WARNING, message="m", requirements=("DB.SO.33",)
    )
    trial = judge(WRONG, run(scenario("s", Verdict.WARN, finding=finding)))
    assert not trial.killed
    assert not trial.red


def test_nothing_red_is_a_survivor() -> None:
    trial = judge(WRONG, run(scenario("vert", Verdict.PASS, "DB.SO.33")))
    assert not trial.killed
    assert trial.as_dict()["killed"] is False


def test_the_answer_of_the_command_line() -> None:
    shown = judge(WRONG, run(scenario("preuve", Verdict.FAIL, "DB.SO.33"))).as_dict()
    assert shown["mutant"] == "essai"
    assert shown["breaks"] == "Rien."
    assert shown["ran"] == ["preuve"]
    assert shown["false_alarms"] == []
    assert shown["killed_by"] == [
        {
            "scenario": "preuve",
            "verdict": "fail",
            "requirements": ["DB.SO.33"],
            "blamed": ["DB.SO.33"],
            "reason": "pourquoi",
        }
    ]


FEATURE = """# language: fr
{role}
Fonctionnalité: {title}

  {tags}
  Scénario: {title}
    Alors rien
"""


@pytest.fixture
def features(tmp_path: Path) -> Path:
    for file, role, tags in (
        ("images/un", "@source", "@SCN-A @DB.SO.33"),
        ("images/deux", "@source", "@SCN-B @DB.SO.12"),
        ("publication/trois", "@source", "@SCN-C @DB.SO.12"),
        ("consultation/quatre", "@consumer", "@SCN-D @DB.SO.33"),
        ("images/cinq", "@source @consumer", "@SCN-E @DB.SO.33"),
    ):
        path = tmp_path / f"{file}.feature"
        path.parent.mkdir(exist_ok=True)
        path.write_text(FEATURE.format(role=role, tags=tags, title=path.stem), encoding="utf-8")
    return tmp_path


def test_the_scenarios_of_its_requirements_are_played(features: Path) -> None:
    assert set(selection(WRONG, features, frozenset())) == {"SCN-A", "SCN-E"}


def test_and_those_of_its_role_that_used_its_parts(features: Path) -> None:
    users = frozenset({"SCN-C", "SCN-D"})
    assert set(selection(WRONG, features, users)) == {"SCN-A", "SCN-C", "SCN-E"}


def written(root: Path, *scenarios: tuple[str, str]) -> Path:
    for file, tags in scenarios:
        path = root / f"{file}.feature"
        path.parent.mkdir(exist_ok=True)
        path.write_text(FEATURE.format(role="@source", tags=tags, title=path.stem), "utf-8")
    return root


def test_of_those_that_used_its_parts_as_many_as_carry_their_requirements(tmp_path: Path) -> None:
    """What an aimed scenario asks needs no other; the one that asks for most comes first."""
    features = written(
        tmp_path,
        ("images/a", "@SCN-A @DB.SO.33 @DB.SO.01"),
        ("images/b", "@SCN-B @DB.SO.01"),
        ("images/c", "@SCN-C @DB.SO.02"),
        ("images/d", "@SCN-D @DB.SO.02 @DB.SO.03"),
        ("images/e", "@SCN-E @DB.SO.03 @DB.SO.04"),
        ("images/f", "@SCN-F @DB.SO.04"),
    )
    users = frozenset({"SCN-B", "SCN-C", "SCN-D", "SCN-E", "SCN-F"})
    assert selection(WRONG, features, users) == ("SCN-A", "SCN-D", "SCN-E")
    assert selection(WRONG, features, users - {"SCN-D"}) == ("SCN-A", "SCN-C", "SCN-E")


def test_an_attack_is_played_by_the_boxes_that_it_is_aimed_at(tmp_path: Path) -> None:
    features = written(
        tmp_path,
        ("images/a", "@SCN-A @DB.SO.33 @KIT-SEC-TOK-01"),
        ("images/b", "@SCN-B @DB.SO.12 @KIT-SEC-TOK-02"),
    )
    assert selection(WRONG, features, frozenset({"SCN-A", "SCN-B"})) == ("SCN-A",)


def test_all_those_of_its_role_otherwise(features: Path) -> None:
    assert set(selection(WRONG, features)) == {"SCN-A", "SCN-B", "SCN-C", "SCN-E"}


def test_a_requirement_without_scenario_is_told(features: Path) -> None:
    orphan = Mutant(
        name="orpheline",
        breaks="Rien.",
        requirements=("DB.SO.46",),
        consequences=(),
        role="source",
        transform=lambda parts: parts,
    )
    with pytest.raises(CampaignError, match=r"orpheline.*DB\.SO\.46"):
        selection(orphan, features)
