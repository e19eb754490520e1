"""What the administrator (and a bench) may read of the box: alerts and audit.

Local only, read only, and without secrets: no token, no key, no image.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.types import ASGIApp

from drimbox_ref.consumer.parts import Parts

__all__ = ["build_admin"]

_DEFAULT = 200
_LIMIT = 10_000

Read = Callable[[int], Sequence[Mapping[str, object]]]


def build_admin(parts: Parts) -> ASGIApp:
    """`GET /admin/{alerts,audit}[?limit=n]`, newest first."""
    views: dict[str, Read] = {"alerts": parts.alerts.everything, "audit": parts.audit.everything}

    async def view(request: Request) -> JSONResponse:
        read = views.get(request.path_params["view"])
        if read is None:
            return JSONResponse({"message": "vue inconnue", "views": sorted(views)}, 404)
        written = request.query_params.get("limit", "")
        limit = min(int(written), _LIMIT) if written.isascii() and written.isdigit() else _DEFAULT
        return JSONResponse(list(await asyncio.to_thread(read, limit)))

    return Starlette(routes=[Route("/admin/{view}", view)])
