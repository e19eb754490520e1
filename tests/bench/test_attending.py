"""What a scenario asks of a person, with one beside the box, with one elsewhere, with nobody."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

import pytest

from bench.administration import Administration
from bench.attending import open_waits, proceed, wait
from bench.campaign import Options, Quiet, play
from bench.changes import by_hand
from bench.errors import BenchError
from bench.feed import Feed
from bench.journal import Journal
from bench.operator import Nobody, Request, Word
from bench.outcomes import StepKind
from bench.profile import EMBEDDED
from bench.results import Run, ScenarioResult
from bench.stage import ScenarioInfo, Stage
from bench.verdicts import Verdict
from bench.within import Within
from features import STEP_MODULES
from wire.shard import Shard

FEATURE = """# language: fr
@source
Fonctionnalité: Avec une personne

  @SCN-KIT-01 @DB.SO.15
  Scénario: Un geste puis un constat
    Quand l'opérateur redémarre le produit (attente « redemarrage », {seconds} secondes)
    Alors un opérateur constate que l'alerte est affichée

  @SCN-KIT-02 @DB.SO.15
  Scénario: Un constat seul
    Alors un opérateur constate qu'aucune image n'est montrée

  @SCN-KIT-03 @DB.SO.15
  Scénario: Une boîte lente
    Étant donné l'opérateur remplit le PACS
    Alors 1 échange ITI-41 est attendu (attente « publication », 1 secondes)
