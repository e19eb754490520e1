"""A PSC on real mutual TLS, two clients with their certificates, and a clock that tests move."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding

from protocols.jose import s256
from simulators.igc import Pki
from simulators.psc import Client, Professional, Psc, PscConfig, build
from spec import psc as spec
from wire.exchange import Exchange
from wire.http_client import HttpClient, Response
from wire.tls import ClientTls, ServerTls

CALLBACK = "https://consumer.kit.test/callback?x=1"
TOLD = "https://consumer.kit.test/fin"
AFTER_LOGOUT = "https://consumer.kit.test/adieu"
VERIFIER = "v" * 43
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


class Clock:
    """Now, when a test says so."""

    def __init__(self) -> None:
        self.offset = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.offset

    def advance(self, seconds: float) -> None:
        self.offset += timedelta(seconds=seconds)


@dataclass(frozen=True)
class Files:
    server: ServerTls
    consumer: ClientTls
    source: ClientTls
    browser: ClientTls
    key: rsa.RSAPrivateKey
    told: ServerTls
    """Of the consumer, where logout tokens are posted."""
    expired: ServerTls
    consumer_leaf: bytes
    """Its certificate, in DER."""


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    directory: Path = tmp_path_factory.mktemp("psc")
    pki = Pki.create(clock=lambda: datetime.now(UTC), crl_url="http://127.0.0.1:9/CRL/x.crl")
    trust = pki.write(directory)
    server = pki.server("psc.kit.test", key=pki.throwaway_key).write(directory, "psc")
    told = pki.server("consumer.kit.test", key=pki.throwaway_key).write(directory, "consumer")
    expired = pki.server("psc.kit.test", expired=True, key=pki.throwaway_key)
    expired_files = expired.write(directory, "psc-expired")
    made = {
        cn: pki.auth_cli(cn, "3" + "0" * 14, key=pki.throwaway_key)
        for cn in ("kit-consumer", "kit-source")
    }
    leaves = {cn: one.write(directory, cn) for cn, one in made.items()}
    return Files(
        ServerTls(server.certificate, server.key, trust.igc_trust, "optional"),
        ClientTls(
            trust.market_trust, leaves["kit-consumer"].certificate, leaves["kit-consumer"].key
        ),
        ClientTls(trust.market_trust, leaves["kit-source"].certificate, leaves["kit-source"].key),
        ClientTls(trust.market_trust),
        pki.throwaway_key,
        ServerTls(told.certificate, told.key),
        ServerTls(expired_files.certificate, expired_files.key, trust.igc_trust, "optional"),
        made["kit-consumer"].certificate.public_bytes(Encoding.DER),
    )


@dataclass
class World:
    """A started PSC and those who talk to it."""

    psc: Psc
    clock: Clock
    consumer: HttpClient
    source: HttpClient
    browser: HttpClient
    source_tls: ClientTls
    seen: list[Exchange] = field(default_factory=list)

    @property
    def someone(self) -> Professional:
        return self.psc.professionals[0]

    def named(self, transaction: str) -> list[Exchange]:
        return [each for each in self.seen if each.transaction == transaction]

    def authorization(self, **changes: str | None) -> str:
        """The URL of a good authorization request, changed; None removes."""
        parameters: dict[str, str | None] = {
            "response_type": "code",
            "client_id": "kit-consumer",
            "redirect_uri": CALLBACK,
            "scope": "openid scope_all",
            "acr_values": "eidas1",
            "state": "state-123456",
            "nonce": "nonce-123456",
            "code_challenge": s256(VERIFIER),
            "code_challenge_method": "S256",
        }
        parameters |= changes
        given = {name: value for name, value in parameters.items() if value is not None}
        return f"{self.psc.url}{spec.WALLET_AUTHORIZATION}?{urlencode(given)}"

    async def post(self, client: HttpClient, path: str, **form: str) -> Response:
        url = self.psc.issuer + path
        return await client.request(
            "POST", url, headers=FORM, content=urlencode(form).encode("ascii")
        )

    async def code(self, **changes: str | None) -> str:
        """Log in as `someone` and come back with a code."""
        page = await self.browser.request("GET", self.authorization(**changes))
        assert page.status == 200, page.body
        demand = page.body.decode().split('name="demande" value="')[1].split('"')[0]
        answer = await self.browser.request(
            "POST",
            self.psc.url + "/auth/login",
            headers=FORM,
            content=urlencode(
                {
                    "demande": demand,
                    "professionnel": self.someone.id,
                    "action": "confirmer",
                }
            ).encode(),
        )
        assert answer.status == 302
        return query(answer)["code"]

    async def tokens(self, **changes: str) -> Any:
        """The JSON of a token request that succeeds."""
        answer = await self.exchange(await self.code(), **changes)
        assert answer.status == 200, answer.body
        return json.loads(answer.body)

    async def exchange(self, code: str, **changes: str) -> Response:
        form = {
            "grant_type": "authorization_code",
            "client_id": "kit-consumer",
            "code": code,
            "redirect_uri": CALLBACK,
            "code_verifier": VERIFIER,
        }
        return await self.post(self.consumer, spec.TOKEN, **(form | changes))

    async def introspect(self, token: str) -> Any:
        answer = await self.post(self.source, spec.INTROSPECTION, token=token)
        assert answer.status == 200, answer.body
        return json.loads(answer.body)


def query(answer: Response) -> dict[str, str]:
    location = answer.headers.get("location")
    assert location.startswith("https://consumer.kit.test/")
    return {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}


@pytest.fixture
def play(files: Files) -> Callable[..., Any]:
    """Run a scenario, an async function of a World, against a fresh PSC."""

    def run(scenario: Callable[[World], Any], **options: Any) -> World:
        async def main() -> World:
            seen: list[Exchange] = []
            clock = Clock()
            psc = build(
                PscConfig(
                    tls=files.server,
                    key=files.key,
                    clock=clock,
                    rng=random.Random(7),
                    clients=(
                        Client(
                            client_id="kit-consumer",
                            redirect_uris=(CALLBACK,),
                            post_logout_redirect_uris=(AFTER_LOGOUT,),
                            may_introspect=False,
                            ciba=True,
                            backchannel_logout_uri=TOLD,
                        ),
                        Client(client_id="kit-source"),
                    ),
                    **options,
                ),
                seen.append,
            )
            await psc.start()
            async with (
                HttpClient(actor="consumer", tls=files.consumer) as consumer,
                HttpClient(actor="source", tls=files.source) as source,
                HttpClient(actor="user", tls=files.browser, cookies=True) as browser,
            ):
                world = World(psc, clock, consumer, source, browser, files.source, seen)
                try:
                    await asyncio.wait_for(scenario(world), 20)
                finally:
                    await psc.stop(grace=0.5)
            return world

        return asyncio.run(main())

    return run
