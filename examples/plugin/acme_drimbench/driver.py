"""How our Consumer is driven: it shows its terms of use before anything else."""

from __future__ import annotations

from collections.abc import Mapping

from drimbench.api import HtmlBrowser, Page

__all__ = ["AcmeBrowser"]


class AcmeBrowser(HtmlBrowser):
    """A browser whose user has read the terms."""

    async def call(
        self, url: str, body: bytes | Mapping[str, str], *, content_type: str = "",
    ) -> Page:  # fmt: skip
        page = await super().call(url, body)
        return await self.submit("conditions") if page.form("conditions") else page
