"""The recipes for CI servers: YAML that they read, commands that exist, exit codes they know."""

from __future__ import annotations

import os
import re
import shlex
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from drimbench.cli import app

ROOT = Path(__file__).parents[2]
RECIPES = ROOT / "examples" / "ci"
GITLAB, GITHUB = RECIPES / "gitlab-ci.yml", RECIPES / "github-actions.yml"


def scripts(file: Path) -> Iterator[tuple[str, str]]:
    """Each script of a recipe: the name of its job or step, and the shell that is run."""
    recipe = yaml.safe_load(file.read_text(encoding="utf-8"))
    if file == GITLAB:
        for name, job in recipe.items():
            if isinstance(job, dict):
                yield name, "\n".join([*job.get("before_script", ()), *job.get("script", ())])
    else:
        for job in recipe["jobs"].values():
            yield from ((step["name"], step["run"]) for step in job["steps"] if "run" in step)


def commands(script: str) -> Iterator[list[str]]:
    """The drimbench command lines of a script, without what the shell does with them."""
    for line in script.splitlines():
        if line.strip().startswith("drimbench "):
            yield shlex.split(re.split(r"\s(?:>|\|\|)\s", line.strip())[0])[1:]


CALLED = [
    pytest.param(arguments, id=f"{file.stem} {' '.join(arguments)[:40]}")
    for file in (GITLAB, GITHUB)
    for _, script in scripts(file)
    for arguments in commands(script)
]


def test_both_servers_play_and_judge() -> None:
    words = [param.values[0][0] for param in CALLED]
    assert words == ["run", "run", "validate"] * 2


@pytest.mark.parametrize("arguments", CALLED)
def test_each_command_is_one_of_ours(arguments: list[str]) -> None:
    """Parsed as it would be, without being run: options, their values, and what they lack."""
    group: Any = typer.main.get_command(app)
    with group.make_context("drimbench", list(arguments)) as context:
        name, command, rest = group.resolve_command(context, list(arguments))
        with command.make_context(name, list(rest), parent=context) as parsed:
            assert parsed.params


def test_a_dry_run_of_the_recipe(tmp_path: Path) -> None:
    profile = str(ROOT / "examples" / "reference.toml")
    dry = next(param.values[0] for param in CALLED if "--dry-run" in param.values[0])
    done = subprocess.run(
        [sys.executable, "-m", "drimbench", *[profile if one == "$PROFIL" else one for one in dry]],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert done.returncode == 0, done.stderr
    assert "SCN-PUB-01" in done.stdout


@pytest.mark.parametrize("file", [GITLAB, GITHUB], ids=lambda file: file.stem)
def test_the_shell_reads_each_script(file: Path) -> None:
    for name, script in scripts(file):
        done = subprocess.run(["bash", "-n"], input=script, capture_output=True, text=True)
        assert done.returncode == 0, f"{name} : {done.stderr}"


@pytest.mark.parametrize(
    ("code", "ended"), [(0, 0), (1, 1), (2, 0), (3, 3), (64, 64), (70, 70)], ids=str
)
@pytest.mark.parametrize("step", ["Campagne", "Fichiers"])
def test_only_what_is_open_passes_on_github(
    tmp_path: Path, step: str, code: int, ended: int
) -> None:
    (tmp_path / "bin").mkdir()
    played = tmp_path / "bin" / "drimbench"
    played.write_text(f"#!/bin/sh\nexit {code}\n")
    played.chmod(played.stat().st_mode | stat.S_IXUSR)
    # As the runner does: `bash -e`.
    done = subprocess.run(
        ["bash", "-e", "-o", "pipefail", "-c", dict(scripts(GITHUB))[step]],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        env={"PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}", "PROFIL": "p.toml"},
    )
    assert done.returncode == ended
    assert ("::warning::" in done.stdout) == (code == 2)


def test_only_what_is_open_passes_on_gitlab() -> None:
    recipe = yaml.safe_load(GITLAB.read_text(encoding="utf-8"))
    jobs = [job for job in recipe.values() if isinstance(job, dict) and "script" in job]
    assert [job["allow_failure"] for job in jobs] == [{"exit_codes": 2}] * 2


def test_what_is_kept_holds_no_raw_byte() -> None:
    """Journal and blobs have the secrets of a run: they stay on the machine that played."""
    gitlab = yaml.safe_load(GITLAB.read_text(encoding="utf-8"))["campagne"]["artifacts"]
    steps = yaml.safe_load(GITHUB.read_text(encoding="utf-8"))["jobs"]["campagne"]["steps"]
    kept = steps[-1]["with"]["path"].split()
    assert gitlab["paths"] == kept == ["campagne.json", "runs/*/rapport.html", "runs/*/junit.xml"]
    assert gitlab["reports"]["junit"] == "runs/*/junit.xml"
