"""The viewer's page: one HTML document, its style and its modules, no byte from elsewhere.

What the page must know is written in it as data; scripts, styles and images come from the same
server only (Content-Security-Policy).
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.responses import HTMLResponse

__all__ = ["ASSETS", "HEADERS", "Opening", "ShownExam", "ShownSeries", "page"]

HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; "
    "img-src 'self'; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; "
    "base-uri 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Strict-Transport-Security": "max-age=31536000",
}
"""On every answer: images of patients are neither cached nor framed."""

_PACKAGE = "drimbox_ref.viewer"
_TYPES = {
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}

ASSETS = {
    file.name: (_TYPES[file.name.rpartition(".")[2]], file.read_bytes())
    for file in resources.files(_PACKAGE).joinpath("static").iterdir()
    if file.name.rpartition(".")[2] in _TYPES
}
"""File name to media type and bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownSeries:
    """One series that the page may ask for."""

    uid: str
    label: str
    modality: str
    count: int
    address: str
    """Path of its façade, without a final slash: `/stream`, `/instances/…/frames/…` follow."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownExam:
    """One exam of the tree."""

    key: str
    """Tells exams of one page apart."""
    title: str
    date: str
    """As shown."""
    origin: str
    """The Source or the institution, as shown."""
    series: tuple[ShownSeries, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """What the page opens with."""

    patient: str
    traits: tuple[tuple[str, str], ...]
    """The five INS traits that are always shown (DB.VI-CS.29), name and value."""
    details: tuple[tuple[str, str], ...]
    """The others, one click away."""
    exams: tuple[ShownExam, ...]
    first: str
    """UID of the series to open."""
    exam: str
    """Key of its exam."""
    back: str
    """Where the professional comes from, "" when from nowhere."""
    assets: str
    """Path of the style and modules, without a final slash."""
    alive: str = ""
    """Where the page says now and then (POST) that somebody is looking, "" when nobody asks."""


def page(opening: Opening) -> HTMLResponse:
    """The document."""
    return HTMLResponse(
        _ENVIRONMENT.get_template("viewer.html").render(opening=opening, data=_data(opening)),
        headers=HEADERS,
    )


def _data(opening: Opening) -> dict[str, Any]:
    """What the modules read."""
    return {
        "first": opening.first,
        "exam": opening.exam,
        "alive": opening.alive,
        "exams": [
            {
                "key": exam.key,
                "title": exam.title,
                "date": exam.date,
                "series": [
                    {
                        "uid": series.uid,
                        "label": series.label,
                        "modality": series.modality,
                        "count": series.count,
                        "address": series.address,
                    }
                    for series in exam.series
                ],
            }
            for exam in opening.exams
        ],
    }


_ENVIRONMENT = Environment(
    loader=PackageLoader(_PACKAGE),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
