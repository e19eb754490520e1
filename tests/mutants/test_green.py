"""The right box conforms, and tells which parts each scenario uses: what wrong boxes then play."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from bench.results import Run
from bench.verdicts import Verdict
from drimbox_ref.usage import EVENT
from features import FEATURES, STEP_MODULES
from mutants import green
from mutants.green import Green
from mutants.matrix import Ground, play_green, selection
from mutants.record import read
from mutants.registry import Mutant, catalogue
from mutants.shadows import DIFFERS, SHADOWED
from wire.shard import Shard

ALL = catalogue()
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


def wrong(name: str) -> Mutant:
    return Mutant(
        name=name,
        breaks="",
        requirements=("DB.SO.03",),
        consequences=(),
        role="source",
        transform=lambda parts: parts,
    )


def test_a_use_belongs_to_the_scenario_being_played(tmp_path: Path) -> None:
    bench, source, consumer = (Shard(tmp_path, name) for name in ("bench", "ps", "pc"))
    source.write(SHADOWED, role="source", mutants=["un-kos-faux", "jamais-autre"])
    source.write(EVENT, role="source", part="door", call="tls")
    bench.write("scenario.start", scenario="SCN-A")
    source.write(EVENT, role="source", part="kos", call="build")
    source.write(EVENT, role="source", part="kos", call="build")
    source.write(DIFFERS, role="source", mutants=["un-kos-faux"])
    bench.write("scenario.end", scenario="SCN-A")
    source.write(EVENT, role="source", part="audit", call="write")
    bench.write("scenario.start", scenario="SCN-B")
    consumer.write(EVENT, role="consumer", part="kos", call="read")
    bench.write("scenario.end", scenario="SCN-B")
    for shard in (bench, source, consumer):
        shard.close()

    read = green.read(run(tmp_path), tmp_path / "pki")

    assert read.used == {"SCN-A": {("source", "kos")}, "SCN-B": {("consumer", "kos")}}
    assert read.users("source", ["kos", "audit"]) == {"SCN-A"}
    assert read.users("consumer", ["kos"]) == {"SCN-B"}
    assert read.users("source", ["door"]) == frozenset()
    assert read.telling(wrong("un-kos-faux"), ["kos"]) == {"SCN-A"}
    assert read.telling(wrong("jamais-autre"), ["kos"]) == frozenset()
    assert read.telling(wrong("sans-ombre"), ["kos"]) == {"SCN-A"}


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Green:
    runs = tmp_path_factory.mktemp("runs")
    return play_green(Ground(features=FEATURES, steps=STEP_MODULES, runs=runs))


@pytest.mark.slow
def test_each_scenario_uses_what_it_is_about(played: Green) -> None:
    assert not played.red
    verdicts = {one.id: one.verdict for one in played.run.scenarios}
    assert {id for id, one in verdicts.items() if one is not Verdict.OMIT} == set(played.used)
    assert {("source", "kos"), ("source", "registry")} <= played.used["SCN-PUB-01"]
    assert ("source", "tokens") not in played.used["SCN-PUB-02"]
    assert {("source", "tokens"), ("source", "stamper")} <= played.used["SCN-IMG-02"]
    assert ("consumer", "pacs") in played.used["SCN-CON-02"]
    assert ("consumer", "pacs") not in played.used["SCN-CON-01"]


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
    assert {"SCN-IMG-02", "SCN-IMR-01"} <= stamping
    assert "SCN-PUB-01" not in stamping
    assert "SCN-CON-02" not in stamping
    # Every report is read, and only a provisional identity is read wrongly.
    assert "SCN-VIE-01" not in chosen("statut-ins-ignore")
    assert "SCN-REF-01" in chosen("statut-ins-ignore")
    # It listens where the right one does: no shadow, so whatever used the part.
    assert "une-lecture-un-message" not in played.shadowed


@pytest.mark.slow
def test_nothing_that_the_whole_matrix_turned_red_is_left_out(played: Green) -> None:
    """The recorded matrix played everything: what is chosen finds all that it found."""
    parts = green.replaced(ALL, played)
    rows = {row.mutant: row for row in read(RECORDED).rows}
    left_out = {}
    for mutant in ALL:
        row = rows[mutant.name]
        red = {*row.killed_by, *row.consequences, *row.false_alarms}
        chosen = selection(mutant, FEATURES, played.telling(mutant, parts[mutant.name]))
        left_out[mutant.name] = red - set(chosen)
    assert not {name: missed for name, missed in left_out.items() if missed}
