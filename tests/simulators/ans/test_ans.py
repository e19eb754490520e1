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
from protocols.xmlsig import SignatureError, SignatureFault
from simulators.ans import LIST, Ans, Other, Signer, service
from simulators.ans.faults import Where
from simulators.igc import Pki
from validators.api import Context, validate
from validators.finding import Severity
from wire.exchange import Exchange, Outcome
from wire.faults import BadFault
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
        others={Other.NAME: Signer(impostor.key, impostor.certificate)},
        clock=lambda: NOW,
        domains=DOMAINS,
        format=format,
    )


def wrong(ans: Ans, kind: str, **values: int | str) -> bytes:
    """What the next request gets, struck by that fault."""
    ans.faults.set(kind, LIST, times=1, **values)
    return ans.document(ans.faults.strike(LIST))


@pytest.fixture(params=["A", "B"])
def ans(pki: Pki, request: pytest.FixtureRequest) -> Ans:
    return agency(pki, request.param)


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
    document = agency(pki, format).document()
    assert own in document
    assert other not in document
    assert noticed(document) == set()


def test_the_judge_notices_every_fault_of_a_file(ans: Ans) -> None:
    for kind in ("non-signee", "tronquee", "page", "future"):
        assert noticed(wrong(ans, kind)), kind
    for where in Where:
        assert noticed(wrong(ans, "alteree", ou=where)), where


def test_format_b_is_the_default(pki: Pki) -> None:
    signer = pki.sign("KIT Liste Blanche", "318751275100020", key=pki.throwaway_key)
    document = Ans(signer=Signer(signer.key, signer.certificate), clock=lambda: NOW).document()
    assert b"#enveloped-signature" in document


def test_the_list_verifies_and_follows_what_is_published(ans: Ans) -> None:
    assert whitelist.verify(ans.document()).white_list == ans.white_list
    assert ans.white_list.domains == DOMAINS
    ans.publish([], generated=NOW - timedelta(days=1))
    verified = whitelist.verify(ans.document())
    assert verified.white_list.domains == ()
    assert verified.white_list.generated == NOW - timedelta(days=1)
    assert verified.signing_time == NOW


def test_lists_that_do_not_verify(ans: Ans) -> None:
    with pytest.raises(SignatureError):
        whitelist.verify(wrong(ans, "non-signee"))
    assert whitelist.parse(wrong(ans, "non-signee")) == ans.white_list
    kinds = set()
    for where in Where:
        with pytest.raises(SignatureError) as caught:
            whitelist.verify(wrong(ans, "alteree", ou=where))
        kinds.add(caught.value.kind)
    assert kinds == {SignatureFault.DIGEST, SignatureFault.VALUE}
    for kind in ("tronquee", "page"):
        with pytest.raises(RemoteProtocolError):
            whitelist.verify(wrong(ans, kind))


def test_lists_that_verify_and_must_be_refused_all_the_same(ans: Ans) -> None:
    right = whitelist.verify(ans.document())
    other = whitelist.verify(wrong(ans, "signataire", qui=Other.NAME))
    assert other.white_list == right.white_list
    assert other.certificate != right.certificate
    older = whitelist.verify(wrong(ans, "ancienne", jours=3))
    assert older.certificate == right.certificate
    assert older.white_list.generated == right.white_list.generated - timedelta(days=3)
    later = whitelist.verify(wrong(ans, "future", heures=2))
    assert later.white_list.generated == right.white_list.generated + timedelta(hours=2)
    huge = whitelist.verify(wrong(ans, "enorme", entrees=500))
    assert len(huge.white_list.domains) == len(DOMAINS) + 500
    assert whitelist.verify(ans.document()).white_list == right.white_list


def test_only_signers_that_it_has_are_on_the_menu(ans: Ans, pki: Pki) -> None:
    with pytest.raises(BadFault, match="revoque"):
        ans.faults.set("signataire", LIST, qui=Other.REVOKED)
    alone = Ans(signer=Signer(pki.throwaway_key, pki.igc_root), clock=lambda: NOW)
    with pytest.raises(BadFault, match="signataire"):
        alone.faults.set("signataire", LIST)


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
                ans.faults.set("http", LIST, times=1)
                absent = await client.get(server.url + service.WHITE_LIST_PATH)
                ans.faults.set("page", LIST, times=1)
                page = await client.get(server.url + service.WHITE_LIST_PATH)
                ans.faults.set("coupure", LIST, times=1, octets=100)
                with pytest.raises(httpx.RemoteProtocolError):
                    await client.get(server.url + service.WHITE_LIST_PATH)
                ans.publish((), generated=NOW + timedelta(seconds=1))
                names = (await client.get(server.url + service.HISTORY_PATH)).text.split()
                former = [(await client.get(server.url + name)).content for name in names]
                unsigned = await client.get(server.url + service.UNSIGNED_PATH)
                nothing = await client.get(f"{server.url}{service.HISTORY_PATH}/autre.xml")
        finally:
            await server.stop()
        assert whitelist.verify(answer.content).white_list.domains == DOMAINS
        assert (page.status_code, page.headers["content-type"][:9]) == (200, "text/html")
        assert [len(whitelist.verify(one).white_list.domains) for one in former] == [1, 0]
        assert whitelist.parse(unsigned.content) == ans.white_list
        assert nothing.status_code == 404
        assert answer.headers["content-type"].startswith("application/xml")
        assert absent.status_code == 503

    asyncio.run(scenario())
    assert [exchange.transaction for exchange in seen[:4]] == ["liste-blanche"] * 4
    assert seen[3].outcome is Outcome.ABORTED
    assert seen[0].tls is not None
    assert seen[0].response is not None
    with pytest.raises(RemoteProtocolError):
        whitelist.parse(seen[0].response.body[:100])
