"""What a PSC does wrong on demand, as it is seen on the wire."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest

from protocols.jose import read
from protocols.oauth import thumbprint, thumbprint_in_hex
from simulators.psc import Active, Body, Keys, Said, menu
from spec import psc as spec
from wire.faults import BadFault
from wire.http_client import HttpClient, Interrupted, TimedOut, Unreachable
from wire.http_faults import Shown, Towards


async def introspected(world: Any, client: HttpClient | None = None) -> Any:
    token = world.psc.issue(world.someone, "kit-consumer")
    return await world.post(client or world.source, spec.INTROSPECTION, token=token)


async def userinfo(world: Any, token: str) -> Any:
    return await world.consumer.request(
        "GET", world.psc.issuer + spec.USERINFO, headers={"Authorization": f"Bearer {token}"}
    )


def test_an_endpoint_that_answers_a_status(play: Any) -> None:
    async def scenario(world: Any) -> None:
        world.psc.faults.set("http", "introspection", code=429, apres=7, times=1)
        answer = await introspected(world)
        assert (answer.status, answer.headers.get("retry-after")) == (429, "7")
        assert json.loads((await introspected(world)).body)["active"] is True

    world = play(scenario)
    assert world.named("introspection")[0].detail == "panne http"


@pytest.mark.parametrize(
    ("towards", "place"),
    [
        (Towards.SAME_HOST, "/encore/auth/"),
        (Towards.OTHER_HOST, "https://ailleurs.drimbench.test/auth/"),
        (Towards.CLEAR, "http://127.0.0.1:"),
    ],
)
def test_an_endpoint_that_turns_away(towards: Towards, place: str, play: Any) -> None:
    async def scenario(world: Any) -> None:
        world.psc.faults.set("redirection", "introspection", vers=towards)
        answer = await introspected(world)
        assert answer.status == 307
        assert answer.headers.get("location").startswith(place)

    play(scenario)


def test_an_endpoint_that_hangs_up_or_keeps_silent(play: Any) -> None:
    async def scenario(world: Any) -> None:
        faults = world.psc.faults
        cut = faults.set("coupure", "introspection")
        with pytest.raises((Unreachable, Interrupted)):
            await introspected(world)
        faults.clear(cut)
        faults.set("retard", "introspection", secondes=600)
        impatient = HttpClient(actor="x", timeout=0.1, tls=world.source_tls)
        async with impatient:
            with pytest.raises(TimedOut):
                await introspected(world, impatient)
        faults.clear()
        assert json.loads((await introspected(world)).body)["active"] is True

    play(scenario)


BODIES = {
    Body.PAGE: lambda body: body.startswith(b"<!doctype html>"),
    Body.EMPTY: lambda body: body == b"",
    Body.HALF: lambda body: body.startswith(b'{"') and not body.endswith(b"}"),
    Body.LIST: lambda body: json.loads(body)[0]["active"] is True,
    Body.MARKED: lambda body: body.startswith(b"\xef\xbb\xbf{"),
    Body.DEEP: lambda body: b"[" * 10_000 in body,
}


@pytest.mark.parametrize("body", Body)
def test_a_body_that_is_no_object(body: Body, play: Any) -> None:
    async def scenario(world: Any) -> None:
        world.psc.faults.set("corps", "introspection", quoi=body)
        answer = await introspected(world)
        assert answer.status == 200
        assert BODIES[body](answer.body)
        page = "html" in answer.headers.get("content-type")
        assert page is (body is Body.PAGE)

    play(scenario)


def test_bodies_that_are_too_much(play: Any) -> None:
    async def scenario(world: Any) -> None:
        faults = world.psc.faults
        faults.set("enorme", "introspection", mio=2, times=1)
        body = (await introspected(world)).body
        assert len(body) > 2 * 1024 * 1024
        assert json.loads(body)["active"] is True
        faults.set("bombe", "introspection", mio=2, times=1)
        answer = await introspected(world)
        assert answer.headers.get("content-encoding") == "gzip"
        assert len(answer.body) < 100_000
        assert json.loads(gzip.decompress(answer.body))["active"] is True
        faults.set("sans-fin", "introspection", secondes=0.01)
        token = world.psc.issue(world.someone, "kit-consumer")
        seen = b""
        async with world.source.stream(
            "POST",
            world.psc.issuer + spec.INTROSPECTION,
            headers={"Content-Type": "application/x-www-form-urlencoded"},
            content=f"token={token}".encode(),
        ) as answer:
            async for chunk in answer.aiter():
                seen += chunk
                if seen.endswith(b"   "):
                    break
        assert b'"active":true' in seen
        assert b"}  " not in seen

    play(scenario)


LIES = {
    Active.TEXT_TRUE: "true",
    Active.TEXT_FALSE: "false",
    Active.ONE: 1,
    Active.ZERO: 0,
    Active.NULL: None,
    Active.LIST: [],
}


@pytest.mark.parametrize("lie", Active)
def test_active_that_is_no_boolean(lie: Active, play: Any) -> None:
    async def scenario(world: Any) -> None:
        world.psc.faults.set("active", "introspection", vaut=lie)
        body = (await introspected(world)).body
        found = json.loads(body)
        assert found["typ"] == "Bearer"
        if lie is Active.ABSENT:
            assert "active" not in found
        elif lie is Active.TWICE:
            assert (body.count(b'"active":'), found["active"]) == (2, True)
        else:
            assert found["active"] == LIES[lie]
            assert type(found["active"]) is type(LIES[lie])
        answer = await world.post(world.source, spec.INTROSPECTION, token="inconnu")
        assert json.loads(answer.body) == {"active": False}, "the lie is in the type"

    play(scenario)


def wrong(said: Said, told: dict[str, Any], right: dict[str, Any], now: float) -> bool:
    match said:
        case Said.EXPIRED:
            return bool(told["exp"] < now)
        case Said.EXPIRY_TEXT:
            return bool(told["exp"] == str(right["exp"]))
        case Said.EXPIRY_ENDLESS:
            return bool(told["exp"] == float("inf"))
        case Said.NOT_BEFORE | Said.ISSUED_LATER:
            return bool(told[said.value[:3]] > now + 600)
        case Said.ISSUER:
            return bool(told["iss"] != right["iss"])
        case Said.REFRESH:
            return bool(told["typ"] == "Refresh")
        case Said.IDENTITY:
            return bool(told["typ"] == "ID")
        case Said.OTHER_PERSON:
            return told["sub"] != right["sub"] and told["SubjectNameID"] in told["sub"]
        case Said.OTHER_CLIENT:
            return told["azp"] == told["client_id"] != right["azp"]
        case Said.NO_OPENID:
            return "openid" not in told["scope"]
        case _:
            gone = {
                Said.NO_EXPIRY: "exp",
                Said.NO_TYPE: "typ",
                Said.NO_ACR: "acr",
                Said.NO_NAME: "SubjectNameID",
            }
            return gone[said] not in told


@pytest.mark.parametrize("said", Said)
def test_one_wrong_thing_said_of_an_active_token(said: Said, play: Any) -> None:
    async def scenario(world: Any) -> None:
        token = world.psc.issue(world.someone, "kit-consumer")
        right = await world.introspect(token)
        world.psc.faults.set("mention", "introspection", quoi=said)
        told = await world.introspect(token)
        assert told["active"] is True
        assert wrong(said, told, right, world.clock().timestamp())

    play(scenario)


def test_a_good_token_said_inactive(play: Any) -> None:
    async def scenario(world: Any) -> None:
        world.psc.faults.set("inactif", "introspection")
        assert json.loads((await introspected(world)).body) == {"active": False}

    play(scenario)


def test_userinfo_of_somebody_else(play: Any) -> None:
    async def scenario(world: Any) -> None:
        token = world.psc.issue(world.someone, "kit-consumer")
        right = json.loads((await userinfo(world, token)).body)
        world.psc.faults.set("sub", "userinfo", times=1)
        other = json.loads((await userinfo(world, token)).body)
        assert other == {**right, "sub": other["sub"]}
        assert other["sub"] != right["sub"]
        world.psc.faults.set("sub", "userinfo", qui="absent")
        assert "sub" not in json.loads((await userinfo(world, token)).body)

    play(scenario)


@pytest.mark.parametrize("typ", ["Refresh", "ID"])
def test_userinfo_that_takes_any_token(typ: Any, play: Any) -> None:
    async def scenario(world: Any) -> None:
        token = world.psc.issue(world.someone, "kit-consumer", typ=typ)
        assert (await userinfo(world, token)).status == 401
        world.psc.faults.set("tout-jeton", "userinfo")
        assert (await userinfo(world, token)).status == 200
        assert (await userinfo(world, "inconnu")).status == 401

    play(scenario)


def test_a_clock_that_is_off(play: Any) -> None:
    async def scenario(world: Any) -> None:
        now = world.clock().timestamp()
        world.psc.faults.set("horloge", "token", secondes=-600)
        tokens = await world.tokens()
        for name in ("access_token", "id_token"):
            claims = read(tokens[name]).claims
            assert claims["iat"] < now - 500
            assert claims["exp"] < now - 400
        world.psc.faults.set("horloge", "introspection", secondes=600)
        assert json.loads((await introspected(world)).body)["iat"] > now + 500

    play(scenario)


@pytest.mark.parametrize("keys", Keys)
def test_keys_that_are_not_the_one_that_signs(keys: Keys, play: Any) -> None:
    async def published(world: Any) -> list[dict[str, str]]:
        answer = await world.consumer.request("GET", world.psc.issuer + spec.CERTS)
        found: list[dict[str, str]] = json.loads(answer.body)["keys"]
        return found

    async def scenario(world: Any) -> None:
        (right,) = await published(world)
        world.psc.faults.set("cles", "certs", publie=keys)
        found = await published(world)
        match keys:
            case Keys.ROTATED:
                assert [one["kid"] == right["kid"] for one in found] == [False]
            case Keys.SAME_KID:
                assert [(one["kid"], one["n"] == right["n"]) for one in found] == [
                    (right["kid"], False)
                ]
            case Keys.NO_KID:
                assert [("kid" in one, one["n"] == right["n"]) for one in found] == [
                    (False, False),
                    (False, True),
                ]
            case Keys.SYMMETRIC:
                assert [one["kty"] for one in found] == ["oct"]
            case Keys.NONE:
                assert found == []

    play(scenario)


def test_another_issuer_described(play: Any) -> None:
    async def scenario(world: Any) -> None:
        world.psc.faults.set("emetteur", "discovery")
        answer = await world.consumer.request("GET", world.psc.issuer + spec.DISCOVERY)
        assert json.loads(answer.body)["issuer"] != world.psc.issuer

    play(scenario)


def test_certificates_are_on_the_menu_of_who_holds_them(play: Any) -> None:
    async def scenario(world: Any) -> None:
        with pytest.raises(BadFault):
            world.psc.faults.set("certificat", "TLS")
        assert {one.name for one in menu(Shown)} - {one.name for one in menu()} == {"certificat"}

    play(scenario)


def test_another_certificate_is_shown(play: Any, files: Any) -> None:
    async def scenario(world: Any) -> None:
        world.psc.faults.set("certificat", "TLS", montre=Shown.EXPIRED)
        await world.psc.hang_up()
        fresh = HttpClient(actor="x", tls=world.source_tls)
        async with fresh:
            with pytest.raises(Unreachable) as failure:
                await introspected(world, fresh)
            assert "expired" in str(failure.value)
            world.psc.faults.clear()
            assert (await introspected(world, fresh)).status == 200

    play(scenario, wardrobe={Shown.EXPIRED: files.expired})


@pytest.mark.parametrize(("binding", "written"), [("rfc", thumbprint), ("ans", thumbprint_in_hex)])
def test_tokens_bound_to_the_certificate_of_the_client(
    binding: str, written: Any, play: Any, files: Any
) -> None:
    async def scenario(world: Any) -> None:
        first = await world.tokens()
        answer = await world.post(
            world.consumer,
            spec.TOKEN,
            grant_type="refresh_token",
            refresh_token=first["refresh_token"],
        )
        again = json.loads(answer.body)
        right = {"x5t#S256": written(files.consumer_leaf)}
        for tokens in (first, again):
            assert (await world.introspect(tokens["access_token"]))["cnf"] == right
        assert "cnf" not in read(first["id_token"]).claims

    play(scenario, binding=binding)


def test_tokens_are_bound_to_nothing_unless_asked(play: Any) -> None:
    async def scenario(world: Any) -> None:
        assert "cnf" not in await world.introspect((await world.tokens())["access_token"])

    play(scenario)
