"""The weather of services: who lives, who is out, and when the agency says so."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from simulators.ans import Sky, Station, Weather
from simulators.igc import Pki
from wire.exchange import Exchange, Observe
from wire.http_server import serve_http
from wire.tls import ClientTls, ServerTls

HOST = "db1.kit.test"
Door = Callable[[Request], Awaitable[Response]]


class Papers:
    """What a DRIMbox shows, and what the agency trusts."""

    def __init__(self, folder: Path) -> None:
        pki = Pki.create(
            clock=lambda: datetime.now(UTC), crl_url="http://igc.test/organisations.crl"
        )
        files = pki.server(HOST, key=pki.throwaway_key).write(folder, "db1")
        self.certificate, self.key = files.certificate, files.key
        self.trust = pki.write(folder).market_trust

    def serving(self, require: Literal["none", "required"] = "none") -> ServerTls:
        return ServerTls(self.certificate, self.key, self.trust, require)


def watching(
    papers: Papers,
    places: dict[str, str],
    seen: list[Exchange],
    observe: Observe | None = None,
) -> Weather:
    moments = (datetime(2026, 11, 23, tzinfo=UTC) + timedelta(minutes=n) for n in range(99))
    return Weather(
        lambda: {host: f"https://{host}/rs" for host in places},
        trust=ClientTls(papers.trust),
        connect_to=places,
        clock=lambda: next(moments),
        observe=observe or seen.append,
        timeout_s=0.3,
    )


@pytest.fixture(scope="module")
def papers(tmp_path_factory: pytest.TempPathFactory) -> Papers:
    return Papers(tmp_path_factory.mktemp("meteo"))


async def seen_of(
    papers: Papers,
    door: Door,
    *,
    looks: int = 1,
    methods: tuple[str, ...] = ("GET",),
    require: Literal["none", "required"] = "none",
) -> tuple[Station, list[Exchange]]:
    """What the agency makes of a DRIMbox behind that door."""
    seen: list[Exchange] = []
    app = Starlette(routes=[Route("/rs", door, methods=list(methods))])
    server = await serve_http(app, actor="source", tls=papers.serving(require))
    weather = watching(papers, {HOST: f"127.0.0.1:{server.port}"}, seen)
    for _ in range(looks):
        await weather.look()
    await server.stop(grace=0)
    (station,) = weather.stations
    return station, seen


def answering(status: int) -> Door:
    async def door(request: Request) -> Response:
        return Response(status_code=status)

    return door


async def silent(request: Request) -> Response:
    await asyncio.sleep(60)
    return Response()


async def endless(request: Request) -> Response:
    async def body() -> AsyncIterator[bytes]:
        while True:
            yield b"x" * 65_536
            await asyncio.sleep(0)  # a client that is gone is noticed

    return StreamingResponse(body())


def test_a_drimbox_that_answers_is_in_service(papers: Papers) -> None:
    station, seen = asyncio.run(seen_of(papers, answering(200), looks=2))
    assert (station.sky, station.missed, station.availability) == (Sky.CLEAR, 0, 1.0)
    assert station.since == station.glances[0].at
    assert [one.seen for one in station.glances] == ["GET : HTTP 200"] * 2
    assert [(one.transaction, one.actor) for one in seen] == [("meteo", "meteo")] * 2
    assert seen[0].request is not None
    assert not seen[0].request.header("authorization")


def test_one_that_serves_capabilities_only_is_asked_for_them(papers: Papers) -> None:
    station, seen = asyncio.run(seen_of(papers, answering(200), methods=("OPTIONS",)))
    assert (station.sky, station.glances[-1].seen) == (Sky.CLEAR, "OPTIONS : HTTP 200")
    assert len(seen) == 2


@pytest.mark.parametrize(
    ("door", "words"),
    [
        (answering(503), "GET : HTTP 503"),
        (answering(401), "GET : HTTP 401"),
        (answering(404), "OPTIONS : HTTP 405"),
        (silent, "GET : "),
    ],
    ids=["503", "401", "neither", "silent"],
)
def test_an_outage_is_told_once_it_is_confirmed(papers: Papers, door: Door, words: str) -> None:
    station, _ = asyncio.run(seen_of(papers, door))
    assert station.sky is Sky.CLOUDED
    station, _ = asyncio.run(seen_of(papers, door, looks=3))
    assert (station.sky, station.missed, station.availability) == (Sky.DOWN, 3, 0.0)
    assert station.since == station.glances[1].at
    assert words in station.glances[-1].seen


def test_one_that_wants_a_certificate_is_alive(papers: Papers) -> None:
    station, _ = asyncio.run(seen_of(papers, answering(200), require="required"))
    assert (station.sky, station.glances[-1].seen) == (Sky.CLEAR, "GET : certificat client exigé")


def test_a_certificate_that_is_not_trusted_is_no_sign_of_life(
    papers: Papers, tmp_path: Path
) -> None:
    stranger = Papers(tmp_path)
    stranger.trust = papers.trust
    station, _ = asyncio.run(seen_of(stranger, answering(200)))
    assert station.sky is Sky.CLOUDED


def test_an_endless_answer_ends_the_probe_at_its_status(papers: Papers) -> None:
    station, _ = asyncio.run(seen_of(papers, endless))
    assert station.sky is Sky.CLEAR


def test_a_drimbox_comes_and_goes(papers: Papers) -> None:
    async def scenario() -> list[tuple[Sky, int]]:
        app = Starlette(routes=[Route("/rs", answering(200))])
        server = await serve_http(app, actor="source", tls=papers.serving())
        places = {HOST: f"127.0.0.1:{server.port}"}
        weather = watching(papers, places, [])
        await weather.look()
        (station,) = weather.stations
        states = [(station.sky, station.missed)]
        await server.stop()
        for _ in range(2):
            await weather.look()
            states.append((station.sky, station.missed))
        again = await serve_http(app, actor="source", tls=papers.serving(), port=server.port)
        await weather.look()
        states.append((station.sky, station.missed))
        await again.stop()
        assert station.availability == 0.5
        return states

    assert asyncio.run(scenario()) == [
        (Sky.CLEAR, 0),
        (Sky.CLOUDED, 1),
        (Sky.DOWN, 2),
        (Sky.CLEAR, 0),
    ]


def test_it_watches_until_told_to_stop(papers: Papers) -> None:
    async def scenario() -> int:
        seen: list[Exchange] = []
        enough = asyncio.Event()

        def observe(exchange: Exchange) -> None:
            seen.append(exchange)
            if len(seen) == 3:
                enough.set()

        weather = watching(papers, {HOST: "127.0.0.1:1"}, [], observe)
        task = asyncio.create_task(weather.watch(0))
        await enough.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return len(seen)

    assert asyncio.run(scenario()) >= 3


def test_no_outage_without_a_probe(papers: Papers) -> None:
    with pytest.raises(ValueError, match="confirm"):
        Weather(
            dict,
            trust=ClientTls(papers.trust),
            connect_to={},
            clock=lambda: datetime.now(UTC),
            observe=[].append,
            confirm=0,
        )
