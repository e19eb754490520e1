"""The ZIP of an exam as portable media, where the configuration offers it (DB.CO.71)."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator, Sequence
from typing import IO

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from drimbox_ref.consumer.pages import Pages
from drimbox_ref.consumer.pdi import PortableMedia
from drimbox_ref.consumer.values import ExportFailed
from drimbox_ref.consumer.web.requests import read_form, see_other
from drimbox_ref.consumer.web.visits import Visits
from wire.http_server import note

__all__ = ["MediaWeb"]

_PIECE = 256 * 1024


class MediaWeb:
    """Hands ZIPs out; without `media` it has no route."""

    def __init__(self, *, visits: Visits, pages: Pages, media: PortableMedia | None) -> None:
        self._visits = visits
        self._pages = pages
        self._media = media

    @property
    def routes(self) -> Sequence[BaseRoute]:
        """The form of one ZIP."""
        if self._media is None:
            return ()
        return (Route("/session/{id}/zip", self.zip, methods=["POST"]),)

    async def zip(self, request: Request) -> Response:
        """The ZIP of one exam, once all of it is here; else why there is none."""
        note(request.scope, transaction="consumer-media")
        context, login = self._visits.entered(request)
        form = await read_form(request)
        if login is None or self._media is None:
            return see_other(f"/session/{context.id}")
        number = form.get("exam", "")
        exams = context.consultation.exams if context.consultation else ()
        if not (number.isascii() and number.isdigit() and 1 <= int(number) <= len(exams)):
            raise HTTPException(400, "Cet examen n'est pas dans la liste.")
        try:
            file = await self._media.make(context.call, login, exams[int(number) - 1])
        except ExportFailed as error:
            return self._pages.message(
                "Téléchargement impossible", str(error), status=502, back=f"/session/{context.id}"
            )
        size = await asyncio.to_thread(file.seek, 0, os.SEEK_END)
        await asyncio.to_thread(file.seek, 0)
        return StreamingResponse(
            _pieces(file),
            media_type="application/zip",
            headers={
                "Content-Length": str(size),
                "Content-Disposition": f'attachment; filename="examen-{number}.zip"',
                "Cache-Control": "no-store",
            },
        )


def _pieces(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        while piece := file.read(_PIECE):
            yield piece
