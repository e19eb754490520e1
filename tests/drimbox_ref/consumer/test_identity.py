"""Who is logged in, and what that opens: the API of the DMP, sessions ended elsewhere."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from typing import Any

import pytest
from anyio.from_thread import BlockingPortal

from protocols.jose import peek
from simulators.api_psc import ExchangeError
from simulators.user import User
from spec import api_psc as spec
from tests.drimbox_ref.consumer.bed import RADIOLOGIST, SOURCE, TWO_SITES, Bed
from wire.exchange import Exchange
from wire.http_client import HttpClient
from wire.tls import ClientTls

NUMBERS = itertools.count(1)
DMP = ("TD0.2", "ITI-18", "ITI-43")


@pytest.fixture
def bed(running: Bed) -> Iterator[Bed]:
    running.ins = f"2790352{next(NUMBERS):08d}"
    running.patient()
    running.list_hosts(SOURCE)
    running.publish(f"1.2.250.1.999.31.{next(NUMBERS)}")
    running.exchanges.clear()
    yield running
    running.api.refusal = None
    running.api.lifetime = spec.LIFETIME


def named(bed: Bed, *transactions: str) -> list[Exchange]:
    return [one for one in bed.exchanges if one.transaction in transactions]


def bearer(exchange: Exchange) -> str:
    assert exchange.request is not None
    return (exchange.request.header("authorization") or "").removeprefix("Bearer ")


def answered(exchange: Exchange) -> Any:
    assert exchange.response is not None
    return json.loads(exchange.response.body)


def test_one_exchange_opens_the_dmp_for_the_whole_login(portal: BlockingPortal, bed: Bed) -> None:
    user = portal.call(bed.opened)
    portal.call(user.submit, "recherche-relancer")
    assert user.page.alerts == ()
    [exchange] = named(bed, "API-PSC-token")
    given = answered(exchange)["access_token"]
    asked = named(bed, *DMP)
    assert {one.transaction for one in asked} == set(DMP)
    assert {bearer(one) for one in asked} == {given}
    assert "/api-psc/" in asked[0].request.start_line  # type: ignore[union-attr]
    claims = peek(given)
    assert (claims["SubjectNameID"], claims["situation_exercice"]) == (RADIOLOGIST, "10B9900015")
    psc = answered(named(bed, "PSC-token")[0])["access_token"]
    assert psc not in {bearer(one) for one in asked}


def test_a_token_that_the_dmp_refuses_is_exchanged_once_more(
    portal: BlockingPortal, bed: Bed
) -> None:
    user = portal.call(bed.opened)
    login = next(iter(bed.parts.sessions._logins.values()))
    held = next(iter(login.api_tokens))
    for login in bed.parts.sessions._logins.values():
        for held, token in login.api_tokens.items():
            dead = bed.api.issue({**peek(token.value), "exp": 1})
            login.api_tokens[held] = type(token)(value=dead, expires=token.expires)
    bed.exchanges.clear()
    portal.call(user.submit, "recherche-relancer")
    assert user.page.alerts == ()
    assert len(named(bed, "API-PSC-token")) == 1
    statuses = [one.response.start_line.split()[1] for one in named(bed, *DMP)]  # type: ignore[union-attr]
    assert statuses[0] == "401"
    assert set(statuses[1:]) == {"200"}


def test_tokens_that_are_about_to_expire_are_not_used(portal: BlockingPortal, bed: Bed) -> None:
    bed.api.lifetime = 5
    portal.call(bed.opened)
    assert len(named(bed, "API-PSC-token")) >= 3
    assert {one.response.start_line.split()[1] for one in named(bed, *DMP)} == {"200"}  # type: ignore[union-attr]


def test_an_exchange_that_is_refused_is_said(portal: BlockingPortal, bed: Bed) -> None:
    bed.api.refusal = ExchangeError(400, "invalid_target", "service non ouvert à ce client")
    user = portal.call(bed.opened)
    assert "service non ouvert à ce client" in " ".join(user.page.alerts)
    assert named(bed, *DMP) == []
    bed.api.refusal = ExchangeError(503, "temporarily_unavailable", "plus tard")
    portal.call(user.submit, "recherche-relancer")
    assert "réessayez" in " ".join(user.page.alerts)
    bed.api.refusal = None
    portal.call(user.reload)
    assert user.page.alerts == ()


def test_two_users_and_two_situations_share_no_token(portal: BlockingPortal, bed: Bed) -> None:
    portal.call(bed.opened)
    other: User = portal.call(bed.opened, TWO_SITES)
    for choice in ("10B9900015", "10B9900023"):
        form = other.page.form("situation")
        assert form is not None
        value = next(v for _, v in form.choices if v.startswith(choice))
        portal.call(other.submit, "situation", {"situation": value})
    told = {
        (peek(bearer(one))["SubjectNameID"], peek(bearer(one))["situation_exercice"])
        for one in named(bed, *DMP)
    }
    assert told == {
        (RADIOLOGIST, "10B9900015"),
        (TWO_SITES, "10B9900015"),
        (TWO_SITES, "10B9900023"),
    }


def test_a_session_ended_elsewhere_is_over_here_at_once(portal: BlockingPortal, bed: Bed) -> None:
    user, other = portal.call(bed.opened), portal.call(bed.opened)
    first, second = [answered(one)["session_state"] for one in named(bed, "PSC-token")]
    assert portal.call(bed.psc.log_out, first) == {"kit-consumer": 200}
    portal.call(user.reload)
    assert bed.ins not in user.page.html
    assert "Connexion" in user.page.title
    portal.call(other.reload)
    assert bed.ins in other.page.html
    assert portal.call(bed.psc.log_out, second) == {"kit-consumer": 200}
    kept = portal.call(bed.admin, "audit")
    assert sum(one["event"] == "UserLogout" for one in kept) >= 2


def test_nobody_else_ends_a_session(portal: BlockingPortal, bed: Bed) -> None:
    user = portal.call(bed.opened)
    id_token = answered(named(bed, "PSC-token")[0])["id_token"]

    async def post(content: bytes) -> int:
        tls = ClientTls(bed.trust.market_trust)
        async with HttpClient(actor="intrus", tls=tls, connect_to=bed.reached) as client:
            answer = await client.request(
                "POST", "https://consumer.drimbench.test/psc/logout", content=content
            )
            return answer.status

    for content in (b"", b"logout_token=a.b.c", b"logout_token=" + id_token.encode()):
        assert portal.call(post, content) == 400
    portal.call(user.reload)
    assert bed.ins in user.page.html
