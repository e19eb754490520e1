"""What the page of the reference's viewer asks for by itself, for a browser that runs no script."""

from __future__ import annotations

import json

from lxml import etree, html

from simulators.user.page import Page

__all__ = ["images_address"]


def images_address(page: Page) -> str:
    """Where the images of the series that it opens on are asked for; "" when it is no viewer."""
    try:
        written = html.document_fromstring(page.html).xpath("string(//script[@id='data'])")
        data = json.loads(str(written))
        for exam in data["exams"]:
            for series in exam["series"]:
                if (exam["key"], series["uid"]) == (data["exam"], data["first"]):
                    return f"{series['address']}/stream"
    except (etree.ParserError, ValueError, KeyError, TypeError):
        return ""
    return ""
