"""CIBA and back-channel logout: what only servers say to each other."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response as Answered
from starlette.routing import Route

from protocols.jose import parse_jwks, read, verify
from simulators.psc import Acknowledged, Answer, Polled, Stranger
from spec import psc as spec
from wire.http_server import serve_http

ASKED = {
    "scope": "openid scope_all",
    "acr_values": "eidas1",
    "binding_message": "42",
    "channel": "MOBILE",
}


async def ask(world: Any, **changes: str | None) -> Any:
    given = {**ASKED, "login_hint": world.someone.id, **changes}
    form = {name: value for name, value in given.items() if value is not None}
    return await world.post(world.consumer, spec.CIBA, **form)


async def poll(world: Any, id: str, *, after: float = 1.0) -> tuple[int, Any]:
    world.clock.advance(after)
    answer = await world.post(
        world.consumer, spec.TOKEN, grant_type=spec.CIBA_GRANT, auth_req_id=id
    )
    return answer.status, json.loads(answer.body)


def test_accepted_on_the_telephone_it_gives_tokens_once(play: Any) -> None:
    async def scenario(world: Any) -> None:
        answer = await ask(world)
        asked = json.loads(answer.body)
        assert (answer.status, asked["expires_in"], asked["interval"]) == (200, 120, 1)
        shown = world.psc.phone.asked[-1]
        assert (shown.professional, shown.message) == (world.someone.id, "42")
        status, tokens = await poll(world, asked["auth_req_id"])
        assert status == 200
        claims = read(tokens["access_token"]).claims
        assert (claims["preferred_username"], claims["authMode"]) == (world.someone.id, "MOBILE")
        assert (await world.introspect(tokens["access_token"]))["active"] is True
        again = await poll(world, asked["auth_req_id"])
        assert (again[0], again[1]["error"]) == (400, "invalid_grant")

    world = play(scenario)
    [asked], polled = world.named("PSC-CIBA"), world.named("PSC-CIBA-poll")
    assert set(asked.keys) < set(polled[0].keys)


def test_who_does_not_answer_is_waited_for_and_who_refuses_is_not(play: Any) -> None:
    async def scenario(world: Any) -> None:
        phone = world.psc.phone
        phone.habit = Answer.IGNORE
        id = json.loads((await ask(world)).body)["auth_req_id"]
        assert (await poll(world, id))[1]["error"] == "authorization_pending"
        assert (await poll(world, id, after=0))[1]["error"] == "slow_down"
        assert (await poll(world, id, after=3))[1]["error"] == "slow_down"
        assert phone.answer(world.someone.id, Answer.REFUSE) == 1
        assert (await poll(world, id, after=20))[1]["error"] == "access_denied"
        assert (await poll(world, id))[1]["error"] == "invalid_grant"
        late = json.loads((await ask(world)).body)["auth_req_id"]
        assert (await poll(world, late, after=121))[1]["error"] == "expired_token"

    play(scenario)


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"login_hint": None}, "invalid_request"),
        ({"id_token_hint": "x"}, "invalid_request"),
        ({"login_hint": "899700000000"}, "unknown_user_id"),
        ({"binding_message": "quarante-deux"}, "invalid_binding_message"),
        ({"scope": "openid"}, "invalid_scope"),
        ({"acr_values": "eidas3"}, "invalid_request"),
        ({"channel": "PIGEON"}, "invalid_request"),
    ],
)
def test_a_request_that_is_not_right_rings_nobody(
    play: Any, changes: dict[str, str | None], error: str
) -> None:
    async def scenario(world: Any) -> None:
        answer = await ask(world, **changes)
        assert (answer.status, json.loads(answer.body)["error"]) == (400, error)
        assert world.psc.phone.asked == []

    play(scenario)


def test_ciba_is_opened_client_by_client_and_to_its_own_requests(play: Any) -> None:
    async def scenario(world: Any) -> None:
        form = {**ASKED, "login_hint": world.someone.id}
        stranger = await world.post(world.source, spec.CIBA, **form)
        assert json.loads(stranger.body)["error"] == "unauthorized_client"
        nobody = await world.post(world.browser, spec.CIBA, **form)
        assert (nobody.status, json.loads(nobody.body)["error"]) == (401, "invalid_client")
        id = json.loads((await ask(world)).body)["auth_req_id"]
        world.clock.advance(1)
        stolen = await world.post(
            world.source, spec.TOKEN, grant_type=spec.CIBA_GRANT, auth_req_id=id
        )
        assert json.loads(stolen.body)["error"] == "invalid_grant"

    play(scenario)


def test_the_end_of_a_session_is_told_to_its_services(play: Any, files: Any) -> None:
    told: list[dict[str, list[str]]] = []

    async def listen(request: Request) -> Answered:
        told.append(parse_qs((await request.body()).decode()))
        return Answered(status_code=204)

    where: dict[str, str] = {}

    async def scenario(world: Any) -> None:
        app = Starlette(routes=[Route("/fin", listen, methods=["POST"])])
        server = await serve_http(app, actor="consumer", tls=files.told)
        where["consumer.kit.test"] = f"127.0.0.1:{server.port}"
        try:
            tokens = await world.tokens()
            sid = tokens["session_state"]
            assert await world.psc.log_out(sid) == {"kit-consumer": 204}
            assert await world.psc.log_out(sid) == {}
            jwks = await world.consumer.request("GET", world.psc.issuer + spec.CERTS)
            token = verify(told[0]["logout_token"][0], parse_jwks(jwks.body))
            assert token.header["typ"] == "logout+jwt"
            assert token.claims["sid"] == sid
            assert token.claims["aud"] == "kit-consumer"
            assert token.claims["events"] == {spec.BACKCHANNEL_LOGOUT_EVENT: {}}
            assert "nonce" not in token.claims
            assert await world.introspect(tokens["access_token"]) == {"active": False}
            # Who ends its own session need not be told.
            own = await world.tokens()
            await world.browser.request(
                "GET", f"{world.psc.issuer}{spec.END_SESSION}?id_token_hint={own['id_token']}"
            )
            assert len(told) == 1
        finally:
            await server.stop(grace=0.5)

    world = play(scenario, logout_tls=files.browser, connect_to=where)
    assert world.named("PSC-logout-token")[0].peer == "kit-consumer"


@pytest.mark.parametrize("odd", Acknowledged)
def test_a_request_is_acknowledged_oddly_in_one_thing(odd: Acknowledged, play: Any) -> None:
    async def scenario(world: Any) -> None:
        right = json.loads((await ask(world)).body)
        world.psc.faults.set("accuse-ciba", "ciba", quoi=odd)
        said = json.loads((await ask(world)).body)
        changed = {name for name in right if right[name] != said.get(name)}
        assert len(changed - {"auth_req_id"}) + ("auth_req_id" not in said) == 1
        # It is a request all the same: the telephone rang.
        assert len(world.psc.phone.asked) == 2

    play(scenario)


@pytest.mark.parametrize("error", Polled)
def test_who_polls_is_answered_by_the_error_that_was_asked_for(error: Polled, play: Any) -> None:
    async def scenario(world: Any) -> None:
        id = json.loads((await ask(world)).body)["auth_req_id"]
        world.psc.faults.set("interrogation", "token", erreur=error, times=1)
        status, said = await poll(world, id)
        assert (status, said["error"]) == (400, error)
        if error is Polled.SLOWER:
            assert (await poll(world, id, after=3))[1]["error"] == "slow_down"
        status, said = await poll(world, id, after=20)
        if error in (Polled.PENDING, Polled.SLOWER):
            assert status == 200
        else:
            assert said["error"] == "invalid_grant"

    play(scenario)


@pytest.mark.parametrize("stranger", Stranger)
def test_the_identity_of_another_is_given_signed(stranger: Stranger, play: Any) -> None:
    async def scenario(world: Any) -> None:
        id = json.loads((await ask(world)).body)["auth_req_id"]
        world.psc.faults.set("autre-identite", "token", quoi=stranger)
        status, tokens = await poll(world, id)
        assert status == 200
        jwks = await world.consumer.request("GET", world.psc.issuer + spec.CERTS)
        keys = parse_jwks(jwks.body)
        identity, access = (verify(tokens[f"{name}_token"], keys) for name in ("id", "access"))
        assert identity.claims["SubjectNameID"] != world.someone.id
        same = identity.claims["sub"] == access.claims["sub"]
        assert same == (stranger is Stranger.SESSION)

    play(scenario)


def test_one_request_of_several_is_answered(play: Any) -> None:
    async def scenario(world: Any) -> None:
        phone = world.psc.phone
        phone.habit = Answer.IGNORE
        first, second = [json.loads((await ask(world)).body)["auth_req_id"] for _ in range(2)]
        phone.answer_one(second, Answer.ACCEPT)
        assert (await poll(world, first))[1]["error"] == "authorization_pending"
        assert (await poll(world, second))[0] == 200

    play(scenario)
