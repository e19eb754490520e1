"""A person's word is one more line of the journal: it decides what was left to one, no more."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.assemble import load
from bench.decisions import attach, decide
from bench.errors import BenchError
from bench.journal import Journal
from bench.outcomes import Failure
from bench.verdicts import Verdict
from tests.bench.written import write_run


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return write_run(
        tmp_path,
        "a",
        {"SCN-1": Failure.NEEDS_REVIEW, "SCN-2": None, "SCN-3": Failure.NOT_MET},
    )


def verdicts(run: Path) -> dict[str, Verdict]:
    return {one.id: one.verdict for one in load(run).scenarios}


def test_a_decision_decides(run: Path) -> None:
    assert verdicts(run)["SCN-1"] is Verdict.REVIEW
    decide(run, "SCN-1", 0, conform=True, by="A. Martin", comment="vu")
    assert verdicts(run)["SCN-1"] is Verdict.PASS
    (step,) = load(run).scenarios[0].steps
    assert step.decision is not None
    assert "jugé conforme par A. Martin" in step.message
    assert step.message.endswith("vu")


def test_the_last_one_counts_and_none_is_lost(run: Path) -> None:
    decide(run, "SCN-1", 0, conform=True, by="A", comment="")
    decide(run, "SCN-1", 0, conform=False, by="B", comment="relu : l'alerte manque")
    assert verdicts(run)["SCN-1"] is Verdict.FAIL
    assert [event.fields["by"] for event in Journal(run).of("decision")] == ["A", "B"]


def test_what_a_program_judged_is_not_decided(run: Path) -> None:
    before = verdicts(run)
    decide(run, "SCN-2", 0, conform=False, by="A", comment="je n'y crois pas")
    decide(run, "SCN-3", 0, conform=True, by="A", comment="passons")
    assert verdicts(run) == before


def test_a_decision_has_a_name_and_a_refusal_its_reason(run: Path) -> None:
    with pytest.raises(BenchError, match="nom"):
        decide(run, "SCN-1", 0, conform=True, by=" ", comment="")
    with pytest.raises(BenchError, match="motive"):
        decide(run, "SCN-1", 0, conform=False, by="A", comment="")
    assert verdicts(run)["SCN-1"] is Verdict.REVIEW


def test_nothing_recorded_changes(run: Path, tmp_path: Path) -> None:
    recorded = {path: path.read_bytes() for path in (run / "journal").iterdir()}
    proof = tmp_path / "écran.png"
    proof.write_bytes(b"\x89PNG")
    decide(run, "SCN-1", 0, conform=True, by="A", comment="")
    kept = attach(run, "DB.SO.15", proof, by="A")
    assert {path: path.read_bytes() for path in recorded} == recorded
    assert load(run).attachments == (kept,)
    assert Journal(run).blobs.get(kept.sha256) == b"\x89PNG"
    assert kept.name == "écran.png"


def test_files_that_prove_nothing(run: Path, tmp_path: Path) -> None:
    empty = tmp_path / "vide"
    empty.touch()
    for file, told in (
        (empty, "vide"),
        (tmp_path / "absent", "illisible"),
        (tmp_path, "illisible"),
    ):
        with pytest.raises(BenchError, match=told):
            attach(run, "SCN-1", file, by="A")
    assert load(run).attachments == ()


def test_an_interrupted_run_keeps_its_duration(tmp_path: Path) -> None:
    run = write_run(tmp_path, "b", {"SCN-1": Failure.NEEDS_REVIEW}, ended=False)
    before = load(run)
    decide(run, "SCN-1", 0, conform=True, by="A", comment="")
    assert load(run).duration_s == before.duration_s
    assert load(run).interrupted
