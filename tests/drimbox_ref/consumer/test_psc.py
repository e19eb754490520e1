"""The OIDC client: what it asks, and every ID token that it must refuse."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from drimbox_ref.psc import PscUnavailable
from drimbox_ref.psc_login import Ended, LoginExpired, LoginRefused, PscClient
from protocols.jose import SigningKey, at_hash, s256, sign
from spec.psc import BACKCHANNEL_LOGOUT_EVENT
from tests.drimbox_ref.consumer.world import FakeClock

pytestmark = pytest.mark.anyio

ISSUER = "https://psc.test/auth/realms/esante-wallet"
CLIENT = "kit-consumer"
VERIFIER = "v" * 43
KEY = SigningKey("k1", rsa.generate_private_key(65537, 2048))
OTHER = SigningKey("k2", rsa.generate_private_key(65537, 2048))


class FakeChannel:
    """Plays PSC: answers by endpoint name, requests kept."""

    def __init__(self) -> None:
        self.issuer = ISSUER
        self.status = 200
        self.answer: dict[str, Any] = {}
        self.keys = [KEY]
        self.claims: dict[str, Any] = {"sub": "sub-1", "SubjectNameID": "8997"}
        self.asked: list[tuple[str, str, bytes]] = []

    async def endpoint(self, name: str) -> str:
        return f"https://psc.test/{name}"

    async def raw(self, method, url, *, transaction, headers=(), content=b""):
        self.asked.append((transaction, url, content))
        body = json.dumps({"keys": [key.public_jwk for key in self.keys]}).encode()
        return 200, body

    async def json(self, method, url, *, transaction, headers=(), content=b""):
        self.asked.append((transaction, url, content))
        return self.status, self.claims if transaction == "PSC-userinfo" else self.answer


class Case:
    def __init__(self) -> None:
        self.clock = FakeClock()
        self.channel = FakeChannel()
        self.client = PscClient(
            self.channel,  # type: ignore[arg-type]
            client_id=CLIENT,
            redirect_uri="https://consumer.test/callback",
            clock=self.clock,
        )
        self.now = int(self.clock.now().timestamp())
        self.claims: dict[str, Any] = {
            "iss": ISSUER,
            "aud": CLIENT,
            "azp": CLIENT,
            "sub": "sub-1",
            "typ": "ID",
            "nonce": "the-nonce",
            "iat": self.now,
            "exp": self.now + 120,
            "auth_time": self.now - 5,
            "at_hash": at_hash("access"),
        }

    def answer(self, key: SigningKey = KEY, **changes: Any) -> None:
        claims = {k: v for k, v in {**self.claims, **changes}.items() if v is not None}
        self.channel.answer = {
            "access_token": "access",
            "refresh_token": "refresh",
            "id_token": sign(claims, key),
            "token_type": "Bearer",
            "expires_in": 120,
        }

    async def redeem(self, issuer: str = ISSUER):
        return await self.client.redeem("code", nonce="the-nonce", verifier=VERIFIER, issuer=issuer)


@pytest.fixture
def case() -> Case:
    made = Case()
    made.answer()
    return made


async def test_the_authorization_request(case: Case) -> None:
    url = await case.client.authorization_url(state="s", nonce="n", verifier=VERIFIER)
    assert url.startswith("https://psc.test/authorization_endpoint?")
    assert parse_qs(urlsplit(url).query) == {
        "response_type": ["code"],
        "client_id": [CLIENT],
        "redirect_uri": ["https://consumer.test/callback"],
        "scope": ["openid scope_all"],
        "acr_values": ["eidas1"],
        "state": ["s"],
        "nonce": ["n"],
        "code_challenge": [s256(VERIFIER)],
        "code_challenge_method": ["S256"],
    }


async def test_a_right_answer_is_a_grant(case: Case) -> None:
    grant = await case.redeem()
    assert (grant.access_token, grant.refresh_token, grant.subject) == (
        "access",
        "refresh",
        "sub-1",
    )
    assert (grant.expires - case.clock.now()).total_seconds() == 120
    assert grant.authenticated.timestamp() == case.now - 5
    transaction, _, content = case.channel.asked[0]
    form = parse_qs(content.decode())
    assert transaction == "PSC-token"
    assert form["code_verifier"] == [VERIFIER]
    assert "client_secret" not in form
    assert "access" not in repr(grant)


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "https://elsewhere.test"},
        {"aud": "another"},
        {"aud": [CLIENT, "another"], "azp": None},
        {"azp": "another"},
        {"nonce": "replayed"},
        {"nonce": None},
        {"exp": 1},
        {"exp": None},
        {"iat": 10**10},
        {"typ": "Bearer"},
        {"sub": None},
        {"at_hash": at_hash("another")},
    ],
    ids=lambda changes: "-".join(f"{name}" for name in changes),
)
async def test_a_wrong_id_token_is_refused(case: Case, changes: dict[str, Any]) -> None:
    case.answer(**changes)
    with pytest.raises(LoginRefused):
        await case.redeem()


async def test_a_wrong_signature_is_refused(case: Case) -> None:
    case.answer(SigningKey("k1", OTHER.key))
    with pytest.raises(LoginRefused):
        await case.redeem()
    case.answer(SigningKey("k1", b"secret" * 8))
    with pytest.raises(LoginRefused):
        await case.redeem()


async def test_keys_are_asked_for_again_when_unknown(case: Case) -> None:
    await case.redeem()
    await case.redeem()
    assert sum(one[0] == "PSC-JWKS" for one in case.channel.asked) == 1
    case.channel.keys = [OTHER]
    case.answer(OTHER)
    assert (await case.redeem()).subject == "sub-1"
    assert sum(one[0] == "PSC-JWKS" for one in case.channel.asked) == 2


async def test_refusals_and_breakdowns_are_told_apart(case: Case) -> None:
    with pytest.raises(LoginRefused):
        await case.redeem(issuer="https://elsewhere.test")
    assert not case.channel.asked
    case.channel.status = 400
    with pytest.raises(LoginRefused):
        await case.redeem()
    case.channel.status = 503
    with pytest.raises(PscUnavailable):
        await case.redeem()


async def test_renewal(case: Case) -> None:
    grant = await case.redeem()
    case.answer(nonce=None)
    case.channel.answer |= {"access_token": "access", "refresh_token": "refresh-2"}
    renewed = await case.client.renew(grant)
    assert renewed.refresh_token == "refresh-2"
    assert renewed.authenticated == grant.authenticated
    form = parse_qs(case.channel.asked[-1][2].decode())
    assert form["grant_type"] == ["refresh_token"]
    assert form["refresh_token"] == ["refresh"]


def _status(case: Case) -> None:
    case.channel.status = 400


def _subject(case: Case) -> None:
    case.answer(sub="somebody-else")


def _unsigned(case: Case) -> None:
    case.answer(SigningKey("k1", OTHER.key))


def _empty(case: Case) -> None:
    del case.channel.answer["access_token"]


@pytest.mark.parametrize("spoil", [_status, _subject, _unsigned, _empty])
async def test_a_renewal_that_fails_ends_the_login(
    case: Case, spoil: Callable[[Case], None]
) -> None:
    grant = await case.redeem()
    spoil(case)
    with pytest.raises(LoginExpired):
        await case.client.renew(grant)


async def test_userinfo_of_somebody_else_is_refused(case: Case) -> None:
    grant = await case.redeem()
    assert (await case.client.userinfo(grant))["SubjectNameID"] == "8997"
    case.channel.claims = {"sub": "sub-2"}
    with pytest.raises(LoginRefused):
        await case.client.userinfo(grant)


async def test_logout_shows_the_id_token_from_the_server(case: Case) -> None:
    grant = await case.redeem()
    await case.client.log_out(grant)
    transaction, url, content = case.channel.asked[-1]
    assert (transaction, url) == ("PSC-logout", "https://psc.test/end_session_endpoint")
    assert parse_qs(content.decode()) == {"id_token_hint": [grant.id_token]}


LOGOUT = {"typ": None, "nonce": None, "at_hash": None, "azp": None, "auth_time": None}
EVENTS = {BACKCHANNEL_LOGOUT_EVENT: {}}


def logout_token(case: Case, key: SigningKey = KEY, **changes: Any) -> str:
    given = {**case.claims, **LOGOUT, "jti": "j-1", "sid": "s-1", "events": EVENTS, **changes}
    return sign({k: v for k, v in given.items() if v is not None}, key, typ="logout+jwt")


async def test_a_logout_token_names_a_session(case: Case) -> None:
    assert await case.client.ended(logout_token(case)) == Ended(subject="sub-1", session="s-1")
    everywhere = await case.client.ended(logout_token(case, sid=None))
    assert everywhere == Ended(subject="sub-1", session="")


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "https://ailleurs.test"},
        {"aud": "autre"},
        {"exp": 1},
        {"exp": None},
        {"iat": None},
        {"jti": None},
        {"events": None},
        {"events": {"http://schemas.openid.net/event/autre": {}}},
        {"events": BACKCHANNEL_LOGOUT_EVENT},
        {"nonce": "n"},
        {"sub": None, "sid": None},
    ],
)
async def test_what_is_no_logout_token_ends_nothing(case: Case, changes: dict[str, Any]) -> None:
    with pytest.raises(LoginRefused):
        await case.client.ended(logout_token(case, **changes))


async def test_a_logout_token_of_somebody_else_ends_nothing(case: Case) -> None:
    for token in (logout_token(case, OTHER), case.channel.answer["id_token"], "", "a.b.c"):
        with pytest.raises(LoginRefused):
            await case.client.ended(token)
