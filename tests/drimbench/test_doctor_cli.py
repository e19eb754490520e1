"""`drimbench doctor` as a user types it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.bench.test_external import profile

__all__ = ["profile"]


def doctor(file: Path, *more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "drimbench", "doctor", "--profile", str(file), *more],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "NO_COLOR": "1", "COLUMNS": "160"},
    )


def test_nobody_is_there(profile: Path) -> None:
    told = doctor(profile)
    assert told.returncode == 1, told.stderr
    assert "rien n'écoute à ce port  [la boîte]" in told.stdout
    assert "démarrer la boîte" in told.stdout
    assert "4 défaut(s)" in told.stdout
    rows = json.loads(doctor(profile, "--json").stdout)
    assert {row["state"] for row in rows} == {"fault", "good", "skip"}
    assert {row["cause"] for row in rows if row["state"] == "fault"} == {"box"}


def test_a_profile_that_cannot_be_examined(tmp_path: Path) -> None:
    file = tmp_path / "p.toml"
    file.write_text("[world]\ndmp = 1\n")
    refused = doctor(file)
    assert (refused.returncode, refused.stdout) == (64, "")
    assert "un port fixe est attendu pour psc, ans" in refused.stderr
