"""Writes workbooks shaped like the official REM, without a spreadsheet library."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from pathlib import Path
from xml.sax.saxutils import escape

__all__ = ["TITLES", "row", "workbook"]

TITLES = (
    "Exigence conditionnelle OUI/NON", "Profil", "ID Section", "Section", "Bloc", "Fonction",
    "Nature", "N° exigence", "Exigence", "N° scénario", "Scénario de conformité",
    "N° preuve 1", "Preuve 1", "N° preuve 2", "Preuve 2",
)  # fmt: skip
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_REL = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"


def row(id: str, text: str, *rest: str, nature: str = "EXIGENCE") -> tuple[str, ...]:
    return ("NON", "Général", "1", "DB/SO", "B", "F", nature, id, text, *rest)


def workbook(file: Path, **sheets: Sequence[Sequence[str]]) -> Path:
    """A minimal Office Open XML workbook of inline strings."""
    names = list(sheets)
    with zipfile.ZipFile(file, "w") as book:
        book.writestr(
            "[Content_Types].xml",
            f'<Types xmlns="{_PACKAGE}/content-types"><Default Extension="rels" ContentType="'
            'application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" '
            'ContentType="application/xml"/></Types>',
        )
        book.writestr(
            "_rels/.rels",
            f'<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="r" '
            f'Type="{_REL}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        )
        listed = "".join(
            f'<sheet name="{name}" sheetId="{n}" r:id="s{n}"/>' for n, name in enumerate(names, 1)
        )
        book.writestr(
            "xl/workbook.xml",
            f'<workbook xmlns="{_MAIN}" xmlns:r="{_REL}"><sheets>{listed}</sheets></workbook>',
        )
        targets = "".join(
            f'<Relationship Id="s{n}" Type="{_REL}/worksheet" Target="worksheets/{n}.xml"/>'
            for n, _ in enumerate(names, 1)
        )
        book.writestr(
            "xl/_rels/workbook.xml.rels",
            f'<Relationships xmlns="{_PACKAGE}/relationships">{targets}</Relationships>',
        )
        for n, name in enumerate(names, 1):
            book.writestr(f"xl/worksheets/{n}.xml", _sheet(sheets[name]))
    return file


def _sheet(rows: Sequence[Sequence[str]]) -> str:
    lines = []
    for r, cells in enumerate(rows, 1):
        written = "".join(
            f'<c r="{chr(64 + c)}{r}" t="inlineStr"><is><t>{escape(cell)}</t></is></c>'
            for c, cell in enumerate(cells, 1)
            if cell
        )
        lines.append(f'<row r="{r}">{written}</row>')
    return f'<worksheet xmlns="{_MAIN}"><sheetData>{"".join(lines)}</sheetData></worksheet>'
