"""The reference box puts a list of either published signature format in force, and no wrong one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from drimbox_ref.config import WhiteListSource
from drimbox_ref.white_list import WhiteListKeeper, keep_fresh
from protocols.whitelist import Domain
from simulators.ans import LIST, Ans, Signer, service
from simulators.ans.faults import Where
from simulators.igc import Credential, Pki
from simulators.igc import service as igc_service
from wire.exchange import ignore
from wire.http_client import HttpClient
from wire.tls import ClientTls, ServerTls

NOW = datetime.now(UTC).replace(microsecond=0)
DOMAINS = (Domain(identifier="1", db="db1.test", operator_dn="CN=db1.test,OU=1,C=FR"),)
CN, OU = "KIT Liste Blanche", "318751275100020"


@dataclass
class Bench:
    """The agency, its authority, and a box that keeps its list."""

    igc: igc_service.IgcServer
    ans: Ans
    source: WhiteListSource
    client: HttpClient
    folder: Path
    later: timedelta = timedelta()
    """How far from NOW the box's clock is."""

    def sign_as(self, credential: Credential) -> None:
        self.ans.resign(Signer(credential.key, credential.certificate))

    def keeper(self, **changes: Any) -> WhiteListKeeper:
        return WhiteListKeeper(
            replace(self.source, **changes),
            client=self.client,
            now=lambda: NOW + self.later,
            state=self.folder,
            file=self.folder / "box.toml",
        )

    def in_force(self, keeper: WhiteListKeeper) -> tuple[Domain, ...] | None:
        current = keeper.current(NOW + self.later)
        return None if current is None else current.domains


@pytest.fixture(params=["A", "B"])
async def bench(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Bench]:
    igc = await igc_service.start(clock=lambda: NOW, observe=ignore)
    pki = igc.pki
    signer = pki.sign(CN, OU, key=pki.throwaway_key)
    ans = Ans(
        signer=Signer(signer.key, signer.certificate),
        clock=lambda: NOW,
        domains=DOMAINS,
        format=request.param,
    )
    files = pki.server("localhost", key=pki.throwaway_key).write(tmp_path, "ans")
    trust = pki.write(tmp_path)
    server = await service.start(
        ans, observe=ignore, tls=ServerTls(certificate=files.certificate, key=files.key)
    )
    source = WhiteListSource(
        url=server.url + service.WHITE_LIST_PATH,
        trust=trust.market_trust,
        igc_trust=trust.igc_trust,
        signer_cn=CN,
        signer_ou=OU,
        refresh_s=1.0,
        retry_s=1.0,
        max_age_s=3 * 86_400.0,
    )
    async with HttpClient(actor="box", tls=ClientTls(trust=trust.market_trust)) as client:
        yield Bench(igc, ans, source, client, tmp_path)
    await server.stop()
    await igc.stop()


@pytest.mark.anyio
async def test_both_formats_are_put_in_force_and_a_wrong_list_leaves_the_good_one(
    bench: Bench,
) -> None:
    keeper = bench.keeper()
    assert await keeper.refresh() == ""
    assert bench.in_force(keeper) == DOMAINS
    for kind in ("non-signee", "alteree", "ancienne", "future", "tronquee", "page", "http"):
        bench.ans.faults.set(kind, LIST, times=1)
        assert "dernière liste valide" in await keeper.refresh(), kind
        assert bench.in_force(keeper) == DOMAINS
    for where in Where:
        bench.ans.faults.set("alteree", LIST, ou=where, times=1)
        assert "dernière liste valide" in await keeper.refresh(), where
    bench.ans.faults.set("enorme", LIST, entrees=200, times=1)
    assert await keeper.refresh() == ""
    bench.later = timedelta(days=4)
    assert bench.in_force(keeper) is None, "held longer than it may be"


@pytest.mark.anyio
async def test_a_list_that_drips_is_given_up(bench: Bench) -> None:
    """However many bytes keep coming: the one before is in force meanwhile, and afterwards."""
    bench.source = replace(bench.source, fetch_s=0.5)
    keeper = bench.keeper()
    assert await keeper.refresh() == ""
    bench.ans.faults.set("lenteur", LIST, times=1, debit=20)
    assert "pas entière après 0.5 s" in await keeper.refresh()
    assert bench.in_force(keeper) == DOMAINS
    assert await keeper.refresh() == ""


def _signers(pki: Pki) -> dict[str, Credential]:
    key = pki.throwaway_key
    return {
        "same authority, other name": pki.sign("KIT Autre", OU, key=key),
        "other structure": pki.sign(CN, "318751275100021", key=key),
        "trailing space": pki.sign(CN + " ", OU, key=key),
        "AUTH_CLI of that name": pki.auth_cli(CN, OU, key=key),
        "signed by itself": pki.sign(CN, OU, key=key, self_signed=True),
        "of the market": pki.sign(CN, OU, key=key, issuer="market"),
        "expired": pki.sign(CN, OU, key=key, expired=True),
        "not yet valid": pki.sign(CN, OU, key=key, not_yet_valid=True),
    }


@pytest.mark.anyio
async def test_no_other_signer_is_believed(bench: Bench) -> None:
    for why, signer in _signers(bench.igc.pki).items():
        bench.sign_as(signer)
        assert await bench.keeper().refresh(), why
    bench.sign_as(bench.igc.pki.sign(CN, OU))
    assert await bench.keeper().refresh() == "", "a new leaf of the right name is a rotation"


@pytest.mark.anyio
async def test_a_signer_that_was_revoked_brings_no_list_and_the_former_stays(bench: Bench) -> None:
    keeper, pki = bench.keeper(), bench.igc.pki
    assert await keeper.refresh() == ""
    bench.later = timedelta(hours=2)
    stolen = pki.sign(CN, OU, key=pki.throwaway_key)
    pki.revoke(stolen)
    bench.sign_as(stolen)
    bench.ans.publish(())
    assert "révoqué" in await keeper.refresh()
    assert bench.in_force(keeper) == DOMAINS


@pytest.mark.anyio
async def test_a_signer_without_crl_is_refused_unless_told_otherwise(bench: Bench) -> None:
    await bench.igc.stop()
    assert "CRL" in await bench.keeper().refresh()
    assert await bench.keeper(revocation="off").refresh() == ""


@pytest.mark.anyio
async def test_an_older_list_is_refused_by_the_next_process_too(bench: Bench) -> None:
    assert await bench.keeper().refresh() == ""
    bench.ans.faults.set("ancienne", LIST)
    assert "plus ancienne" in await bench.keeper().refresh()


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
