"""WADO-RS over a series that comes: waiting, forms, what is refused and why."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from starlette.responses import Response

from drimbox_ref.codecs import ENCODED, Pixels
from drimbox_ref.viewer.dicomweb import DicomWeb
from protocols.dicom import split_part10
from protocols.dicom.pixels import encapsulated, pixel_layout
from protocols.multipart import Parser, PartBegin, PartData, boundary_of
from tests.drimbox_ref.viewer.coming import Coming, Stored
from tests.drimbox_ref.viewer.datasets import colour, grey, part10
from validators.api import validate
from validators.context import Context

pytestmark = pytest.mark.anyio

JPEG_LS = "1.2.840.10008.1.2.4.80"
JPEG = "1.2.840.10008.1.2.4.50"
EXPLICIT = "1.2.840.10008.1.2.1"
IMPLICIT = "1.2.840.10008.1.2"
ANY = 'multipart/related; type="application/octet-stream"; transfer-syntax="*"'
VALUES = np.arange(64 * 32, dtype="<u2").reshape(64, 32) % 4000


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def dicomweb() -> DicomWeb:
    return DicomWeb(status_of=lambda failure: 410)


@pytest.fixture
def stored(tmp_path: Path) -> Callable[..., Stored]:
    def make(file: bytes) -> Stored:
        uid = split_part10(file).sop_instance
        path = tmp_path / f"{uid}.dcm"
        path.write_bytes(file)
        return Stored(path, uid)

    return make


def whole(*images: Stored) -> Coming:
    series = Coming(len(images), list(images))
    series.end()
    return series


def compressed(dataset: Any, syntax: str, *, uid: str) -> bytes:
    """The same image in another transfer syntax, its pixels in one fragment."""
    plain = split_part10(part10(dataset, uid=uid))
    layout = pixel_layout(plain.dataset, transfer_syntax=plain.transfer_syntax)
    assert layout is not None
    values = np.frombuffer(dataset.PixelData, dtype=f"u{layout.allocated // 8}")
    values = values.reshape(layout.rows, layout.columns, layout.samples)
    stream, photometric = ENCODED[syntax](Pixels(values, layout.photometric), layout)
    dataset.PhotometricInterpretation = photometric
    dataset.PixelData = encapsulated([stream])[12:]
    dataset["PixelData"].is_undefined_length = True
    return part10(dataset, uid=uid, syntax=syntax)


def message(answer: Response) -> str:
    text: str = json.loads(bytes(answer.body))["message"]
    return text


def parts(answer: Response) -> list[tuple[str, bytes]]:
    """Content-Type and bytes of each part."""
    parser = Parser(boundary_of(answer.headers["content-type"]))
    found: list[tuple[str, bytes]] = []
    for event in parser.feed(bytes(answer.body)):
        if isinstance(event, PartBegin):
            found.append((event.header("Content-Type"), b""))
        elif isinstance(event, PartData):
            found[-1] = (found[-1][0], found[-1][1] + event.data)
    assert parser.complete
    return found


async def test_metadata_waits_for_the_whole_series(
    dicomweb: DicomWeb, stored: Callable[..., Stored]
) -> None:
    series = Coming(2)
    asked = asyncio.create_task(dicomweb.metadata(series, root="/r"))
    series.come(stored(part10(grey(VALUES, PixelSpacing=["0.5", "0.5"]), uid="1.2.1")))
    await asyncio.sleep(0)
    assert not asked.done()
    table = bytes(range(256)) * 8
    series.come(stored(part10(grey(VALUES, RedPaletteColorLookupTableData=table), uid="1.2.2")))
    series.end()
    answer = await asked
    assert answer.headers["content-type"] == "application/dicom+json"
    first, second = json.loads(bytes(answer.body))
    assert first["00280030"]["Value"] == [0.5, 0.5]
    assert first["00083002"]["Value"] == [EXPLICIT]
    assert "7FE00010" not in first
    uri = second["00281201"]["BulkDataURI"]
    assert uri == "/r/instances/1.2.2/bulkdata/00281201"
    bulk = await dicomweb.bulk(series, "1.2.2", "00281201")
    assert [body for _, body in parts(bulk)] == [table]
    assert (await dicomweb.bulk(series, "1.2.2", "00281202")).status_code == 404
    assert series.closed == 3


async def test_one_instance_is_answered_when_it_comes(
    dicomweb: DicomWeb, stored: Callable[..., Stored]
) -> None:
    series = Coming(3)
    header = asyncio.create_task(dicomweb.instance_metadata(series, "1.2.2", root="/r"))
    frame = asyncio.create_task(dicomweb.frames(series, "1.2.2", [1], [ANY]))
    series.come(stored(part10(grey(VALUES), uid="1.2.1")))
    await asyncio.sleep(0)
    assert not header.done()
    series.come(stored(part10(grey(VALUES), uid="1.2.2")))
    assert len(json.loads(bytes((await header).body))) == 1
    ((kind, body),) = parts(await frame)
    assert kind == f"application/octet-stream; transfer-syntax={EXPLICIT}"
    assert body == VALUES.tobytes()


async def test_a_compressed_frame_leaves_as_it_came_when_the_viewer_decodes_it(
    dicomweb: DicomWeb, stored: Callable[..., Stored]
) -> None:
    file = compressed(grey(VALUES), JPEG_LS, uid="1.2.3")
    series = whole(stored(file))
    for accept in ([ANY], [], ["*/*"], ['multipart/related; type="image/jls"']):
        ((kind, body),) = parts(await dicomweb.frames(series, "1.2.3", [1], accept))
        assert kind == f"image/jls; transfer-syntax={JPEG_LS}"
        assert body.rstrip(b"\0") in file
    plain = 'multipart/related; type="application/octet-stream"'
    for accept in ([plain], [f"{plain}; transfer-syntax={EXPLICIT}, {ANY}; q=0.5"]):
        ((kind, body),) = parts(await dicomweb.frames(series, "1.2.3", [1], accept))
        assert kind == f"application/octet-stream; transfer-syntax={EXPLICIT}"
        assert body == VALUES.tobytes()


async def test_frames_are_those_asked_for(
    dicomweb: DicomWeb, stored: Callable[..., Stored]
) -> None:
    cine = np.stack([np.full((4, 4), value, "<u2") for value in (1, 2, 3)])
    series = whole(stored(part10(grey(cine), uid="1.2.3")))
    answer = await dicomweb.frames(series, "1.2.3", [3, 1], [ANY])
    assert [body for _, body in parts(answer)] == [cine[2].tobytes(), cine[0].tobytes()]
    for numbers in ([4], [0], [1, 4]):
        refused = await dicomweb.frames(series, "1.2.3", numbers, [ANY])
        assert (refused.status_code, message(refused)) == (404, "Cet objet a 3 vue(s).")


async def test_what_the_metadata_would_contradict_is_refused(
    dicomweb: DicomWeb, stored: Callable[..., Stored]
) -> None:
    dataset = colour(np.full((32, 32, 3), 80, dtype="u1"))
    series = whole(stored(compressed(dataset, JPEG, uid="1.2.4")))
    plain = [f'multipart/related; type="application/octet-stream"; transfer-syntax={EXPLICIT}']
    refused = await dicomweb.frames(series, "1.2.4", [1], plain)
    assert refused.status_code == 406
    assert "YBR_FULL_422" in message(refused)
    ((kind, _),) = parts(await dicomweb.frames(series, "1.2.4", [1], [ANY]))
    assert kind == f"image/jpeg; transfer-syntax={JPEG}"


@pytest.mark.parametrize(
    ("accept", "status"),
    [("image/png", 406), (f"{ANY}; q=0", 406), ("multipart/related; q=x", 400), ('a/b; x="', 400)],
)
async def test_what_cannot_be_given(
    dicomweb: DicomWeb, stored: Callable[..., Stored], accept: str, status: int
) -> None:
    series = whole(stored(part10(grey(VALUES), uid="1.2.3")))
    assert (await dicomweb.frames(series, "1.2.3", [1], [accept])).status_code == status
    assert series.closed == 1


async def test_a_failed_series_says_why(dicomweb: DicomWeb) -> None:
    series = Coming(2)
    series.end(ValueError("ces images ne sont plus disponibles"))
    for answer in (
        await dicomweb.metadata(series, root="/r"),
        await dicomweb.frames(series, "1.2.3", [1], [ANY]),
        await dicomweb.bulk(series, "1.2.3", "00281201"),
    ):
        assert (answer.status_code, message(answer)) == (
            410,
            "ces images ne sont plus disponibles",
        )
    assert series.closed == 3


async def test_nothing_of_another_patient(
    dicomweb: DicomWeb, stored: Callable[..., Stored]
) -> None:
    """The series was erased when an image proved to be another patient's."""
    series = Coming(2, [stored(part10(grey(VALUES), uid="1.2.1"))])
    series.images.clear()
    series.end(ValueError("Alerte d'identité"))
    assert (await dicomweb.frames(series, "1.2.1", [1], [ANY])).status_code == 410