"""


@dataclass
class Person:
    """Says what it is told to say; remembers what it was asked."""

    done: Callable[[Request], bool] = lambda request: True
    word: Word | None = None
    present: bool = True
    asked: list[str] = field(default_factory=list)
    ended: dict[str, str] = field(default_factory=dict)

    def judge(self, request: Request) -> Word | None:
        self.asked.append(request.text)
        return self.word

    def waiting(self, request: Request, left_s: float, *, gesture: bool) -> bool:
        return gesture and self.done(request)

    def waited(self, request: Request, how: str) -> None:
        self.ended[request.identifier] = how


@pytest.fixture
def playing(tmp_path: Path) -> Callable[..., Run]:
    features = tmp_path / f"features_{tmp_path.name}"  # a module is imported once by its name
    features.mkdir()
    (features / "test_all.py").write_text("from pytest_bdd import scenarios\n\nscenarios('.')\n")

    def played(operator: Person | Nobody, *, seconds: int = 30, only: str = "") -> Run:
        (features / "a.feature").write_text(FEATURE.format(seconds=seconds))
        options = Options(
            features=features,
            steps=STEP_MODULES,
            runs=tmp_path / "runs",
            only=(only,) if only else (),
        )
        return play(options, Quiet(), operator)

    return played


def verdicts(run: Run) -> dict[str, Verdict]:
    return {one.id: one.verdict for one in run.scenarios}


def by_id(run: Run, id: str) -> ScenarioResult:
    return next(one for one in run.scenarios if one.id == id)


def test_with_nobody(playing: Callable[..., Run]) -> None:
    run = playing(Nobody())
    assert verdicts(run) == {
        "SCN-KIT-01": Verdict.SKIP,  # a gesture that nobody made
        "SCN-KIT-02": Verdict.REVIEW,
        "SCN-KIT-03": Verdict.SKIP,
    }
    assert "personne pour le faire : l'opérateur redémarre" in by_id(run, "SCN-KIT-01").reason


def test_a_person_decides(playing: Callable[..., Run], tmp_path: Path) -> None:
    screen = tmp_path / "écran.png"
    screen.write_bytes(b"\x89PNG")
    there = Person(word=Word(conform=True, by="A. Martin", comment="vu", files=(screen,)))
    run = playing(there)
    assert verdicts(run) == {
        "SCN-KIT-01": Verdict.PASS,
        "SCN-KIT-02": Verdict.PASS,
        "SCN-KIT-03": Verdict.FAIL,  # the box did nothing in time
    }
    assert there.asked == [
        "constater que l'alerte est affichée",
        "constater qu'aucune image n'est montrée",
    ]
    assert there.ended["redemarrage"] == "quelqu'un l'a dit ici"
    assert there.ended["publication"] == "délai dépassé"
    assert "SCN-KIT-03:1" in there.ended
    assert "jugé conforme par A. Martin" in by_id(run, "SCN-KIT-01").steps[1].message
    assert {(one.proof, one.name) for one in run.attachments} == {
        ("SCN-KIT-01", "écran.png"),
        ("SCN-KIT-02", "écran.png"),
    }


def test_a_person_refuses_or_waits(playing: Callable[..., Run]) -> None:
    refusing = Person(word=Word(conform=False, by="A", comment="rien ne s'affiche"))
    run = playing(refusing, only="SCN-KIT-02")
    assert verdicts(run) == {"SCN-KIT-02": Verdict.FAIL}
    assert "rien ne s'affiche" in run.scenarios[0].reason
    assert verdicts(playing(Person(), only="SCN-KIT-02")) == {"SCN-KIT-02": Verdict.REVIEW}


def test_a_gesture_that_is_not_made_in_time(playing: Callable[..., Run]) -> None:
    there = Person(done=lambda request: False)
    run = playing(there, seconds=1, only="SCN-KIT-01")
    assert verdicts(run) == {"SCN-KIT-01": Verdict.SKIP}
    assert "non fait en 1 s" in run.scenarios[0].reason


def test_somebody_elsewhere_says_so(playing: Callable[..., Run], tmp_path: Path) -> None:
    said: list[str] = []

    def elsewhere(request: Request) -> bool:
        (run,) = (tmp_path / "runs").iterdir()
        waiting = open_waits(run)
        if waiting and not said:
            assert waiting == {"redemarrage": "l'opérateur redémarre le produit"}
            with pytest.raises(BenchError, match="attentes en cours : redemarrage"):
                proceed(run, "autre")
            said.append(proceed(run, by="B"))
        return False

    there = Person(done=elsewhere, word=Word(conform=True, by="A"))
    run = playing(there, only="SCN-KIT-01")
    assert verdicts(run) == {"SCN-KIT-01": Verdict.PASS}
    assert "proceed" in there.ended["redemarrage"]
    with pytest.raises(BenchError, match="sans nom"):
        proceed(run.directory)


@contextmanager
def step_of(run: Path, operator: Person | Nobody, kind: StepKind) -> Iterator[Stage]:
    """A scenario whose only step is running."""
    with closing(Shard(run, "bench")) as shard:
        info = ScenarioInfo(
            id="SCN-REF-02", title="T", feature="F", domain="publication",
            requirements=("DB.SO.15",), roles=frozenset({"source"}), steps=(("X", kind, "t"),),
        )  # fmt: skip
        stage = Stage(info, Feed(shard), shard, EMBEDDED, 1, operator=operator)
        stage.begin_step("X", kind, "t")
        yield stage


def test_a_product_without_administration_page_is_looked_at(tmp_path: Path) -> None:
    there = Person(word=Word(conform=True, by="A"))
    with step_of(tmp_path, there, StepKind.THEN) as stage:
        page = Administration("", stage)
        page.expect("alerts", "alerté", lambda row: True, expected="une alerte")
        assert stage.steps[-1].verdict is Verdict.PASS
    assert "une alerte" in there.asked[0]


def test_a_native_product_is_changed_at_once_or_later(tmp_path: Path) -> None:
    def removing(stage: Stage) -> tuple[Within, list[str]]:
        removed: list[str] = []
        pacs = SimpleNamespace(remove=lambda study: removed.append(study))
        story = SimpleNamespace(
            stage=stage,
            bed=SimpleNamespace(changes=by_hand, pacs=pacs),
            exams=[SimpleNamespace(study_uid="1.2.3")],
        )
        within = Within(SimpleNamespace(story=story))  # type: ignore[arg-type]
        within.remove_exam()
        return within, removed

    there = Person()
    with step_of(tmp_path / "a", there, StepKind.WHEN) as stage:
        within, removed = removing(stage)
        assert (within.by_hand, removed) == ("", ["1.2.3"])  # what follows is judged by the bench
        assert stage.steps[-1].verdict is Verdict.PASS
    assert set(there.ended) == {"SCN-REF-02:1"}
    with step_of(tmp_path / "b", Nobody(), StepKind.WHEN) as stage:
        within, removed = removing(stage)
        assert "1.2.3" in within.by_hand
        assert stage.steps[-1].verdict is Verdict.REVIEW


def test_a_wait_ends_with_its_event(tmp_path: Path) -> None:
    there = Person()
    looked = iter([False, False, True, True])
    with step_of(tmp_path, there, StepKind.WHEN) as stage:
        assert wait(stage, "l'export", lambda: next(looked), identifier="export", deadline_s=60)
        stage.shard.flush()
        assert open_waits(tmp_path) == {}
    assert there.ended == {"export": "l'effet est venu"}
    told = [event.fields for event in Journal(tmp_path).of("wait.start", "wait.end")]
    assert [one["wait"] for one in told] == ["export", "export"]
    assert (told[0]["deadline_s"], told[1]["how"]) == (60, "l'effet est venu")
