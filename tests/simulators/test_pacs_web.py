"""The simulated PACS by DICOMweb: what it is asked for, what it is given."""

from __future__ import annotations

import io
import json
from collections.abc import AsyncIterator
from typing import Any

import numpy as np
import pydicom
import pytest

from protocols import stow
from protocols.dicom import split_part10
from protocols.dicomweb import format_accept
from protocols.multipart import Parser, PartBegin, PartData, boundary_of
from simulators.modality import JPEG_LS_LOSSLESS, Exam, Patient, Series, make
from simulators.pacs import Pacs, PacsConfig, build
from wire.exchange import ignore
from wire.http_client import HttpClient, Response

pytestmark = pytest.mark.anyio

EXPLICIT = "1.2.840.10008.1.2.1"
EXAM = Exam(
    patient=Patient(name="PAT-TROIS^DOMINIQUE", patient_id="IPP-1"),
    study_uid="1.2.250.1.999.1.77",
    accession="ACC-77",
    series=(Series(modality="CT", count=3, transfer_syntax=JPEG_LS_LOSSLESS),),
    date="20261122",
    time="101500",
    matrix=32,
)
STUDY = EXAM.study_uid


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def pacs() -> Pacs:
    """It never listens by DIMSE."""
    made = build(PacsConfig(ae_title="KITPACS"), ignore)
    for file in make(EXAM):
        made.load(file)
    return made


@pytest.fixture
async def root(pacs: Pacs) -> AsyncIterator[str]:
    yield await pacs.start_web()
    await pacs.stop_web()


async def ask(method: str, url: str, **options: Any) -> Response:
    async with HttpClient(actor="test") as client:
        return await client.request(method, url, **options)


def files(response: Response) -> list[bytes]:
    parser = Parser(boundary_of(response.headers.get("Content-Type")))
    found: list[bytearray] = []
    for event in parser.feed(response.body):
        if isinstance(event, PartBegin):
            found.append(bytearray())
        elif isinstance(event, PartData):
            found[-1] += event.data
    parser.finish()
    return [bytes(one) for one in found]


def accepting(*weights: tuple[str, float]) -> list[tuple[str, str]]:
    return [("Accept", one) for one in format_accept(weights)]


async def test_searching(root: str) -> None:
    answer = await ask("GET", f"{root}/studies?AccessionNumber=ACC-77&includefield=StudyTime")
    (study,) = json.loads(answer.body)
    assert study["0020000D"]["Value"] == [STUDY]
    assert study["00201208"]["Value"] == [3]
    answer = await ask("GET", f"{root}/studies/{STUDY}/instances?limit=2")
    assert len(json.loads(answer.body)) == 2
    assert (await ask("GET", f"{root}/studies?PatientID=NOBODY")).status == 204
    assert (await ask("GET", f"{root}/studies?Nonsense=1")).status == 400


async def test_retrieving(root: str, pacs: Pacs) -> None:
    held = pacs.instances(STUDY)
    headers = accepting((JPEG_LS_LOSSLESS, 0.9), (EXPLICIT, 0.4))
    answer = await ask("GET", f"{root}/studies/{STUDY}", headers=headers)
    assert [split_part10(one).dataset for one in files(answer)] == [one.dataset() for one in held]
    one = held[0]
    url = f"{root}/studies/{STUDY}/series/{one.series_uid}/instances/{one.sop_instance}"
    answer = await ask("GET", url)
    (file,) = files(answer)
    there, here = (pydicom.dcmread(io.BytesIO(data)) for data in (file, one.file()))
    assert there.file_meta.TransferSyntaxUID == EXPLICIT
    assert np.array_equal(there.pixel_array, here.pixel_array)
    assert (await ask("GET", f"{root}/studies/1.2.3")).status == 404
    mpeg = accepting(("1.2.840.10008.1.2.4.102", 1.0))
    assert (await ask("GET", url, headers=mpeg)).status == 406
    listed = json.loads((await ask("GET", f"{url}/metadata")).body)
    assert listed[0]["00080018"]["Value"] == [one.sop_instance]
    assert "7FE00010" not in listed[0]


async def test_storing(root: str, pacs: Pacs) -> None:
    sent = [one.file() for one in pacs.instances(STUDY)]
    pacs.remove(study=STUDY)
    headers = [("Content-Type", stow.content_type("limite"))]
    body = b"".join(stow.body(sent[:2], "limite"))
    answer = await ask("POST", f"{root}/studies", headers=headers, content=body)
    assert (answer.status, len(stow.read_answer(answer.body).stored)) == (200, 2)
    assert pacs.count(STUDY) == 2
    mixed = b"".join(stow.body([sent[2], b"nothing"], "limite"))
    answer = await ask("POST", f"{root}/studies", headers=headers, content=mixed)
    assert answer.status == 202
    answer = await ask("POST", f"{root}/studies/1.2.3", headers=headers, content=body)
    assert answer.status == 409
    assert pacs.count() == 3