async def test_the_rules_of_wado_find_nothing_to_say(
    dicomweb: DicomWeb, stored: Callable[..., Stored]
) -> None:
    root = "/dicomweb/studies/1.2.9/series/1.2.8"
    whose = {"StudyInstanceUID": "1.2.9", "SeriesInstanceUID": "1.2.8", "Modality": "CT"}
    series = whole(
        stored(part10(grey(VALUES, **whose), uid="1.2.1")),
        stored(compressed(grey(VALUES, **whose), JPEG_LS, uid="1.2.2")),
    )
    answers = {
        f"{root}/metadata": await dicomweb.metadata(series, root=root),
        f"{root}/instances/1.2.1/frames/1": await dicomweb.frames(series, "1.2.1", [1], [ANY]),
        f"{root}/instances/1.2.2/frames/1": await dicomweb.frames(series, "1.2.2", [1], [ANY]),
    }
    for target, answer in answers.items():
        head = b"".join(name + b": " + value + b"\r\n" for name, value in answer.raw_headers)
        sent = b"HTTP/1.1 200 OK\r\n" + head + b"\r\n" + bytes(answer.body)
        result = validate(sent, "wado-response", context=Context(target=target, study_uid="1.2.9"))
        assert [(one.rule, one.message) for one in result.findings] == []


async def test_a_wait_has_an_end() -> None:
    impatient = DicomWeb(status_of=lambda failure: 500, patience_s=0)
    for answer in (
        await impatient.metadata(Coming(1), root="/r"),
        await impatient.instance_metadata(Coming(1), "1.2", root="/r"),
    ):
        assert answer.status_code == 504


async def test_what_is_not_there_and_what_is_not_an_image(
    dicomweb: DicomWeb, stored: Callable[..., Stored], tmp_path: Path
) -> None:
    report = grey(VALUES)
    for keyword in ("Rows", "Columns", "PixelData"):
        delattr(report, keyword)
    damaged = tmp_path / "damaged"
    damaged.write_bytes(bytes(128) + b"DICM" + b"\xff" * 40)
    series = whole(
        stored(part10(report, uid="1.2.5")),
        Stored(damaged, "1.2.6"),
        Stored(tmp_path / "gone", "1.2.7"),
    )
    expected = {"1.2.5": 404, "1.2.6": 502, "1.2.7": 410, "1.2.8": 404}
    for uid, status in expected.items():
        answer = await dicomweb.frames(series, uid, [1], [ANY])
        assert (uid, answer.status_code) == (uid, status)
        assert answer.headers["cache-control"] == "no-store"
