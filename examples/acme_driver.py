"""How a vendor drives their own pages: one class, and nothing imported but `drimbench.api`.

The imaginary Consumer "Acme View" opens on a charter to accept, lists exams as cards without any
form, exports through a link, and shows images under `/images`. A driver translates that into the
bench's words (docs/how-to/write-a-plugin.md, "Drivers") and adds nothing to it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import escape
from urllib.parse import urljoin

from drimbench.api import HtmlBrowser, Page, Plugin, UserError, read_page

__all__ = ["PLUGIN", "AcmeView"]

_STATES = {"Archivé": "terminé", "Rejeté": "échec"}
"""What Acme says of an export, and what the bench reads."""


class AcmeView(HtmlBrowser):
    """Acme's pages, as the bench knows pages."""

    async def call(
        self, url: str, body: bytes | Mapping[str, str], *, content_type: str = ""
    ) -> Page:
        """The contextual call; the charter is accepted as soon as it is shown."""
        return self._told(await super().call(url, body))

    async def login(self, professional: str) -> Page:
        """Pro Santé Connect, then Acme's charter, once for each session."""
        page = await super().login(professional)
        if page.form("charte") is not None:
            page = await super().submit("charte")
        return self._told(page)

    async def reload(self) -> Page:
        """What is shown, once more."""
        return self._told(await super().reload())

    async def get(self, url: str) -> Page:
        """Type an address."""
        return self._told(await super().get(url))

    async def submit(
        self, form: str, fields: Mapping[str, str | list[str]] | None = None, **more: object
    ) -> Page:
        """Where the bench sends a form `export-…`, Acme has a link."""
        if not form.startswith("export-"):
            return self._told(await super().submit(form, fields))
        return self._told(await super().get(self._address(f"archiver={form[7:]}")))

    async def look(self, series: str = "") -> Page:
        """Acme's viewer: a page whose images the browser asks for one after the other."""
        page = await super().get(self._address(series or "/images"))
        for address in re.findall(r'<img[^>]+src="([^"]+)"', page.html):
            await super().get(urljoin(page.url, address))
        return page

    def _address(self, part: str) -> str:
        for link in self.page.links:
            if part in link.url:
                return link.url
        raise UserError(f"aucun lien vers « {part} » sur {self.page.url}")

    @staticmethod
    def _told(page: Page) -> Page:
        """The cards as a list of exams, each with its form; messages where they are looked for."""
        cards = re.findall(r'<article data-examen="([^"]+)">(.*?)</article>', page.html, re.DOTALL)
        if not cards:
            return page
        items = []
        for key, card in cards:
            text = " ".join(re.sub(r"<[^>]+>", " ", card).split())
            for said, word in _STATES.items():
                text = text.replace(said, word)
            items.append(f'<li>{escape(text)}<form id="export-{escape(key)}"></form></li>')
        made = f"<ul>{''.join(items)}</ul>"
        return read_page(page.status, page.url, "text/html", made.encode())


PLUGIN = Plugin(name="acme-view", drivers={"acme-view": AcmeView})
