"""The command line as a new user meets it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bench.gate import pickles
from drimbench.judging import exit_code_of, judge_files
from drimbench.origin import check_rooms
from features import FEATURES
from validators.api import rules


def drimbench(*arguments: str, **changes: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "drimbench", *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={**os.environ, "COLUMNS": "100", "NO_COLOR": "1", **changes},
    )


@pytest.mark.parametrize(
    "arguments",
    [
        ("nonsense",),
        ("validate",),
        ("validate", "absent.dcm"),
        ("explain", "KIT-NOTHING"),
        ("run", "SCN-ABSENT"),
        ("run", "--profile", "absent.toml"),
        ("run", "--images", "."),
        ("run", "--report", "absent.xml"),
        ("report", "absent"),
    ],
)
def test_wrong_use_ends_with_64_and_one_clear_word(
    arguments: tuple[str, ...], tmp_path: Path
) -> None:
    ended = drimbench(*arguments)
    assert ended.returncode == 64
    assert ended.stderr
    assert "Traceback" not in ended.stderr
    assert not ended.stdout


def test_help_has_examples() -> None:
    for command in ("run", "list", "validate", "explain", "report"):
        ended = drimbench(command, "--help")
        assert ended.returncode == 0
        assert f"drimbench {command}" in ended.stdout


def test_no_colour_where_nobody_looks() -> None:
    assert "\x1b[" not in drimbench("list").stdout


def test_list_names_every_scenario() -> None:
    listed = json.loads(drimbench("list", "--json").stdout)
    assert [row["id"] for row in listed] == [pickle.scenario for pickle in pickles(FEATURES)]
    assert all(row["name"] and row["file"] for row in listed)


@pytest.fixture
def kos(tmp_path: Path) -> Path:
    file = tmp_path / "kos.dcm"
    file.write_bytes(rules()["KOS-010"].good())
    return file


def test_wrong_boxes_are_listed_for_machines_too() -> None:
    done = drimbench("mutants", "--list", "--json", "jeton-non-verifie")
    assert done.returncode == 0, done.stderr
    (box,) = json.loads(done.stdout)
    assert box["mutant"] == "jeton-non-verifie"
    assert "DB.SO.33" in box["requirements"]


def test_validate_prints_one_json_document(kos: Path) -> None:
    ended = drimbench("validate", str(kos), "--json")
    (judged,) = json.loads(ended.stdout)
    assert ended.returncode == 0
    assert judged["file"] == str(kos)
    assert judged["kind"] == "kos"
    assert judged["verdict"] == "pass"


def test_validate_says_where_expected_and_found(tmp_path: Path) -> None:
    file = tmp_path / "wrong.dcm"
    file.write_bytes(rules()["KOS-010"].bad())
    ended = drimbench("validate", str(file), "--json")
    (judged,) = json.loads(ended.stdout)
    assert ended.returncode == 1
    assert judged["verdict"] == "fail"
    wanted = {
        "rule", "severity", "message", "expected", "actual", "where", "spec", "grade",
        "requirements",
    }  # fmt: skip
    assert all(wanted <= set(finding) for finding in judged["findings"])
    assert "KOS-010" in {finding["rule"] for finding in judged["findings"]}


def test_validate_reads_standard_input(kos: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "drimbench", "validate", "kos", "-", "--json"],
        input=kos.read_bytes(),
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 0
    assert json.loads(ended.stdout)[0]["kind"] == "kos"


def test_unrecognised_file_is_not_judged_and_says_so(tmp_path: Path) -> None:
    file = tmp_path / "poem.txt"
    file.write_text("Sous le pont Mirabeau coule la Seine")
    judged = judge_files([str(file)])
    assert judged[0].kind is None
    assert exit_code_of(judged) == 2


def test_folder_judges_what_it_recognises(tmp_path: Path, kos: Path) -> None:
    (tmp_path / "notes.txt").write_text("notes")
    judged = judge_files([str(tmp_path)])
    assert {one.kind for one in judged} == {None, "kos"}
    assert exit_code_of(judged) == 0


def test_explain_gives_text_grade_and_examples() -> None:
    said = drimbench("explain", "KOS-010").stdout
    assert "KOS-010" in said
    assert "confiance" in said
    assert "accepté" in said
    assert "refusé" in said


def test_explain_a_requirement() -> None:
    said = drimbench("explain", "DB.SO.12").stdout
    assert "StudyInstanceUID" in said


def test_all_rooms_come_from_one_place() -> None:
    check_rooms()
