"""Workbooks as an office suite writes them: what surrounds the table, and how cells are typed."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook
from openpyxl.cell.rich_text import CellRichText, TextBlock
from openpyxl.cell.text import InlineFont
from openpyxl.worksheet.table import Table

from drimbench.requirements_import import Imported, read_workbook
from drimbench.sheets import WorkbookError

TITLES = (
    "Exigence conditionnelle\nOUI / NON", "Profil", "ID Section", "Section", "Bloc", "Fonction",
    "Nature ", "N°\nexigence", "Énoncé de l’exigence", "N° scénario", "Scénario de conformité",
    "N° preuve 1", "Preuve 1", "N° preuve 2", "Preuve 2",
)  # fmt: skip
HEAD = 4
FIRST = HEAD + 1
NATURE, ID, STATEMENT, STEP, PROOF = 7, 8, 9, 10, 12
Spoil = Callable[[Workbook, Any], None]


def book() -> tuple[Workbook, Any]:
    """A presentation sheet, then the table under two merged lines of title."""
    made = Workbook()
    assert made.active is not None
    made.active.title = "Lisez-moi"
    made.active["A1"], made.active["B3"] = "REM", 1.2
    sheet = made.create_sheet("Exigences")
    for line, text in ((1, "Référentiel d'exigences minimales"), (2, "Couloir Imagerie")):
        sheet.cell(line, 1, text)
        sheet.merge_cells(start_row=line, end_row=line, start_column=1, end_column=len(TITLES))
    titles(sheet, HEAD)
    put(sheet, FIRST, "DB/SO.12", "Un KOS par examen.")
    return made, sheet


def titles(sheet: Any, line: int) -> None:
    for column, title in enumerate(TITLES, start=1):
        sheet.cell(line, column, title)


def put(sheet: Any, line: int, id: Any, text: Any, nature: Any = "EXIGENCE", *rest: Any) -> None:
    cells = ("NON", "Général", 1, "DB/SO", "B", "F", nature, id, text, *rest)
    for column, value in enumerate(cells, start=1):
        sheet.cell(line, column, value)


def imported(folder: Path, spoil: Spoil) -> Imported:
    made, sheet = book()
    spoil(made, sheet)
    made.save(folder / "rem.xlsx")
    return read_workbook(folder / "rem.xlsx")


def refusal(folder: Path, spoil: Spoil) -> str:
    with pytest.raises(WorkbookError) as refused:
        imported(folder, spoil)
    return str(refused.value)


def test_what_an_office_suite_adds_changes_nothing(tmp_path: Path) -> None:
    def dressed(_: Workbook, sheet: Any) -> None:
        put(sheet, FIRST + 1, "DB/SO.13", "Caché par un filtre.")
        sheet.row_dimensions[FIRST + 1].hidden = True
        sheet.column_dimensions["B"].hidden = True
        sheet.freeze_panes = "A5"
        sheet.auto_filter.ref = "A4:O6"
        sheet["I5"].hyperlink = "https://kit.invalid/"
        sheet["Q1"], sheet["R1"] = "N° preuve", "Preuve"
        sheet.add_table(Table(displayName="Preuves", ref="Q1:R2"))

    assert [(one.id, one.text) for one in imported(tmp_path, dressed).texts] == [
        ("DB.SO.12", "Un KOS par examen."),
        ("DB.SO.13", "Caché par un filtre."),
    ]


@pytest.mark.parametrize(
    "written",
    [
        "DB/SO.12", "DB.SO.12", "db/so.12", " DB/SO.12\u00a0", "DB/SO.012", "DB_SO.12",
        "DB / SO . 12", "DB/SO.\n12", "DB⁄SO.12", "DB–SO.12",
    ],
)  # fmt: skip
def test_a_number_has_many_spellings(tmp_path: Path, written: str) -> None:
    found = imported(tmp_path, lambda _, sheet: put(sheet, FIRST, written, "Texte"))
    assert [one.id for one in found.texts] == ["DB.SO.12"]


@pytest.mark.parametrize(
    ("column", "title"),
    [
        (ID, "N° d'exigence"), (ID, "Numéro de l’exigence"), (ID, "No exigence"),
        (ID, "ID exigence"), (ID, "NUM. EXIGENCE"), (NATURE, "Nature de l'exigence"),
        (STATEMENT, "Exigence "), (STATEMENT, "Libellé"), (STATEMENT, None),
        (STEP, "N° de scénario"), (PROOF, "N°preuve1"), (PROOF, "Numéro de la preuve 1"),
    ],
)  # fmt: skip
def test_a_title_has_many_spellings(tmp_path: Path, column: int, title: str | None) -> None:
    def retitled(_: Workbook, sheet: Any) -> None:
        put(sheet, FIRST, "DB/SO.12", "Texte", "Préconisation", "SC.1", "…", "SC.1.01", "Vidéo")
        sheet.cell(HEAD, column).value = title

    (one,) = imported(tmp_path, retitled).texts
    assert (one.level, one.text, one.steps) == ("PEUT", "Texte", ("SC.1",))
    assert [(proof.id, proof.kind) for proof in one.proofs] == [("SC.1.01", "Vidéo")]


def test_cells_are_text_as_the_screen_shows_it(tmp_path: Path) -> None:
    rich = CellRichText("Un ", TextBlock(InlineFont(b=True), "KOS"), " par\r\nexamen.\n")

    def typed(_: Workbook, sheet: Any) -> None:
        put(sheet, FIRST, "DB/SO.12", rich, "EXIGENCE ", 12, "", 12.01, "Journal")
        put(sheet, FIRST + 1, "DB/SO.13", 3)

    first, second = imported(tmp_path, typed).texts
    assert (first.text, first.steps) == ("Un KOS par\nexamen.", ("12",))
    assert [proof.id for proof in first.proofs] == ["12.01"]
    assert second.text == "3"


def test_merged_cells_speak_for_the_rows_below(tmp_path: Path) -> None:
    def merged(_: Workbook, sheet: Any) -> None:
        sheet.cell(FIRST + 1, ID, "DB/SO.13")
        sheet.merge_cells(f"G{FIRST}:G{FIRST + 1}")
        sheet.merge_cells(f"I{FIRST}:I{FIRST + 1}")
        put(sheet, FIRST + 2, "DB/SO.14", "Deux étapes.", "EXIGENCE", "SC.1")
        sheet.merge_cells(f"H{FIRST + 2}:H{FIRST + 3}")
        sheet.cell(FIRST + 3, STEP, "SC.2")

    shared, same, last = imported(tmp_path, merged).texts
    assert (shared.text, shared.level) == (same.text, same.level)
    assert (same.id, last.id, last.steps) == ("DB.SO.13", "DB.SO.14", ("SC.1", "SC.2"))


def test_headings_totals_and_titles_again_are_no_requirements(tmp_path: Path) -> None:
    def interrupted(_: Workbook, sheet: Any) -> None:
        sheet.cell(FIRST + 1, 1, "Section 2 : WADO")
        sheet.merge_cells(f"A{FIRST + 1}:O{FIRST + 1}")
        titles(sheet, FIRST + 2)
        put(sheet, FIRST + 3, "DB/SO.13", "Après.")
        sheet.cell(FIRST + 4, ID, "Total")
        sheet.cell(FIRST + 4, STATEMENT, 2)
        sheet.cell(FIRST + 5, STEP, "SC.9")

    first, second = imported(tmp_path, interrupted).texts
    assert (first.id, second.id) == ("DB.SO.12", "DB.SO.13")
    assert second.steps == ()


def test_a_hidden_sheet_counts_when_it_is_alone(tmp_path: Path) -> None:
    def with_draft(made: Workbook, _: Any) -> None:
        draft = made.create_sheet("Brouillon")
        draft.sheet_state = "hidden"
        titles(draft, 1)
        put(draft, 2, "DB/SO.12", "Ancien texte.")

    def hidden(_: Workbook, sheet: Any) -> None:
        sheet.sheet_state = "hidden"

    assert imported(tmp_path, with_draft).texts[0].text == "Un KOS par examen."
    assert imported(tmp_path, hidden).texts[0].text == "Un KOS par examen."


def test_a_formula_without_value_is_told(tmp_path: Path) -> None:
    def formula(_: Workbook, sheet: Any) -> None:
        sheet.cell(FIRST, STATEMENT, '="Un KOS"&" par examen"')

    told = refusal(tmp_path, formula)
    assert "feuille « Exigences », ligne 5, colonne I" in told
    assert "sa formule n'a pas de valeur enregistrée" in told


def test_what_differs_between_two_definitions_is_told(tmp_path: Path) -> None:
    def twice(made: Workbook, _: Any) -> None:
        other = made.create_sheet("Annexe")
        titles(other, 1)
        put(other, 2, "DB.SO.12", "Un KOS par examen.", "PRECONISATION")

    told = refusal(tmp_path, twice)
    assert "feuille « Annexe », ligne 2, colonne G" in told
    assert "(niveau), feuille « Exigences », ligne 5, colonne H" in told


def test_the_row_that_looks_like_titles_is_shown(tmp_path: Path) -> None:
    def renamed(_: Workbook, sheet: Any) -> None:
        sheet.cell(HEAD, ID).value = "Code"

    told = refusal(tmp_path, renamed)
    assert "feuille « Exigences », ligne 4, colonne A" in told
    assert "Nature, Code" in told


def test_a_stray_cell_at_the_end_of_the_sheet_is_told(tmp_path: Path) -> None:
    def stray(_: Workbook, sheet: Any) -> None:
        sheet["XFD1048576"] = "x"

    def wide(_: Workbook, sheet: Any) -> None:
        sheet["XFD1"] = "x"

    assert "ligne 1048576 et la colonne XFD" in refusal(tmp_path, stray)
    assert imported(tmp_path, wide).texts


@pytest.mark.interop
@pytest.mark.slow
@pytest.mark.parametrize("form", ["xlsx", "ods", "xls"])
def test_libreoffice_saves_what_we_read(tmp_path: Path, form: str) -> None:
    """It computes formulas, and writes types, styles and merges in its own way."""
    program = shutil.which("soffice")
    if program is None:
        pytest.skip("programme absent : soffice (LibreOffice)")
    made, sheet = book()
    put(sheet, FIRST + 1, '=CONCATENATE("DB/SO.";13)'.replace(";", ","), '="Un"&" deux"')
    put(sheet, FIRST + 2, "DB/SO.14", "x", "EXIGENCE", 12)
    sheet.cell(FIRST + 3, STEP, 13)
    made.save(tmp_path / "rem.xlsx")
    done = subprocess.run(
        [
            program, f"-env:UserInstallation={(tmp_path / 'profile').as_uri()}", "--headless",
            "--convert-to", form, "--outdir", str(tmp_path / "out"), str(tmp_path / "rem.xlsx"),
        ],
        capture_output=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = read_workbook(tmp_path / "out" / f"rem.{form}").texts
    assert [(one.id, one.text) for one in found] == [
        ("DB.SO.12", "Un KOS par examen."),
        ("DB.SO.13", "Un deux"),
        ("DB.SO.14", "x"),
    ]
    assert found[2].steps == ("12", "13")
