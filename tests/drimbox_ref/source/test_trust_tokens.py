"""What the Source makes of Pro Santé Connect's answers and of the white list."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from drimbox_ref.credentials import Credentials
from drimbox_ref.psc import PscUnavailable
from drimbox_ref.source.tokens import PscTokens
from drimbox_ref.source.trust import WhiteListTrust
from drimbox_ref.source.values import Accepted, Denied, TrustVerdict
from protocols.whitelist import Domain, WhiteList
from tests.drimbox_ref.source.world import World

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
EXP = int(NOW.timestamp()) + 60
ISSUER = "https://psc.test/auth/realms/esante-wallet"
GOOD = {
    "active": True,
    "typ": "Bearer",
    "iss": ISSUER,
    "exp": EXP,
    "sub": "f:1:8997",
    "acr": "eidas3",
    "azp": "kit-consumer",
}
PERSON = {
    "sub": "f:1:8997",
    "SubjectNameID": "8997",
    "SubjectRefPro": {"exercices": [{"codeProfession": "10"}, {"codeProfession": "60"}]},
}


class FakePsc:
    """Answers by endpoint; an exception is raised."""

    issuer = ISSUER

    def __init__(self, **answers: tuple[int, Mapping[str, Any]] | Exception) -> None:
        self.answers = {"introspection": (200, GOOD), "userinfo": (200, PERSON), **answers}
        self.asked: list[str] = []

    async def endpoint(self, name: str) -> str:
        return name.removesuffix("_endpoint")

    async def json(self, method: str, url: str, **_: Any) -> tuple[int, Mapping[str, Any]]:
        self.asked.append(url)
        answer = self.answers[url]
        if isinstance(answer, Exception):
            raise answer
        return answer


async def check(psc: FakePsc, *clients: str) -> Accepted | Denied:
    return await PscTokens(psc, clients=clients).check("abc", now=NOW)  # type: ignore[arg-type]


@pytest.mark.anyio
async def test_a_good_token() -> None:
    verdict = await check(FakePsc())
    assert verdict == Accepted(
        subject="8997", professions=("10", "60"), expires=datetime.fromtimestamp(EXP, UTC)
    )


@pytest.mark.anyio
async def test_professions_of_older_answers() -> None:
    person = {"sub": "f:1:8997", "SubjectRole": ["10^1.2.250.1.213.1.1.5.5"]}
    verdict = await check(FakePsc(userinfo=(200, person)))
    assert isinstance(verdict, Accepted)
    assert verdict.professions == ("10",)


@pytest.mark.anyio
@pytest.mark.parametrize(
    "change",
    [
        {"active": False},
        {"active": "true"},
        {"active": 1},
        {"active": None},
        {"typ": "Refresh"},
        {"typ": None},
        {"iss": "https://other.test"},
        {"exp": EXP - 61},
        {"exp": str(EXP)},
        {"exp": True},
        {"exp": None},
        {"exp": 1e400},
        {"nbf": EXP + 600},
        {"iat": EXP + 600},
        {"exp": -1},
        {"exp": 10**30},
        {"sub": None},
        {"sub": ""},
        {"acr": None},
        {"acr": ""},
    ],
)
async def test_tokens_that_are_not_accepted(change: dict[str, Any]) -> None:
    psc = FakePsc(introspection=(200, {**GOOD, **change}))
    verdict = await check(psc)
    assert isinstance(verdict, Denied)
    assert verdict.status == 401
    assert psc.asked == ["introspection"], "nothing more is asked about a bad token"


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("answers", "status"),
    [
        ({"introspection": (401, {})}, 503),
        ({"introspection": (500, {})}, 503),
        ({"introspection": PscUnavailable("panne")}, 503),
        ({"userinfo": (500, {})}, 503),
        ({"userinfo": (401, {})}, 401),
        ({"userinfo": (200, {**PERSON, "sub": "f:1:autre"})}, 401),
    ],
)
async def test_breakdowns_and_refusals(answers: dict[str, Any], status: int) -> None:
    verdict = await check(FakePsc(**answers))
    assert isinstance(verdict, Denied)
    assert verdict.status == status


@pytest.mark.anyio
async def test_nobody_is_nobody() -> None:
    missing = {name: value for name, value in GOOD.items() if name != "sub"}
    nobody = {name: value for name, value in PERSON.items() if name != "sub"}
    verdict = await check(FakePsc(introspection=(200, missing), userinfo=(200, nobody)))
    assert isinstance(verdict, Denied)


@pytest.mark.anyio
async def test_tokens_of_listed_clients_alone() -> None:
    assert isinstance(await check(FakePsc(), "kit-consumer", "kit-autre"), Accepted)
    assert isinstance(await check(FakePsc(), "kit-autre"), Denied)


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("cnf", "bound_to"),
    [({"x5t#S256": "abc"}, "abc"), ({"x5t": "abc"}, ""), ("abc", ""), (None, ""), ([], "")],
)
async def test_what_a_token_is_bound_to(cnf: object, bound_to: str) -> None:
    verdict = await check(FakePsc(introspection=(200, {**GOOD, "cnf": cnf})))
    assert isinstance(verdict, Accepted)
    assert verdict.bound_to == bound_to


class FakeKeeper:
    def __init__(self, white_list: WhiteList | None, reason: str = "") -> None:
        self.white_list = white_list
        self.reason = reason

    async def refresh(self) -> str:
        return self.reason

    def current(self, now: datetime) -> WhiteList | None:
        return self.white_list


def white_list(*names: str) -> WhiteList:
    return WhiteList(
        generated=NOW,
        domains=tuple(
            Domain(identifier=str(number), db=f"db{number}.test", operator_dn=name)
            for number, name in enumerate(names)
        ),
    )


@pytest.mark.anyio
async def test_the_white_list_is_looked_up_by_dn(world: World, credentials: Credentials) -> None:
    certificate: x509.Certificate = credentials.sign_chain[0]
    der = certificate.public_bytes(Encoding.DER)
    # Another order, and one entry that cannot be read.
    listed = "C=FR, OU=1630013605, CN=DRIMbox d'essai"

    def judge(found: WhiteList | None, shown: bytes | None = der) -> TrustVerdict:
        trust = WhiteListTrust(
            FakeKeeper(found),  # type: ignore[arg-type]
            clock=world.clock,
            alerts=world.parts.alerts,
        )
        return trust.judge(shown, now=NOW)

    assert judge(white_list("not a name", listed)) is TrustVerdict.LISTED
    assert judge(white_list("CN=DRIMbox d'essai,C=FR")) is TrustVerdict.UNLISTED
    assert judge(white_list()) is TrustVerdict.UNLISTED
    assert judge(None) is TrustVerdict.NO_LIST
    assert judge(white_list(listed), None) is TrustVerdict.UNKNOWN


@pytest.mark.anyio
async def test_a_refused_list_alerts_once(world: World) -> None:
    trust = WhiteListTrust(
        FakeKeeper(None, "signature fausse."),  # type: ignore[arg-type]
        clock=world.clock,
        alerts=world.parts.alerts,
    )
    await trust.refresh()
    await trust.refresh()
    (alert,) = world.parts.alerts.everything(10)
    assert "signature fausse" in str(alert["message"])
