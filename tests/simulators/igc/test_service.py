"""The PKI's HTTP face: the addresses written in certificates answer, and each call is observed."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import httpx
import pytest
from cryptography import x509
from cryptography.x509.oid import AuthorityInformationAccessOID

from protocols.pki import ChainError, ChainFault, verify_chain
from simulators.igc import Pki, service
from simulators.igc.faults import CRL
from wire.exchange import Exchange, Outcome


def test_every_address_of_a_certificate_answers() -> None:
    seen: list[Exchange] = []

    async def scenario() -> None:
        igc = await service.start(clock=lambda: datetime.now(UTC), observe=seen.append)
        try:
            leaf = igc.pki.auth_cli("x", "1", key=igc.pki.throwaway_key).certificate
            crl_url, issuer_url = addresses(leaf)
            async with httpx.AsyncClient(trust_env=False) as client:
                crl = await client.get(crl_url)
                issuer = await client.get(issuer_url)
                intermediate = x509.load_der_x509_certificate(issuer.content)
                root_crl_url, root_url = addresses(intermediate)
                root = await client.get(root_url)
                root_crl = await client.get(root_crl_url)
                absent = await client.get(igc.url + "/CRL/autre.crl")
        finally:
            await igc.stop()
        assert crl.headers["content-type"] == "application/pkix-crl"
        anchor = x509.load_der_x509_certificate(root.content)
        crls = [x509.load_der_x509_crl(crl.content), x509.load_der_x509_crl(root_crl.content)]
        verify_chain(leaf, [intermediate], [anchor], datetime.now(UTC), crls)
        assert absent.status_code == 404

    asyncio.run(scenario())
    assert [exchange.transaction for exchange in seen] == ["CRL", "AC", "AC", "CRL", ""]
    assert {exchange.actor for exchange in seen} == {"igc"}
    assert {exchange.outcome for exchange in seen} == {Outcome.ANSWERED}
    assert all(exchange.tls is None for exchange in seen)


def addresses(certificate: x509.Certificate) -> tuple[str, str]:
    points = certificate.extensions.get_extension_for_class(x509.CRLDistributionPoints).value
    access = certificate.extensions.get_extension_for_class(x509.AuthorityInformationAccess).value
    method = AuthorityInformationAccessOID.CA_ISSUERS
    issuers = [one.access_location.value for one in access if one.access_method == method]
    names = points[0].full_name
    assert names is not None
    return str(names[0].value), str(issuers[0])


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("perimee", ChainFault.CRL_STALE),
        ("future", ChainFault.CRL_STALE),
        ("sosie", ChainFault.CRL_MISSING),
        ("alteree", ChainFault.CRL_MISSING),
    ],
)
def test_a_list_can_be_wrong_in_one_thing(kind: str, expected: ChainFault) -> None:
    async def scenario() -> tuple[Pki, bytes, bytes]:
        igc = await service.start(clock=lambda: datetime.now(UTC), observe=lambda _: None)
        try:
            igc.faults.set(kind, CRL, times=1)
            async with httpx.AsyncClient(trust_env=False) as client:
                wrong = await client.get(igc.pki.crl_url)
                right = await client.get(igc.pki.crl_url)
        finally:
            await igc.stop()
        return igc.pki, wrong.content, right.content

    pki, wrong, right = asyncio.run(scenario())
    leaf = pki.auth_cli("x", "1", key=pki.throwaway_key)

    def verify(data: bytes) -> None:
        crls = [x509.load_der_x509_crl(data)]
        verify_chain(leaf.certificate, leaf.chain, [pki.igc_root], datetime.now(UTC), crls)

    verify(right)
    with pytest.raises(ChainError) as caught:
        verify(wrong)
    assert caught.value.kind is expected


def test_a_list_can_have_no_end_to_read_or_to_find() -> None:
    async def scenario() -> tuple[Pki, bytes, list[str]]:
        igc = await service.start(clock=lambda: datetime.now(UTC), observe=lambda _: None)
        turns = []
        try:
            async with httpx.AsyncClient(trust_env=False) as client:
                igc.faults.set("enorme", CRL, {"mio": 2}, times=1)
                huge = (await client.get(igc.pki.crl_url)).content
                igc.faults.set("boucle", CRL, times=3)
                url = igc.pki.crl_url
                for _ in range(3):
                    answer = await client.get(url)
                    url = str(answer.url.join(answer.headers["Location"]))
                    turns.append(url)
        finally:
            await igc.stop()
        return igc.pki, huge, turns

    pki, huge, turns = asyncio.run(scenario())
    right = pki.crl()
    assert huge == right + bytes(2 << 20)
    assert turns == [f"{pki.crl_url}?tour={turn}" for turn in (1, 2, 3)]
