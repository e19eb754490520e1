"""Reads the official REM or DSR that a vendor holds: a workbook, as the ANS exports it.

The columns are those of the public Squash exports: Exigence conditionnelle, Profil, ID Section,
Section, Bloc, Fonction, Nature, N° exigence, the statement, N° scénario, Scénario de conformité,
then N° preuve k and Preuve k. They are found by their titles, in any sheet and in any order,
below whatever heads the sheet; only the title of the statement is not known for sure, so the
column after N° exigence is taken when none has a known title.

Rows that a filter hides are requirements like the others; a hidden sheet is read when no other
has the columns.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tomli_w

from drimbench.sheets import Sheet, WorkbookError, read_sheets
from spec.official import OfficialText
from spec.requirements import Proof, counted, resolve

__all__ = ["Imported", "Unmapped", "WorkbookError", "as_toml", "read_workbook"]

_HEADER_ROWS = 200
"""How deep the titles are looked for."""
_ID, _STEP = "n exigence", "n scenario"
_NATURES = ("nature", "nature exigence")
_STATEMENTS = (
    "exigence",
    "enonce",
    "enonce exigence",
    "libelle",
    "libelle exigence",
    "description",
    "texte",
    "texte exigence",
)
_LEVELS = {"exigence": "DOIT", "preconisation": "PEUT"}
_NUMBER = {"n", "no", "num", "numero", "id", "identifiant", "ref", "reference"}
"""How a title says « N° »."""
_LITTLE = {"d", "de", "du", "des", "l", "la", "le", "les"}
_SIGNS = {ord("°"): " ", ord("º"): " "}
_WORDS = re.compile(r"[^\W\d_]+|\d+")
_PROOF = re.compile(r"n preuve (\d+)")
_LOOKALIKES = str.maketrans(dict.fromkeys("⁄∕／", "/") | dict.fromkeys("‐‑‒–—−", "-"))
_AROUND_SEPARATOR = re.compile(r"\s*([/._-])\s*")
_EMPTY_HINT = "la cellule est vide, ou sa formule n'a pas de valeur enregistrée"


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
    sheets = read_sheets(file)
    titled = [(sheet, head) for sheet in sheets if (head := _header(sheet)) is not None]
    if not titled:
        raise WorkbookError(_no_header(file, sheets))
    shown = [(sheet, head) for sheet, head in titled if sheet.visible]
    rows: dict[str, _Row] = {}
    for sheet, head in shown or titled:
        _read_sheet(file, sheet, head, _columns(file, sheet, head), rows)
    if not rows:
        raise WorkbookError(f"{file} : aucune exigence sous les titres des colonnes")
    return rows


def _header(sheet: Sheet) -> int | None:
    return next(
        (
            number
            for number, row in enumerate(sheet.rows[:_HEADER_ROWS])
            if _ID in map(_folded, row)
        ),
        None,
    )


def _no_header(file: Path, sheets: Sequence[Sheet]) -> str:
    lines = [f"{file} : aucune feuille n'a la colonne « N° exigence »"]
    for sheet in sheets:
        # The row that looks most like titles: the one with the most cells filled.
        rows = sheet.rows[:_HEADER_ROWS] or ((),)
        number = max(range(len(rows)), key=lambda one: sum(map(bool, rows[one])))
        column = next((n for n, cell in enumerate(rows[number]) if cell), 0)
        titles = [" ".join(cell.split()) for cell in rows[number] if cell]
        found = ", ".join(titles[:8]) or "rien"
        lines.append(f"  {sheet.where(number, column)} : titres trouvés : {found}")
    return "\n".join(lines)


def _columns(file: Path, sheet: Sheet, head: int) -> _Columns:
    folded = [_folded(title) for title in sheet.rows[head]]
    places = {title: column for column, title in reversed(list(enumerate(folded))) if title}
    id = places[_ID]
    nature = next((places[title] for title in _NATURES if title in places), None)
    if nature is None:
        raise WorkbookError(
            f"{file} : {sheet.where(head, id)} : colonne « Nature » absente de cette ligne de "
            "titres (EXIGENCE ou PRECONISATION est attendu pour chaque exigence)"
        )
    statement = next((places[title] for title in _STATEMENTS if title in places), id + 1)
    if statement >= len(folded) or folded[statement] in (_STEP, *_NATURES):
        raise WorkbookError(
            f"{file} : {sheet.where(head, id + 1)} : colonne de l'énoncé absente, attendue après "
            "« N° exigence »"
        )
    proofs = tuple(
        (column, places.get(f"preuve {match[1]}"))
        for title, column in sorted(places.items(), key=lambda item: item[1])
        if (match := _PROOF.fullmatch(title))
    )
    return _Columns(id, nature, statement, places.get(_STEP), proofs)


def _read_sheet(
    file: Path, sheet: Sheet, head: int, columns: _Columns, rows: dict[str, _Row]
) -> None:
    current: _Row | None = None
    for number in range(head + 1, len(sheet.rows)):
        id, nature = sheet.cell(number, columns.id), sheet.cell(number, columns.nature)
        if _folded(id) == _ID:  # the titles again, for print
            continue
        if id and not nature and not any(map(str.isdigit, id)):  # a heading, a total
            current = None
            continue
        if id:
            current = _begin(file, sheet, number, columns, rows)
        elif nature and sheet.cell(number, columns.statement):
            raise WorkbookError(
                f"{file} : {sheet.where(number, columns.id)} : un numéro d'exigence est attendu ; "
                + _EMPTY_HINT
            )
        if current is None:
            continue
        if columns.step is not None and (step := sheet.cell(number, columns.step)):
            current.steps[step] = None
        for place, kind in columns.proofs:
            if proof := sheet.cell(number, place):
                current.proofs[proof] = "" if kind is None else sheet.cell(number, kind)


def _begin(file: Path, sheet: Sheet, number: int, columns: _Columns, rows: dict[str, _Row]) -> _Row:
    id = _number(sheet.cell(number, columns.id))
    nature = sheet.seen(number, columns.nature)
    text = sheet.seen(number, columns.statement)
    if "\n" in id or len(id) > 40 or not any(map(str.isdigit, id)):
        raise WorkbookError(
            f"{file} : {sheet.where(number, columns.id)} : un numéro d'exigence est attendu, "
            f"trouvé « {id[:60]} »"
        )
    level = _LEVELS.get(_folded(nature))
    if level is None:
        raise WorkbookError(
            f"{file} : {sheet.where(number, columns.nature)} : EXIGENCE ou PRECONISATION est "
            f"attendu pour {id}, " + (f"trouvé « {nature[:60]} »" if nature else _EMPTY_HINT)
        )
    if not text:
        raise WorkbookError(
            f"{file} : {sheet.where(number, columns.statement)} : l'énoncé de {id} est attendu ; "
            + _EMPTY_HINT
        )
    known = resolve(id)
    key = id if known is None else known.id
    if key not in rows:
        rows[key] = _Row(id, level, text, sheet.where(number, columns.id), {}, {})
        return rows[key]
    first = rows[key]
    for column, what, said, before in (
        (columns.nature, "niveau", level, first.level),
        (columns.statement, "énoncé", text, first.text),
    ):
        if said != before:
            raise WorkbookError(
                f"{file} : {sheet.where(number, column)} : {id} est déjà défini autrement "
                f"({what}), {first.where}"
            )
    return first


def _number(text: str) -> str:
    """A number as the texts write it: signs that look like its separators, spaces around them."""
    return _AROUND_SEPARATOR.sub(r"\1", text.translate(_LOOKALIKES))


def _folded(text: str) -> str:
    """A title reduced to its words: no case, accent, sign, article, line break or double space."""
    plain = unicodedata.normalize("NFKD", text.translate(_SIGNS))
    bare = "".join(c for c in plain if not unicodedata.combining(c)).casefold()
    words = [word for word in _WORDS.findall(bare) if word not in _LITTLE]
    if words and words[0] in _NUMBER:
        words[0] = "n"
    return " ".join(words)
