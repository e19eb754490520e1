"""A picture of a screen made into a proof: its address and the date stand above it.

A browser without window has no address bar: what a proof must show (faq.md 17.2, grade: draft) is
written in a band, which says who wrote it.
"""

from __future__ import annotations

from datetime import datetime
from io import BytesIO

from PIL import Image, ImageDraw, ImageFont

from bench.browser import Photograph

__all__ = ["framed"]

_SIZE = 15
_MARGIN = 10
_INK, _PAPER = "#ffffff", "#1d2b4f"


def framed(png: bytes, url: str, utc: datetime) -> Photograph:
    """The picture under a band that tells its address and the date, in UTC and as here.

    ASCII alone: the font that Pillow brings draws little else.
    """
    shot = Image.open(BytesIO(png)).convert("RGB")
    font = ImageFont.load_default(_SIZE)
    here = utc.astimezone()
    lines = (
        *_wrapped(f"Adresse : {url}", font, shot.width - 2 * _MARGIN),
        f"Date : {here:%d/%m/%Y %H:%M:%S} (UTC{here:%z}), soit {utc:%Y-%m-%d %H:%M:%S} UTC. "
        "Bandeau de drimbench.",
    )
    step = _SIZE + 6
    band = step * len(lines) + 2 * _MARGIN
    whole = Image.new("RGB", (shot.width, shot.height + band), _PAPER)
    draw = ImageDraw.Draw(whole)
    for number, line in enumerate(lines):
        draw.text((_MARGIN, _MARGIN + number * step), line, fill=_INK, font=font)
    whole.paste(shot, (0, band))
    out = BytesIO()
    whole.save(out, "PNG", optimize=False)
    return Photograph(png=out.getvalue(), url=url, utc=utc)


def _wrapped(
    text: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont, width: int
) -> tuple[str, ...]:
    """A long address over as many lines as it takes: none of it may be missing."""
    lines, line = [], ""
    for character in text:
        if line and font.getlength(line + character) > width:
            lines.append(line)
            line = ""
        line += character
    return (*lines, line)
