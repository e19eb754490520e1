"""Several beds share a campaign: one run, read as if one had played it."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from bench.assemble import load
from bench.campaign import CampaignError, Options, play
from bench.errors import BenchError
from bench.journal import Journal
from bench.judge import judge_scenario
from bench.parallel import play_by_workers, serial_because, usual_workers
from bench.profile import EMBEDDED, ConsumerBox, Profile, SourceBox, World
from bench.resuming import resume
from bench.stage import ScenarioInfo
from bench.verdicts import Verdict
from features import FEATURES, STEP_MODULES

FEATURE = """# language: fr
@source
Fonctionnalité: Sans banc

  @SCN-KIT-11 @DB.SO.15
  Scénario: Un
    Alors un opérateur constate qu'il pleut

  @SCN-KIT-12 @DB.SO.15
  Scénario: Deux
    Alors un opérateur constate qu'il neige

  @SCN-KIT-13 @DB.SO.15
  Scénario: Trois
    Alors 1 échange ITI-41 est attendu (attente « longue », {seconds} secondes)

  @SCN-KIT-14 @DB.SO.15
  Scénario: Quatre
    Alors un opérateur constate qu'il vente
"""


@dataclass
class Told:
    """A progress that remembers, and does something when a scenario begins."""

    when: Callable[[ScenarioInfo], None] = lambda info: None
    numbers: list[tuple[int, int]] = field(default_factory=list)
    finished_: dict[str, Verdict] = field(default_factory=dict)

    def preparing(self, what: str) -> None:
        raise AssertionError("no bed is needed")

    def started(self, info: ScenarioInfo, number: int, total: int) -> None:
        self.numbers.append((number, total))
        self.when(info)

    def finished(self, info: ScenarioInfo, verdict: Verdict, reason: str, seconds: float) -> None:
        self.finished_[info.id] = verdict


@pytest.fixture
def options(tmp_path: Path) -> Callable[[int], Options]:
    features = tmp_path / f"features_{tmp_path.name}"
    features.mkdir()
    (features / "test_all.py").write_text("from pytest_bdd import scenarios\n\nscenarios('.')\n")

    def asked(seconds: int) -> Options:
        (features / "a.feature").write_text(FEATURE.format(seconds=seconds))
        return Options(features=features, steps=STEP_MODULES, runs=tmp_path / "runs", seed=5)

    return asked


ALL = ["SCN-KIT-11", "SCN-KIT-12", "SCN-KIT-13", "SCN-KIT-14"]


@pytest.mark.slow
def test_one_run_of_two_workers(options: Callable[[int], Options]) -> None:
    told = Told()
    run = play_by_workers(options(1), 2, told)
    assert [one.id for one in run.scenarios] == ALL
    verdicts = {one.id: one.verdict for one in run.scenarios}
    assert verdicts == {**dict.fromkeys(ALL, Verdict.REVIEW), "SCN-KIT-13": Verdict.FAIL}
    assert told.finished_ == verdicts
    assert told.numbers == [(1, 4), (2, 4), (3, 4), (4, 4)]
    journal = Journal(run.directory)
    (plan,) = journal.of("plan")
    assert plan.fields["scenarios"] == ALL
    writers = {event.id.split("-")[1] for event in journal.of("scenario.start")}
    assert len(writers) == 2
    assert run.seed == 5
    assert not run.interrupted


@pytest.mark.slow
def test_ctrl_c_leaves_what_can_be_resumed(options: Callable[[int], Options]) -> None:
    asked = options(600)

    def press(info: ScenarioInfo) -> None:
        if info.id == "SCN-KIT-13":
            raise KeyboardInterrupt

    cut = play_by_workers(asked, 2, Told(press))
    assert cut.interrupted
    assert not multiprocessing.active_children()
    left = resume(cut.directory, options(1))
    assert left is not None
    assert "SCN-KIT-13" in left.only
    whole = play_by_workers(left, 2, Told())
    assert whole.directory == cut.directory
    assert not whole.interrupted
    assert [one.id for one in whole.scenarios] == ALL
    assert {one.verdict for one in whole.scenarios} == {Verdict.REVIEW, Verdict.FAIL}


def test_ctrl_c_while_scenarios_load_is_an_interruption(options: Callable[[int], Options]) -> None:
    """A machine that is slow to load them meets it there: nobody's features are broken."""
    asked = options(1)
    (asked.features / "test_all.py").write_text("raise KeyboardInterrupt\n")
    cut = play(asked)
    assert cut.interrupted
    assert not cut.scenarios


