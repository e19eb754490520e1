"""The proxy e-santé between a software that holds a cookie, and PSC, the exchange and the DMP."""

from __future__ import annotations

import json
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import pytest

from simulators import proxy_esante
from simulators.proxy_esante import Backend, ProxyConfig, ProxyEsante
from simulators.psc import Answer
from wire.http_client import HttpClient, Response
from wire.tls import ServerTls


class Software:
    """An LPS: what it knows is the proxy's address and its own client_id."""

    def __init__(self, proxy: ProxyEsante, http: HttpClient) -> None:
        self.proxy = proxy
        self.http = http

    async def connect(self, person: str, **changes: str) -> Response:
        asked = {
            "nationalId": person,
            "bindingMessage": "42",
            "clientId": "kit-consumer",
            "channel": "MOBILE",
            **changes,
        }
        return await self.http.request(
            "POST", self.proxy.url + "/connect", content=json.dumps(asked).encode()
        )

    async def send(self, path: str, method: str = "POST") -> Response:
        return await self.http.request(method, f"{self.proxy.url}/send/{path}", content=b"<soap/>")

    async def disconnect(self) -> Response:
        return await self.http.request("DELETE", self.proxy.url + "/disconnect")

    async def traces(self) -> list[dict[str, Any]]:
        answer = await self.http.request("GET", self.proxy.url + "/traces")
        found: list[dict[str, Any]] = json.loads(answer.body)
        return found


@asynccontextmanager
async def software(world: Any) -> AsyncIterator[Software]:
    papers = world.papers
    proxy = proxy_esante.build(
        ProxyConfig(
            tls=ServerTls(papers.server.certificate, papers.server.key),
            clients={"kit-consumer": papers.clients["kit-consumer"]},
            psc_issuer=lambda: world.psc.issuer,
            backends=lambda: {
                "dmp": Backend(url=world.dmp.api_url, token_endpoint=world.api.token_endpoint)
            },
            clock=lambda: datetime.now(UTC),
            rng=random.Random(9),
        ),
        world.seen.append,
    )
    await proxy.start()
    trust = papers.clients["kit-consumer"].trust
    async with HttpClient(
        actor="lps", tls=type(papers.clients["kit-consumer"])(trust), cookies=True
    ) as http:
        try:
            yield Software(proxy, http)
        finally:
            await proxy.stop(grace=0.5)


def test_a_session_opens_the_dmp_and_shows_no_token(play: Any) -> None:
    async def scenario(world: Any) -> None:
        person = world.psc.professionals[0].id
        async with software(world) as lps:
            assert (await lps.send("dmp/registry")).status == 401
            opened = await lps.connect(person)
            assert opened.status == 200, opened.body
            said = json.loads(opened.body)
            assert set(said) == {"proxy_session_id", "session_state"}
            assert world.psc.phone.asked[-1].message == "42"
            assert (await lps.connect(person)).status == 304
            assert len(world.psc.phone.asked) == 1
            # The SOAP is empty: the fault is the DMP's own, its door let the request through.
            for _ in range(2):
                sent = await lps.send("dmp/registry")
                assert sent.status == 500
                assert b"Fault" in sent.body
            assert (await lps.send("insi/rien")).status == 404
            assert (await lps.disconnect()).status == 200
            assert (await lps.send("dmp/registry")).status == 401
            assert (await lps.disconnect()).status == 401
            assert world.psc.sessions == ()
            traces = await lps.traces()
            assert [one["type"] for one in traces] == [
                "CONNECT_SUCCESS",
                "CONNECT_REPLAY",
                "SEND",
                "SEND",
                "DISCONNECT",
            ]
            assert traces[2]["apiRequest"] == {
                "nomApiPsc": "dmp",
                "methode": "POST",
                "path": "registry",
            }
            assert {one["IdRPPS"] for one in traces} == {person}
            assert (await lps.http.request("GET", lps.proxy.url + "/check/alive")).body == b"OK"

    world = play(scenario)
    # One exchange for the session, and no token on the software's side of the proxy.
    assert sum(one.transaction == "API-PSC-token" for one in world.seen) == 1
    shown = [one for one in world.seen if one.actor == "proxy-esante" and one.response]
    assert shown
    for one in shown:
        assert b"eyJ" not in (one.response.body if one.response else b"")


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"channel": "PIGEON"}, 400),
        ({"bindingMessage": ""}, 400),
        ({"clientId": "inconnu"}, 404),
        ({"nationalId": "899700000000"}, 404),
        ({"bindingMessage": "quarante-deux"}, 401),
    ],
)
def test_what_opens_no_session(play: Any, changes: dict[str, str], status: int) -> None:
    async def scenario(world: Any) -> None:
        async with software(world) as lps:
            answer = await lps.connect(world.psc.professionals[0].id, **changes)
            assert answer.status == status, answer.body
            assert set(json.loads(answer.body)) == {"code", "message", "metadata"}
            assert (await lps.send("dmp/registry")).status == 401

    play(scenario)


def test_who_refuses_on_the_telephone_opens_no_session(play: Any) -> None:
    async def scenario(world: Any) -> None:
        world.psc.phone.habit = Answer.REFUSE
        async with software(world) as lps:
            assert (await lps.connect(world.psc.professionals[0].id)).status == 401
            assert [one["type"] for one in await lps.traces()] == ["CONNECT_FAILURE"]

    play(scenario)


def test_what_is_behind_and_does_not_answer(play: Any) -> None:
    async def scenario(world: Any) -> None:
        person = world.psc.professionals[0].id
        async with software(world) as lps:
            assert (await lps.connect(person)).status == 200
            await world.dmp.kill()
            assert (await lps.send("dmp/registry")).status == 502
            await world.dmp.restart()
            await world.psc.stop()
            await lps.disconnect()
            assert (await lps.connect(person)).status == 503

    play(scenario)
