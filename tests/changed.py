"""Which tests are near to what changed since HEAD, nearest first: `python -m tests.changed`.

A changed test and the mirror of a changed module are nearest; then tests that import it, then those
that import its package or lie in its mirror folder, last those of the nearest folder above that.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterable
from enum import IntEnum
from pathlib import Path

__all__ = ["ROOT", "Nearness", "changed_files", "near"]

ROOT = Path(__file__).resolve().parent.parent


class Nearness(IntEnum):
    """How near a test file is to a change; the smaller, the nearer."""

    ITSELF = 0
    IMPORTS = 1
    NEIGHBOUR = 2
    FAR = 3


def changed_files(root: Path = ROOT) -> list[Path]:
    """Modified, staged, deleted and untracked files, relative to the root."""
    listed: list[str] = []
    for command in (
        ["git", "diff", "--name-only", "-z", "HEAD"],
        ["git", "ls-files", "--others", "--exclude-standard", "-z"],
    ):
        answer = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
        listed += filter(None, answer.stdout.split("\0"))
    return [Path(name) for name in dict.fromkeys(listed)]


def near(changed: Iterable[Path], root: Path = ROOT) -> dict[Path, Nearness]:
    """The test files near to the changed ones, both relative to the root, nearest first."""
    modules = [file for file in changed if file.suffix == ".py" and len(file.parts) > 1]
    if not modules:
        return {}
    imports = {
        file.relative_to(root): _imported(file)
        for file in sorted((root / "tests").rglob("test_*.py"))
    }
    found: dict[Path, Nearness] = {}
    for module in modules:
        mirror, folder = _mirror(module), _folder(module)
        above = _above(folder, root)
        names = _names(module)
        for test, imported in imports.items():
            if test in (module, mirror):
                nearness = Nearness.ITSELF
            elif names[0] in imported:
                nearness = Nearness.IMPORTS
            elif not imported.isdisjoint(names[1:]) or folder in test.parents:
                nearness = Nearness.NEIGHBOUR
            elif above in test.parents:
                nearness = Nearness.FAR
            else:
                continue
            found[test] = min(nearness, found.get(test, nearness))
    return dict(sorted(found.items(), key=lambda one: (one[1], one[0])))


def _names(module: Path) -> tuple[str, ...]:
    """What a test may import of a module: itself, then its package. That of a room says nothing."""
    dotted = module.with_suffix("").parts
    if dotted[-1] == "__init__":
        return (".".join(dotted[:-1]),)
    package = dotted[:-1]
    return (".".join(dotted), *([".".join(package)] if len(package) > 1 else []))


def _mirror(module: Path) -> Path:
    return Path("tests", *module.parts[:-1], f"test_{module.name}")


def _folder(module: Path) -> Path | None:
    """The mirror folder of a module. A test is nobody's neighbour; a helper is its folder's."""
    if module.parts[0] != "tests":
        return Path("tests", *module.parts[:-1])
    lonely = module.name.startswith("test_") or len(module.parts) == 2
    return None if lonely else module.parent


def _above(folder: Path | None, root: Path) -> Path | None:
    """The nearest folder that exists; None when that is the folder of all tests."""
    while folder is not None and not (root / folder).is_dir():
        folder = folder.parent
    return folder if folder != Path("tests") else None


def _imported(file: Path) -> frozenset[str]:
    """Every module that a file names in an import, and what it takes from it: that may be one."""
    names: set[str] = set()
    try:
        tree = ast.parse(file.read_bytes(), filename=str(file))
    except SyntaxError:
        return frozenset()  # pytest says it better
    for node in ast.walk(tree):
        match node:
            case ast.Import():
                names.update(alias.name for alias in node.names)
            case ast.ImportFrom(module=str(module)):
                names.add(module)
                names.update(f"{module}.{alias.name}" for alias in node.names)
    return frozenset(names)


def main() -> None:
    """Print the selection, one path per line."""
    sys.stdout.write("".join(f"{path}\n" for path in near(changed_files())))


if __name__ == "__main__":
    main()
