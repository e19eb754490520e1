"""The requirement matrix as a workbook: Office Open XML of inline strings, always the same bytes.

A text that begins with `=` stays a text: nothing here is a formula. Réf. ECMA-376-1, 18.3.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final
from xml.sax.saxutils import escape, quoteattr

from reports import redact
from reports.dossier.proofs import Told
from validators.zip_archive import pack

__all__ = ["render"]

_MAIN: Final = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE: Final = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE: Final = "http://schemas.openxmlformats.org/package/2006"
_TYPES: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_HEAD: Final = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_ILLEGAL: Final = re.compile("[^\t\n\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_LONGEST: Final = 32_767
"""Characters of a cell."""
_WIDTHS: Final = (14, 18, 60, 30, 14, 50)


def render(told: Told) -> bytes:
    """Three sheets: requirements with their verdicts, proofs with their files, what is missing."""
    matrix = [("Chapitre", "Exigence", "Texte", "Origine du texte", "Verdict", "Preuves")]
    matrix += [
        (
            chapter,
            row.requirement,
            row.title,
            row.text_source,
            row.verdict.french,
            "\n".join(link.name for link in row.links),
        )
        for chapter, rows in told.chapters
        for row in rows
    ]
    proofs = [("Chapitre", "Exigence", "Preuve", "Nature", "Verdict", "Fichier")]
    proofs += [
        (one.chapter, one.requirement, one.id, one.kind, one.verdict.french, one.path)
        for one in told.proofs
    ]
    missing = [("Preuve que rien n'a encore donnée",), *((line,) for line in told.missing)]
    return _workbook({"Matrice": matrix, "Preuves": proofs, "Manquantes": missing})


def _workbook(sheets: dict[str, Sequence[Sequence[str]]]) -> bytes:
    files = {
        "[Content_Types].xml": _content_types(len(sheets)),
        "_rels/.rels": _relations([("officeDocument", "xl/workbook.xml")]),
        "xl/workbook.xml": _book(list(sheets)),
        "xl/_rels/workbook.xml.rels": _relations(
            [("worksheet", f"worksheets/sheet{rank}.xml") for rank in range(1, len(sheets) + 1)]
        ),
    }
    for rank, rows in enumerate(sheets.values(), 1):
        files[f"xl/worksheets/sheet{rank}.xml"] = _sheet(rows)
    return pack({name: (_HEAD + text).encode() for name, text in files.items()})


def _content_types(count: int) -> str:
    sheets = "".join(
        f'<Override PartName="/xl/worksheets/sheet{rank}.xml" '
        f'ContentType="{_TYPES}.worksheet+xml"/>'
        for rank in range(1, count + 1)
    )
    return (
        f'<Types xmlns="{_PACKAGE}/content-types"><Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Default Extension="xml" ContentType="application/xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{_TYPES}.sheet.main+xml"/>'
        f"{sheets}</Types>"
    )


def _relations(targets: Sequence[tuple[str, str]]) -> str:
    rows = "".join(
        f'<Relationship Id="r{rank}" Type="{_OFFICE}/{kind}" Target="{target}"/>'
        for rank, (kind, target) in enumerate(targets, 1)
    )
    return f'<Relationships xmlns="{_PACKAGE}/relationships">{rows}</Relationships>'


def _book(names: Sequence[str]) -> str:
    sheets = "".join(
        f'<sheet name={quoteattr(name)} sheetId="{rank}" r:id="r{rank}"/>'
        for rank, name in enumerate(names, 1)
    )
    return f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>{sheets}</sheets></workbook>'


def _sheet(rows: Sequence[Sequence[str]]) -> str:
    widths = "".join(
        f'<col min="{rank}" max="{rank}" width="{width}" customWidth="1"/>'
        for rank, width in enumerate(_WIDTHS, 1)
    )
    lines = "".join(
        f'<row r="{rank}">{"".join(_cell(text) for text in row)}</row>'
        for rank, row in enumerate(rows, 1)
    )
    return (
        f'<worksheet xmlns="{_MAIN}"><sheetViews><sheetView workbookViewId="0"><pane ySplit="1" '
        'topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews>'
        f"<cols>{widths}</cols><sheetData>{lines}</sheetData></worksheet>"
    )


def _cell(text: str) -> str:
    shown = escape(_ILLEGAL.sub("\ufffd", redact.text(text))[:_LONGEST])
    return f'<c t="inlineStr"><is><t xml:space="preserve">{shown}</t></is></c>'