def test_scenarios_that_do_not_load_are_told(options: Callable[[int], Options]) -> None:
    asked = options(1)
    (asked.features / "test_all.py").write_text("raise ImportError\n")
    with pytest.raises(CampaignError, match="n'ont pas pu être chargés"):
        play(asked)


def not_prepared() -> None:
    raise BenchError("un greffon manque")


@pytest.mark.slow
def test_each_worker_is_prepared(options: Callable[[int], Options]) -> None:
    with pytest.raises(CampaignError, match=r"un greffon manque \(drimbench run --resume"):
        play_by_workers(options(1), 2, Told(), not_prepared)


@pytest.mark.slow
def test_a_worker_that_dies_is_told(options: Callable[[int], Options], tmp_path: Path) -> None:
    def kill(info: ScenarioInfo) -> None:
        if info.id == "SCN-KIT-13":
            for one in multiprocessing.active_children():
                assert one.pid is not None
                os.kill(one.pid, signal.SIGKILL)

    with pytest.raises(CampaignError, match=r"s'est arrêté \(code -9\)"):
        play_by_workers(options(600), 2, Told(kill))
    (folder,) = (tmp_path / "runs").iterdir()
    assert load(folder).interrupted


@pytest.mark.slow
def test_beds_side_by_side(tmp_path: Path) -> None:
    run = play_by_workers(
        Options(
            features=FEATURES,
            steps=STEP_MODULES,
            runs=tmp_path,
            only=("SCN-PUB-03", "SCN-IMG-02", "SCN-CON-02"),
        ),
        2,
    )
    assert {one.verdict for one in run.scenarios} == {Verdict.PASS}, [
        one.reason for one in run.scenarios
    ]
    again = load(run.directory, judge=judge_scenario)
    assert [one.verdict for one in again.scenarios] == [one.verdict for one in run.scenarios]
    patients = {one.case["matricule INS"] for one in run.scenarios}
    assert len(patients) == 3


def asked_of(profile: Profile = EMBEDDED, **more: object) -> Options:
    return Options(features=FEATURES, steps=STEP_MODULES, profile=profile, **more)  # type: ignore[arg-type]


def test_how_many_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bench.parallel._cores", lambda: 8)
    assert usual_workers(asked_of()) == 2
    assert usual_workers(asked_of(only=("SCN-PUB-01",))) == 1
    started = Profile(source=SourceBox(command=("x",)))
    assert usual_workers(asked_of(started)) == 1
    assert serial_because(asked_of(started)) == ""  # may be asked for, is not by default
    monkeypatch.setattr("bench.parallel._cores", lambda: 1)
    assert usual_workers(asked_of()) == 1


@pytest.mark.parametrize(
    ("profile", "told"),
    [
        (Profile(source=SourceBox(mllp="127.0.0.1:1")), "se conduit en série"),
        (Profile(consumer=ConsumerBox(web="127.0.0.1:1")), "se conduit en série"),
        (Profile(source=SourceBox(command=("x",), ports={"mllp": 2575})), "source.ports.mllp"),
        (Profile(world=World(dmp=8443)), "world.dmp"),
        (Profile(world=World(pki="pki")), "world.pki"),
    ],
)
def test_what_is_at_one_place_is_driven_serially(
    profile: Profile, told: str, tmp_path: Path
) -> None:
    with pytest.raises(CampaignError, match=f"--workers 2 : .*{told}"):
        play_by_workers(asked_of(profile, runs=tmp_path / "runs"), 2)
    assert usual_workers(asked_of(profile)) == 1
    assert not (tmp_path / "runs").exists()
