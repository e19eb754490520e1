"""PSC, the authorization server of the API and a DMP behind its door, on real mutual TLS."""

from __future__ import annotations

import asyncio
import json
import random
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding

from protocols.oauth import FORM_TYPE, build_form, thumbprint
from protocols.pki import read_certificate
from simulators import api_psc, dmp, psc
from simulators.api_psc import ApiClient, ApiPsc, ApiPscConfig
from simulators.dmp import ApiAccess, Dmp, DmpConfig, Trust
from simulators.igc import Pki
from simulators.psc import Client, Psc, PscConfig
from spec import api_psc as spec
from wire.exchange import Exchange
from wire.http_client import HttpClient, Response
from wire.tls import ClientTls, ServerTls

STRUCTURE = "10B9900015"


@dataclass(frozen=True)
class Papers:
    server: ServerTls
    optional: ServerTls
    clients: dict[str, ClientTls]
    dns: dict[str, str]
    der: dict[str, bytes]
    key: rsa.RSAPrivateKey
    pki: Pki


@pytest.fixture(scope="session")
def papers(tmp_path_factory: pytest.TempPathFactory) -> Papers:
    directory: Path = tmp_path_factory.mktemp("api-psc")
    pki = Pki.create(clock=lambda: datetime.now(UTC), crl_url="http://127.0.0.1:9/CRL/x.crl")
    trust = pki.write(directory)
    server = pki.server("api.kit.test", key=pki.throwaway_key).write(directory, "server")
    clients, dns, der = {}, {}, {}
    for cn in ("kit-consumer", "kit-stranger", "kit-api-psc"):
        made = pki.auth_cli(cn, STRUCTURE, key=pki.throwaway_key)
        files = made.write(directory, cn)
        clients[cn] = ClientTls(trust.market_trust, files.certificate, files.key)
        dns[cn] = made.dn
        der[cn] = read_certificate(files.certificate.read_bytes()).public_bytes(Encoding.DER)
    return Papers(
        ServerTls(server.certificate, server.key, trust.igc_trust, "required"),
        ServerTls(server.certificate, server.key, trust.igc_trust, "optional"),
        clients,
        dns,
        der,
        pki.throwaway_key,
        pki,
    )


@dataclass
class World:
    """Three services and the two clients that knock."""

    psc: Psc
    api: ApiPsc
    dmp: Dmp
    consumer: HttpClient
    stranger: HttpClient
    papers: Papers
    seen: list[Exchange] = field(default_factory=list)

    def token(self, **how: Any) -> str:
        return self.psc.issue(self.psc.professionals[0], "kit-consumer", **how)

    def demand(self, **changes: str | None) -> dict[str, str]:
        """A good exchange, changed; None removes."""
        given: dict[str, str | None] = {
            "grant_type": spec.TOKEN_EXCHANGE,
            "subject_token": self.token(),
            "subject_token_type": spec.ACCESS_TOKEN,
            "scope": spec.SCOPE,
            "cnf": json.dumps({spec.THUMBPRINT: thumbprint(self.papers.der["kit-consumer"])}),
        }
        given |= changes
        return {name: value for name, value in given.items() if value is not None}

    async def exchange(self, *, by: HttpClient | None = None, **changes: str | None) -> Response:
        return await (by or self.consumer).request(
            "POST",
            self.api.token_endpoint,
            headers=(("Content-Type", FORM_TYPE),),
            content=build_form(self.demand(**changes)),
        )

    async def knock(self, *tokens: str, by: HttpClient | None = None) -> Response:
        """A request to the DMP's API door, with these tokens; its SOAP is empty."""
        return await (by or self.consumer).request(
            "POST",
            f"{self.dmp.api_url}/registry",
            headers=[("Authorization", f"Bearer {token}") for token in tokens],
            content=b"<soap/>",
        )


@pytest.fixture
def play(papers: Papers, tmp_path: Path) -> Callable[..., Any]:
    """Run a scenario, an async function of a World, against fresh services."""

    def run(scenario: Callable[[World], Any]) -> World:
        async def main() -> World:
            seen: list[Exchange] = []
            now = lambda: datetime.now(UTC)  # noqa: E731
            realm = psc.build(
                PscConfig(
                    tls=papers.optional,
                    key=papers.key,
                    clock=now,
                    rng=random.Random(7),
                    clients=(
                        Client(client_id="kit-consumer", may_introspect=False, ciba=True),
                        Client(client_id="kit-api-psc"),
                    ),
                ),
                seen.append,
            )
            api = api_psc.build(
                ApiPscConfig(
                    tls=papers.server,
                    key=papers.key,
                    clock=now,
                    rng=random.Random(8),
                    clients=(ApiClient(client_id="lps-1", dns=(papers.dns["kit-consumer"],)),),
                    psc_issuer=lambda: realm.issuer,
                    psc_tls=papers.clients["kit-api-psc"],
                ),
                seen.append,
            )
            held = dmp.build(
                DmpConfig(
                    tls=papers.server,
                    trust=Trust(roots=(papers.pki.igc_root,)),
                    database=tmp_path / "dmp.sqlite",
                    clock=now,
                    uuid=uuid.uuid4,
                    api=ApiAccess(keys=lambda: api.keys, issuer=lambda: api.issuer),
                ),
                seen.append,
            )
            services = (realm, api, held)
            for one in services:
                await one.start()
            async with (
                HttpClient(actor="consumer", tls=papers.clients["kit-consumer"]) as consumer,
                HttpClient(actor="stranger", tls=papers.clients["kit-stranger"]) as stranger,
            ):
                world = World(realm, api, held, consumer, stranger, papers, seen)
                try:
                    await asyncio.wait_for(scenario(world), 20)
                finally:
                    await held.stop()
                    await api.stop(grace=0.5)
                    await realm.stop(grace=0.5)
            return world

        return asyncio.run(main())

    return run
