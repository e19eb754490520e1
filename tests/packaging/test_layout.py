"""The house: rooms known to every contract, pins without addresses, no trace of a machine."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from drimbench.origin import ROOMS

ROOT = Path(__file__).resolve().parents[2]
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def test_every_room_is_in_the_contract_and_in_the_wheel() -> None:
    rooms = {path.parent.name for path in ROOT.glob("*/__init__.py")}
    linter = PROJECT["tool"]["importlinter"]
    (floors,) = [one for one in linter["contracts"] if one["id"] == "floors"]
    assert {room.strip() for floor in floors["layers"] for room in floor.split("|")} == rooms
    assert set(linter["root_packages"]) == rooms
    assert set(PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]) == rooms
    assert set(PROJECT["tool"]["ruff"]["lint"]["isort"]["known-first-party"]) == rooms
    assert set(ROOMS) == rooms


def test_no_room_may_be_ignored_by_git() -> None:
    """The wheel leaves out whatever .gitignore matches."""
    rooms = [path.parent.name for path in ROOT.glob("*/__init__.py")]
    names = [name for room in rooms for name in (room, f"{room}/module.py", f"{room}/a/b.toml")]
    done = subprocess.run(
        ["git", "check-ignore", *names], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if done.returncode == 128:
        pytest.skip("hors d'un dépôt git")
    assert done.stdout == ""


def test_constraints_are_names_and_versions() -> None:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = [line for line in lines if line and not line.startswith("#")]
    assert "validators<0" in pins
    wrong = [
        pin
        for pin in pins
        if pin != "validators<0"
        and not re.fullmatch(r"[A-Za-z0-9._-]+==[0-9][0-9A-Za-z.+!-]*", pin)
    ]
    assert wrong == []
    names = [re.split("[=<]", pin)[0].lower().replace("_", "-") for pin in pins]
    assert len(names) == len(set(names))


def tracked() -> list[Path]:
    done = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if done.returncode:
        pytest.skip("hors d'un dépôt git")
    paths = [ROOT / name.decode() for name in done.stdout.split(b"\0") if name]
    return [path for path in paths if path.is_file()]


def traces() -> list[str]:
    """What only this machine knows: its folders, and the registry that it installs from."""
    folders = [ROOT, ROOT.parent, Path.home(), Path(sys.prefix), Path(sys.base_prefix)]
    # A clone in /src or /drimbench names nothing: such words stand in any project.
    found = [f"{folder}/" for folder in folders if len(folder.parts) > 2]
    found = [mark for mark in found if not mark.startswith("/usr/")]
    done = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=False
    )
    hosts = {urlsplit(url).hostname for url in re.findall(r"\w+://[^\s'\"]+", done.stdout)}
    return [*found, *(host for host in hosts if host and not host.endswith("pypi.org"))]


def test_no_tracked_file_names_this_machine() -> None:
    marks = [mark.encode() for mark in traces() if len(mark) > 3]
    generic = re.compile(rb"/home/[a-z]|/roo[t]/|[A-Z]:\\Users\\|index-ur[l]|trusted-hos[t]")
    named = {
        f"{path.relative_to(ROOT)} : {mark.decode()}"
        for path in tracked()
        for content in [path.read_bytes()]
        for mark in [*marks, *generic.findall(content)]
        if mark in content
    }
    assert named == set()
