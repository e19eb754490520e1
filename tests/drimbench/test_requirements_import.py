"""The official workbook is read, and a wrong one is refused with sheet, row and column."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drimbench.requirements_import import as_toml, read_workbook
from drimbench.sheets import WorkbookError
from spec.official import read
from tests.drimbench.workbook import TITLES, row, workbook


def test_reads_wording_level_steps_and_proofs(tmp_path: Path) -> None:
    file = workbook(
        tmp_path / "rem.xlsx",
        Lisezmoi=[("Titre",)],
        Exigences=[
            (),
            ("REM",),
            TITLES,
            row("DB/SO.12", "Un KOS par examen.", "SC.1.01", "Étape", "SC.1.01.01", "Journal"),
            row("", "", "SC.1.02", "Étape", "SC.1.02.01", "Vidéo"),
            row("DB.CO.62", "PACS par défaut.", nature="PRÉCONISATION"),
            row("XX/YY.01", "Inconnue."),
        ],
    )
    imported = read_workbook(file)
    first, second = imported.texts
    assert (first.id, first.level, first.text) == ("DB.SO.12", "DOIT", "Un KOS par examen.")
    assert first.source.endswith("rem.xlsx, feuille « Exigences », ligne 4, colonne H")
    assert first.steps == ("SC.1.01", "SC.1.02")
    assert [(proof.id, proof.kind) for proof in first.proofs] == [
        ("SC.1.01.01", "Journal"),
        ("SC.1.02.01", "Vidéo"),
    ]
    assert (second.id, second.level) == ("DB.CO.62", "PEUT")
    (unknown,) = imported.unmapped
    assert (unknown.id, unknown.where) == (
        "XX/YY.01",
        "feuille « Exigences », ligne 7, colonne H",
    )
    assert len(imported.absent) == 247
    assert "DB.SO.12" not in imported.absent


def test_what_is_written_can_be_adopted(tmp_path: Path) -> None:
    file = workbook(
        tmp_path / "rem.xlsx",
        E=[TITLES, row("DB/SO.12", 'Deux\nlignes, « et " ».'), row("XX.01", "Inconnue.")],
    )
    imported = read_workbook(file)
    output = tmp_path / "exigences.toml"
    output.write_text(as_toml(imported), encoding="utf-8")
    assert read(output) == imported.texts
    assert tomllib.loads(output.read_text())["unmapped"][0]["id"] == "XX.01"


def test_columns_are_found_by_title_in_any_order(tmp_path: Path) -> None:
    file = workbook(
        tmp_path / "rem.xlsx",
        E=[("nature", "Énoncé", "Nº Exigence"), ("Exigence", "Le texte.", "DB.SO.12")],
    )
    (text,) = read_workbook(file).texts
    assert text.text == "Le texte."


def test_statement_of_unknown_title_follows_the_id(tmp_path: Path) -> None:
    file = workbook(
        tmp_path / "rem.xlsx",
        E=[("Nature", "N° exigence", "Contenu"), ("EXIGENCE", "DB.SO.12", "Le texte.")],
    )
    assert read_workbook(file).texts[0].text == "Le texte."


@pytest.mark.parametrize(
    ("sheet", "told"),
    [
        ([("Nom", "Prix"), ("a", "b")], "feuille « E », ligne 1, colonne A : titres trouvés : Nom"),
        ([], "feuille « E », ligne 1, colonne A : titres trouvés : rien"),
        (
            [(), ("", "N° exigence", "Exigence")],
            "feuille « E », ligne 2, colonne B : colonne « Nature » absente",
        ),
        (
            [("Nature", "N° exigence")],
            "feuille « E », ligne 1, colonne C : colonne de l'énoncé absente",
        ),
        ([TITLES], "aucune exigence"),
        (
            [TITLES, row("DB.SO.12", "T", nature="OBLIGATOIRE")],
            "feuille « E », ligne 2, colonne G : EXIGENCE ou PRECONISATION est attendu pour "
            "DB.SO.12, trouvé « OBLIGATOIRE »",
        ),
        (
            [TITLES, row("DB.SO.12", "")],
            "feuille « E », ligne 2, colonne I : l'énoncé de DB.SO.12 est attendu",
        ),
        (
            [TITLES, row("Sans numéro", "T")],
            "feuille « E », ligne 2, colonne H : un numéro d'exigence est attendu",
        ),
        (
            [TITLES, row("DB.SO.12", "T"), row("", "U")],
            "feuille « E », ligne 3, colonne H : un numéro d'exigence est attendu",
        ),
        (
            [TITLES, row("DB.SO.12", "T"), row("DB/SO.12", "U")],
            "feuille « E », ligne 3, colonne I : DB/SO.12 est déjà défini autrement (énoncé), "
            "feuille « E », ligne 2, colonne H",
        ),
    ],
)
def test_wrong_workbook(tmp_path: Path, sheet: Sequence[Sequence[str]], told: str) -> None:
    with pytest.raises(WorkbookError) as refused:
        read_workbook(workbook(tmp_path / "rem.xlsx", E=sheet))
    assert told in str(refused.value)


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(WorkbookError, match=r"rien\.xlsx"):
        read_workbook(tmp_path / "rien.xlsx")


@settings(max_examples=60)
@given(data=st.binary(max_size=400), name=st.sampled_from(["a.xlsx", "a.xls", "a.ods", "a.csv"]))
def test_hostile_bytes(tmp_path_factory: pytest.TempPathFactory, data: bytes, name: str) -> None:
    file = tmp_path_factory.mktemp("w") / name
    file.write_bytes(data)
    with pytest.raises(WorkbookError):
        read_workbook(file)


@settings(max_examples=40)
@given(cut=st.floats(0, 1), flips=st.lists(st.tuples(st.floats(0, 1), st.integers(1, 255))))
def test_damaged_workbook(
    tmp_path_factory: pytest.TempPathFactory, cut: float, flips: list[tuple[float, int]]
) -> None:
    file = tmp_path_factory.mktemp("w") / "rem.xlsx"
    data = bytearray(workbook(file, E=[TITLES, row("DB.SO.12", "T")]).read_bytes())
    for place, mask in flips:
        data[min(int(place * len(data)), len(data) - 1)] ^= mask
    file.write_bytes(bytes(data[: int(cut * len(data))]))
    try:
        imported = read_workbook(file)
    except WorkbookError:
        return
    assert imported.texts or imported.unmapped
