"""The wheel alone plays a campaign, from an empty folder and from one that fights pytest."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from drimbench.origin import ROOMS

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]


def call(*arguments: str | Path, cwd: Path, path: Path | None = None) -> str:
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    if path is not None:
        # Before the site packages, so that the wheel's rooms win over an editable install.
        environment["PYTHONPATH"] = str(path)
    done = subprocess.run(
        [str(one) for one in arguments],
        cwd=cwd, env=environment, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, f"{done.returncode}\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}"
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("dist")
    call(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", out, ROOT, cwd=out)
    (made,) = out.glob("*.whl")
    return made


@pytest.fixture(scope="module")
def site(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("site")
    call(
        sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
        "--no-index", "--no-deps", "--target", target, wheel, cwd=target,
    )  # fmt: skip
    return target


def play(site: Path, folder: Path, *selection: str) -> dict[str, Any]:
    """`drimbench run --json` as installed, from that folder."""
    printed = call(site / "bin" / "drimbench", "run", *selection, "--json", cwd=folder, path=site)
    document: dict[str, Any] = json.loads(printed)
    return document


def test_the_wheel_holds_the_rooms_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if not name.endswith("/")}
    information = {name for name in names if name.split("/")[0].endswith(".dist-info")}
    rooms = {
        str(path.relative_to(ROOT))
        for room in ROOMS
        for path in (ROOT / room).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert names - information == rooms
    kinds = {Path(name).suffix for name in rooms}
    assert {".py", ".feature", ".j2", ".css", ".js", ".html", ".typ", ".toml"} <= kinds
    assert any(name.endswith("licenses/LICENSE") for name in information)


def test_the_rooms_come_from_the_wheel(site: Path, tmp_path: Path) -> None:
    imports = "; ".join(f"import {room}; print({room}.__file__)" for room in ROOMS)
    printed = call(sys.executable, "-c", imports, cwd=tmp_path, path=site).split()
    assert [Path(one).parent.parent for one in printed] == [site] * len(ROOMS)


def test_a_campaign_from_an_empty_folder(site: Path, tmp_path: Path) -> None:
    run = play(site, tmp_path, "SCN-PUB-01", "SCN-CON-01")
    assert run["verdict"] == "pass"
    assert {scenario["verdict"] for scenario in run["scenarios"]} == {"pass"}
    assert run["exchanges"]["ITI-41"] >= 1
    report = Path(run["report"])
    assert (tmp_path / "runs") in report.parents
    assert report.stat().st_size > 10_000
    assert [path.name for path in tmp_path.iterdir()] == ["runs"]


def test_a_campaign_beside_a_broken_pytest(site: Path, tmp_path: Path) -> None:
    (tmp_path / "pytest.ini").write_text("[pytest\naddopts = --no-such-option\n")
    (tmp_path / "conftest.py").write_text("raise RuntimeError('conftest.py of the caller')\n")
    run = play(site, tmp_path, "SCN-PUB-01")
    assert run["verdict"] == "pass"
    assert [scenario["verdict"] for scenario in run["scenarios"]] == ["pass"]
