"""What the page of the reference's viewer asks for by itself, for a browser that runs no script."""

from __future__ import annotations

import json

from lxml import etree, html

from simulators.user.page import Page

__all__ = ["images_address"]


def images_address(page: Page, wanted: str = "") -> str:
    """Where the images of the series of that UID are asked for, or of the one that it opens on;
    "" when it is no viewer, or has no such series."""
    try:
        written = html.document_fromstring(page.html).xpath("string(//script[@id='data'])")
        data = json.loads(str(written))
        for exam in data["exams"]:
            for series in exam["series"]:
                first = (exam["key"], series["uid"]) == (data["exam"], data["first"])
                if series["uid"] == wanted if wanted else first:
                    return f"{series['address']}/stream"
    except (etree.ParserError, ValueError, KeyError, TypeError):
        return ""
    return ""
