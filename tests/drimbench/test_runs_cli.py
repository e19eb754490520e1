"""`drimbench diff`, `history` and `rejudge` as a user types them."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console

from bench.assemble import load
from bench.outcomes import Failure
from bench.verdicts import Verdict
from drimbench.reviewing import ask
from tests.bench.written import write_run


def drimbench(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "drimbench", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "NO_COLOR": "1", "COLUMNS": "160"},
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    runs = tmp_path / "runs"
    write_run(runs, "20260101T000000Z-aaaa", {"SCN-1": None, "SCN-2": None})
    write_run(runs, "20260102T000000Z-bbbb", {"SCN-1": Failure.NOT_MET, "SCN-2": None})
    return tmp_path


def test_diff(folder: Path) -> None:
    told = drimbench(folder, "diff")
    assert told.returncode == 1
    assert "régression SCN-1  Titre de SCN-1 : conforme -> échec" in told.stdout
    assert "1 régression ; 1 scénario sans changement" in told.stdout
    document = json.loads(drimbench(folder, "diff", "@1", "@2", "--json").stdout)
    assert document["regressions"] == 0
    assert [(one["id"], one["change"]) for one in document["scenarios"]] == [("SCN-1", "better")]
    assert drimbench(folder, "diff", "@2", "@2").returncode == 0
    refused = drimbench(folder, "diff", "@3")
    assert (refused.returncode, refused.stdout) == (64, "")
    assert "que 2 campagne(s)" in refused.stderr


def test_history(folder: Path) -> None:
    lines = drimbench(folder, "history").stdout.splitlines()
    assert [line.split()[1] for line in lines] == ["conforme", "échec"]
    assert "1 conforme, 1 échec" in lines[1]
    of_one = json.loads(drimbench(folder, "history", "DB/SO.12", "--json").stdout)
    assert [one["verdict"] for one in of_one] == ["pass", "fail"]
    assert drimbench(folder, "history", "SCN-9").returncode == 64
    assert drimbench(folder, "history", "--runs", "rien").returncode == 64


def test_rejudge_leaves_the_evidence_alone(folder: Path) -> None:
    run = folder / "runs" / "20260102T000000Z-bbbb"
    before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    told = drimbench(folder, "rejudge")
    assert told.returncode == 1, told.stderr
    assert "aucune régression" in told.stdout
    assert {path: path.read_bytes() for path in before} == before
    assert (run / "rejugement" / "rapport.html").is_file()
    assert (run / "rejugement" / "junit.xml").is_file()
    document = json.loads(drimbench(folder, "rejudge", "@2", "--json").stdout)
    assert (document["verdict"], document["regressions"]) == ("pass", 0)


def test_what_would_be_played(folder: Path) -> None:
    (folder / "p.toml").write_text('[suites]\nnuit = ["images"]\n[claims]\nconsumer = false\n')
    listed = drimbench(folder, "run", "--list", "--suite", "nuit", "--profile", "p.toml")
    assert listed.returncode == 0, listed.stderr
    assert "SCN-IMG-01" in listed.stdout
    planned = json.loads(
        drimbench(folder, "run", "--dry-run", "--profile", "p.toml", "--json").stdout
    )
    omitted = {one["id"]: one["omitted"] for one in planned}
    assert omitted["SCN-IMG-01"] == ""
    assert "consumer" in omitted["SCN-CON-01"]
    assert not list((folder / "runs").glob("*Z-????/rapport.html"))


def test_last_failed_of_real_ids(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    empty = drimbench(tmp_path, "run", "--last-failed")
    assert (empty.returncode, "aucune campagne" in empty.stderr) == (64, True)
    write_run(
        runs,
        "20260101T000000Z-aaaa",
        {"SCN-IMG-01": Failure.NOT_MET, "SCN-IMG-02": None},
        ended=False,
        plan=("SCN-IMG-01", "SCN-IMG-02", "SCN-IMG-03"),
    )
    planned = json.loads(drimbench(tmp_path, "run", "--last-failed", "--list", "--json").stdout)
    assert [one["id"] for one in planned] == ["SCN-IMG-01", "SCN-IMG-03"]


@pytest.fixture
def open_run(tmp_path: Path) -> Path:
    write_run(
        tmp_path / "runs",
        "20260103T000000Z-cccc",
        {"SCN-1": Failure.NEEDS_REVIEW, "SCN-2": Failure.NEEDS_REVIEW, "SCN-3": None},
    )
    return tmp_path


def test_review_without_a_dialogue(open_run: Path) -> None:
    listed = drimbench(open_run, "review")
    assert listed.returncode == 2
    assert "SCN-1:1  Titre de SCN-1" in listed.stdout
    assert "2 étapes à relire" in listed.stdout
    decision = ("--by", "A. Martin", "--comment", "vu à l'écran")
    half = drimbench(open_run, "review", "@1", "--step", "SCN-1:1", "--conform", *decision)
    assert half.returncode == 2
    assert "1 étape à relire" in half.stdout
    done = drimbench(open_run, "review", "--step", "SCN-2:1", "--not-conform", *decision, "--json")
    assert done.returncode == 1
    first, second = json.loads(done.stdout)
    assert (first["step"], first["decision"]["conform"]) == ("SCN-1:1", True)
    assert (second["decision"]["by"], second["decision"]["conform"]) == ("A. Martin", False)
    page = (open_run / "runs" / "20260103T000000Z-cccc" / "rapport.html").read_text()
    assert "jugé conforme par A. Martin" in page


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--step", "SCN-3:1", "--conform", "--by", "A"), "SCN-1:1, SCN-2:1"),
        (("--step", "SCN-1:1"), "--conform ou --not-conform"),
        (("--step", "SCN-1:1", "--conform"), "nom"),
        (("--step", "SCN-1:1", "--not-conform", "--by", "A"), "motive"),
    ],
)
def test_review_refuses(open_run: Path, arguments: tuple[str, ...], told: str) -> None:
    done = drimbench(open_run, "review", "@1", *arguments)
    assert (done.returncode, done.stdout) == (64, "")
    assert told in done.stderr


def test_review_question_by_question(open_run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = open_run / "runs" / "20260103T000000Z-cccc"
    said = ["n", "A. Martin", "", "l'alerte manque", "p"]
    monkeypatch.setattr("sys.stdin", io.StringIO("\n".join([*said, ""])))
    screen = io.StringIO()
    assert ask(load(run), "", Console(file=screen, width=160)) == 1
    assert "Une non-conformité se motive" in screen.getvalue()
    first, second, _ = load(run).scenarios
    assert (first.verdict, second.verdict) == (Verdict.FAIL, Verdict.REVIEW)


def test_attach(open_run: Path) -> None:
    (open_run / "alerte.png").write_bytes(b"\x89PNG\r\n")
    done = drimbench(open_run, "attach", "@1", "DB/SO.15", "alerte.png", "--by", "A. Martin")
    assert done.returncode == 0, done.stderr
    assert "joint pour DB.SO.15, 6 octets" in done.stdout
    page = (open_run / "runs" / "20260103T000000Z-cccc" / "rapport.html").read_text()
    assert "Pièces jointes" in page
    assert "alerte.png" in page
    refused = drimbench(open_run, "attach", "@1", "DB.SO.9999", "alerte.png")
    assert refused.returncode == 64
    assert "ni une preuve connue" in refused.stderr
