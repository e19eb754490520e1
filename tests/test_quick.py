"""What `make quick` plays of what changed, in which order, and what it says it leaves."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests import quick
from tests.changed import ROOT, Nearness, changed_files, near
from tests.quick import UNTIL, Watch, stages, told


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A small house: two modules of a package, another room, their tests."""
    files = {
        "ris/sim/__init__.py": "",
        "ris/sim/send.py": "",
        "ris/sim/read.py": "",
        "box/door.py": "",
        "tests/ris/sim/test_send.py": "import pytest\n",
        "tests/ris/sim/test_more.py": "",
        "tests/ris/test_other.py": "",
        "tests/box/test_door.py": "from ris.sim.send import a\n",
        "tests/box/test_bell.py": "from ris.sim import send\n",
        "tests/box/test_far.py": "import ris.sim\n",
        "tests/box/test_nothing.py": "from box import door\n",
        "tests/box/written.py": "",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def selected(tree: Path, *changed: str) -> list[tuple[str, Nearness]]:
    found = near(map(Path, changed), tree)
    return [(path.as_posix().removeprefix("tests/"), nearness) for path, nearness in found.items()]


def test_the_mirror_of_a_module_comes_first_then_who_imports_it(tree: Path) -> None:
    assert selected(tree, "ris/sim/send.py") == [
        ("ris/sim/test_send.py", Nearness.ITSELF),
        ("box/test_bell.py", Nearness.IMPORTS),
        ("box/test_door.py", Nearness.IMPORTS),
        ("box/test_far.py", Nearness.NEIGHBOUR),
        ("ris/sim/test_more.py", Nearness.NEIGHBOUR),
    ]


def test_a_file_is_as_near_as_to_the_nearest_of_its_changes(tree: Path) -> None:
    assert selected(tree, "ris/sim/read.py", "box/test_none.txt", "tests/box/test_far.py") == [
        ("box/test_far.py", Nearness.ITSELF),
        ("box/test_bell.py", Nearness.NEIGHBOUR),
        ("ris/sim/test_more.py", Nearness.NEIGHBOUR),
        ("ris/sim/test_send.py", Nearness.NEIGHBOUR),
    ]


def test_without_a_mirror_folder_the_one_above_is_far(tree: Path) -> None:
    assert selected(tree, "ris/new/part.py") == [
        ("ris/sim/test_more.py", Nearness.FAR),
        ("ris/sim/test_send.py", Nearness.FAR),
        ("ris/test_other.py", Nearness.FAR),
    ]


def test_a_helper_of_tests_is_its_folders(tree: Path) -> None:
    names = [name for name, _ in selected(tree, "tests/box/written.py")]
    assert names == [f"box/test_{name}.py" for name in ("bell", "door", "far", "nothing")]


@pytest.mark.parametrize("changed", ["README.md", "conftest.py", "other/room.py", "tests/gone.txt"])
def test_what_no_test_mirrors_selects_none(changed: str, tree: Path) -> None:
    assert selected(tree, changed) == []


def test_near_files_are_not_kept_waiting_by_far_ones(tree: Path) -> None:
    found = near([Path("ris/sim/send.py"), Path("ris/new/part.py")], tree)
    assert [len(stage) for stage in stages(found)] == [3, 2, 1]


def test_every_kind_of_change_is_seen(tree: Path) -> None:
    def git(*words: str) -> None:
        names = ("-c", "user.name=a", "-c", "user.email=a@b")
        subprocess.run(["git", *names, *words], cwd=tree, check=True, capture_output=True)

    git("init")
    git("add", ".")
    git("commit", "-m", "a")
    assert changed_files(tree) == []
    (tree / "box/door.py").write_text("x = 1\n")
    (tree / "box/une autre porte.py").write_text("")
    (tree / "ris/sim/read.py").unlink()
    (tree / "ris/sim/send.py").write_text("x = 1\n")
    git("add", "ris/sim/send.py")
    assert sorted(map(str, changed_files(tree))) == [
        "box/door.py", "box/une autre porte.py", "ris/sim/read.py", "ris/sim/send.py",
    ]  # fmt: skip


PLAYED = """
import os, pytest

def test_first(): pass

@pytest.mark.slow
def test_slow(): raise AssertionError

def test_last_in_time(): os.environ[{until!r}] = "0"

def test_late(): raise AssertionError
"""


PLAY = """
import sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from tests.quick import Watch, play
watch = Watch()
code = play([Path("tests/test_some.py")], watch)
print()
print(int(code), watch.played, [sum(one.values()) for one in watch.left.values()])
"""


def test_slow_and_late_tests_are_left_and_counted(tmp_path: Path) -> None:
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests/test_some.py").write_text(PLAYED.format(until=UNTIL))
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers =\n    slow\n")
    (tmp_path / "play.py").write_text(PLAY)
    done = subprocess.run(
        [sys.executable, "play.py", str(ROOT)], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.stdout.splitlines()[-1] == "0 2 [1, 1]", done.stdout + done.stderr
    assert "bringing up nodes" in done.stdout, "not shared between the cores"


def test_what_is_left_is_named_the_most_first() -> None:
    watch = Watch()
    (late, _) = watch.left
    for number in range(15):
        watch.left[late][f"test_{number}.py"] = 15 - number
    line = told(late, watch.left[late])
    assert line.startswith(f"Laissés à make test, {late} : test_0.py (15), test_1.py (14), ")
    assert line.endswith("test_11.py (4) et 3 autre(s) fichier(s)\n")


def test_nothing_played_proves_nothing_and_says_what_is_left(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(UNTIL, "", prepend=None)
    monkeypatch.setattr("sys.argv", ["quick", "--seconds", "0"])
    monkeypatch.setattr(quick, "changed_files", lambda: [Path("tests/test_quick.py")])
    assert quick.main() == 1
    said = capsys.readouterr().out
    assert "fichiers pas même lus : tests/test_quick.py\n" in said
    assert "rien n'est prouvé" in said
    monkeypatch.setattr(quick, "changed_files", lambda: [])
    assert quick.main() == 0
    assert "Aucun test ne correspond" in capsys.readouterr().out
