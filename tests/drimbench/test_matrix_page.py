"""Pages say what the recorded matrix says."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from drimbench.cli import app
from drimbench.matrix_page import BEGIN, END, paragraph, rewrite
from mutants.record import Record, Row


def row(name: str, role: str, *killed: str, alarms: tuple[str, ...] = ()) -> Row:
    return Row(
        mutant=name,
        role=role,
        requirements=("DB.SO.33",),
        played="2026-11-22",
        commit="0123456789",
        version="0.1",
        python="3.11.2",
        ran=("SCN-A", "SCN-B", "SCN-C"),
        killed_by=killed,
        consequences=(),
        false_alarms=alarms,
        skipped=(),
        untold=(),
    )


RECORD = Record(
    (
        row("a", "source", "SCN-A", "SCN-B"),
        row("b", "source"),
        row("c", "consumer", "SCN-A", alarms=("SCN-C",)),
    )
)


def test_the_numbers_in_english() -> None:
    text = " ".join(paragraph(RECORD, french=False).split())
    assert "**2 of 3 wrong boxes caught** (66.6 %), 2 Sources and 1 Consumers" in text
    assert "Of the 4 scenarios that they fail, 3 fail on" in text
    assert "**precision 75 %**" in text
    assert "2 of 3 scenarios are turned red" in text
    assert "on 2026-11-22 (commit 0123456789), drimbench 0.1, Python 3.11.2" in text


def test_the_numbers_in_french() -> None:
    text = " ".join(paragraph(RECORD, french=True).split())
    assert "**2 boîtes fautives sur 3 sont prises** (66,6 %)" in text
    assert "**précision 75 %**" in text


@pytest.fixture
def page(tmp_path: Path) -> Path:
    page = tmp_path / "PAGE.fr.md"
    page.write_text(f"avant\n{BEGIN}\nvieux\n{END}\naprès\n", encoding="utf-8")
    return page


def test_the_rest_of_the_page_stays(page: Path) -> None:
    text = rewrite(page, RECORD)
    assert text == f"avant\n{BEGIN}\n{paragraph(RECORD, french=True)}\n{END}\naprès\n"


def test_the_command_writes_pages(page: Path, tmp_path: Path) -> None:
    file = tmp_path / "matrice.json"
    RECORD.write(file)
    assert CliRunner().invoke(app, ["docs", "mutants", str(file), str(page)]).exception is None
    assert page.read_text(encoding="utf-8") == rewrite(page, RECORD)


@pytest.mark.parametrize("text", ["rien", f"{BEGIN} sans fin", f"{END}{BEGIN}"])
def test_a_page_without_marks_is_refused(
    page: Path, tmp_path: Path, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    page.write_text(text, encoding="utf-8")
    file = tmp_path / "matrice.json"
    RECORD.write(file)
    answer = CliRunner().invoke(app, ["docs", "mutants", str(file), str(page)])
    assert answer.exception is not None
    assert page.read_text(encoding="utf-8") == text
    assert "PAGE.fr.md" in answer.output + capsys.readouterr().err


def test_an_empty_record_is_refused(page: Path, tmp_path: Path) -> None:
    answer = CliRunner().invoke(app, ["docs", "mutants", str(tmp_path / "rien.json"), str(page)])
    assert answer.exception is not None
    assert "vieux" in page.read_text(encoding="utf-8")


def test_only_a_whole_matrix_is_recorded(tmp_path: Path) -> None:
    record = str(tmp_path / "matrice.json")
    answer = CliRunner().invoke(app, ["mutants", "sans-acquittement", "--record", record])
    assert answer.exception is not None
    assert not list(tmp_path.iterdir())
