"""What the administrator (and a bench) may read of a box: local only, read only, no secrets."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.types import ASGIApp

__all__ = ["Read", "build_admin"]

_DEFAULT = 200
_LIMIT = 10_000

Read = Callable[[int], Sequence[Mapping[str, object]]]
"""The latest entries of a view, at most that many, newest first. Called from a thread."""


def build_admin(views: Mapping[str, Read]) -> ASGIApp:
    """`GET /admin/<view>[?limit=n]` answers a JSON list, newest first."""

    async def view(request: Request) -> JSONResponse:
        read = views.get(request.path_params["view"])
        if read is None:
            return JSONResponse({"message": "vue inconnue", "views": sorted(views)}, 404)
        written = request.query_params.get("limit", "")
        limit = min(int(written), _LIMIT) if written.isascii() and written.isdigit() else _DEFAULT
        return JSONResponse(list(await asyncio.to_thread(read, limit)))

    return Starlette(routes=[Route("/admin/{view}", view)])
