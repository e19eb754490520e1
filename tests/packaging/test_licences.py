"""What the project depends on: nothing under a licence that would become its own."""

from __future__ import annotations

import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
COPYLEFT = ("pylibjpeg-libjpeg", "pylibjpeg_libjpeg")
"""GPLv3: the other JPEG decoder of the pydicom family."""


def test_the_gpl_decoder_is_neither_a_dependency_nor_installed_by_one() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    groups = [project["dependencies"], *project["optional-dependencies"].values()]
    wanted = [line for group in groups for line in group]
    pinned = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    assert len(wanted) > 20
    assert len(pinned) > 50
    for name in COPYLEFT:
        assert not [line for line in (*wanted, *pinned) if line.lower().startswith(name)]


def test_nothing_imports_it() -> None:
    rooms = [path.parent for path in ROOT.glob("*/__init__.py")]
    files = [file for room in rooms for file in room.rglob("*.py")]
    assert len(files) > 100
    assert not [file for file in files if "import libjpeg" in file.read_text(encoding="utf-8")]
