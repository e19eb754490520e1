"""The printed form of a report: PDF/A-1b, the same bytes for the same values.

Réf.: documents sent by MSSanté and embedded in level 1 reports are PDF/A-1 (REM RIS MSS/CONF.23);
addresses of the images, and the same as QR codes, in the report's body (DB/RIS.11), grade: draft.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from io import BytesIO
from pathlib import Path

import segno
import typst

__all__ = ["Page", "qr", "render"]

_TEMPLATE = Path(__file__).with_name("report.typ")


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """The texts of the page, plain: none of them is markup."""

    title: str
    patient: str
    identifiers: str
    author: str
    structure: str
    created: datetime
    exams: tuple[str, ...]
    indication: str
    findings: str
    conclusion: str
    links: tuple[str, ...]
    """Addresses of images: each is written, followed by a click, and drawn as a QR code."""


def qr(text: str) -> list[int]:
    """The bytes of a PNG image, with the quiet zone that readers need (ISO/IEC 18004)."""
    drawn = BytesIO()
    segno.make_qr(text, error="m").save(drawn, kind="png", border=4, scale=4)
    return list(drawn.getvalue())


def render(page: Page) -> bytes:
    """The PDF. No font of the machine is used, and its only clock is the page's date."""
    values = {
        "title": page.title,
        "patient": page.patient,
        "identifiers": page.identifiers,
        "author": page.author,
        "structure": page.structure,
        "created": f"{page.created:%d/%m/%Y %H:%M}",
        "date": [page.created.year, page.created.month, page.created.day],
        "exams": page.exams,
        "indication": page.indication,
        "findings": page.findings,
        "conclusion": page.conclusion,
        "links": [{"url": url, "qr": qr(url)} for url in page.links],
    }
    document = typst.compile(
        _TEMPLATE.read_bytes(),
        format="pdf",
        font_paths=_fonts(),
        pdf_standards=["a-1b"],
        sys_inputs={"values": json.dumps(values)},
        timestamp=int(page.created.timestamp()),
    )
    assert isinstance(document, bytes)
    return document


@cache
def _fonts() -> typst.Fonts:
    """Those that the typesetter brings, read once: half of what a page takes."""
    return typst.Fonts(include_system_fonts=False)
