"""What a judgement loads: a command that answers at once must not wait for what it never uses."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from validators.examples import kos

HEAVY = ("bench.profile", "numpy", "pydicom", "pynetdicom", "sqlalchemy", "starlette", "typst")
"""What plays, stores or draws; a table of implicit VRs, and numpy behind it."""
PROGRAM = f"""
import sys
from drimbench.cli import main
try:
    main()
finally:
    print("loaded:", *[name for name in {HEAVY!r} if name in sys.modules])
"""


def test_validate_loads_nothing_that_plays_a_campaign(tmp_path: Path) -> None:
    file = tmp_path / "kos.dcm"
    file.write_bytes(kos.kos())
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, "validate", str(file)],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    told, _, loaded = done.stdout.rpartition("loaded:")
    assert "conforme" in told, done.stderr
    assert loaded.split() == []


def test_the_version_is_said_with_the_python_that_runs_it() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "drimbench", "--version"],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.split()[-2:] == ["Python", sys.version.split()[0]]
