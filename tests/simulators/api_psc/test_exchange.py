"""A PSC token becomes an API token, and the DMP's door opens to that one alone."""

from __future__ import annotations

import json
from typing import Any

import pytest

from protocols.jose import read, verify
from protocols.oauth import thumbprint, thumbprint_in_hex, unsigned
from simulators.api_psc import ExchangeError
from spec import api_psc as spec

OPENED = 500
"""The SOAP behind the door is empty: a fault, hence the door let it through."""


def error_of(answer: Any) -> tuple[int, str]:
    return answer.status, json.loads(answer.body)["error"]


def test_an_exchange_gives_a_token_bound_to_who_asks(play: Any) -> None:
    async def scenario(world: Any) -> None:
        token = world.token()
        actor = unsigned({"lps_nom": "kit", "situation_exercice": "10B9900015", "autre": "x"})
        answer = await world.exchange(
            subject_token=token, actor_token=actor, actor_token_type=spec.JWT
        )
        assert answer.status == 200, answer.body
        assert answer.headers.get("cache-control") == "no-store"
        said = json.loads(answer.body)
        assert said["issued_token_type"] == spec.ACCESS_TOKEN
        assert (said["token_type"], said["expires_in"]) == ("Bearer", spec.LIFETIME)
        claims = verify(said["access_token"], world.api.keys).claims
        assert claims["cnf"] == {spec.THUMBPRINT: thumbprint(world.papers.der["kit-consumer"])}
        assert claims["SubjectNameID"] == world.psc.professionals[0].id
        assert (claims["azp"], claims["scope"]) == ("lps-1", spec.SCOPE)
        assert claims["sid"] == read(token).claims["sid"]
        assert claims["situation_exercice"] == "10B9900015"
        assert "autre" not in claims
        assert (await world.knock(said["access_token"])).status == OPENED

    world = play(scenario)
    asked = next(one for one in world.seen if one.transaction == "API-PSC-token")
    knocked = next(one for one in world.seen if one.transaction == "ITI-18")
    assert asked.peer == "lps-1"
    assert set(asked.keys) & set(knocked.keys), "the exchange and its use are told together"


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"grant_type": None}, "invalid_request"),
        ({"grant_type": "client_credentials"}, "unsupported_grant_type"),
        ({"subject_token": None}, "invalid_request"),
        ({"subject_token": "a.b.c"}, "invalid_request"),
        ({"subject_token_type": None}, "invalid_request"),
        ({"subject_token_type": "urn:ietf:params:oauth:token-type:saml2"}, "invalid_request"),
        ({"scope": None}, "invalid_scope"),
        ({"scope": "dmp ordonnances"}, "invalid_scope"),
        ({"cnf": None}, "invalid_request"),
        ({"cnf": thumbprint(b"un autre")}, "invalid_request"),
        ({"cnf": "{}"}, "invalid_request"),
        ({"actor_token": "a.b.c"}, "invalid_request"),
        ({"actor_token": "a.b.c", "actor_token_type": spec.JWT}, "invalid_request"),
        ({"audience": "ordonnances"}, "invalid_target"),
        ({"resource": "https://ailleurs.test"}, "invalid_target"),
    ],
)
def test_what_an_exchange_must_say(play: Any, changes: dict[str, str | None], error: str) -> None:
    async def scenario(world: Any) -> None:
        assert error_of(await world.exchange(**changes)) == (400, error)

    play(scenario)


def test_who_may_exchange_and_what(play: Any) -> None:
    async def scenario(world: Any) -> None:
        assert error_of(await world.exchange(by=world.stranger)) == (401, "invalid_client")
        assert error_of(await world.exchange(client_id="autre")) == (401, "invalid_client")
        for how in ({"expired": True}, {"forged": True}, {"typ": "Refresh"}, {"typ": "ID"}):
            dead = world.token(**how)
            answer = await world.exchange(subject_token=dead)
            assert error_of(answer) == (400, "invalid_request"), how
        as_ans = thumbprint_in_hex(world.papers.der["kit-consumer"])
        good = await world.exchange(cnf=json.dumps({spec.THUMBPRINT: as_ans}))
        assert (await world.knock(json.loads(good.body)["access_token"])).status == OPENED
        world.api.refusal = ExchangeError(403, "access_denied", "panne simulée")
        assert error_of(await world.exchange()) == (403, "access_denied")
        world.api.refusal = None
        await world.psc.stop()
        assert error_of(await world.exchange()) == (503, "temporarily_unavailable")

    play(scenario)


def test_the_door_opens_to_its_own_tokens_alone(play: Any) -> None:
    async def scenario(world: Any) -> None:
        given = json.loads((await world.exchange()).body)["access_token"]
        claims = dict(read(given).claims)
        nothing = await world.knock()
        assert nothing.status == 401
        assert nothing.headers.get("www-authenticate") == 'Bearer realm="dmp"'
        assert (await world.knock(given, given)).status == 400
        wrong = {
            "un jeton PSC": world.token(),
            "expiré": world.api.issue(claims | {"exp": claims["iat"] - 1}),
            "d'un autre serveur": world.api.issue(claims | {"iss": "https://ailleurs.test"}),
            "pour une autre cible": world.api.issue(claims | {"aud": ["ordonnances"]}),
            "sans cnf": world.api.issue({k: v for k, v in claims.items() if k != "cnf"}),
            "d'un autre certificat": world.api.issue(
                claims | {"cnf": {spec.THUMBPRINT: thumbprint(b"un autre")}}
            ),
        }
        for what, token in wrong.items():
            answer = await world.knock(token)
            assert error_of(answer) == (401, "invalid_token"), what
            assert 'error="invalid_token"' in answer.headers.get("www-authenticate")
        stolen = await world.knock(given, by=world.stranger)
        assert error_of(stolen) == (401, "invalid_token")
        narrow = await world.knock(world.api.issue(claims | {"scope": "autre"}))
        assert error_of(narrow) == (403, "insufficient_scope")
        assert (await world.knock(given)).status == OPENED
        # The other door wants no token, and does not look at one.
        plain = await world.consumer.request("POST", f"{world.dmp.url}/registry", content=b"<x/>")
        assert plain.status == OPENED

    play(scenario)
