"""The tests near to what changed, for as long as `make quick` may take: `python -m tests.quick`.

Nearest files first, shared between the cores; slow tests, and those that had not begun in time, are
left to `make test` and named. Loaded as a plug-in (`-p tests.quick`), it leaves them.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import groupby
from pathlib import Path

import pytest

from tests.changed import Nearness, changed_files, near

__all__ = ["UNTIL", "Watch", "stages"]

UNTIL = "DRIMBENCH_QUICK_UNTIL"
"""Environment variable: the instant (seconds since the epoch) after which no test begins."""

_SECONDS = 40.0
"""Lint and types take the rest of the minute."""
_STARTING_S = 5.0
"""With less than that left, another stage would begin nothing."""
_SHOWN = 12
_LATE, _SLOW = "trop tard pour commencer", "lents"


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Leave a test that is slow, or that would begin too late."""
    if any(item.get_closest_marker(mark) for mark in ("slow", "interop")):
        pytest.skip(_SLOW)
    if time.time() >= float(os.environ.get(UNTIL, "inf")):
        pytest.skip(_LATE)


class Watch:
    """What was played and what was left, as a plug-in of the process that leads."""

    def __init__(self) -> None:
        self.played = 0
        self.left = {_LATE: Counter[str](), _SLOW: Counter[str]()}
        """Why -> test file -> how many."""

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """One phase of one test is over."""
        why = ""
        if report.skipped and isinstance(report.longrepr, tuple):
            why = report.longrepr[2].removeprefix("Skipped: ")
        if why in self.left:
            self.left[why][report.location[0]] += 1
        elif report.when == "call":
            self.played += 1


def stages(found: Mapping[Path, Nearness]) -> list[list[Path]]:
    """The files that are read together: a far one does not keep a near one waiting."""

    def near_enough(file: Path) -> Nearness:
        return max(found[file], Nearness.IMPORTS)

    return [list(files) for _, files in groupby(found, near_enough)]


def play(files: Iterable[Path], watch: Watch) -> int:
    """Play test files, each on one core, in that order: pytest's exit code."""
    workers = ["-n", "auto", "--dist", "loadfile", "--no-loadscope-reorder"]
    # Without the root conftest.py: it loads the scenarios, seconds that no test here is worth.
    quiet = ["-q", "-rfE", "--no-header", "--confcutdir=tests"]
    return pytest.main(["-p", "tests.quick", *workers, *quiet, *map(str, files)], plugins=[watch])


def told(why: str, files: Counter[str]) -> str:
    """The line that names the files of the tests left for that reason."""
    named = ", ".join(f"{file} ({count})" for file, count in files.most_common(_SHOWN))
    more = f" et {len(files) - _SHOWN} autre(s) fichier(s)" if len(files) > _SHOWN else ""
    return f"Laissés à make test, {why} : {named}{more}\n"


def main() -> int:
    """Play them; 0 when at least one was played and none failed, or when there is none."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=_SECONDS, help="after which none begins")
    until = time.time() + parser.parse_args().seconds
    os.environ[UNTIL] = str(until)
    found = near(changed_files())
    if not found:
        sys.stdout.write("Aucun test ne correspond à ce qui a changé.\n")
        return 0
    watch, code, waiting = Watch(), 0, stages(found)
    while waiting and not code and time.time() < until - _STARTING_S:
        code = play(waiting.pop(0), watch)
    sys.stdout.write("".join(told(why, files) for why, files in watch.left.items() if files))
    if unread := [str(file) for stage in waiting for file in stage]:
        named, more = ", ".join(unread[:_SHOWN]), len(unread) - _SHOWN
        end = f" et {more} autre(s)\n" if more > 0 else "\n"
        sys.stdout.write(f"Laissés à make test, fichiers pas même lus : {named}{end}")
    if not code and not watch.played:
        sys.stdout.write("Aucun test n'a pu être joué : rien n'est prouvé.\n")
        return 1
    return code


if __name__ == "__main__":
    sys.exit(main())
