"""The façade: order of arrival, memory, what fails and what goes on."""

from __future__ import annotations

import asyncio
import json
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from drimbox_ref.viewer.facade import Facade
from drimbox_ref.viewer.ports import Arriving
from protocols.dicom import split_part10
from simulators.modality import exam as modality
from simulators.modality import images
from tests.drimbox_ref.viewer.coming import Coming, Stored
from wire.http_client import HttpClient
from wire.http_server import serve_http

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def files(tmp_path: Path) -> list[Stored]:
    """Five slices, not in the order of their numbers."""
    made = modality.Exam(
        patient=modality.Patient(name="PAT^A", patient_id="1"),
        study_uid="1.2.3",
        series=(modality.Series(count=5),),
        matrix=16,
    )
    stored = []
    for number, file in enumerate(images.make(made)):
        path = tmp_path / f"{number}.dcm"
        path.write_bytes(file)
        stored.append(Stored(path, split_part10(file).sop_instance))
    return [stored[index] for index in (3, 0, 4, 1, 2)]


def whole(files: Sequence[Stored], failure: Exception | None = None) -> Coming:
    series = Coming(len(files), list(files))
    series.end(failure)
    return series


async def body_of(response: Response) -> bytes:
    """What a browser that reads everything gets."""
    sent = bytearray()

    async def send(message: Any) -> None:
        sent.extend(message.get("body", b""))

    async def receive() -> Any:
        await asyncio.Event().wait()

    await response({"type": "http", "asgi": {"spec_version": "2.4"}}, receive, send)
    return bytes(sent)


def read(body: bytes) -> list[tuple[dict[str, Any], bytes]]:
    found, position = [], 0
    while position < len(body):
        (size,) = struct.unpack_from("<I", body, position)
        head = json.loads(body[position + 4 : position + 4 + size])
        position += 4 + size
        pixels = body[position : position + head.get("bytes", 0)]
        position += len(pixels)
        found.append((head, pixels))
    return found


async def test_frames_come_in_the_order_of_arrival(files: list[Stored]) -> None:
    series = whole(files)
    records = read(await body_of(Facade().stream(series)))
    frames = [head for head, _ in records[:-1]]
    assert [head["sop"] for head in frames] == [one.sop_instance for one in files]
    assert [head["rank"] for head in frames] == [1, 2, 3, 4, 5]
    assert {head["total"] for head in frames} == {5}
    assert {len(pixels) for _, pixels in records[:-1]} == {16 * 16 * 2}
    assert records[-1][0]["type"] == "end"
    assert series.closed == 1


async def test_an_image_is_sent_before_the_next_one_comes(files: list[Stored]) -> None:
    series = Coming(2)
    response = Facade().stream(series)
    chunks = response.body_iterator  # type: ignore[attr-defined]
    series.come(files[0])
    head, _ = read(await anext(chunks))[0]
    pixels = await anext(chunks)
    assert (head["sop"], len(pixels), series.ended) == (files[0].sop_instance, 512, False)
    series.come(files[1])
    series.end()
    rest = read(b"".join([chunk async for chunk in chunks]))
    assert [one["type"] for one, _ in rest] == ["frame", "end"]


async def test_what_cannot_be_shown_is_said_and_the_others_follow(
    files: list[Stored], tmp_path: Path
) -> None:
    broken = tmp_path / "broken.dcm"
    broken.write_bytes(b"<html>")
    gone = Stored(tmp_path / "gone.dcm", "1.2")
    series = whole([files[0], Stored(broken, "1.1"), gone, files[1]])
    records = [head for head, _ in read(await body_of(Facade().stream(series)))]
    assert [head["type"] for head in records] == ["frame", "unshown", "unshown", "frame", "end"]
    assert "illisible" in records[1]["message"]


