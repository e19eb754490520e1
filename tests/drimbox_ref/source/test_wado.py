"""WADO-RS without network: order of the checks, negotiation, answers that are cut."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest

from drimbox_ref.dmp import PeerUnavailable
from drimbox_ref.revocation import Standing
from drimbox_ref.source.access import AccessControl, AccessRequest, Granted, Refused
from drimbox_ref.source.negotiator import AcceptNegotiator
from drimbox_ref.source.storage import preferred
from drimbox_ref.source.transcoder import PixelTranscoder
from drimbox_ref.source.values import (
    Accepted,
    Denied,
    Representation,
    RetrievalFailed,
    StoredObject,
    TrustVerdict,
)
from drimbox_ref.source.wado import WadoService
from protocols.dicom import split_part10
from protocols.dicom.pixels import pixel_layout
from protocols.dicomweb import parse_path
from protocols.multipart import Parser, PartBegin, PartData, boundary_of
from protocols.oauth import thumbprint, thumbprint_in_hex
from tests.drimbox_ref.source.bed import image
from tests.drimbox_ref.source.test_publication import Box
from tests.drimbox_ref.source.world import STUDIES, World, found_study, oru

pytestmark = pytest.mark.anyio

STUDY = STUDIES[0]
SERIES = f"{STUDY}.1"
PATH = f"/studies/{STUDY}/series/{SERIES}"
EXPLICIT = "1.2.840.10008.1.2.1"
IMPLICIT = "1.2.840.10008.1.2"
JPEG_LS = "1.2.840.10008.1.2.4.80"
SV1 = "1.2.840.10008.1.2.4.70"
RLE = "1.2.840.10008.1.2.5"


def accept(syntax: str, q: str = "0.9") -> str:
    return f'multipart/related; type="application/dicom"; transfer-syntax={syntax}; q={q}'


def request(
    kos: str | None,
    *,
    path: str = PATH,
    authorization: Sequence[str] = ("Bearer abc.def",),
    accepts: Sequence[str] = (accept(EXPLICIT),),
    certificate: bytes | None = b"der",
) -> AccessRequest:
    headers = [("authorization", value) for value in authorization]
    headers += [("accept", value) for value in accepts]
    if kos is not None:
        headers.append(("kos-sopinstanceuid", kos))
    return AccessRequest(path=path, headers=tuple(headers), peer_certificate=certificate)


@pytest.fixture
async def published(world: World) -> str:
    """The KOS of the first study."""
    await Box(world).publish(oru())
    entry = world.parts.archive.current(STUDY)
    assert entry is not None
    return entry.kos_uid


async def decide(world: World, asked: AccessRequest) -> Granted | Refused:
    return await AccessControl(world.parts, professions=("10",)).decide(asked)


async def status(world: World, asked: AccessRequest) -> int:
    decision = await decide(world, asked)
    return decision.status if isinstance(decision, Refused) else 200


async def test_a_good_request_is_granted_what_the_kos_lists(world: World, published: str) -> None:
    granted = await decide(world, request(published))
    assert isinstance(granted, Granted)
    assert granted.served.instances == {f"{SERIES}.{number}" for number in (1, 2, 3)}
    assert world.tokens.seen == ["abc.def"]


async def test_a_peer_outside_the_list_never_reaches_psc(world: World, published: str) -> None:
    world.trust.verdict = TrustVerdict.UNLISTED
    assert await status(world, request(published)) == 403
    world.trust.verdict = TrustVerdict.NO_LIST
    assert await status(world, request(published)) == 503
    world.trust.verdict = TrustVerdict.LISTED
    assert await status(world, request(published, certificate=None)) == 403
    assert world.tokens.seen == []


@pytest.mark.parametrize(
    ("standing", "expected"),
    [
        (Standing.GOOD, 200),
        (Standing.REVOKED, 403),
        (Standing.BROKEN, 403),
        (Standing.UNKNOWN, 503),
    ],
)
async def test_a_certificate_is_looked_up_at_each_request(
    world: World, published: str, standing: Standing, expected: int
) -> None:
    world.revocation.standing = standing
    assert await status(world, request(published)) == expected
    assert bool(world.tokens.seen) == (standing is Standing.GOOD)


@pytest.mark.parametrize(
    ("authorization", "expected", "error"),
    [
        ((), 401, ""),
        (("Basic YTpi",), 401, ""),
        (("Bearer",), 400, "invalid_request"),
        (("Bearer\tabc",), 400, "invalid_request"),
        (("Bearer a", "Bearer b"), 400, "invalid_request"),
        (("Bearer a", "Basic b"), 400, "invalid_request"),
        (("Bearer a b",), 400, "invalid_request"),
        (("Bearer é",), 400, "invalid_request"),
        (("Bearer%20abc",), 400, "invalid_request"),
        (("Bearer " + "a" * 65_536,), 400, "invalid_request"),
    ],
)
async def test_bad_authorization_never_reaches_psc(
    world: World, published: str, authorization: tuple[str, ...], expected: int, error: str
) -> None:
    decision = await decide(world, request(published, authorization=authorization))
    assert isinstance(decision, Refused)
    assert decision.status == expected
    challenge = dict(decision.headers)["WWW-Authenticate"]
    assert challenge.startswith("Bearer")
    assert (f'error="{error}"' in challenge) if error else ("error=" not in challenge)
    assert world.tokens.seen == []


@pytest.mark.parametrize(
    ("binding", "bound_to", "granted"),
    [
        ("ignore", "n'importe quoi", True),
        ("rfc", None, True),
        ("rfc", thumbprint(b"der"), True),
        ("rfc", thumbprint_in_hex(b"der"), False),
        ("ans", thumbprint(b"der"), True),
        ("ans", thumbprint_in_hex(b"der"), True),
        ("ans", thumbprint(b"un autre"), False),
        ("ans", thumbprint(b"der").swapcase(), False),
        ("ans", thumbprint(b"der") + "=", False),
        ("ans", thumbprint(b"der")[:-1], False),
        ("ans", hashlib.sha256(b"der").hexdigest(), False),
        ("ans", "", False),
    ],
)
async def test_a_bound_token_is_for_whom_it_is_bound_to(
    world: World, published: str, binding: str, bound_to: str | None, granted: bool
) -> None:
    world.tokens.verdict = Accepted(subject="8997", professions=("10",), bound_to=bound_to)
    access = AccessControl(world.parts, professions=("10",), binding=binding)
    decision = await access.decide(request(published))
    assert isinstance(decision, Granted) is granted
    if isinstance(decision, Refused):
        assert (decision.status, decision.subject) == (401, "8997")
        assert 'error="invalid_token"' in dict(decision.headers)["WWW-Authenticate"]


async def test_the_scheme_is_case_insensitive(world: World, published: str) -> None:
    assert await status(world, request(published, authorization=("bearer abc",))) == 200


async def test_what_psc_says_decides(world: World, published: str) -> None:
    world.tokens.verdict = Denied(status=401, error="invalid_token", message="expiré")
    decision = await decide(world, request(published))
    assert isinstance(decision, Refused)
    assert 'error="invalid_token"' in dict(decision.headers)["WWW-Authenticate"]
    world.tokens.verdict = Denied(status=503, error="", message="PSC en panne")
    assert await status(world, request(published)) == 503
    world.tokens.verdict = Accepted(subject="x", professions=("21",))
    assert await status(world, request(published)) == 403
    world.tokens.verdict = Accepted(subject="x", professions=("21", "10"))
    assert await status(world, request(published)) == 200


async def test_the_kos_decides(world: World, published: str) -> None:
    assert await status(world, request(None)) == 400
    assert await status(world, request("1.2.3")) == 404
    assert await status(world, request(published, path="/studies/1.2/series/1.3")) == 404
    assert await status(world, request(published, path=f"/studies/{STUDY}/series/1.3")) == 404
    assert await status(world, request(published, path=f"{PATH}/instances/1.4")) == 404
    assert await status(world, request(published, path=f"{PATH}/rendered")) == 404
    assert (
        await status(world, request(published, path=f"{PATH}/instances/{SERIES}.1/frames/0")) == 404
    )
    assert await status(world, request(published, path=f"{PATH}/instances/{SERIES}.1")) == 200


async def test_a_replaced_kos_is_refused_with_its_reason(world: World, published: str) -> None:
    world.pacs.studies[STUDY] = found_study(instances=4)
    await Box(world).publish(oru(control_id="MSG-2"))
    decision = await decide(world, request(published))
    assert isinstance(decision, Refused)
    assert decision.status == 404
    assert "remplacé" in decision.message


async def test_a_depublished_kos_is_gone(world: World, published: str) -> None:
    await Box(world).publish(oru(control_id="MSG-2", control="CA", status="D"))
    assert await status(world, request(published)) == 410


@pytest.mark.parametrize(
    ("accepts", "expected"),
    [
        ((), 200),
        (("*/*",), 200),
        ((accept("*"),), 200),
        ((accept(EXPLICIT) + ",",), 200),
        ((accept(JPEG_LS) + ";boundary=**",), 200),
        (("image/jpeg",), 406),
        ((accept(EXPLICIT, "0"),), 406),
        (('multipart/related; type="image/jpeg"',), 406),
        ((accept(EXPLICIT, "2"),), 400),
        (("*/*;q=0",), 406),
        (("text/html, */*;q=0.1",), 200),
    ],
)
async def test_negotiation(
    world: World, published: str, accepts: tuple[str, ...], expected: int
) -> None:
    assert await status(world, request(published, accepts=accepts)) == expected


def syntaxes(path: str, *accepts: str) -> object:
    """What the negotiator reads."""
    found = AcceptNegotiator().read(parse_path(path), accepts)
    return found.status if isinstance(found, Denied) else found.syntaxes


def test_syntaxes_are_walked_by_decreasing_q() -> None:
    """In one line or several, a trailing comma and a proposed boundary notwithstanding."""
    lines = (accept(EXPLICIT, "0.4"), accept(JPEG_LS, "0.8") + ";boundary=**")
    assert syntaxes(PATH, *lines) == (JPEG_LS, EXPLICIT)
    assert syntaxes(PATH, ", ".join(lines) + ",") == (JPEG_LS, EXPLICIT)
    assert syntaxes(PATH, accept("*", "0.1"), accept(JPEG_LS, "0.9")) == (JPEG_LS, "*")
    assert syntaxes(PATH, "*/*") == (EXPLICIT,)


def test_what_has_no_weight_is_never_taken() -> None:
    found = AcceptNegotiator().read(parse_path(PATH), (accept("*"), accept(JPEG_LS, "0")))
    assert isinstance(found, Representation)
    assert found.takes(EXPLICIT)
    assert not found.takes(JPEG_LS)


def test_frames_and_metadata_have_media_types_of_their_own() -> None:
    frames = f"{PATH}/instances/{SERIES}.1/frames/1"
    octets = 'multipart/related; type="application/octet-stream"'
    assert syntaxes(frames) == (EXPLICIT,)
    assert syntaxes(frames, octets) == (EXPLICIT,)
    assert syntaxes(frames, 'multipart/related; type="image/jls"') == (JPEG_LS,)
    assert syntaxes(frames, f"{octets}; transfer-syntax={JPEG_LS}") == 406
    assert syntaxes(frames, accept(EXPLICIT)) == 406
    assert syntaxes(f"{PATH}/metadata", "application/dicom+json") == ()
    assert syntaxes(f"{PATH}/metadata", accept(EXPLICIT)) == 406


@pytest.mark.parametrize(
    ("proposed", "takers", "accepted"),
    [
        ((JPEG_LS, EXPLICIT, IMPLICIT), [(JPEG_LS, EXPLICIT)], [JPEG_LS, EXPLICIT, IMPLICIT]),
        ((JPEG_LS, EXPLICIT, IMPLICIT), [(EXPLICIT, JPEG_LS)], [EXPLICIT, IMPLICIT]),
        ((JPEG_LS, RLE), [(EXPLICIT, JPEG_LS)], [JPEG_LS]),
        ((RLE,), [(EXPLICIT, JPEG_LS)], [RLE]),
        ((RLE, IMPLICIT), [(JPEG_LS,)], [IMPLICIT]),
        ((RLE, JPEG_LS), [(JPEG_LS, RLE)], [JPEG_LS, RLE]),
        ((RLE, JPEG_LS), [("*",)], [RLE, JPEG_LS]),
        ((RLE, JPEG_LS), [()], [RLE, JPEG_LS]),
        ((RLE, JPEG_LS), [], [RLE, JPEG_LS]),
        ((RLE, JPEG_LS, EXPLICIT), [(RLE, EXPLICIT), (JPEG_LS, EXPLICIT)], [EXPLICIT]),
    ],
)
def test_the_pacs_is_left_what_clients_prefer(
    proposed: tuple[str, ...], takers: list[tuple[str, ...]], accepted: list[str]
) -> None:
    assert preferred(proposed, takers) == accepted


class Client:
    """What an ASGI client sees."""

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []
        self.answered = lambda: None

    async def get(self, service: WadoService, asked: AccessRequest) -> None:
        scope = {
            "type": "http",
            "method": "GET",
            "path": f"/drimbox/rs{asked.path}",
            "headers": [(name.encode(), value.encode("latin-1")) for name, value in asked.headers],
            "client": ("127.0.0.1", 1),
        }

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: dict[str, Any]) -> None:
            self.messages.append(message)
            self.answered()

        await service(scope, receive, send)

    @property
    def status(self) -> int:
        return int(self.messages[0]["status"])

    @property
    def ended(self) -> bool:
        return self.messages[-1].get("more_body") is False

    def bodies(self) -> list[bytes]:
        headers = dict(self.messages[0]["headers"])
        parser = Parser(boundary_of(headers[b"content-type"].decode()))
        found: list[bytearray] = []
        for message in self.messages[1:]:
            for event in parser.feed(message["body"]):
                if isinstance(event, PartBegin):
                    found.append(bytearray())
                elif isinstance(event, PartData):
                    found[-1].extend(event.data)
        return [bytes(one) for one in found]


def stored(number: int, *, syntax: str = EXPLICIT) -> StoredObject:
    part = split_part10(image(STUDY, 1, number))
    return StoredObject(
        sop_class=part.sop_class,
        sop_instance=f"{SERIES}.{number}",
        transfer_syntax=syntax,
        data=part.dataset,
    )


@pytest.fixture
def service(world: World, monkeypatch: pytest.MonkeyPatch) -> WadoService:
    monkeypatch.setattr("drimbox_ref.source.wado.peer_chain", lambda scope: (b"der",))
    # A disconnection watcher must not spin on our receive.
    monkeypatch.setattr("drimbox_ref.source.wado._disconnected", never)
    return WadoService(
        world.parts,
        public_url="https://db1.drimbench.test/drimbox/rs",
        professions=("10",),
        simultaneous=5,
        patience_s=5,
    )


async def never(receive: object) -> None:
    await asyncio.Event().wait()


async def test_images_are_streamed_as_parts(
    world: World, published: str, service: WadoService
) -> None:
    world.images.held = [stored(1), stored(2), stored(3)]
    client = Client()
    await client.get(service, request(published))
    assert (client.status, client.ended) == (200, True)
    assert len(client.bodies()) == 3
    assert all(split_part10(body).transfer_syntax == EXPLICIT for body in client.bodies())
    assert world.images.closed == 1


@pytest.mark.parametrize(
    ("end", "expected"),
    [
        (RetrievalFailed("rien", gone=True), 410),
        (RetrievalFailed("panne", gone=False), 502),
        (PeerUnavailable("PACS inconnu"), 502),
    ],
)
async def test_nothing_came(
    world: World, published: str, service: WadoService, end: Exception, expected: int
) -> None:
    world.images.end = end
    client = Client()
    await client.get(service, request(published))
    assert client.status == expected
    event = world.parts.audit.everything(1)[0]
    assert event["EventOutcomeIndicator"] == 8
    assert event["EventOutcomeDescription"]


async def test_a_short_answer_never_ends(
    world: World, published: str, service: WadoService
) -> None:
    world.images.held = [stored(1)]
    world.images.end = RetrievalFailed("2 manquent", gone=False)
    client = Client()
    await client.get(service, request(published))
    assert (client.status, client.ended) == (200, False)
    assert "incomplète" in str(world.parts.audit.everything(1)[0]["EventOutcomeDescription"])


MPEG4 = "1.2.840.10008.1.2.4.102"


async def test_images_in_a_syntax_not_taken(
    world: World, published: str, service: WadoService
) -> None:
    """MPEG passes as it is, or not at all."""
    world.images.held = [stored(1, syntax=MPEG4)]
    client = Client()
    await client.get(service, request(published))
    assert client.status == 406
    assert world.images.closed == 1
    client = Client()
    await client.get(service, request(published, accepts=(accept(MPEG4),)))
    assert client.status == 200
    assert split_part10(client.bodies()[0]).transfer_syntax == MPEG4


async def test_what_the_pacs_could_not_convert_is_transcoded(
    world: World, published: str, service: WadoService
) -> None:
    original = stored(1)
    world.images.held = [PixelTranscoder().transcode(original, (JPEG_LS,))]
    client = Client()
    await client.get(service, request(published, accepts=(accept(SV1, "0.9"), accept(EXPLICIT))))
    assert client.status == 200
    assert split_part10(client.bodies()[0]).transfer_syntax == SV1
    assert world.images.wanted[-1].syntaxes == (SV1, EXPLICIT)


async def test_metadata_are_json_without_pixels(
    world: World, published: str, service: WadoService
) -> None:
    world.images.held = [stored(1), stored(2)]
    client = Client()
    await client.get(service, request(published, path=f"{PATH}/metadata", accepts=()))
    assert dict(client.messages[0]["headers"])[b"content-type"] == b"application/dicom+json"
    listed = json.loads(b"".join(message.get("body", b"") for message in client.messages))
    assert [one["00080018"]["Value"] for one in listed] == [[f"{SERIES}.1"], [f"{SERIES}.2"]]
    assert not any("7FE00010" in one for one in listed)
    ins = [item["00100020"]["Value"] for item in listed[0]["00101002"]["Value"]]
    assert ins == [["279035121518989"]]


async def test_frames_are_pixels_alone(world: World, published: str, service: WadoService) -> None:
    world.images.held = [stored(1)]
    frames = f"{PATH}/instances/{SERIES}.1/frames"
    client = Client()
    await client.get(service, request(published, path=f"{frames}/1", accepts=()))
    assert client.status == 200
    layout = pixel_layout(stored(1).data, transfer_syntax=EXPLICIT)
    assert layout is not None
    assert [len(one) for one in client.bodies()] == [layout.frame_size]
    client = Client()
    await client.get(service, request(published, path=f"{frames}/2", accepts=()))
    assert client.status == 404


async def test_an_instance_that_left_the_pacs_is_not_found(
    world: World, published: str, service: WadoService
) -> None:
    """Rejected since, and still in an old KOS (XDS-I.b sources answer 404)."""
    world.images.end = RetrievalFailed("rien", gone=True)
    client = Client()
    await client.get(service, request(published, path=f"{PATH}/instances/{SERIES}.1"))
    assert client.status == 404


async def test_a_client_that_leaves_ends_the_transfer(
    world: World, published: str, service: WadoService, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the first image is still awaited."""
    left = asyncio.Event()

    async def leaves(receive: object) -> None:
        await left.wait()

    async def wait_for_ever() -> AsyncIterator[StoredObject]:
        left.set()
        await asyncio.Event().wait()
        yield stored(1)

    monkeypatch.setattr("drimbox_ref.source.wado._disconnected", leaves)
    monkeypatch.setattr("drimbox_ref.source.wado.abort", lambda scope: None)
    monkeypatch.setattr(world.images, "objects", wait_for_ever)
    client = Client()
    await asyncio.wait_for(client.get(service, request(published)), 5)
    assert client.messages == []
    assert world.images.closed == 1
    assert "fermé" in str(world.parts.audit.everything(1)[0]["EventOutcomeDescription"])


async def test_one_client_too_many_is_told_to_come_back(
    world: World, published: str, service: WadoService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "_patience_s", 0)
    held = asyncio.Event()

    async def slowly() -> AsyncIterator[StoredObject]:
        await held.wait()
        yield stored(1)

    monkeypatch.setattr(world.images, "objects", slowly)
    clients = [Client() for _ in range(6)]
    told = asyncio.Event()
    for client in clients:
        client.answered = told.set
    async with asyncio.TaskGroup() as group:
        for client in clients:
            group.create_task(client.get(service, request(published)))
        await told.wait()
        held.set()
    assert sorted(client.status for client in clients) == [200] * 5 + [503]
    (refused,) = [client for client in clients if client.status == 503]
    assert (b"retry-after", b"5") in refused.messages[0]["headers"]


async def test_no_token_reaches_audit_or_answers(
    world: World, published: str, service: WadoService
) -> None:
    world.tokens.verdict = Denied(status=401, error="invalid_token", message="non")
    client = Client()
    await client.get(service, request(published, authorization=("Bearer s3cr3t-token",)))
    assert b"s3cr3t" not in b"".join(message.get("body", b"") for message in client.messages)
    assert "s3cr3t" not in repr(world.parts.audit.everything(10))
