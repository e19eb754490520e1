"""The reference box puts a list of either published signature format in force, and no wrong one."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import pytest

from drimbox_ref.config import WhiteListSource
from drimbox_ref.white_list import WhiteListKeeper, keep_fresh
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
            retry_s=1.0,
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


@pytest.mark.anyio
async def test_a_list_that_could_not_be_had_is_soon_asked_for_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Each day when all is well; soon after a failure, whatever it was."""
    nowhere = tmp_path / "x"
    source = WhiteListSource(
        url="https://ans.test/l", trust=nowhere, igc_trust=nowhere, signer_cn="", signer_ou="",
        refresh_s=86_400.0, retry_s=60.0, max_age_s=1.0,
    )  # fmt: skip
    slept: list[float] = []
    answers = iter([False, RuntimeError("imprévu"), True])

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == 5:
            raise asyncio.CancelledError

    async def refresh() -> bool:
        answer = next(answers, True)
        if isinstance(answer, Exception):
            raise answer
        return bool(answer)

    monkeypatch.setattr("drimbox_ref.white_list.asyncio.sleep", sleep)
    with pytest.raises(asyncio.CancelledError):
        await keep_fresh(refresh, source, good=False)
    assert slept == [60.0, 60.0, 60.0, 86_400.0, 86_400.0]
