"""`drimbench diff`, `history` and `rejudge` as a user types them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bench.outcomes import Failure
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
