"""The reference box puts a list of either published signature format in force, and no wrong one."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from drimbox_ref.config import WhiteListSource
from drimbox_ref.white_list import WhiteListKeeper
from protocols.whitelist import Domain, Format
from simulators.ans import Ans, ListFault, Signer, service
from simulators.igc import Pki
from wire.exchange import ignore
from wire.http_client import HttpClient
from wire.tls import ClientTls, ServerTls

NOW = datetime.now(UTC).replace(microsecond=0)
DOMAINS = (Domain(identifier="1", db="db1.test", operator_dn="CN=db1.test,OU=1,C=FR"),)
CN, OU = "KIT Liste Blanche", "318751275100020"


@pytest.mark.anyio
@pytest.mark.parametrize("format", ["A", "B"])
async def test_both_formats_are_put_in_force(tmp_path: Path, format: Format) -> None:
    pki = Pki.create(clock=lambda: NOW, crl_url="http://igc.test/CRL/KIT-ACI-EL-ORG.crl")
    signer = pki.sign(CN, OU, key=pki.throwaway_key)
    ans = Ans(
        signer=Signer(signer.key, signer.certificate),
        clock=lambda: NOW,
        domains=DOMAINS,
        format=format,
    )
    files = pki.server("localhost", key=pki.throwaway_key).write(tmp_path, "ans")
    trust = pki.write(tmp_path)
    server = await service.start(
        ans, observe=ignore, tls=ServerTls(certificate=files.certificate, key=files.key)
    )
    client = HttpClient(actor="box", tls=ClientTls(trust=trust.market_trust))
    keeper = WhiteListKeeper(
        WhiteListSource(
            url=server.url + service.WHITE_LIST_PATH,
            trust=trust.market_trust,
            igc_trust=trust.igc_trust,
            signer_cn=CN,
            signer_ou=OU,
            refresh_s=1.0,
            max_age_s=60.0,
        ),
        client=client,
        now=lambda: NOW,
        state=tmp_path,
        file=tmp_path / "box.toml",
    )
    try:
        assert await keeper.refresh() == ""
        ans.fail(ListFault.TAMPERED)
        refused = await keeper.refresh()
    finally:
        await client.aclose()
        await server.stop()
    assert "dernière liste valide" in refused
    current = keeper.current(NOW)
    assert current is not None
    assert current.domains == DOMAINS
