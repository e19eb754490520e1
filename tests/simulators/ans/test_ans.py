"""The agency publishes a list that verifies, and every wrong one that a DRIMbox must refuse."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from protocols import whitelist
from protocols.errors import RemoteProtocolError
from protocols.whitelist import Domain
from protocols.xml import XmlError
from protocols.xmlsig import SignatureError, SignatureFault
from simulators.ans import Ans, ListFault, Signer, service
from simulators.igc import Pki
from wire.exchange import Exchange
from wire.tls import ClientTls, ServerTls, client_context

NOW = datetime.now(UTC).replace(microsecond=0)
DOMAINS = (Domain(identifier="1", db="db1.test", operator_dn="CN=db1.test,OU=1,C=FR"),)


@pytest.fixture(scope="module")
def pki() -> Pki:
    return Pki.create(clock=lambda: NOW, crl_url="http://igc.test/CRL/KIT-ACI-EL-ORG.crl")


@pytest.fixture
def ans(pki: Pki) -> Ans:
    signer = pki.sign("KIT Liste Blanche", "318751275100020", key=pki.throwaway_key)
    impostor = pki.sign("KIT Autre", "318751275100020", key=pki.throwaway_key)
    return Ans(
        signer=Signer(signer.key, signer.certificate),
        impostor=Signer(impostor.key, impostor.certificate),
        clock=lambda: NOW,
        domains=DOMAINS,
    )


def published(ans: Ans) -> bytes:
    document = ans.document()
    assert document is not None
    return document


def test_the_list_verifies_and_follows_what_is_published(ans: Ans) -> None:
    assert whitelist.verify(published(ans)).white_list == ans.white_list
    assert ans.white_list.domains == DOMAINS
    ans.publish([], generated=NOW - timedelta(days=1))
    verified = whitelist.verify(published(ans))
    assert verified.white_list.domains == ()
    assert verified.white_list.generated == NOW - timedelta(days=1)
    assert verified.signing_time == NOW


@pytest.mark.parametrize("domains", [DOMAINS, ()])
def test_lists_that_do_not_verify(ans: Ans, domains: tuple[Domain, ...]) -> None:
    ans.publish(domains)
    ans.fail(ListFault.UNSIGNED)
    with pytest.raises(SignatureError):
        whitelist.verify(published(ans))
    assert whitelist.parse(published(ans)) == ans.white_list
    ans.fail(ListFault.TAMPERED)
    with pytest.raises(SignatureError) as caught:
        whitelist.verify(published(ans))
    assert caught.value.kind is SignatureFault.DIGEST
    assert whitelist.parse(published(ans)) != ans.white_list
    ans.fail(ListFault.TRUNCATED)
    with pytest.raises(XmlError):
        whitelist.verify(published(ans))


def test_lists_that_verify_and_must_be_refused_all_the_same(ans: Ans) -> None:
    right = whitelist.verify(published(ans))
    ans.fail(ListFault.WRONG_SIGNER)
    wrong = whitelist.verify(published(ans))
    assert wrong.white_list == right.white_list
    assert wrong.certificate != right.certificate
    ans.fail(ListFault.ROLLBACK)
    older = whitelist.verify(published(ans))
    assert older.certificate == right.certificate
    assert older.white_list.generated < right.white_list.generated
    ans.fail(None)
    assert whitelist.verify(published(ans)).white_list == right.white_list


def test_every_fault_differs_from_the_right_list(ans: Ans) -> None:
    right = ans.document()
    for fault in ListFault:
        ans.fail(fault)
        assert ans.document() != right


def test_an_impostor_must_be_given(pki: Pki) -> None:
    signer = pki.sign("KIT Liste Blanche", "1", key=pki.throwaway_key)
    ans = Ans(signer=Signer(signer.key, signer.certificate), clock=lambda: NOW)
    with pytest.raises(ValueError, match="impostor"):
        ans.fail(ListFault.WRONG_SIGNER)


def test_served_over_tls_and_observed(ans: Ans, pki: Pki, tmp_path: Path) -> None:
    seen: list[Exchange] = []
    files = pki.server("ans.test", key=pki.throwaway_key).write(tmp_path, "ans")
    trust = pki.write(tmp_path).market_trust

    async def scenario() -> None:
        tls = ServerTls(certificate=files.certificate, key=files.key)
        server = await service.start(ans, observe=seen.append, tls=tls)
        context = client_context(ClientTls(trust=trust))
        try:
            async with httpx.AsyncClient(verify=context, trust_env=False) as client:
                answer = await client.get(server.url + service.WHITE_LIST_PATH)
                ans.fail(ListFault.UNAVAILABLE)
                absent = await client.get(server.url + service.WHITE_LIST_PATH)
        finally:
            await server.stop()
        assert whitelist.verify(answer.content).white_list == ans.white_list
        assert answer.headers["content-type"].startswith("application/xml")
        assert absent.status_code == 503

    asyncio.run(scenario())
    assert [exchange.transaction for exchange in seen] == ["liste-blanche"] * 2
    assert seen[0].tls is not None
    assert seen[0].response is not None
    with pytest.raises(RemoteProtocolError):
        whitelist.parse(seen[0].response.body[:100])
