"""The right box conforms, and tells which parts each scenario uses: what wrong boxes then play."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from bench.campaign import PROVIDED
from bench.gate import check_features
from bench.results import Run
from bench.verdicts import Verdict
from drimbox_ref.usage import EVENT
from features import FEATURES, STEP_MODULES
from mutants import green
from mutants.green import Green
from mutants.matrix import Ground, attacks, play_green, selection
from mutants.record import read
from mutants.registry import Mutant, Role, catalogue
from mutants.shadows import DIFFERS, SHADOWED, WRITTEN
from wire.shard import Shard

ALL = catalogue()
TAGS = {one.scenario: set(one.tags) for one in check_features(FEATURES)}
USUAL = [one for one in check_features(FEATURES) if one.file.parent.name != PROVIDED]
RECORDED = Path(__file__).parents[2] / "docs" / "reference" / "matrice.json"


def run(directory: Path) -> Run:
    return Run(
        directory=directory,
        id="run",
        seed=1,
        started=datetime(2026, 11, 22, tzinfo=UTC),
        duration_s=1.0,
        verdict=Verdict.PASS,
        meta={},
        scenarios=(),
        ambient=(),
    )


def wrong(name: str, role: Role = "source") -> Mutant:
    return Mutant(
        name=name,
        breaks="",
        requirements=("DB.SO.03",),
        consequences=(),
        role=role,
        transform=lambda parts: parts,
    )


class Bed:
    """A run's journal, as the bench and the watched boxes write it."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._bench, self._source, self._consumer = (
            Shard(directory, name) for name in ("bench", "ps", "pc")
        )

    def step(self, scenario: str, kind: str, text: str) -> None:
        self._bench.write("step", scenario=scenario, kind=kind, text=text)

    def starts(self, scenario: str) -> None:
        self._bench.write("scenario.start", scenario=scenario)

    def ends(self, scenario: str) -> None:
        self._bench.write("scenario.end", scenario=scenario)

    def uses(self, part: str, role: str = "source") -> None:
        shard = self._source if role == "source" else self._consumer
        shard.write(EVENT, role=role, part=part, call="do")

    def shadows(self, *names: str) -> None:
        self._source.write(SHADOWED, role="source", mutants=names)

    def differs(self, *names: str) -> None:
        self._source.write(DIFFERS, role="source", mutants=names)

    def writes(self, *names: str) -> None:
        self._source.write(WRITTEN, role="source", mutants=names)

    def read(self) -> Green:
        for shard in (self._bench, self._source, self._consumer):
            shard.close()
        return green.read(run(self.directory), self.directory / "pki")


def test_a_use_belongs_to_the_scenario_being_played(tmp_path: Path) -> None:
    bed = Bed(tmp_path)
    bed.shadows("un-kos-faux", "jamais-autre")
    bed.uses("door")
    bed.starts("SCN-A")
    bed.uses("kos")
    bed.uses("kos")
    bed.differs("un-kos-faux")
    bed.ends("SCN-A")
    bed.uses("audit")
    bed.starts("SCN-B")
    bed.uses("kos", "consumer")
    bed.ends("SCN-B")

    read = bed.read()

    assert {id: told.used for id, told in read.told.items()} == {
        "SCN-A": {("source", "kos")},
        "SCN-B": {("consumer", "kos")},
    }
    unknown, at_consumer = wrong("sans-ombre"), wrong("sans-ombre-non-plus", "consumer")
    assert read.telling(unknown, ["kos", "audit"]) == {"SCN-A"}
    assert read.telling(at_consumer, ["kos"]) == {"SCN-B"}
    assert read.telling(unknown, ["door"]) == frozenset()
    assert read.telling(wrong("un-kos-faux"), ["kos"]) == {"SCN-A"}
    assert read.telling(wrong("jamais-autre"), ["kos"]) == frozenset()


def test_of_those_prepared_alike_that_go_on_by_the_same_parts_the_first_tells(
    tmp_path: Path,
) -> None:
    bed = Bed(tmp_path)
    bed.shadows("un-kos-faux")

    def play(scenario: str, given: str, part: str, *, judged: bool = False) -> None:
        bed.starts(scenario)
        bed.uses("kos")
        bed.differs("un-kos-faux")
        bed.step(scenario, "given", given)
        bed.uses(part)
        if judged:
            bed.differs("un-kos-faux")
        bed.step(scenario, "then", "tout va bien")
        bed.ends(scenario)

    play("SCN-A", "un examen publié", "tokens")
    play("SCN-B", "un examen publié", "tokens")
    play("SCN-C", "un examen publié", "registry")
    play("SCN-D", "deux examens publiés", "registry")
    play("SCN-E", "deux examens publiés", "registry", judged=True)

    read = bed.read()

    # B adds nothing to A, nor D to E; a scenario that would be judged otherwise is always played.
    assert read.telling(wrong("un-kos-faux"), ["kos"]) == {"SCN-A", "SCN-C", "SCN-E"}
    # All use the part while they are prepared, none after: what is not known is chosen alike.
    assert read.telling(wrong("sans-ombre"), ["kos"]) == {"SCN-A", "SCN-C", "SCN-D"}


