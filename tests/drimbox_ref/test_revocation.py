"""A certificate stands while a current CRL of its authority does not list it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from drimbox_ref.revocation import REFRESH, RETRY, Revocations, Standing
from simulators.igc import Credential, Pki
from simulators.igc.pki import CRL_PATH
from wire.http_client import HttpClient
from wire.http_server import serve_http

pytestmark = pytest.mark.anyio


@dataclass
class Bench:
    """An authority whose list is served as the test says, and a box with a clock."""

    client: HttpClient
    folder: Path
    url: str
    now: datetime
    asked: int = 0
    answer: bytes | int | None = None
    """What is served instead of the current list: another, or an HTTP status."""
    drips: bool = False
    """A byte of it now and then, without end."""
    pki: Pki = field(init=False)
    leaf: Credential = field(init=False)

    def __post_init__(self) -> None:
        self.pki = Pki.create(clock=lambda: self.now, crl_url=self.url)
        self.leaf = self.pki.auth_cli("db1.test", "1", key=self.pki.throwaway_key)

    def box(self) -> Revocations:
        authorities = (self.pki.igc_root, self.pki.igc_intermediate)
        return Revocations(
            authorities, client=self.client, now=lambda: self.now, folder=self.folder, fetch_s=0.5
        )

    async def standing(self, box: Revocations, leaf: Credential | None = None) -> Standing:
        verdict = await box.judge((leaf or self.leaf).certificate)
        assert bool(verdict.reason) == (verdict.standing is not Standing.GOOD)
        return verdict.standing


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    async def crl(request: Request) -> Response:
        made.asked += 1
        if made.drips:
            return StreamingResponse(_dripping())
        if isinstance(made.answer, int):
            return Response(status_code=made.answer)
        return Response(made.answer or made.pki.crl())

    server = await serve_http(Starlette(routes=[Route(CRL_PATH, crl)]), actor="igc")
    async with HttpClient(actor="box") as client:
        made = Bench(client, tmp_path, server.url + CRL_PATH, datetime.now(UTC))
        yield made
    await server.stop()


async def _dripping() -> AsyncIterator[bytes]:
    while True:
        yield b"0"
        await asyncio.sleep(0.02)


async def test_a_list_that_drips_is_given_up_for_whoever_waits(bench: Bench) -> None:
    bench.drips = True
    box = bench.box()
    first, second = await asyncio.gather(bench.standing(box), bench.standing(box))
    assert {first, second} == {Standing.UNKNOWN}
    assert bench.asked == 1
    bench.drips = False
    bench.now += RETRY
    assert await bench.standing(box) is Standing.GOOD


async def test_a_list_is_fetched_once_for_an_hour(bench: Bench) -> None:
    box = bench.box()
    assert await bench.standing(box) is Standing.GOOD
    bench.pki.revoke(bench.leaf)
    assert await bench.standing(box) is Standing.GOOD
    assert bench.asked == 1
    bench.now += REFRESH
    assert await bench.standing(box) is Standing.REVOKED
    assert bench.asked == 2


async def test_without_a_list_nobody_knows_and_the_authority_is_left_in_peace(
    bench: Bench,
) -> None:
    box, bench.answer = bench.box(), 503
    assert await bench.standing(box) is Standing.UNKNOWN
    bench.answer = None
    assert await bench.standing(box) is Standing.UNKNOWN
    assert bench.asked == 1
    bench.now += RETRY
    assert await bench.standing(box) is Standing.GOOD


async def test_the_last_list_serves_until_it_ends_and_no_longer(bench: Bench) -> None:
    box = bench.box()
    assert await bench.standing(box) is Standing.GOOD
    bench.answer = 500
    bench.now += timedelta(days=3)
    assert await bench.standing(box) is Standing.GOOD
    assert await bench.standing(bench.box()) is Standing.GOOD  # it was kept on disk
    bench.now += timedelta(days=5)
    assert await bench.standing(box) is Standing.UNKNOWN
    assert await bench.standing(bench.box()) is Standing.UNKNOWN


async def test_what_anybody_may_put_in_its_place_changes_nothing(bench: Bench) -> None:
    box, older = bench.box(), bench.pki.crl()
    bench.now += timedelta(minutes=1)
    bench.pki.revoke(bench.leaf)
    assert await bench.standing(box) is Standing.REVOKED
    other = Pki.create(clock=lambda: bench.now, crl_url=bench.pki.crl_url)
    for forged in (other.crl(), older, b"<html>", bench.pki.root_crl()):
        bench.answer = forged
        bench.now += REFRESH
        assert await bench.standing(box) is Standing.REVOKED


async def test_a_list_that_is_not_complete_proves_nothing(bench: Bench) -> None:
    full = x509.load_der_x509_crl(bench.pki.crl())
    bench.answer = bench.pki.crl(delta_of=full)
    assert await bench.standing(bench.box()) is Standing.UNKNOWN


async def test_a_certificate_without_path_or_past_its_end_is_broken(bench: Bench) -> None:
    box, key = bench.box(), bench.pki.throwaway_key
    for leaf in (
        bench.pki.auth_cli("db1.test", "1", key=key, issuer="market"),
        bench.pki.auth_cli("db1.test", "1", key=key, self_signed=True),
        bench.pki.auth_cli("db1.test", "1", key=key, expired=True),
    ):
        assert await bench.standing(box, leaf) is Standing.BROKEN
    assert bench.asked == 0, "an address was believed before its certificate was"
