"""What PSC does wrong while somebody logs in, as it is seen on the wire."""

from __future__ import annotations

import json
from typing import Any

import pytest

from protocols.jose import TokenError, check_claims, read, verify
from simulators.psc import Given, Identity, Leads, Person
from spec import psc as spec
from tests.simulators.psc.conftest import CALLBACK, VERIFIER


async def tokens(world: Any) -> Any:
    code = await world.code(prompt="login")
    answer = await world.post(
        world.consumer,
        spec.TOKEN,
        grant_type="authorization_code",
        code=code,
        redirect_uri=CALLBACK,
        code_verifier=VERIFIER,
    )
    assert answer.status == 200, answer.body
    return json.loads(answer.body)


@pytest.mark.parametrize("lie", Identity)
def test_an_id_token_is_wrong_in_one_thing(lie: Identity, play: Any) -> None:
    async def scenario(world: Any) -> None:
        right = read((await tokens(world))["id_token"]).claims
        world.psc.faults.set("jeton-id", "token", quoi=lie)
        token = (await tokens(world))["id_token"]
        said = read(token).claims
        changed = {name for name in {*right, *said} if right.get(name) != said.get(name)}
        changed -= {"jti", "sid", "session_state", "at_hash", "exp", "iat", "auth_time"}
        assert len(changed) <= 2
        wrong = said.get("at_hash") == "AAAAAAAAAAAAAAAAAAAAAA" or "sub" not in said
        keys = world.psc._realm.key.keys
        try:
            verify(token, keys)
            check_claims(
                said,
                now=world.psc._realm.now(),
                issuer=world.psc.issuer,
                audience="kit-consumer",
                nonce="nonce-123456",
            )
            wrong = wrong or said.get("azp") != "kit-consumer"
        except TokenError:
            wrong = True
        assert wrong

    play(scenario)


@pytest.mark.parametrize("lie", Given)
def test_the_token_endpoint_is_odd_in_one_thing(lie: Given, play: Any) -> None:
    async def scenario(world: Any) -> None:
        right = await tokens(world)
        world.psc.faults.set("reponse", "token", quoi=lie)
        odd = await tokens(world)
        named = ("expires_in", "token_type", "refresh_token")
        same = [name for name in named if name != "refresh_token" and right[name] == odd.get(name)]
        assert len(same) + ("refresh_token" in odd) == 2

    play(scenario)


async def userinfo(world: Any, token: str) -> Any:
    return await world.consumer.request(
        "GET", world.psc.issuer + spec.USERINFO, headers={"Authorization": f"Bearer {token}"}
    )


@pytest.mark.parametrize("odd", Person)
def test_userinfo_describes_the_right_person_oddly(odd: Person, play: Any) -> None:
    async def scenario(world: Any) -> None:
        token = (await tokens(world))["access_token"]
        right = json.loads((await userinfo(world, token)).body)
        world.psc.faults.set("personne", "userinfo", quoi=odd)
        said = json.loads((await userinfo(world, token)).body)
        who = ("sub", "SubjectNameID", "preferred_username")
        assert [said[name] for name in who] == [right[name] for name in who]
        assert said != right or odd is Person.ONE
        world.psc.faults.clear()
        assert json.loads((await userinfo(world, token)).body) == right

    play(scenario)


@pytest.mark.parametrize(("wrong", "changed"), [(Leads.CLEAR, 7), (Leads.KEYS, 1)])
def test_discovery_leads_elsewhere(wrong: Leads, changed: int, play: Any) -> None:
    async def scenario(world: Any) -> None:
        async def read() -> dict[str, Any]:
            url = world.psc.issuer + spec.DISCOVERY
            return dict(json.loads((await world.consumer.request("GET", url)).body))

        right = await read()
        world.psc.faults.set("adresses", "discovery", quoi=wrong)
        said = await read()
        different = {name for name in right if right[name] != said[name]}
        assert "jwks_uri" in different
        assert len(different) >= changed
        assert said["issuer"] == right["issuer"]

    play(scenario)
