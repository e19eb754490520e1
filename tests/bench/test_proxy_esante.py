"""The bench's proxy e-santé, where a profile asks for one."""

from __future__ import annotations

import json
from pathlib import Path

from bench.doctor_world import examine_world
from bench.profile import Claims, Profile, World
from bench.standing import hand_over, standing
from tests.bench.test_external import WORLD, free_ports
from wire.exchange import ignore
from wire.http_client import HttpClient, Response
from wire.tls import ClientTls


def test_a_product_may_use_it_and_is_told_where_it_is(tmp_path: Path) -> None:
    names = (*WORLD, "proxy_esante", "page")
    ports = dict(zip(names, free_ports(len(names)), strict=True))
    profile = Profile(
        claims=Claims(source=False, consumer=True),
        world=World(**ports, pki=str(tmp_path / "pki")),  # type: ignore[arg-type]
    )
    with standing(profile, tmp_path / "banc", 1, ignore) as bed:
        lines, _ = hand_over(bed, tmp_path / "banc")
        checks = {one.name: one.state.value for one in examine_world(bed, lambda host: set())}
        proxy = bed.simulators.proxy_esante
        assert proxy is not None

        async def connect() -> Response:
            asked = {
                "nationalId": bed.site.reader,
                "bindingMessage": "07",
                "clientId": bed.site.consumer_client,
                "channel": "MOBILE",
            }
            async with HttpClient(actor="lps", tls=ClientTls(bed.papers.market_trust)) as http:
                return await http.request(
                    "POST", proxy.url + "/connect", content=json.dumps(asked).encode()
                )

        answer = bed.call(connect)
        matrix = (tmp_path / "banc/flux.md").read_text()
    assert answer.status == 200, answer.body
    told = {one.who: one.value for one in lines}
    assert told["Proxy e-santé"] == f"https://127.0.0.1:{ports['proxy_esante']}"
    assert f"127.0.0.1:{ports['proxy_esante']}" in matrix
    assert {state for name, state in checks.items() if "e-santé" in name or "API" in name} == {
        "good"
    }
