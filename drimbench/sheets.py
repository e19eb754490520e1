"""The sheets of a workbook as text: what the screen shows in each cell, and its place."""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook, SheetVisibleEnum

__all__ = ["Sheet", "WorkbookError", "read_sheets"]


_MOST_CELLS = 20_000_000
_MOST_BYTES = 256 * 1024 * 1024
_CELL = re.compile(rb'<(?:\w+:)?c\s[^<>]{0,200}?\br="([A-Z]{1,3})([0-9]{1,7})"')


class WorkbookError(Exception):
    """Not the workbook expected; names sheet, row and column, and what was expected there."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet. Rows and columns count from 0; a cell that does not exist is empty."""

    name: str
    rows: tuple[tuple[str, ...], ...]
    visible: bool = True
    merged: dict[tuple[int, int], tuple[int, int]] = field(default_factory=dict)
    """For a cell that a merge hides, the cell above it that holds the text."""

    def cell(self, row: int, column: int) -> str:
        """The text of a cell, "" when it is empty or hidden by a merge."""
        cells = self.rows[row] if row < len(self.rows) else ()
        return cells[column] if column < len(cells) else ""

    def seen(self, row: int, column: int) -> str:
        """The text that the screen shows there: of the merged cell, when there is one."""
        return self.cell(*self.merged.get((row, column), (row, column)))

    def where(self, row: int, column: int) -> str:
        """A place, as a spreadsheet writes it."""
        return f"feuille « {self.name} », ligne {row + 1}, colonne {_letters(column)}"


def read_sheets(file: Path) -> list[Sheet]:
    """The sheets of a workbook (xlsx, xls or ods), in its order; charts are left out.

    Raises:
        WorkbookError: it cannot be read.
    """
    try:
        _check_size(file)
        with CalamineWorkbook.from_path(str(file)) as book:
            return [
                _sheet(book.get_sheet_by_name(one.name), one.visible == SheetVisibleEnum.Visible)
                for one in book.sheets_metadata
                if one.name in book.sheet_names
            ]
    except (CalamineError, OSError, RuntimeError, zipfile.BadZipFile, zlib.error) as error:
        raise WorkbookError(f"{file} : ce n'est pas un classeur lisible ({error})") from None


def _check_size(file: Path) -> None:
    """Refuse a sheet whose corners are too far apart: the library makes every cell between.

    One stray character at the end of an xlsx sheet would ask for hundreds of gigabytes.
    """
    if not zipfile.is_zipfile(file):
        return
    with zipfile.ZipFile(file) as archive:
        for part in archive.infolist():
            if not part.filename.startswith("xl/worksheets/"):
                continue
            if part.file_size > _MOST_BYTES:
                raise WorkbookError(f"{file} : {part.filename} : feuille trop grande")
            cells = _CELL.findall(archive.read(part))
            right = max((_column(letters) for letters, _ in cells), default=0)
            bottom = max((int(row) for _, row in cells), default=0)
            if right * bottom > _MOST_CELLS:
                raise WorkbookError(
                    f"{file} : {part.filename} : feuille trop grande, jusqu'à la ligne {bottom} et "
                    f"la colonne {_letters(right - 1)} ; effacez ce qui y est égaré"
                )


def _column(letters: bytes) -> int:
    """The number of a column: 1 for A, 27 for AA."""
    number = 0
    for letter in letters:
        number = number * 26 + letter - ord("A") + 1
    return number


def _sheet(sheet: CalamineSheet, visible: bool) -> Sheet:
    rows = tuple(tuple(map(_text, row)) for row in sheet.to_python(skip_empty_area=False))
    merged = {
        (row, left): (top, left)
        # ods and old xls do not say: their merged cells are empty but the first.
        for (top, left), (bottom, _) in sheet.merged_cell_ranges or ()
        for row in range(top + 1, min(bottom + 1, len(rows)))
    }
    return Sheet(sheet.name, rows, visible, merged)


def _text(cell: Any) -> str:
    """Numbers come as floats: 12 is written 12, not 12.0."""
    if isinstance(cell, float) and cell.is_integer():
        cell = int(cell)
    return str(cell).replace("\r\n", "\n").strip()


def _letters(column: int) -> str:
    return "".join(reversed(list(_digits(column))))


def _digits(column: int) -> Iterator[str]:
    column += 1
    while column:
        column, digit = divmod(column - 1, 26)
        yield chr(ord("A") + digit)
