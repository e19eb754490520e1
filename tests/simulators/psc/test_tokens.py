"""Token, introspection, userinfo, revocation: what a box's backend meets."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from protocols.jose import at_hash, parse_jwks, read, verify
from spec import psc as spec
from wire.exchange import Outcome


def error_of(answer: Any) -> tuple[int, str]:
    return answer.status, json.loads(answer.body)["error"]


def test_discovery_documents_differ_by_the_authorization_endpoint(play: Any) -> None:
    async def scenario(world: Any) -> None:
        wallet, vanilla = [
            json.loads((await world.consumer.request("GET", world.psc.issuer + path)).body)
            for path in (spec.DISCOVERY, spec.VANILLA_DISCOVERY)
        ]
        assert wallet["issuer"] == vanilla["issuer"] == world.psc.issuer
        assert wallet["authorization_endpoint"] == "https://wallet.kit.test/auth"
        assert vanilla["authorization_endpoint"].startswith(world.psc.issuer)
        different = {name for name in wallet if wallet[name] != vanilla[name]}
        assert different == {"authorization_endpoint"}
        for name, value in wallet.items():
            if name.endswith(("_endpoint", "_uri")) and name != "authorization_endpoint":
                assert value.startswith(world.psc.issuer + spec.OIDC)
        door = await world.browser.request("GET", vanilla["authorization_endpoint"])
        assert door.status == 403

    world = play(scenario, wallet_url="https://wallet.kit.test")
    assert [each.detail for each in world.named("PSC-discovery")] == ["wallet", "keycloak"]


def test_a_code_gives_three_tokens_of_the_right_shape(play: Any) -> None:
    async def scenario(world: Any) -> None:
        tokens = await world.tokens()
        jwks = await world.consumer.request("GET", world.psc.issuer + spec.CERTS)
        keys = parse_jwks(jwks.body)
        access = verify(tokens["access_token"], keys)
        assert access.header["typ"] == "JWT"
        assert access.claims["exp"] - access.claims["iat"] == tokens["expires_in"] == 120
        assert access.claims["typ"] == "Bearer"
        assert access.claims["azp"] == "kit-consumer"
        assert access.claims["nonce"] == "nonce-123456"
        assert access.claims["sub"].endswith(":" + world.someone.id)
        assert access.claims["otherIds"][0]["identifiant"] == world.someone.id
        assert not {"aud", "cnf", "SubjectNameID"} & set(access.claims)
        identity = verify(tokens["id_token"], keys).claims
        assert identity["aud"] == "kit-consumer"
        assert identity["at_hash"] == at_hash(tokens["access_token"])
        assert identity["sub"] == access.claims["sub"]
        refresh = read(tokens["refresh_token"])
        assert (refresh.header["alg"], refresh.claims["typ"]) == ("HS256", "Refresh")
        assert tokens["token_type"] == "Bearer"
        assert tokens["refresh_expires_in"] == 1800

    world = play(scenario)
    token = world.named("PSC-token")[0]
    assert token.peer == "kit-consumer"
    assert {"state-123456", world.named("PSC-login")[0].keys[-2]} <= set(token.keys)


def test_a_code_serves_once_and_its_theft_revokes(play: Any) -> None:
    async def scenario(world: Any) -> None:
        code = await world.code()
        first = json.loads((await world.exchange(code)).body)
        assert (await world.introspect(first["access_token"]))["active"] is True
        assert error_of(await world.exchange(code)) == (400, "invalid_grant")
        assert await world.introspect(first["access_token"]) == {"active": False}

    play(scenario)


@pytest.mark.parametrize(
    "changes",
    [
        {"redirect_uri": "https://consumer.kit.test/callback"},
        {"code_verifier": "w" * 43},
        {"code_verifier": ""},
        {"code": "unknown"},
    ],
)
def test_a_code_is_bound(play: Any, changes: dict[str, str]) -> None:
    async def scenario(world: Any) -> None:
        answer = await world.exchange(**({"code": await world.code()} | changes))
        assert error_of(answer) == (400, "invalid_grant")
        assert answer.headers.get("cache-control") == "no-store"

    play(scenario)


def test_a_code_of_another_client_or_too_late(play: Any) -> None:
    async def scenario(world: Any) -> None:
        form = {"grant_type": "authorization_code", "code_verifier": "v" * 43}
        form["redirect_uri"] = "https://consumer.kit.test/callback?x=1"
        code = await world.code()
        answer = await world.post(world.source, spec.TOKEN, code=code, **form)
        assert error_of(answer) == (400, "invalid_grant")
        code = await world.code(prompt="login")
        world.clock.advance(61)
        assert error_of(await world.exchange(code)) == (400, "invalid_grant")

    play(scenario)


def test_clients_prove_themselves_by_certificate_only(play: Any) -> None:
    async def scenario(world: Any) -> None:
        form = {"grant_type": "refresh_token", "refresh_token": "x"}
        secret = await world.post(world.consumer, spec.TOKEN, client_secret="s", **form)
        assert error_of(secret) == (401, "invalid_client")
        nobody = await world.post(world.browser, spec.TOKEN, client_id="kit-consumer", **form)
        assert error_of(nobody) == (401, "invalid_client")
        other = await world.post(world.consumer, spec.TOKEN, client_id="kit-source", **form)
        assert error_of(other) == (401, "invalid_client")
        basic = await world.consumer.request(
            "POST",
            world.psc.issuer + spec.INTROSPECTION,
            headers={
                "Authorization": "Basic " + base64.b64encode(b"a:b").decode(),
                "Content-Type": "application/x-www-form-urlencoded",
            },
            content=b"token=x",
        )
        assert error_of(basic) == (401, "invalid_client")
        assert basic.headers.get("www-authenticate").startswith("Basic")

    play(scenario)


def test_requests_must_be_well_formed(play: Any) -> None:
    async def scenario(world: Any) -> None:
        async def send(content: bytes, kind: str = "application/x-www-form-urlencoded") -> Any:
            return await world.consumer.request(
                "POST",
                world.psc.issuer + spec.TOKEN,
                headers={"Content-Type": kind},
                content=content,
            )

        assert error_of(await send(b"")) == (400, "invalid_request")
        assert error_of(await send(b"a=1&a=2")) == (400, "invalid_request")
        assert error_of(await send(b"{}", "application/json")) == (400, "invalid_request")
        assert error_of(await send(b"x=" + b"a" * 300_000)) == (413, "invalid_request")
        assert error_of(await send(b"grant_type=password")) == (400, "unsupported_grant_type")
        assert error_of(await send(b"grant_type=authorization_code")) == (400, "invalid_request")

    play(scenario)


def test_refreshing(play: Any) -> None:
    async def scenario(world: Any) -> None:
        first = await world.tokens()
        form = {"grant_type": "refresh_token", "refresh_token": first["refresh_token"]}
        world.clock.advance(121)
        assert await world.introspect(first["access_token"]) == {"active": False}
        answer = await world.post(world.consumer, spec.TOKEN, client_id="kit-consumer", **form)
        second = json.loads(answer.body)
        claims = await world.introspect(second["access_token"])
        assert claims["active"] is True
        assert claims["nonce"] == "nonce-123456"
        other = await world.post(world.source, spec.TOKEN, **form)
        assert error_of(other) == (400, "invalid_grant")
        wrong = await world.post(
            world.consumer,
            spec.TOKEN,
            grant_type="refresh_token",
            refresh_token=second["access_token"],
        )
        assert error_of(wrong) == (400, "invalid_grant")
        world.clock.advance(1801)
        late = await world.post(world.consumer, spec.TOKEN, **form)
        assert error_of(late) == (400, "invalid_grant")

    world = play(scenario)
    assert len(world.named("PSC-refresh")) == 4
    assert len(world.named("PSC-token")) == 1


def test_rotation_makes_a_refresh_token_serve_once(play: Any) -> None:
    async def scenario(world: Any) -> None:
        tokens = await world.tokens()
        form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
        assert (await world.post(world.consumer, spec.TOKEN, **form)).status == 200
        again = await world.post(world.consumer, spec.TOKEN, **form)
        assert error_of(again) == (400, "invalid_grant")

    play(scenario, rotate_refresh=True)


def test_introspection_of_each_kind_of_token(play: Any) -> None:
    async def scenario(world: Any) -> None:
        psc, someone = world.psc, world.someone
        active = await world.introspect(psc.issue(someone, "kit-consumer"))
        assert active["active"] is True
        assert active["SubjectNameID"] == active["username"] == someone.id
        assert active["client_id"] == "kit-consumer"
        assert not {"aud", "token_type"} & set(active)
        refresh = await world.introspect(psc.issue(someone, "kit-consumer", typ="Refresh"))
        assert (refresh["active"], refresh["typ"]) == (True, "Refresh")
        assert "SubjectNameID" not in refresh
        for token in (
            psc.issue(someone, "kit-consumer", expired=True),
            psc.issue(someone, "kit-consumer", expired=True, typ="Refresh"),
            psc.issue(someone, "kit-consumer", forged=True),
            psc.issue(someone, "kit-consumer", typ="ID"),
            "not a token",
        ):
            assert not psc.is_active(token)
            assert await world.introspect(token) == {"active": False}
        revoked = psc.issue(someone, "kit-consumer")
        psc.revoke(str(read(revoked).claims["jti"]))
        assert await world.introspect(revoked) == {"active": False}
        ended = psc.issue(someone, "kit-consumer")
        psc.end_session(str(read(ended).claims["sid"]))
        assert await world.introspect(ended) == {"active": False}

    world = play(scenario)
    first = world.named("introspection")[0]
    assert first.outcome is Outcome.ANSWERED
    assert first.peer == "kit-source"
    assert first.request is not None
    token = first.request.body.decode().removeprefix("token=")
    assert read(token).claims["jti"] in first.keys


def test_introspection_needs_a_known_caller_with_the_right(play: Any) -> None:
    async def scenario(world: Any) -> None:
        token = world.psc.issue(world.someone, "kit-consumer")
        no_right = await world.post(world.consumer, spec.INTROSPECTION, token=token)
        assert error_of(no_right) == (403, "unauthorized_client")
        nobody = await world.post(world.browser, spec.INTROSPECTION, token=token)
        assert error_of(nobody) == (401, "invalid_client")
        empty = await world.post(world.source, spec.INTROSPECTION, token="")
        assert error_of(empty) == (400, "invalid_request")

    play(scenario)


def test_userinfo(play: Any) -> None:
    async def scenario(world: Any) -> None:
        url = world.psc.issuer + spec.USERINFO

        async def ask(*values: str, method: str = "GET") -> Any:
            headers = [("Authorization", value) for value in values]
            return await world.source.request(method, url, headers=headers)

        psc = world.psc
        for someone in psc.professionals:
            token = psc.issue(someone, "kit-consumer")
            answer = json.loads((await ask("bearer " + token, method="POST")).body)
            assert answer["sub"] == read(token).claims["sub"]
            assert answer["SubjectNameID"] == someone.id
            exercises = answer["SubjectRefPro"]["exercices"]
            assert [each["codeProfession"] for each in exercises] == [
                role.partition("^")[0] for role in answer["SubjectRole"]
            ]
            for activity in exercises[0]["activities"]:
                assert all(isinstance(value, str) for value in activity.values())
                assert len(activity) == 30
        none = await ask()
        assert none.status == 401
        assert "error" not in none.headers.get("www-authenticate")
        for token in (
            psc.issue(someone, "kit-consumer", expired=True),
            psc.issue(someone, "kit-consumer", typ="Refresh"),
            "x",
        ):
            refused = await ask("Bearer " + token)
            assert error_of(refused) == (401, "invalid_token")
            assert 'error="invalid_token"' in refused.headers.get("www-authenticate")
        assert error_of(await ask("Bearer")) == (400, "invalid_request")
        assert error_of(await ask("Bearer a", "Bearer b")) == (400, "invalid_request")

    play(scenario)


def test_revocation_is_for_the_owner_and_says_nothing(play: Any) -> None:
    async def scenario(world: Any) -> None:
        token = world.psc.issue(world.someone, "kit-consumer")
        assert (await world.post(world.source, spec.REVOCATION, token=token)).status == 200
        assert world.psc.is_active(token)
        assert (await world.post(world.consumer, spec.REVOCATION, token=token)).status == 200
        assert not world.psc.is_active(token)
        assert (await world.post(world.consumer, spec.REVOCATION, token="x")).status == 200

    play(scenario)


def test_lifetimes_change_while_it_runs(play: Any) -> None:
    async def scenario(world: Any) -> None:
        world.psc.lifetimes.access = 20
        assert (await world.tokens())["expires_in"] == 20

    play(scenario)


def test_a_restart_keeps_port_and_sessions(play: Any) -> None:
    async def scenario(world: Any) -> None:
        token = world.psc.issue(world.someone, "kit-consumer")
        url = world.psc.url
        await world.psc.stop(grace=0)
        with pytest.raises(RuntimeError):
            assert world.psc.url
        await world.psc.start()
        assert world.psc.url == url
        assert (await world.introspect(token))["active"] is True

    play(scenario)
