"""What the administrator has a Source do."""

from __future__ import annotations

import asyncio

import httpx

from drimbox_ref.admin import build_admin


def test_an_act_is_done_by_post_and_told() -> None:
    done = iter((True, False))

    async def refresh() -> bool:
        return next(done)

    app = build_admin({"alerts": lambda limit: []}, {}, {"white-list": refresh})

    async def ask() -> list[tuple[int, object]]:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            answers = [
                await client.post("/admin/white-list"),
                await client.post("/admin/white-list"),
                await client.get("/admin/alerts"),
                await client.get("/admin/white-list"),
                await client.post("/admin/alerts"),
            ]
        return [(one.status_code, one.json() if one.is_success else None) for one in answers]

    assert asyncio.run(ask()) == [
        (200, {"done": True}),
        (200, {"done": False}),
        (200, []),
        (404, None),
        (405, None),
    ]
