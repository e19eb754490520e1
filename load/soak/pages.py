"""What the Source says of itself on its administration pages, when it has any."""

from __future__ import annotations

import ssl
from collections.abc import Mapping

import httpx

__all__ = ["MOST_ROWS", "Pages", "Row"]

Row = Mapping[str, object]

MOST_ROWS = 10_000
"""A page gives no more."""
_TIMEOUT_S = 60.0
_IN_CLEAR = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
_UNFINISHED = (("inbox", "waiting"), ("outbox", "pending"))


class Pages:
    """The pages at an address; with "" there are none."""

    def __init__(self, address: str) -> None:
        self.address = address

    async def rows(self, page: str, *, state: str = "") -> list[Row] | None:
        """What a page says, in that state when one is given; None when nobody answers."""
        if not self.address:
            return None
        asked = {"limit": str(MOST_ROWS), **({"state": state} if state else {})}
        try:
            async with httpx.AsyncClient(trust_env=False, verify=_IN_CLEAR) as client:
                answer = await client.get(
                    f"http://{self.address}/admin/{page}", params=asked, timeout=_TIMEOUT_S
                )
                answer.raise_for_status()
                rows: list[Row] = answer.json()
        except (httpx.HTTPError, ValueError):
            return None
        return [row for row in rows if row.get("state") == state] if state else rows

    async def backlog(self) -> int | None:
        """Messages and submissions that it has not finished; None when it does not say."""
        found = 0
        for page, state in _UNFINISHED:
            rows = await self.rows(page, state=state)
            if rows is None:
                return None
            found += len(rows)
        return found
