"""Reads the official REM or DSR that a vendor holds: a workbook, as the ANS exports it.

The columns are those of the public Squash exports: Exigence conditionnelle, Profil, ID Section,
Section, Bloc, Fonction, Nature, N° exigence, the statement, N° scénario, Scénario de conformité,
then N° preuve k and Preuve k. They are found by their titles, in any sheet and in any order; only
the title of the statement is not known for sure, so the column after N° exigence is taken when
none has a known title.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tomli_w
from python_calamine import CalamineError, CalamineWorkbook

from spec.official import OfficialText
from spec.requirements import Proof, counted, resolve

__all__ = ["Imported", "Unmapped", "WorkbookError", "as_toml", "read_workbook"]

_HEADER_ROWS = 30
"""How deep the titles are looked for."""
_ID, _NATURE, _STEP = "n exigence", "nature", "n scenario"
_STATEMENTS = (
    "exigence",
    "enonce",
    "enonce de l exigence",
    "enonce exigence",
    "libelle",
    "libelle de l exigence",
    "description",
    "texte",
)
_LEVELS = {"exigence": "DOIT", "preconisation": "PEUT"}
_SIGNS = {ord("°"): " ", ord("º"): " "}
_PROOF = re.compile(r"n preuve (\d+)")


class WorkbookError(Exception):
    """Not a REM; names sheet, row and column, and what was expected there."""


@dataclass(frozen=True, slots=True)
class Unmapped:
    """A requirement of the workbook that the catalogue does not know."""

    id: str
    where: str
    text: str


@dataclass(frozen=True, slots=True)
class Imported:
    """What a workbook gave."""

    texts: tuple[OfficialText, ...]
    unmapped: tuple[Unmapped, ...]
    absent: tuple[str, ...]
    """Requirements of the catalogue that the workbook does not speak of."""


@dataclass(frozen=True, slots=True)
class _Columns:
    """Where each thing is, counted from 0."""

    id: int
    nature: int
    statement: int
    step: int | None
    proofs: tuple[tuple[int, int | None], ...]
    """Column of each N° preuve k, and of its Preuve k."""


@dataclass(slots=True)
class _Row:
    """One requirement while its rows are read."""

    id: str
    level: str
    text: str
    where: str
    steps: dict[str, None]
    proofs: dict[str, str]


def read_workbook(file: Path) -> Imported:
    """The requirements of a workbook (xlsx, xls or ods).

    A row without a number continues the requirement above it, as merged cells do.

    Raises:
        WorkbookError: unreadable, no sheet with the columns, or a cell that cannot be right.
    """
    rows = _rows(file)
    texts, unmapped = [], []
    for row in rows.values():
        known = resolve(row.id)
        if known is None or known.own:
            unmapped.append(Unmapped(row.id, row.where, row.text))
            continue
        texts.append(
            OfficialText(
                id=known.id,
                level=row.level,
                text=row.text,
                source=f"REM fourni par l'utilisateur : {file.name}, {row.where}",
                steps=tuple(row.steps),
                proofs=tuple(Proof(id, kind) for id, kind in row.proofs.items()),
            )
        )
    found = {text.id for text in texts}
    absent = tuple(one.id for one in counted() if one.id not in found)
    return Imported(tuple(texts), tuple(unmapped), absent)


def as_toml(imported: Imported) -> str:
    """The file that `spec.official.adopt` reads; what was not mapped is kept for the reader."""
    document: dict[str, Any] = {
        "requirements": {
            text.id: {
                "level": text.level,
                "text": text.text,
                "source": text.source,
                "steps": list(text.steps),
                "proofs": [{"id": proof.id, "kind": proof.kind} for proof in text.proofs],
            }
            for text in imported.texts
        }
    }
    if imported.unmapped:
        document["unmapped"] = [
            {"id": one.id, "where": one.where, "text": one.text} for one in imported.unmapped
        ]
    return tomli_w.dumps(document, multiline_strings=True)


def _rows(file: Path) -> dict[str, _Row]:
    try:
        with CalamineWorkbook.from_path(str(file)) as book:
            sheets = [
                (name, book.get_sheet_by_name(name).to_python(skip_empty_area=False))
                for name in book.sheet_names
            ]
    except (CalamineError, OSError) as error:
        raise WorkbookError(f"{file} : ce n'est pas un classeur lisible ({error})") from None
    rows: dict[str, _Row] = {}
    seen = False
    for name, cells in sheets:
        head = _header(cells)
        if head is None:
            continue
        seen = True
        columns = _columns(file, name, head, cells[head])
        _read_sheet(file, name, cells, head, columns, rows)
    if not seen:
        raise WorkbookError(_no_header(file, sheets))
    if not rows:
        raise WorkbookError(f"{file} : aucune exigence sous les titres des colonnes")
    return rows


def _header(cells: Sequence[Sequence[Any]]) -> int | None:
    for number, row in enumerate(cells[:_HEADER_ROWS]):
        if _ID in [_folded(cell) for cell in row]:
            return number
    return None


def _no_header(file: Path, sheets: Sequence[tuple[str, Sequence[Sequence[Any]]]]) -> str:
    lines = [f"{file} : aucune feuille n'a la colonne « N° exigence »"]
    for name, cells in sheets:
        row, titles = next(
            ((n, row) for n, row in enumerate(cells[:_HEADER_ROWS]) if any(map(_text, row))),
            (0, []),
        )
        column = next((n for n, cell in enumerate(titles) if _text(cell)), 0)
        found = ", ".join(_text(cell) for cell in titles[:8] if _text(cell)) or "rien"
        lines.append(f"  {_where(name, row, column)} : titres trouvés : {found}")
    return "\n".join(lines)


def _columns(file: Path, sheet: str, head: int, titles: Sequence[Any]) -> _Columns:
    folded = [_folded(title) for title in titles]
    places = {title: column for column, title in reversed(list(enumerate(folded))) if title}
    id = places[_ID]
    if _NATURE not in places:
        raise WorkbookError(
            f"{file} : {_where(sheet, head, id)} : colonne « Nature » absente de cette ligne de "
            "titres (EXIGENCE ou PRECONISATION est attendu pour chaque exigence)"
        )
    statement = next((places[title] for title in _STATEMENTS if title in places), id + 1)
    if statement >= len(titles) or folded[statement] in ("", _STEP):
        raise WorkbookError(
            f"{file} : {_where(sheet, head, id + 1)} : colonne de l'énoncé absente, attendue après "
            "« N° exigence »"
        )
    proofs = tuple(
        (column, places.get(f"preuve {match[1]}"))
        for title, column in sorted(places.items(), key=lambda item: item[1])
        if (match := _PROOF.fullmatch(title))
    )
    return _Columns(id, places[_NATURE], statement, places.get(_STEP), proofs)


def _read_sheet(
    file: Path,
    sheet: str,
    cells: Sequence[Sequence[Any]],
    head: int,
    columns: _Columns,
    rows: dict[str, _Row],
) -> None:
    current: _Row | None = None
    for number, row in enumerate(cells[head + 1 :], start=head + 1):
        id = _text(_cell(row, columns.id))
        if id:
            current = _begin(file, sheet, number, row, columns, rows)
        elif _text(_cell(row, columns.nature)) and _text(_cell(row, columns.statement)):
            raise WorkbookError(
                f"{file} : {_where(sheet, number, columns.id)} : un numéro d'exigence est attendu, "
                "la cellule est vide"
            )
        if current is None:
            continue
        if columns.step is not None and (step := _text(_cell(row, columns.step))):
            current.steps[step] = None
        for place, kind in columns.proofs:
            if proof := _text(_cell(row, place)):
                current.proofs[proof] = "" if kind is None else _text(_cell(row, kind))


def _begin(
    file: Path,
    sheet: str,
    number: int,
    row: Sequence[Any],
    columns: _Columns,
    rows: dict[str, _Row],
) -> _Row:
    id = _text(_cell(row, columns.id))
    nature = _text(_cell(row, columns.nature))
    text = _text(_cell(row, columns.statement))
    if "\n" in id or len(id) > 40 or not any(map(str.isdigit, id)):
        raise WorkbookError(
            f"{file} : {_where(sheet, number, columns.id)} : un numéro d'exigence est attendu, "
            f"trouvé « {id[:60]} »"
        )
    level = _LEVELS.get(_folded(nature))
    if level is None:
        raise WorkbookError(
            f"{file} : {_where(sheet, number, columns.nature)} : EXIGENCE ou PRECONISATION est "
            f"attendu pour {id}, trouvé « {nature} »"
        )
    if not text:
        raise WorkbookError(
            f"{file} : {_where(sheet, number, columns.statement)} : l'énoncé de {id} est vide"
        )
    known = resolve(id)
    key = id if known is None else known.id
    if key not in rows:
        rows[key] = _Row(id, level, text, _where(sheet, number, columns.id), {}, {})
    elif (rows[key].level, rows[key].text) != (level, text):
        raise WorkbookError(
            f"{file} : {_where(sheet, number, columns.id)} : {id} est déjà défini autrement, "
            f"{rows[key].where}"
        )
    return rows[key]


def _cell(row: Sequence[Any], column: int) -> Any:
    return row[column] if column < len(row) else ""


def _text(cell: Any) -> str:
    return str(cell).strip()


def _folded(cell: Any) -> str:
    """A title without case, accents, signs or double spaces."""
    plain = unicodedata.normalize("NFKD", _text(cell).translate(_SIGNS))
    kept = "".join(c if c.isalnum() else " " for c in plain if not unicodedata.combining(c))
    return " ".join(kept.casefold().split())


def _where(sheet: str, row: int, column: int) -> str:
    return f"feuille « {sheet} », ligne {row + 1}, colonne {_letters(column)}"


def _letters(column: int) -> str:
    return "".join(reversed(list(_digits(column))))


def _digits(column: int) -> Iterator[str]:
    column += 1
    while column:
        column, digit = divmod(column - 1, 26)
        yield chr(ord("A") + digit)
