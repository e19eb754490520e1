"""Which tests mirror what changed since HEAD: `python tests/changed.py` prints their paths."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def changed_files() -> list[Path]:
    """Modified, staged and untracked files, relative to the root."""
    listed: list[str] = []
    for command in (
        ["git", "diff", "--name-only", "HEAD"],
        ["git", "ls-files", "--others", "--exclude-standard"],
    ):
        answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        listed += answer.stdout.split()
    return [Path(name) for name in dict.fromkeys(listed)]


def tests_of(file: Path) -> Path | None:
    """A changed test itself, else the mirror of a changed module, or the nearest folder to it."""
    if file.suffix != ".py" or not file.parts:
        return None
    if file.parts[0] == "tests":
        return file if file.name.startswith("test_") and (ROOT / file).exists() else file.parent
    mirror = Path("tests", *file.parts[:-1])
    candidate = mirror / f"test_{file.name}"
    if (ROOT / candidate).exists():
        return candidate
    while not (ROOT / mirror).is_dir():
        mirror = mirror.parent
    return mirror if mirror != Path("tests") else None


def main() -> None:
    """Print the selection, one path per line."""
    found = {str(path) for file in changed_files() if (path := tests_of(file)) is not None}
    sys.stdout.write("".join(f"{path}\n" for path in sorted(found) if path != "tests"))


if __name__ == "__main__":
    main()
