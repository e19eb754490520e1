"""A rude Source does what its menu says, each time, and is itself again once the fault is over."""

from __future__ import annotations

import asyncio
import gzip
import socket
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from protocols.dicom import build_part10, encode_element, split_part10
from protocols.errors import RemoteProtocolError
from protocols.multipart import Parser, PartData, PartEnd, boundary_of
from simulators.igc import Pki
from simulators.peer import Offer, PeerSource
from spec.dicom import EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN
from wire.exchange import Exchange, Outcome
from wire.http_client import HttpClient, HttpFailure, Response
from wire.http_faults import Shown
from wire.tls import ClientTls, ServerTls

T = TypeVar("T")

HOST, STUDY, SERIES = "db4.kit.test", "1.2.3", "1.2.3.1"
URL = f"https://{HOST}/drimbox/rs/studies/{STUDY}/series/{SERIES}"
CT = "1.2.840.10008.5.1.4.1.1.2"
UIDS = tuple(f"{SERIES}.{number}" for number in range(1, 4))


def _file(uid: str) -> bytes:
    elements = ((0x00080016, "UI", CT), (0x00080018, "UI", uid), (0x00100020, "LO", "IPP1"))
    dataset = b"".join(
        encode_element(tag, vr, text.encode() + b"\0" * (len(text) % 2), implicit=False)
        for tag, vr, text in elements
    )
    return build_part10(
        sop_class=CT, sop_instance=uid, transfer_syntax=EXPLICIT_VR_LITTLE_ENDIAN, dataset=dataset
    )


@dataclass(frozen=True)
class Papers:
    right: ServerTls
    wardrobe: dict[Shown, ServerTls]
    client: ClientTls


@pytest.fixture(scope="module")
def papers(tmp_path_factory: pytest.TempPathFactory) -> Papers:
    directory: Path = tmp_path_factory.mktemp("peer")
    pki = Pki.create(clock=lambda: datetime.now(UTC), crl_url="http://127.0.0.1:9/CRL/x.crl")
    trust, key = pki.write(directory), pki.throwaway_key
    files = pki.server(HOST, key=key).write(directory, "right")
    right = ServerTls(files.certificate, files.key, trust.igc_trust, "required")
    made = {
        Shown.OTHER_NAME: pki.server("db9.kit.test", key=key),
        Shown.OTHER_AUTHORITY: pki.server(HOST, issuer="igc", key=key),
        Shown.EXPIRED: pki.server(HOST, expired=True, key=key),
        Shown.SELF_SIGNED: pki.server(HOST, self_signed=True, key=key),
        Shown.CLIENT_ONLY: pki.server(HOST, client_only=True, key=key),
    }
    wardrobe = {}
    for name, credential in made.items():
        shown = credential.write(directory, name.value)
        wardrobe[name] = replace(right, certificate=shown.certificate, key=shown.key)
    own = pki.auth_cli("consommatrice", "318751275100020", key=key).write(directory, "own")
    client = ClientTls(trust.market_trust, own.certificate, own.key)
    return Papers(right, wardrobe, client)


@dataclass
class Bed:
    source: PeerSource
    address: str
    tls: ClientTls
    seen: list[Exchange]

    async def get(self) -> Response:
        """On a connection of its own."""
        client = HttpClient(actor="test", tls=self.tls, connect_to={HOST: self.address})
        async with client:
            return await client.request("GET", URL)


@pytest.fixture
def play(papers: Papers) -> Callable[[Callable[[Bed], Awaitable[T]]], T]:
    """Run a coroutine function against a Source that serves three images."""

    async def run(test: Callable[[Bed], Awaitable[T]]) -> T:
        source, seen = PeerSource(elsewhere="db9.kit.test"), list[Exchange]()
        source.offer(
            Offer(
                study_uid=STUDY, kos_uid="1.2.3.9", ins="279035121518989",
                ins_oid="1.2.250.1.213.1.4.10", series={SERIES: tuple(map(_file, UIDS))},
            )
        )  # fmt: skip
        address = await source.start(
            observe=seen.append, tls=papers.right, wardrobe=papers.wardrobe
        )
        try:
            return await test(Bed(source, address, papers.client, seen))
        finally:
            await source.stop()

    return lambda test: asyncio.run(run(test))


Play = Callable[[Callable[[Bed], Awaitable[T]]], T]


def images_of(answer: Response, body: bytes | None = None) -> list[bytes]:
    """The files of a multipart answer.

    Raises:
        RemoteProtocolError: it is none, or it has no end.
    """
    parser, files, file = Parser(boundary_of(answer.headers.get("Content-Type"))), [], bytearray()
    for event in parser.feed(answer.body if body is None else body):
        match event:
            case PartData():
                file += event.data
            case PartEnd():
                files.append(bytes(file))
                file.clear()
    parser.finish()
    return files


def uids_of(answer: Response) -> list[str]:
    """The SOPInstanceUIDs of an answer, in its order."""
    return [split_part10(file).sop_instance for file in images_of(answer)]


def under(play: Play[Response], kind: str, **values: str | int) -> Response:
    """The answer under a fault; the next one is right."""

    async def test(bed: Bed) -> Response:
        bed.source.faults.set(kind, "WADO-RS", values, times=1)
        answer = await bed.get()
        assert uids_of(await bed.get()) == list(UIDS)
        return answer

    return play(test)


def test_without_a_fault_the_series_is_whole_and_bears_the_ins(play: Play[Response]) -> None:
    answer = play(lambda bed: bed.get())
    assert uids_of(answer) == list(UIDS)
    assert all(b"279035121518989" in file for file in images_of(answer))


