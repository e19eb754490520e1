"""Whole campaigns: what the README's first command promises."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from bench.assemble import load
from bench.campaign import PROVIDED, Options, play
from bench.gate import SECURITY, check_features
from bench.judge import judge_scenario
from bench.profile import Claims, Profile, Timing, read
from bench.results import Run
from bench.selection import SelectionError
from bench.verdicts import Verdict
from drimbench.evidence import write_reports
from features import FEATURES, STEP_MODULES
from reports.html import render
from reports.json import as_json

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = ROOT.parent / "shared" / "reference" / "ans-demonstrator-samples" / "CDA"


def options(runs: Path, **changes: object) -> Options:
    return Options(features=FEATURES, steps=STEP_MODULES, runs=runs, **changes)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The default campaign."""
    return play(options(tmp_path_factory.mktemp("runs")))


def test_reference_conforms(embedded: Run) -> None:
    wrong = {s.id: s.reason for s in embedded.scenarios if s.verdict is not Verdict.PASS}
    # The reference is a proxy: what binds native products alone does not bind it.
    assert set(wrong) == {"SCN-NAT-01", "SCN-NAT-02", "SCN-NAT-03"}
    assert all("native seulement" in reason for reason in wrong.values())
    assert embedded.requirement_verdict("DB.SO.27") is Verdict.OMIT
    assert embedded.verdict is Verdict.PASS


def test_every_pickle_was_played(embedded: Run) -> None:
    pickles = [p for p in check_features(FEATURES) if p.domain not in (PROVIDED, SECURITY)]
    assert sorted(p.scenario for p in pickles) == sorted(s.id for s in embedded.scenarios)


def test_counts_every_transaction_of_the_chain(embedded: Run) -> None:
    counted = as_json(embedded, Path("r.html"))["exchanges"]
    wanted = {
        "ORU^R01", "C-FIND", "TD0.2", "ITI-41", "ITI-18", "ITI-43", "introspection", "WADO-RS",
        "C-MOVE", "C-STORE",
    }  # fmt: skip
    assert wanted <= {name for name, count in counted.items() if count > 0}


def test_json_has_the_documented_shape(embedded: Run) -> None:
    document = json.loads(json.dumps(as_json(embedded, Path("r.html"))))
    assert {"verdict", "duration_s", "seed", "exchanges", "scenarios", "report"} <= set(document)
    for scenario in document["scenarios"]:
        assert {"name", "verdict", "requirements", "findings"} <= set(scenario)


def test_every_scenario_awaited_something(embedded: Run) -> None:
    played = [s for s in embedded.scenarios if s.verdict is not Verdict.OMIT]
    assert all(scenario.expectations for scenario in played)


def test_rejudging_the_journal_gives_the_same_verdicts(embedded: Run) -> None:
    again = load(embedded.directory, judge=judge_scenario)
    assert [(s.id, s.verdict) for s in again.scenarios] == [
        (s.id, s.verdict) for s in embedded.scenarios
    ]


def test_report_is_a_function_of_the_journal(embedded: Run) -> None:
    assert render(load(embedded.directory)) == render(embedded)


def test_evidence_is_the_same_to_the_byte_wherever_it_is_rebuilt(
    embedded: Run, tmp_path: Path
) -> None:
    """From a copy of the journal and its blobs alone, in a folder of the same name elsewhere."""
    first = tmp_path / "first"
    write_reports(embedded, first, har=True)
    moved = tmp_path / "moved" / embedded.directory.name
    for part in ("journal", "blobs"):
        shutil.copytree(embedded.directory / part, moved / part)
    write_reports(load(moved), tmp_path / "second", har=True)
    names = sorted(file.name for file in first.iterdir())
    assert names == ["echanges.har", "junit.xml", "rapport.html"]
    for name in names:
        assert (first / name).read_bytes() == (tmp_path / "second" / name).read_bytes(), name


def test_no_token_in_the_report(embedded: Run) -> None:
    page = render(embedded)
    tokens = {
        line.split('"access_token":"')[1].split('"')[0]
        for blob in (embedded.directory / "blobs").rglob("*")
        if blob.is_file() and b'"access_token":"' in (data := blob.read_bytes())
        for line in [data.decode(errors="replace")]
    }
    assert tokens
    assert not [token for token in tokens if token in page]


def test_profile_gives_the_verdicts_of_the_embedded_run(embedded: Run, tmp_path: Path) -> None:
    profile = read(ROOT / "examples" / "reference.toml")
    free = profile.model_copy(
        update={
            "source": profile.source.model_copy(update={"ports": {}}),
            "consumer": profile.consumer.model_copy(update={"ports": {}}),
        }
    )
    driven = play(options(tmp_path, profile=free))
    # A vendor's archive is exported by the vendor: this profile names no program that would. And a
    # person says whether a product's own words are of the class of message that is asked for, and
    # looks at the screens that the project's draft scenarios want kept.
    by_hand = {
        **dict.fromkeys(("SCN-ARC-01", "SCN-ARC-02"), Verdict.SKIP),
        **dict.fromkeys(("SCN-END-04", "SCN-END-07", "SCN-END-08"), Verdict.REVIEW),
        **dict.fromkeys(("SCN-PRJ-01", "SCN-PRJ-02"), Verdict.REVIEW),
    }
    assert {s.id: s.verdict for s in driven.scenarios} == {
        s.id: s.verdict for s in embedded.scenarios
    } | by_hand


@pytest.mark.skipif(not SAMPLE.is_dir(), reason="../shared/reference absent")
def test_report_that_we_did_not_write(tmp_path: Path) -> None:
    (sample,) = SAMPLE.glob("*.xml")
    run = play(options(tmp_path, report=sample))
    (scenario,) = run.scenarios
    assert scenario.verdict is Verdict.PASS, scenario.reason
    assert run.counts()["C-FIND"] == 3
    assert run.counts()["ITI-41"] == 3
    assert run.counts()["WADO-RS"] == 3


def test_role_not_claimed_is_omitted_not_failed(tmp_path: Path) -> None:
    profile = Profile(claims=Claims(consumer=False))
    run = play(options(tmp_path, profile=profile, only=("SCN-CON-01", "SCN-REF-06")))
    verdicts = {s.id: (s.verdict, s.reason) for s in run.scenarios}
    assert verdicts["SCN-CON-01"][0] is Verdict.OMIT
    assert "consumer" in verdicts["SCN-CON-01"][1]
    assert verdicts["SCN-REF-06"][0] is Verdict.PASS


def test_nothing_selected_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SelectionError, match="ne nomme aucun scénario"):
        play(options(tmp_path, only=("SCN-ABSENT",)))


def test_bed_that_does_not_start_is_the_bench_s_fault(tmp_path: Path) -> None:
    run = play(
        options(
            tmp_path,
            only=("SCN-PUB-01",),
            source_command=("{python}", "-c", "raise SystemExit('panne')"),
            profile=Profile(timing=Timing(start_s=5)),
        )
    )
    (scenario,) = run.scenarios
    assert scenario.verdict is Verdict.ERROR
    assert "panne" in scenario.reason
