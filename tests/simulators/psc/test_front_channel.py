"""Authorization, login, logout: what a browser meets."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from protocols.jose import read
from simulators.psc import Activity, Practice, Professional
from spec import psc as spec


def query(answer: Any) -> dict[str, str]:
    location = answer.headers.get("location")
    return {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": None}, "invalid_request"),
        ({"response_mode": "fragment"}, "invalid_request"),
        ({"scope": "openid"}, "invalid_scope"),
        ({"acr_values": None, "acr": "eidas1"}, "invalid_request"),
        ({"acr_values": "eidas2"}, "invalid_request"),
        ({"state": None}, "invalid_request"),
        ({"nonce": None}, "invalid_request"),
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge": "short"}, "invalid_request"),
        ({"prompt": "none"}, "login_required"),
    ],
)
def test_bad_requests_go_back_to_the_client(
    play: Any, changes: dict[str, str | None], error: str
) -> None:
    async def scenario(world: Any) -> None:
        answer = await world.browser.request("GET", world.authorization(**changes))
        assert answer.status == 302
        assert answer.headers.get("location").startswith("https://consumer.kit.test/callback?x=1&")
        given = query(answer)
        assert given["error"] == error
        assert given["iss"] == world.psc.issuer
        assert given.get("state") == (None if "state" in changes else "state-123456")
        assert "code" not in given

    play(scenario)


@pytest.mark.parametrize(
    "changes",
    [
        {"client_id": "stranger"},
        {"client_id": None},
        {"redirect_uri": "https://evil.kit.test/"},
        {"redirect_uri": "https://consumer.kit.test/callback"},
        {"redirect_uri": None},
    ],
)
def test_an_unregistered_address_is_never_visited(play: Any, changes: Any) -> None:
    async def scenario(world: Any) -> None:
        answer = await world.browser.request("GET", world.authorization(**changes))
        assert answer.status == 400
        assert "location" not in answer.headers
        twice = await world.browser.request("GET", world.authorization() + "&state=other")
        assert (twice.status, "location" in twice.headers) == (400, False)

    play(scenario)


def test_pkce_can_be_left_to_the_client(play: Any) -> None:
    async def scenario(world: Any) -> None:
        code = await world.code(code_challenge=None, code_challenge_method=None)
        assert (await world.exchange(code)).status == 200

    play(scenario, require_pkce=False)


def test_login_shows_everyone_and_escapes_what_it_shows(play: Any) -> None:
    async def scenario(world: Any) -> None:
        activity = Activity(structure="10B9900099", technical_id="F0B9900099", name="KIT")
        world.psc.add(
            Professional(
                id="899700990099",
                family="<script>alert(1)</script>",
                given="KIT",
                practices=(Practice(profession="10", activities=(activity,)),),
            )
        )
        page = (await world.browser.request("GET", world.authorization())).body.decode()
        assert "<script>" not in page
        assert all(each.id in page for each in world.psc.professionals)

    play(scenario)


def test_the_session_spares_a_second_login_until_it_ends(play: Any) -> None:
    async def scenario(world: Any) -> None:
        first = await world.tokens()
        again = await world.browser.request("GET", world.authorization(state="state-654321"))
        assert again.status == 302
        code = query(again)["code"]
        second = json.loads((await world.exchange(code)).body)
        assert second["session_state"] == first["session_state"]
        fresh = await world.browser.request("GET", world.authorization(prompt="login"))
        assert fresh.status == 200
        world.clock.advance(1801)
        assert (await world.browser.request("GET", world.authorization())).status == 200

    world = play(scenario)
    assert len(world.named("PSC-login")) == 1
    assert "state-654321" in world.named("PSC-authorize")[1].keys


def test_a_login_form_serves_once(play: Any) -> None:
    async def scenario(world: Any) -> None:
        page = (await world.browser.request("GET", world.authorization())).body.decode()
        demand = page.split('name="demande" value="')[1].split('"')[0]
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        url = world.psc.url + "/auth/login"
        nobody = f"demande={demand}&action=confirmer&professionnel=1".encode()
        answer = await world.browser.request("POST", url, headers=form, content=nobody)
        assert answer.status == 200
        demand = answer.body.decode().split('name="demande" value="')[1].split('"')[0]
        cancel = f"demande={demand}&action=annuler".encode()
        answer = await world.browser.request("POST", url, headers=form, content=cancel)
        assert query(answer)["error"] == "access_denied"
        answer = await world.browser.request("POST", url, headers=form, content=cancel)
        assert answer.status == 400

    play(scenario)


def test_logout_ends_the_session(play: Any) -> None:
    async def scenario(world: Any) -> None:
        tokens = await world.tokens()
        url = world.psc.issuer + spec.END_SESSION
        hint = tokens["id_token"]
        for bad in ("", "?id_token_hint=x", f"?id_token_hint={tokens['access_token']}"):
            assert (await world.browser.request("GET", url + bad)).status == 400
        target = "&post_logout_redirect_uri=https://evil.kit.test/"
        evil = await world.browser.request("GET", f"{url}?id_token_hint={hint}{target}")
        assert evil.status == 400
        assert world.psc.is_active(tokens["access_token"])
        world.clock.advance(121)  # an expired hint is still a hint
        target = "&post_logout_redirect_uri=https://consumer.kit.test/adieu&state=s-logout"
        answer = await world.browser.request("GET", f"{url}?id_token_hint={hint}{target}")
        assert answer.headers.get("location") == "https://consumer.kit.test/adieu?state=s-logout"
        assert not world.psc.is_active(tokens["refresh_token"])
        assert (await world.browser.request("GET", world.authorization())).status == 200

    world = play(scenario)
    last = world.named("PSC-logout")[-1]
    assert last.request is not None
    hint = parse_qs(urlsplit(last.request.start_line.split()[1]).query)["id_token_hint"][0]
    assert read(hint).claims["sid"] in last.keys
