"""A toy Consumer and a real PSC simulator, in TLS, for a browser to visit."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from protocols.jose import s256
from simulators.igc import Pki
from simulators.psc import Client, Psc, PscConfig, build
from simulators.user import User, UserConfig
from spec import psc as spec
from wire.exchange import Exchange
from wire.http_client import HttpClient
from wire.http_server import HttpServer, serve_http
from wire.tls import ClientTls, ServerTls

VERIFIER = "v" * 43

LIST = """<!doctype html><html><head><title>Examens</title><style>p { color: red }</style></head>
<body><h1>Examens de {name}</h1><p role="alert">Un   examen
 trouvé</p><script>document.title = "x"</script>
<table><tr><th>Date</th><th>Examen</th></tr><tr><td>2026-11-20</td><td>Scanner</td></tr></table>
<form id="export" method="post" action="/export">
<input type="hidden" name="csrf" value="c1"><input type="checkbox" name="exam" value="1">
<input type="checkbox" name="exam" value="2"><select name="pacs"><option value="A">Un</option>
<option selected>B</option></select><textarea name="note">rien</textarea>
<input type="text" name="off" disabled value="x"><button type="button" name="js">JS</button>
<button name="do" value="export">Exporter</button><input type="submit" name="do" value="Voir">
</form><form name="search" action="/search?old=1"><input name="q"></form>
<a href="/adieu">Se déconnecter</a> <a href="/loop">Boucle</a></body></html>"""


class Consumer:
    """Just enough of a Consumer: call, redirect to PSC, callback, list, export."""

    def __init__(self, tls: ClientTls) -> None:
        self.url = ""
        self.psc: Psc | None = None
        self.tls = tls
        self.calls: list[bytes] = []
        self.exports: list[str] = []
        self.app = Starlette(
            routes=[
                Route("/drim", self.drim, methods=["POST"]),
                Route("/keep", self.keep, methods=["POST"]),
                Route("/callback", self.callback),
                Route("/list", self.list),
                Route("/export", self.export, methods=["POST"]),
                Route("/search", self.search),
                Route("/loop", self.loop),
                Route("/adieu", self.text),
            ]
        )

    async def drim(self, request: Request) -> Response:
        self.calls.append(await request.body())
        assert self.psc is not None
        asked = {
            "response_type": "code",
            "client_id": "kit-consumer",
            "redirect_uri": self.url + "/callback",
            "scope": spec.SCOPE,
            "acr_values": "eidas1",
            "state": "state-abcdef",
            "nonce": "nonce-abcdef",
            "code_challenge": s256(VERIFIER),
            "code_challenge_method": "S256",
        }
        target = self.psc.url + spec.WALLET_AUTHORIZATION + "?" + urlencode(asked)
        answer = RedirectResponse(target, status_code=303)
        answer.set_cookie("kit", "pending", secure=True, httponly=True)
        return answer

    async def keep(self, request: Request) -> Response:
        return RedirectResponse("/drim", status_code=307)

    async def callback(self, request: Request) -> Response:
        assert request.cookies["kit"] == "pending"
        if "error" in request.query_params:
            return HTMLResponse("<p class='big alert'>Connexion annulée</p>", status_code=403)
        assert self.psc is not None
        form = {
            "grant_type": "authorization_code",
            "client_id": "kit-consumer",
            "code": request.query_params["code"],
            "redirect_uri": self.url + "/callback",
            "code_verifier": VERIFIER,
        }
        async with HttpClient(actor="consumer", tls=self.tls) as client:
            answer = await client.request(
                "POST",
                self.psc.issuer + spec.TOKEN,
                headers={"Content-Type": "application/x-www-form-urlencoded"},
                content=urlencode(form).encode(),
            )
            token = json.loads(answer.body)["access_token"]
            info = await client.request(
                "GET",
                self.psc.issuer + spec.USERINFO,
                headers={"Authorization": "Bearer " + token},
            )
        page = RedirectResponse("/list", status_code=302)
        page.set_cookie("kit", json.loads(info.body)["family_name"], secure=True)
        return page

    async def list(self, request: Request) -> Response:
        return HTMLResponse(LIST.replace("{name}", request.cookies["kit"]))

    async def export(self, request: Request) -> Response:
        self.exports.append((await request.body()).decode())
        return HTMLResponse("<h1>Fait</h1>")

    async def search(self, request: Request) -> Response:
        return PlainTextResponse(request.url.query)

    async def loop(self, request: Request) -> Response:
        return RedirectResponse("/loop", status_code=302)

    async def text(self, request: Request) -> Response:
        return PlainTextResponse("adieu")


@dataclass
class World:
    consumer: Consumer
    psc: Psc
    user: User
    seen: list[Exchange] = field(default_factory=list)
    """What the user observed."""


@dataclass(frozen=True)
class Files:
    server: ServerTls
    consumer: ClientTls
    browser: ClientTls
    pki: Pki


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    directory = tmp_path_factory.mktemp("user")
    pki = Pki.create(clock=lambda: datetime.now(UTC), crl_url="http://127.0.0.1:9/CRL/x.crl")
    trust = pki.write(directory)
    key = pki.throwaway_key
    server = pki.server("localhost", key=key).write(directory, "server")
    leaf = pki.auth_cli("kit-consumer", "3" + "0" * 14, key=key).write(directory, "consumer")
    return Files(
        ServerTls(server.certificate, server.key, trust.igc_trust, "optional"),
        ClientTls(trust.market_trust, leaf.certificate, leaf.key),
        ClientTls(trust.market_trust),
        pki,
    )


@pytest.fixture
def visit(files: Files) -> Callable[..., World]:
    """Run a scenario, an async function of a World."""

    def run(scenario: Callable[[World], Any], *, forget_psc: bool = True) -> World:
        async def main() -> World:
            consumer = Consumer(files.consumer)
            served: HttpServer = await serve_http(consumer.app, actor="consumer", tls=files.server)
            consumer.url = served.url
            psc = build(
                PscConfig(
                    tls=files.server,
                    key=files.pki.throwaway_key,
                    clock=lambda: datetime.now(UTC),
                    rng=random.Random(3),
                    clients=(
                        Client(
                            client_id="kit-consumer",
                            redirect_uris=(consumer.url + "/callback",),
                        ),
                    ),
                ),
                lambda exchange: None,
            )
            await psc.start()
            consumer.psc = psc
            seen: list[Exchange] = []
            elsewhere = frozenset((urlsplit(psc.url).netloc,)) if forget_psc else frozenset[str]()
            config = UserConfig(tls=files.browser, recorded_elsewhere=elsewhere)
            try:
                async with User(config, seen.append) as user:
                    world = World(consumer, psc, user, seen)
                    await asyncio.wait_for(scenario(world), 20)
                    return world
            finally:
                await served.stop(grace=0.5)
                await psc.stop(grace=0.5)

        return asyncio.run(main())

    return run
