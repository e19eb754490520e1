"""The folder of runs: which there are, and which one a user means."""

from __future__ import annotations

import re
from pathlib import Path

from bench.errors import BenchError

__all__ = ["all_runs", "find_run"]

_RANK = re.compile(r"@([1-9][0-9]{0,3})", re.ASCII)


def all_runs(runs: Path) -> list[Path]:
    """Every run below a folder, the oldest first. Their names begin with their UTC date."""
    if not runs.is_dir():
        return []
    return sorted(folder for folder in runs.iterdir() if (folder / "journal").is_dir())


def find_run(name: str, runs: Path) -> Path:
    """A run by its folder, by its name or the beginning of it, or by age: `@1` is the last.

    Raises:
        BenchError: none, or several.
    """
    if (Path(name) / "journal").is_dir():
        return Path(name)
    found = all_runs(runs)
    if rank := _RANK.fullmatch(name):
        number = int(rank[1])
        if number > len(found):
            raise BenchError(f"{name} : {runs} ne contient que {len(found)} campagne(s)")
        return found[-number]
    named = [folder for folder in found if folder.name.startswith(name)] if name else []
    if len(named) == 1:
        return named[0]
    if named:
        raise BenchError(f"{name} : plusieurs campagnes commencent ainsi, dont {named[0].name}")
    raise BenchError(f"{name} : ni dossier de campagne, ni campagne de {runs} (@1 : la dernière)")
