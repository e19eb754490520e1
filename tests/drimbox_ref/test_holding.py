"""Two boxes never use one state folder; a crash leaves it free."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from drimbox_ref.config import Box, ConfigError
from drimbox_ref.holding import held

ROOT = Path(__file__).parents[2]
FILE = Path("/etc/source.toml")

HOLDER = """
import sys
from pathlib import Path
from drimbox_ref.config import Box
from drimbox_ref.holding import held
state = Path(sys.argv[1])
box = Box(name="b", state=state, journal=None, usage=None, seed=0, database="")
with held(box, "source", file=Path("f")):
    print("held", flush=True)
    sys.stdin.read()
"""


def box(state: Path) -> Box:
    return Box(name="b", state=state, journal=None, usage=None, seed=0, database="")


@contextmanager
def another(state: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that holds the folder until it is told, or killed."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(state)],
        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
    finally:
        process.kill()
        process.communicate()


def test_the_second_process_is_told_who_holds_it(tmp_path: Path) -> None:
    with another(tmp_path) as holder:
        with pytest.raises(ConfigError) as raised, held(box(tmp_path), "source", file=FILE):
            pass
        text = str(raised.value)
        assert text.startswith(f"{FILE} : box.state : attendu un dossier dont aucune autre")
        assert f"tenu par le processus {holder.pid}" in text
        assert "\n" not in text
        with held(box(tmp_path), "consumer", file=FILE):
            """A Consumer may share the folder."""


def test_a_crash_lets_it_go(tmp_path: Path) -> None:
    with another(tmp_path) as holder:
        holder.kill()
        holder.wait()
        with held(box(tmp_path), "source", file=FILE):
            assert (tmp_path / "source.pid").read_text() == f"{os.getpid()}\n"


def test_an_end_lets_it_go_and_no_name_behind(tmp_path: Path) -> None:
    state = tmp_path / "new"
    for _ in range(2):
        with held(box(state), "source", file=FILE):
            assert (state / "source.pid").exists()
        assert not (state / "source.pid").exists()


@pytest.mark.parametrize("written", [None, "", "pas un nombre\n", "é"])
def test_a_holder_without_a_name_is_somebody(written: str | None, tmp_path: Path) -> None:
    with held(box(tmp_path), "source", file=FILE):
        (tmp_path / "source.pid").unlink()
        if written is not None:
            (tmp_path / "source.pid").write_text(written)
        with (
            pytest.raises(ConfigError, match="tenu par un autre processus"),
            held(box(tmp_path), "source", file=FILE),
        ):
            pass


def test_a_folder_that_cannot_be_written_to_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(ConfigError, match=r"box\.state : attendu un dossier où écrire"),
        held(box(tmp_path / "file" / "state"), "source", file=FILE),
    ):
        pass
