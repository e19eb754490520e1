"""The worked example of a driver, before the pages that it was written for."""

from __future__ import annotations

import ast
import importlib.util
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from bench.browser import Onlooker
from simulators.user import UserConfig, UserError
from wire.exchange import Exchange
from wire.http_server import serve_http

EXAMPLE = Path(__file__).parents[2] / "examples" / "acme_driver.py"
READER = "899700990016"


def acme() -> Any:
    spec = importlib.util.spec_from_file_location("acme_driver", EXAMPLE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def acme_view(asked: list[str]) -> Starlette:
    """Acme View: a login, a charter, cards, an export by a link, images one by one."""
    state = {"K1": "À archiver"}

    async def drim(request: Request) -> Response:
        return RedirectResponse("/login", 303)

    async def login(request: Request) -> Response:
        if request.method == "GET":
            box = f'<input type="radio" name="who" value="{READER}">'
            return HTMLResponse(f'<form method="post">{box}<button>Entrer</button></form>')
        return HTMLResponse(
            '<form id="charte" method="post" action="/charte"><button>Accepter</button></form>'
        )

    async def cards(request: Request) -> Response:
        if key := request.query_params.get("archiver"):
            state[key] = "Archivé"
        return HTMLResponse(
            "".join(
                f'<article data-examen="{key}"><h2>Scanner</h2><p>{text}</p>'
                f'<a href="/cartes?archiver={key}">Archiver</a>'
                f'<a href="/images?serie=1.2.3">Voir</a></article>'
                for key, text in state.items()
            )
        )

    async def accepted(request: Request) -> Response:
        return RedirectResponse("/cartes", 303)

    async def images(request: Request) -> Response:
        return HTMLResponse('<img src="/i/1"><img src="/i/2">')

    async def image(request: Request) -> Response:
        asked.append(request.url.path)
        return Response(b"", media_type="image/png")

    return Starlette(
        routes=[
            Route("/drim", drim, methods=["POST"]),
            Route("/login", login, methods=["GET", "POST"]),
            Route("/charte", accepted, methods=["POST"]),
            Route("/cartes", cards),
            Route("/images", images),
            Route("/i/{n}", image),
        ]
    )


@asynccontextmanager
async def standing(asked: list[str]) -> AsyncIterator[str]:
    server = await serve_http(acme_view(asked), actor="acme", observe=lambda _: None)
    try:
        yield f"http://{server.host}:{server.port}"
    finally:
        await server.stop()


def test_it_imports_the_promised_module_alone() -> None:
    tree = ast.parse(EXAMPLE.read_text(encoding="utf-8"))
    ours = {
        node.module
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("drimbench")
    }
    assert ours == {"drimbench.api"}
    assert list(acme().PLUGIN.drivers) == ["acme-view"]


@pytest.mark.anyio
async def test_it_logs_in_exports_and_looks() -> None:
    asked: list[str] = []
    told: list[Exchange] = []
    async with standing(asked) as base:
        driver = acme().AcmeView(UserConfig(), told.append)
        try:
            assert isinstance(driver, Onlooker)
            await driver.call(f"{base}/drim", {"PatientID": "1"})
            page = await driver.login(READER)
            assert [form.id for form in page.forms] == ["export-K1"]
            assert "terminé" not in page.text()
            await driver.submit("export-K1")
            page = await driver.reload()
            assert "terminé" in (page.around("export-K1") or "")
            with pytest.raises(UserError, match=r"9\.9\.9"):
                await driver.look("9.9.9")
            await driver.look("1.2.3")
        finally:
            await driver.aclose()
    assert asked == ["/i/1", "/i/2"]
    assert told[0].transaction == "appel-contextuel"
