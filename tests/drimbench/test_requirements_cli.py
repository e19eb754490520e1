"""`drimbench req` and `drimbench options`, as a user and a program call them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.drimbench.workbook import TITLES, row, workbook


def drimbench(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "drimbench", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60)


def as_json(folder: Path, *arguments: str) -> Any:
    done = drimbench(folder, *arguments, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_list_is_the_documented_shape(tmp_path: Path) -> None:
    rows = as_json(tmp_path, "req", "list")
    assert len(rows) == 249
    keys = {"id", "actor", "level", "status", "verification", "grade", "source", "scenarios"}
    assert all(keys | {"proofs"} <= row.keys() for row in rows)
    by_id = {row["id"]: row for row in rows}
    assert by_id["DB.SO.12"]["scenarios"]
    assert by_id["DB.CO.60"]["proofs"][2] == {"id": "SCN_DB/CO.02.07.03", "kind": "mesure"}
    assert by_id["DB.SO.104"]["status"] == "texte-non-public"


def test_a_family_under_any_spelling(tmp_path: Path) -> None:
    assert len(as_json(tmp_path, "req", "list", "DB.LGC")) == 3
    refused = drimbench(tmp_path, "req", "list", "DB/XX")
    assert refused.returncode == 64
    assert "DB/SO" in refused.stderr


def test_show_and_explain_take_any_spelling(tmp_path: Path) -> None:
    shown = drimbench(tmp_path, "req", "show", "DB/SO.106")
    assert shown.returncode == 0
    assert "Non applicable au REM DRIM-M" in shown.stdout
    assert drimbench(tmp_path, "explain", "DB/SO.106").stdout == shown.stdout
    assert drimbench(tmp_path, "req", "show", "DB.SO.999").returncode == 64


def test_coverage(tmp_path: Path) -> None:
    told = as_json(tmp_path, "req", "coverage")
    assert told["requirements"] == 249 == sum(told["verification"].values()) == len(told["rows"])
    assert told["faults"] == []
    assert told["verified"] >= 51


def test_options(tmp_path: Path) -> None:
    rows = {row["name"]: row for row in as_json(tmp_path, "options")}
    assert rows["vihf_version"]["default"] == "3.0"
    assert all(row["read_by"] and row["source"] for row in rows.values())


def test_import_then_every_command_reads_it(tmp_path: Path) -> None:
    rem = workbook(
        tmp_path / "rem.xlsx",
        E=[TITLES, row("DB/SO.12", "Texte officiel."), row("XX.1", "?")],
    )
    told = as_json(tmp_path, "req", "import", str(rem))
    assert told["imported"] == ["DB.SO.12"]
    assert told["unmapped"][0]["where"] == "feuille « E », ligne 3, colonne H"
    shown = as_json(tmp_path, "req", "show", "DB.SO.12")
    assert (shown["text"], shown["official"], shown["grade"]) == ("Texte officiel.", True, "faq")
    assert shown["scenarios"]


@pytest.mark.parametrize(
    ("content", "told"),
    [("[requirements", "TOML invalide"), ('[requirements."X"]', "exigence inconnue")],
)
def test_a_wrong_imported_file_stops_everything(tmp_path: Path, content: str, told: str) -> None:
    (tmp_path / "exigences.toml").write_text(content)
    refused = drimbench(tmp_path, "req", "list")
    assert refused.returncode == 64
    assert told in refused.stderr


def test_import_refuses_a_wrong_workbook(tmp_path: Path) -> None:
    rem = workbook(tmp_path / "rem.xlsx", E=[("Nom",)])
    refused = drimbench(tmp_path, "req", "import", str(rem))
    assert refused.returncode == 64
    assert "feuille « E », ligne 1, colonne A" in refused.stderr
    assert not (tmp_path / "exigences.toml").exists()
