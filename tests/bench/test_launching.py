"""A box is a process of its own, whether a program or a fork: started, stopped, killed alike."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bench.launching import ForkServer, Launch, start_program
from bench.process import BoxFailure, ChildBox
from mutants.matrix import BOXES

BOX = """
import atexit, json, os, sys

def main(arguments):
    ready, way = arguments
    print("bonjour", flush=True)
    atexit.register(lambda: print("au revoir", flush=True))
    if way == "broken":
        raise ValueError("cassée")
    addresses = {"pid": os.getpid(), "mllp": "127.0.0.1:1"}
    scratch = ready + ".tmp"
    with open(scratch, "w") as file:
        json.dump(addresses, file)
    os.replace(scratch, ready)
    while os.read(sys.stdin.fileno(), 10) or way == "deaf":
        pass
    return 7

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
"""


@pytest.fixture(params=[start_program, ForkServer()], ids=["program", "fork"])
def launch(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Launch:
    package = tmp_path / "modules" / "petite_boite"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "__main__.py").write_text(BOX, encoding="utf-8")
    monkeypatch.syspath_prepend(package.parent)
    monkeypatch.setenv("PYTHONPATH", str(package.parent))
    chosen: Launch = request.param
    return chosen


def box(launch: Launch, folder: Path, way: str = "") -> ChildBox:
    command = (sys.executable, "-m", "petite_boite", "{ready}", way)
    return ChildBox("source", command, folder / "source.toml", folder, launch=launch)


def test_it_runs_until_its_input_ends(launch: Launch, tmp_path: Path) -> None:
    one = box(launch, tmp_path)
    assert one.start()["mllp"] == "127.0.0.1:1"
    assert one.alive()
    assert one.pid != os.getpid()
    assert os.getsid(one.pid) == one.pid
    assert one.stop() == 7
    assert not one.alive()
    assert one.last_words().splitlines() == ["bonjour", "au revoir"]


def test_it_is_killed_and_started_again(launch: Launch, tmp_path: Path) -> None:
    one = box(launch, tmp_path)
    one.start()
    first = one.pid
    one.kill()
    assert not one.alive()
    one.start()
    assert one.pid != first
    assert one.stop() == 7


def test_one_that_does_not_stop_is_killed(launch: Launch, tmp_path: Path) -> None:
    one = box(launch, tmp_path, "deaf")
    one.start()
    assert one.stop(0.1) == -9


def test_one_that_breaks_says_why(launch: Launch, tmp_path: Path) -> None:
    with pytest.raises(BoxFailure, match=r"code 1(?s:.*)ValueError: cassée"):
        box(launch, tmp_path, "broken").start()


def test_a_vendors_program_is_never_forked(tmp_path: Path) -> None:
    log = tmp_path / "log"
    running = ForkServer()([sys.executable, "-c", "print('de quelqu’un')"], log)
    assert running.wait(30)
    assert running.code() == 0
    assert log.read_text(encoding="utf-8") == "de quelqu’un\n"


def test_what_is_loaded_before_a_fork_starts_no_thread() -> None:
    loaded = f"import threading; {''.join(f'import {name}; ' for name in BOXES)}"
    answer = subprocess.run(
        [sys.executable, "-c", f"{loaded}print(threading.active_count())"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert answer.stdout == "1\n"