def shown_by(address: str, tls: ClientTls) -> x509.Certificate:
    """What a client that verifies nothing is shown."""
    host, _, port = address.rpartition(":")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    assert tls.certificate is not None
    context.load_cert_chain(tls.certificate, tls.key)
    with (
        socket.create_connection((host, int(port))) as clear,
        context.wrap_socket(clear, server_hostname=HOST) as session,
    ):
        der = session.getpeercert(binary_form=True)
    assert der is not None
    return x509.load_der_x509_certificate(der)


@pytest.mark.parametrize("shown", Shown)
def test_each_wrong_certificate_is_refused_and_is_wrong_in_one_thing(
    shown: Shown, play: Play[x509.Certificate]
) -> None:
    async def test(bed: Bed) -> x509.Certificate:
        bed.source.faults.set("certificat", "TLS", montre=shown.value)
        with pytest.raises(HttpFailure) as refused:
            await bed.get()
        assert refused.value.tls_reason == "CERTIFICATE_VERIFY_FAILED"
        assert bed.seen[-1].protocol == "TLS"
        certificate = await asyncio.to_thread(shown_by, bed.address, bed.tls)
        bed.source.faults.clear()
        assert uids_of(await bed.get()) == list(UIDS)
        return certificate

    one = play(test)
    names = one.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    usages = one.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    wrong = {
        Shown.OTHER_NAME: HOST not in names.get_values_for_type(x509.DNSName),
        Shown.EXPIRED: one.not_valid_after_utc < datetime.now(UTC),
        Shown.SELF_SIGNED: one.issuer == one.subject,
        Shown.OTHER_AUTHORITY: "ORGANISATIONS" in one.issuer.rfc4514_string().upper(),
        Shown.CLIENT_ONLY: ExtendedKeyUsageOID.SERVER_AUTH not in usages,
    }
    assert [name for name, is_wrong in wrong.items() if is_wrong] == [shown]


@pytest.mark.parametrize(
    ("where", "location"),
    [
        ("meme-hote", f"/encore/drimbox/rs/studies/{STUDY}/series/{SERIES}"),
        ("autre-hote", URL.replace(HOST, "db9.kit.test")),
        ("http", URL.replace("https", "http")),
    ],
)
def test_redirections(where: str, location: str, play: Play[Response]) -> None:
    answer = under(play, "redirection", vers=where)
    assert (answer.status, answer.headers.get("location"), answer.body) == (307, location, b"")


def test_statuses(play: Play[Response]) -> None:
    answer = under(play, "http", code=503, apres=7)
    assert (answer.status, answer.headers.get("retry-after")) == (503, "7")
    assert "retry-after" not in under(play, "http", code=403).headers


@pytest.mark.parametrize(
    ("kind", "values"),
    [("tronquee", {}), ("frontiere", {"annonce": "autre"}), ("frontiere", {"annonce": "absente"})],
)
def test_what_cannot_be_read(kind: str, values: dict[str, str], play: Play[Response]) -> None:
    answer = under(play, kind, **values)
    assert answer.status == 200
    with pytest.raises(RemoteProtocolError):
        images_of(answer)


def test_pages_that_were_not_asked_for(play: Play[Response]) -> None:
    answer = under(play, "type", nom="application/json")
    assert answer.headers.get("content-type").startswith("application/json")


def test_more_fewer_and_twice_the_same(play: Play[Response]) -> None:
    assert uids_of(under(play, "manquante")) == list(UIDS[:-1])
    assert uids_of(under(play, "double")) == [uid for uid in UIDS for _ in range(2)]
    more = images_of(under(play, "en-trop"))
    last = split_part10(more[-1])
    assert len(more) == 4
    assert last.sop_instance not in UIDS
    assert last.sop_instance.encode() in last.dataset


def test_another_syntax_and_another_class(play: Play[Response]) -> None:
    for file in images_of(under(play, "syntaxe")):
        part = split_part10(file)
        assert part.transfer_syntax == IMPLICIT_VR_LITTLE_ENDIAN
        assert b"LO" not in part.dataset
    for file in images_of(under(play, "sop-class")):
        part = split_part10(file)
        assert part.sop_class != CT
        assert part.sop_class.encode() in part.dataset


def test_an_image_without_end_ends_when_nobody_reads(play: Play[None]) -> None:
    async def test(bed: Bed) -> None:
        bed.source.faults.set("sans-fin", "WADO-RS", mio=100_000, times=1)
        client = HttpClient(actor="test", tls=bed.tls, connect_to={HOST: bed.address})
        async with client, client.stream("GET", URL) as answer:
            got = 0
            async for chunk in answer.aiter():
                got += len(chunk)
                if got > 4 << 20:
                    break
        assert uids_of(await bed.get()) == list(UIDS)
        await bed.source.stop()
        assert bed.seen[0].outcome is Outcome.ABORTED

    play(test)


def test_a_bomb_is_a_thousand_times_larger_inside(play: Play[Response]) -> None:
    answer = under(play, "bombe", mio=16)
    assert answer.headers.get("content-encoding") == "gzip"
    opened = gzip.decompress(answer.body)
    assert len(opened) > 500 * len(answer.body)
    (image,) = images_of(answer, opened)
    assert len(image) > 16 << 20


@pytest.mark.parametrize(
    ("kind", "values"), [("fermeture", {}), ("en-tetes", {"mio": 1}), ("coupure", {"octets": 900})]
)
def test_no_whole_answer(kind: str, values: dict[str, int], play: Play[None]) -> None:
    async def test(bed: Bed) -> None:
        bed.source.faults.set(kind, "WADO-RS", values, times=1)
        with pytest.raises(HttpFailure) as failed:
            await bed.get()
        # Closed is what was seen; a refusal of the certificate it is not.
        assert failed.value.tls_reason in (None, "closed")
        assert uids_of(await bed.get()) == list(UIDS)

    play(test)
