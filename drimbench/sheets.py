"""The sheets of a workbook as text: what the screen shows in each cell, and its place."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook, SheetVisibleEnum

__all__ = ["Sheet", "WorkbookError", "read_sheets"]


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
        with CalamineWorkbook.from_path(str(file)) as book:
            return [
                _sheet(book.get_sheet_by_name(one.name), one.visible == SheetVisibleEnum.Visible)
                for one in book.sheets_metadata
                if one.name in book.sheet_names
            ]
    except (CalamineError, OSError) as error:
        raise WorkbookError(f"{file} : ce n'est pas un classeur lisible ({error})") from None


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
