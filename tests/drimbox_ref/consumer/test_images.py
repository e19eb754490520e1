"""Fetching a series: what is asked, and every answer of a Source that cannot be taken."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from drimbox_ref.consumer.images import PROFILES, WadoImages
from drimbox_ref.consumer.values import ExportFailed, Failure, Received, Use
from protocols.dicom import build_part10
from protocols.multipart import Writer
from tests.drimbox_ref.consumer.world import (
    CT,
    EXPLICIT,
    INS,
    STUDY,
    World,
    dataset,
    image,
    ins_item,
)
from wire.http_client import Headers, Interrupted, Unreachable

pytestmark = pytest.mark.anyio

TYPE = 'multipart/related; type="application/dicom"; boundary="b"'


@dataclass
class FakeAnswer:
    status: int = 200
    chunks: list[bytes] = field(default_factory=list)
    cut: bool = False
    content_type: str = TYPE

    extra: tuple[tuple[str, str], ...] = ()

    @property
    def headers(self) -> Headers:
        return Headers((("Content-Type", self.content_type), *self.extra))

    async def aiter(self) -> AsyncIterator[bytes]:
        for chunk in self.chunks:
            yield chunk
        if self.cut:
            raise Interrupted("cut")


@dataclass
class FakeClient:
    answer: FakeAnswer
    unreachable: Exception | None = None
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    @asynccontextmanager
    async def stream(self, method: str, url: str, *, headers: Any, **_: Any):
        self.asked.append((url, dict(headers)))
        if self.unreachable:
            raise self.unreachable
        yield self.answer


def body(*files: bytes, end: bool = True) -> list[bytes]:
    """A multipart answer in small chunks."""
    writer = Writer("b")
    data = b"".join(
        writer.begin_part((("Content-Type", "application/dicom"),)) + writer.data(one)
        for one in files
    )
    whole = data + (writer.end() if end else b"")
    return [whole[start : start + 100] for start in range(0, len(whole), 100)]


class Case:
    def __init__(self, world: World, tmp_path: Path, answer: FakeAnswer) -> None:
        self.client = FakeClient(answer)
        self.images = WadoImages(self.client)  # type: ignore[arg-type]
        self.exam = world.exam()
        self.into = tmp_path / "series"
        self.into.mkdir()
        self.got: list[Received] = []

    async def run(self, limit: int = 10**6) -> None:
        await self.images.retrieve(
            self.exam,
            self.exam.series[0],
            "the-token",
            use=Use.EXPORT,
            into=self.into,
            limit=limit,
            accept=self.got.append,
        )

    async def fails(self, failure: Failure, said: str, limit: int = 10**6) -> float | None:
        """What it says, and whether it is worth trying again."""
        with pytest.raises(ExportFailed) as caught:
            await self.run(limit)
        assert caught.value.failure is failure
        assert said in str(caught.value)
        return caught.value.again


@pytest.fixture
def files() -> list[bytes]:
    return [image(f"{STUDY}.1.{rank}", INS) for rank in (1, 2, 3)]


async def test_a_series_is_on_disk_part_by_part(world, tmp_path, files) -> None:
    case = Case(world, tmp_path, FakeAnswer(chunks=body(*files)))
    await case.run()
    assert [one.sop_instance for one in case.got] == [f"{STUDY}.1.{rank}" for rank in (1, 2, 3)]
    assert [one.path.read_bytes() for one in case.got] == files
    assert {one.sop_class for one in case.got} == {CT}
    ((url, headers),) = case.client.asked
    assert url == f"https://db4.drimbench.test/rs/studies/{STUDY}/series/{STUDY}.1"
    assert headers["Authorization"] == "Bearer the-token"
    assert headers["KOS-SOPInstanceUID"] == f"{STUDY}.999"
    assert headers["Accept"].count("transfer-syntax=") == 10


@pytest.mark.parametrize(
    ("status", "failure", "said"),
    [
        (401, Failure.TOKEN, "jeton"),
        (403, Failure.PROFESSION, "profession"),
        (404, Failure.RETRIEVAL, "404"),
        (406, Failure.RETRIEVAL, "406"),
        (410, Failure.RETRIEVAL, "410"),
        (500, Failure.RETRIEVAL, "500"),
        (204, Failure.RETRIEVAL, "204"),
        (302, Failure.RETRIEVAL, "302"),
    ],
)
async def test_refusals_are_told_apart(world, tmp_path, status, failure, said) -> None:
    answer = FakeAnswer(status=status, extra=(("Retry-After", "1"),))
    assert await Case(world, tmp_path, answer).fails(failure, said) is None


@pytest.mark.parametrize(
    ("written", "again"),
    [("7", 7), ("", None), ("Sun, 22 Nov 2026 21:00:00 GMT", None), ("-1", None), ("٣", None)],
)
async def test_a_source_that_is_overloaded_says_when(world, tmp_path, written, again) -> None:
    answer = FakeAnswer(status=503, extra=(("Retry-After", written),))
    assert await Case(world, tmp_path, answer).fails(Failure.RETRIEVAL, "503") == again


@pytest.mark.parametrize(
    ("use", "first"),
    [
        (Use.VIEW, {"1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.51"}),
        (Use.EXPORT, {"1.2.840.10008.1.2.4.70"}),
        (Use.EXPORT_LOSSY, {"1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.51"}),
        (Use.EXPORT_UNCOMPRESSED, {EXPLICIT}),
    ],
)
def test_what_images_are_for_decides_what_is_preferred(use: Use, first: set[str]) -> None:
    profile = PROFILES[use]
    best = max(q for _, q in profile)
    assert {uid for uid, q in profile if q == best} == first
    assert len(profile) == 10
    assert all(0.1 <= q <= 1 for _, q in profile)


async def test_no_connection(world, tmp_path) -> None:
    case = Case(world, tmp_path, FakeAnswer())
    case.client.unreachable = Unreachable("refused")
    assert await case.fails(Failure.CONNECTION, "db4.drimbench.test") == 0
    case.client.unreachable = Unreachable("handshake", tls_reason="CERTIFICATE_VERIFY_FAILED")
    assert await case.fails(Failure.CONNECTION, "db4.drimbench.test") is None


async def test_a_cut_answer_is_no_series(world, tmp_path, files) -> None:
    case = Case(world, tmp_path, FakeAnswer(chunks=body(*files, end=False), cut=True))
    assert await case.fails(Failure.RETRIEVAL, "interrompu") == 0


async def test_an_answer_without_its_end_is_no_series(world, tmp_path, files) -> None:
    case = Case(world, tmp_path, FakeAnswer(chunks=body(*files, end=False)))
    await case.fails(Failure.RETRIEVAL, "illisible")


@pytest.mark.parametrize("content_type", ["text/html", "", "multipart/related"])
async def test_an_answer_of_another_kind(world, tmp_path, files, content_type) -> None:
    answer = FakeAnswer(chunks=body(*files), content_type=content_type)
    await Case(world, tmp_path, answer).fails(Failure.RETRIEVAL, "illisible")


async def test_parts_that_are_no_dicom(world, tmp_path) -> None:
    case = Case(world, tmp_path, FakeAnswer(chunks=body(b"<html>")))
    await case.fails(Failure.RETRIEVAL, "illisible")


async def test_a_syntax_that_was_not_asked_for(world, tmp_path) -> None:
    data = dataset("1.2.3", [ins_item(INS.value, INS.oid, implicit=True)], implicit=True)
    implicit = build_part10(
        sop_class=CT, sop_instance="1.2.3", transfer_syntax="1.2.840.10008.1.2", dataset=data
    )
    case = Case(world, tmp_path, FakeAnswer(chunks=body(implicit)))
    await case.fails(Failure.TRANSFER_SYNTAX, "1.2.840.10008.1.2")
    assert case.got == []


async def test_a_source_that_does_not_stop_is_stopped(world, tmp_path, files) -> None:
    case = Case(world, tmp_path, FakeAnswer(chunks=body(*files)))
    await case.fails(Failure.RETRIEVAL, "taille", limit=len(files[0]) + 10)
    assert len(case.got) == 1


async def test_what_the_caller_raises_stops_everything(world, tmp_path, files) -> None:
    case = Case(world, tmp_path, FakeAnswer(chunks=body(*files)))

    def refuse(image: Received) -> None:
        raise ExportFailed(Failure.IDENTITY, "non")

    with pytest.raises(ExportFailed, match="non"):
        await case.images.retrieve(
            case.exam,
            case.exam.series[0],
            "t",
            use=Use.EXPORT,
            into=case.into,
            limit=10**6,
            accept=refuse,
        )
    assert len(list(case.into.iterdir())) == 1
