"""The agency publishes a list that verifies, and every wrong one that a DRIMbox must refuse."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from protocols import whitelist
from protocols.errors import RemoteProtocolError
from protocols.whitelist import Domain, Format
from protocols.xml import XmlError
from protocols.xmlsig import SignatureError, SignatureFault
from simulators.ans import Ans, ListFault, Signer, service
from simulators.igc import Pki
from validators.api import Context, validate
from validators.finding import Severity
from wire.exchange import Exchange
from wire.tls import ClientTls, ServerTls, client_context

NOW = datetime.now(UTC).replace(microsecond=0)
DOMAINS = (
    Domain(
        identifier="1",
        db="db1.test",
        vi="vi1.test",
        denomination="CENTRE EXEMPLE",
        operator_dn="CN=db1.test,OU=3101235550001,O=CENTRE EXEMPLE,ST=Paris (75),C=FR",
        support_contact="support@exemple.invalid",
        updated=NOW,
    ),
)


@pytest.fixture(scope="module")
def pki() -> Pki:
    return Pki.create(clock=lambda: NOW, crl_url="http://igc.test/CRL/KIT-ACI-EL-ORG.crl")


def agency(pki: Pki, format: Format) -> Ans:
    signer = pki.sign("KIT Liste Blanche", "318751275100020", key=pki.throwaway_key)
    impostor = pki.sign("KIT Autre", "318751275100020", key=pki.throwaway_key)
    return Ans(
        signer=Signer(signer.key, signer.certificate),
        impostor=Signer(impostor.key, impostor.certificate),
        clock=lambda: NOW,
        domains=DOMAINS,
        format=format,
    )


@pytest.fixture(params=["A", "B"])
def ans(pki: Pki, request: pytest.FixtureRequest) -> Ans:
    return agency(pki, request.param)


def published(ans: Ans) -> bytes:
    document = ans.document()
    assert document is not None
    return document


def noticed(data: bytes) -> set[str]:
    found = validate(data, "liste-blanche", context=Context(at=NOW)).findings
    return {one.rule for one in found if one.severity is not Severity.INFO}


@pytest.mark.parametrize(
    ("format", "own", "other"),
    [
        ("A", b"xmldsig-filter2", b"#enveloped-signature"),
        ("B", b"#enveloped-signature", b"xmldsig-filter2"),
    ],
)
def test_each_format_is_served_and_judged_right(
    pki: Pki, format: Format, own: bytes, other: bytes
) -> None:
    document = published(agency(pki, format))
    assert own in document
    assert other not in document
    assert noticed(document) == set()


def test_the_judge_notices_every_fault_of_a_file(ans: Ans) -> None:
    for fault in (ListFault.UNSIGNED, ListFault.TAMPERED, ListFault.TRUNCATED):
        ans.fail(fault)
        assert noticed(published(ans)), fault


def test_format_b_is_the_default(pki: Pki) -> None:
    signer = pki.sign("KIT Liste Blanche", "318751275100020", key=pki.throwaway_key)
    document = published(Ans(signer=Signer(signer.key, signer.certificate), clock=lambda: NOW))
    assert b"#enveloped-signature" in document


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