async def test_an_image_that_breaks_the_decoder_does_not_hide_the_others(
    files: list[Stored], monkeypatch: pytest.MonkeyPatch
) -> None:
    from drimbox_ref.viewer import images as viewer_images

    real = viewer_images.open_image

    def fragile(path: Path) -> viewer_images.OpenedImage:
        if path == files[1].path:
            raise MemoryError
        return real(path)

    monkeypatch.setattr(viewer_images, "open_image", fragile)
    records = [head for head, _ in read(await body_of(Facade().stream(whole(files[:3]))))]
    assert [head["type"] for head in records] == ["frame", "unshown", "frame", "end"]


async def test_why_a_series_is_not_whole_is_told(files: list[Stored]) -> None:
    series = whole(files[:2], RuntimeError("la Source a interrompu l'envoi"))
    records = [head for head, _ in read(await body_of(Facade().stream(series)))]
    assert [head["type"] for head in records] == ["frame", "frame", "failure", "end"]
    assert records[2] == {
        "type": "failure",
        "message": "la Source a interrompu l'envoi",
        "erased": False,
    }


async def test_images_of_somebody_else_are_erased(files: list[Stored]) -> None:
    series = Coming(5, list(files[:1]))
    chunks = Facade().stream(series).body_iterator  # type: ignore[attr-defined]
    await anext(chunks)
    series.images.clear()
    series.end(RuntimeError("identité"))
    await anext(chunks)
    rest = [head for head, _ in read(b"".join([chunk async for chunk in chunks]))]
    assert rest[0] == {"type": "failure", "message": "identité", "erased": True}


async def test_few_images_are_opened_ahead_of_a_slow_browser(
    files: list[Stored], monkeypatch: pytest.MonkeyPatch
) -> None:
    from drimbox_ref.viewer import images as viewer_images

    opened: list[Path] = []
    real = viewer_images.open_image

    def counted(path: Path) -> viewer_images.OpenedImage:
        opened.append(path)
        return real(path)

    monkeypatch.setattr(viewer_images, "open_image", counted)
    series = whole(files * 20)
    response = Facade().stream(series)
    chunks = response.body_iterator  # type: ignore[attr-defined]
    await anext(chunks)
    assert len(opened) <= 5
    await chunks.aclose()
    assert series.closed == 1


async def serve(series: Arriving, answer: str) -> tuple[Any, str]:
    facade = Facade()

    async def frame(request: Request) -> Response:
        where = request.path_params
        return await facade.frame(series, where["instance"], where["number"])

    async def metadata(request: Request) -> Response:
        return await facade.metadata(series)

    routes = [
        Route("/instances/{instance}/frames/{number:int}", frame),
        Route("/metadata", metadata),
    ]
    server = await serve_http(Starlette(routes=routes), actor="viewer")
    async with HttpClient(actor="test") as client:
        found = await client.request("GET", server.url + answer)
    await server.stop()
    return found, found.headers.get("content-type", "")


async def test_a_frame_is_given_again(files: list[Stored]) -> None:
    series = whole(files)
    (head, pixels), *_ = read(await body_of(Facade().stream(series)))
    found, kind = await serve(series, f"/instances/{head['sop']}/frames/1")
    assert (found.status, found.body) == (200, pixels)
    assert kind.startswith("application/octet-stream")


@pytest.mark.parametrize("path", ["/instances/9.9/frames/1", "/instances/{}/frames/2"])
async def test_a_frame_that_is_not_there(files: list[Stored], path: str) -> None:
    series = whole(files)
    found, _ = await serve(series, path.format(files[0].sop_instance))
    assert found.status == 404
    assert series.closed == 1


async def test_metadata_are_dicom_json(files: list[Stored]) -> None:
    found, kind = await serve(whole(files), "/metadata")
    models = json.loads(found.body)
    assert kind.startswith("application/dicom+json")
    assert [one["00080018"]["Value"][0] for one in models] == [one.sop_instance for one in files]
    assert "7FE00010" not in models[0]


async def test_metadata_of_a_series_that_failed(files: list[Stored]) -> None:
    found, _ = await serve(whole(files[:1], RuntimeError("coupé")), "/metadata")
    assert (found.status, json.loads(found.body)) == (502, {"message": "coupé"})
