"""What the administrator (and a bench) may read of a box, or have it do: local, no secrets."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.types import ASGIApp

__all__ = ["Act", "Read", "ReadQueue", "build_admin"]

_DEFAULT = 200
_LIMIT = 10_000

Read = Callable[[int], Sequence[Mapping[str, object]]]
"""The latest entries of a view, at most that many, newest first. Called from a thread."""

ReadQueue = Callable[[int, str | None], Sequence[Mapping[str, object]]]
"""As `Read`, of entries that have a state: those in that one, when it is given."""

Act = Callable[[], Awaitable[bool]]
"""Something that the box does by itself as well, at its hours; whether it went well."""


def build_admin(
    views: Mapping[str, Read],
    queues: Mapping[str, ReadQueue],
    acts: Mapping[str, Act] | None = None,
) -> ASGIApp:
    """`GET /admin/<view>[?limit=n]` answers a JSON list, newest first; `[?state=s]` of a queue.

    `POST /admin/<act>` answers `{"done": bool}` once it is over.
    """
    known = sorted({*views, *queues})

    def reading(name: str, state: str | None) -> Read | None:
        queue = queues.get(name)
        return views.get(name) if queue is None else lambda limit: queue(limit, state)

    async def view(request: Request) -> JSONResponse:
        read = reading(request.path_params["view"], request.query_params.get("state"))
        if read is None:
            return JSONResponse({"message": "vue inconnue", "views": known}, 404)
        written = request.query_params.get("limit", "")
        limit = min(int(written), _LIMIT) if written.isascii() and written.isdigit() else _DEFAULT
        return JSONResponse(list(await asyncio.to_thread(read, limit)))

    async def act(request: Request) -> JSONResponse:
        done = await (acts or {})[request.url.path.rpartition("/")[2]]()
        return JSONResponse({"done": done})

    doing = [Route(f"/admin/{name}", act, methods=["POST"]) for name in acts or ()]
    return Starlette(routes=[*doing, Route("/admin/{view}", view)])