def test_what_was_written_otherwise_counts_once_the_box_is_started_again(tmp_path: Path) -> None:
    bed = Bed(tmp_path)
    bed.shadows("un-kos-faux")
    for scenario, restarted in (("SCN-A", False), ("SCN-B", True)):
        bed.starts(scenario)
        bed.uses("archive")
        bed.writes("un-kos-faux")
        if restarted:
            bed.shadows("un-kos-faux")
        bed.ends(scenario)

    assert bed.read().telling(wrong("un-kos-faux"), ["archive"]) == {"SCN-B"}


def test_several_beds_tell_as_one(tmp_path: Path) -> None:
    greens = []
    for name in ("A", "B"):
        (tmp_path / name).mkdir()
        bed = Bed(tmp_path / name)
        bed.shadows("un-kos-faux", f"seulement-{name}")
        bed.starts(f"SCN-{name}")
        bed.uses("kos")
        bed.ends(f"SCN-{name}")
        greens.append(bed.read())

    both = green.merged(greens)

    assert both.telling(wrong("sans-ombre"), ["kos"]) == {"SCN-A", "SCN-B"}
    assert both.shadowed == {"un-kos-faux"}
    assert both.pki == greens[0].pki
    assert len(both.runs) == 2


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Green:
    runs = tmp_path_factory.mktemp("runs")
    return play_green(Ground(features=FEATURES, steps=STEP_MODULES, runs=runs))


@pytest.mark.slow
def test_each_scenario_uses_what_it_is_about(played: Green) -> None:
    assert not played.red
    verdicts = {one.id: one.verdict for one in played.scenarios}
    assert set(verdicts) == {one.scenario for one in USUAL}
    used = {id: told.used for id, told in played.told.items() if told.used}
    watched = {one.scenario for one in USUAL if not attacks(one)}
    assert {id for id in watched if verdicts[id] is not Verdict.OMIT} == set(used)
    assert {("source", "kos"), ("source", "registry")} <= used["SCN-PUB-01"]
    assert ("source", "tokens") not in used["SCN-PUB-02"]
    assert {("source", "tokens"), ("source", "stamper")} <= used["SCN-IMG-02"]
    assert ("consumer", "pacs") in used["SCN-CON-02"]
    assert ("consumer", "pacs") not in used["SCN-CON-01"]


@pytest.mark.slow
def test_the_parts_of_a_wrong_box_are_those_that_it_replaces(played: Green) -> None:
    parts = green.replaced(ALL, played)
    assert parts["profession-ignoree"] == ("tokens",)
    assert parts["un-seul-kos"] == ("reports", "examinations")
    assert parts["sans-certificat-client"] == ("network", "images")
    assert set(parts) == {one.name for one in ALL}
    assert all(parts.values())


@pytest.mark.slow
def test_a_wrong_box_plays_what_can_tell_it_apart(played: Green) -> None:
    def chosen(name: str) -> set[str]:
        (one,) = (one for one in ALL if one.name == name)
        parts = green.replaced([one], played)[name]
        return set(selection(one, FEATURES, played.telling(one, parts)))

    stamping = chosen("ins-d-un-autre")
    assert "SCN-IMG-02" in stamping
    # An attack, of another requirement.
    assert "SCN-IMR-01" not in stamping
    assert "SCN-PUB-01" not in stamping
    assert "SCN-CON-02" not in stamping
    # Every report is read, and only a provisional identity is read wrongly.
    assert "SCN-VIE-01" not in chosen("statut-ins-ignore")
    assert "SCN-REF-01" in chosen("statut-ins-ignore")
    # It listens where the right one does: no shadow, so whatever used the part.
    assert "une-lecture-un-message" not in played.shadowed


@pytest.mark.slow
def test_nothing_that_the_whole_matrix_turned_red_is_left_out(played: Green) -> None:
    """The recorded matrix played everything: what is chosen asks for each requirement of whatever
    went red there in a campaign, and so without a report of the user's, nor the attacks."""
    usual = {one.scenario: set(one.tags) for one in USUAL if not attacks(one)}
    parts = green.replaced(ALL, played)
    rows = {row.mutant: row for row in read(RECORDED).rows}
    left_out = {}
    for mutant in ALL:
        row = rows[mutant.name]
        red = {*row.killed_by, *row.consequences, *row.false_alarms} & usual.keys()
        chosen = selection(mutant, FEATURES, played.telling(mutant, parts[mutant.name]))
        asked = {tag for one in chosen for tag in TAGS[one]}
        left_out[mutant.name] = {one for one in red if not usual[one] - {one} <= asked}
    assert not {name: missed for name, missed in left_out.items() if missed}
