"""Official wording replaces ours, and a wrong file leaves the catalogue untouched."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from spec.grade import Grade
from spec.official import OfficialError, adopt
from spec.requirements import CATALOGUE, Status, resolve

GOOD = """
[requirements."DB.SO.12"]
level = "PEUT"
text = "Texte officiel."
source = "REM fourni par l'utilisateur : rem.xlsx, feuille « E », ligne 2, colonne H"
steps = ["SC.DB/SO.12.01"]
proofs = [{ id = "SC.DB/SO.12.01.01", kind = "Copie d'écran" }]

[requirements."DB.SO.106"]
level = "DOIT"
text = "Autre texte."
source = "rem.xlsx"

[[unmapped]]
id = "XX.01"
"""


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    before = dict(CATALOGUE)
    yield
    CATALOGUE.update(before)


def write(folder: Path, text: str) -> Path:
    file = folder / "exigences.toml"
    file.write_text(text, encoding="utf-8")
    return file


def test_wording_and_level_are_replaced_and_the_mapping_kept(tmp_path: Path) -> None:
    before = CATALOGUE["DB.SO.12"]
    assert adopt(write(tmp_path, GOOD)) == 2
    after = resolve("DB/SO.12")
    assert after is not None
    assert (after.level, after.text, after.official) == ("PEUT", "Texte officiel.", True)
    assert (after.grade, after.status) == (Grade.FAQ, Status.CONFIRMED)
    assert "rem.xlsx" in after.source
    assert after.steps == ("SC.DB/SO.12.01",)
    assert after.proofs[0].kind == "Copie d'écran"
    assert (after.actor, after.verification) == (before.actor, before.verification)


def test_a_faq_override_outlives_the_import(tmp_path: Path) -> None:
    adopt(write(tmp_path, GOOD))
    assert CATALOGUE["DB.SO.106"].status is Status.NOT_APPLICABLE
    assert CATALOGUE["DB.SO.106"].override


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[requirements", "TOML invalide"),
        ("requirements = 3", "une section est attendue"),
        ('[requirements."XX.01"]\nlevel = "DOIT"', "'XX.01' : exigence inconnue"),
        (GOOD.replace('"PEUT"', '"DOIT ?"'), "DOIT ou PEUT est attendu, trouvé 'DOIT ?'"),
        (GOOD.replace('"Autre texte."', '""'), "'DB.SO.106'.text : un texte est attendu"),
        (GOOD.replace('["SC.DB/SO.12.01"]', "[1]"), "steps : une liste"),
        (GOOD.replace("id =", "ident =", 1), "proofs : une liste"),
    ],
)
def test_wrong_file_is_refused_whole(tmp_path: Path, text: str, told: str) -> None:
    before = dict(CATALOGUE)
    with pytest.raises(OfficialError, match=r"exigences\.toml") as refused:
        adopt(write(tmp_path, text))
    assert told in str(refused.value)
    assert before == CATALOGUE


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(OfficialError, match="illisible"):
        adopt(tmp_path / "rien.toml")
