"""The viewer's page served over series of a test, without any box behind."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from drimbox_ref.viewer.facade import Facade
from drimbox_ref.viewer.page import ASSETS, Opening, ShownExam, ShownSeries, page
from protocols.dicom import split_part10
from tests.drimbox_ref.viewer.coming import Coming, Stored
from wire.http_server import HttpServer, serve_http


@dataclass
class Stage:
    """A server of one page: what it shows changes from test to test."""

    directory: Path
    exams: dict[str, dict[str, Coming]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    async def start(self) -> None:
        self.facade = Facade()
        self.server: HttpServer = await serve_http(
            Starlette(
                routes=[
                    Route("/", self.page),
                    Route("/alive", self.alive, methods=["POST"]),
                    Route("/assets/{name}", self.asset),
                    Route("/series/{exam}/{series}/stream", self.stream),
                    Route("/series/{exam}/{series}/instances/{sop}/frames/{n:int}", self.frame),
                ]
            ),
            actor="viewer",
        )

    async def stop(self) -> None:
        await self.server.stop(grace=0)

    def show(self, exams: dict[str, dict[str, Coming]]) -> str:
        """The address of a page on these exams: names of series, and how they come."""
        self.exams = exams
        self.asked.clear()
        return self.server.url + "/"

    def whole(self, files: list[bytes]) -> Coming:
        """A series that is there."""
        series = Coming(len(files), [self.stored(file) for file in files])
        series.end()
        return series

    def stored(self, file: bytes) -> Stored:
        uid = split_part10(file).sop_instance
        path = self.directory / f"{uid}-{hash(file) & 0xFFFFFFFF:x}.dcm"
        path.write_bytes(file)
        return Stored(path, uid)

    async def page(self, request: Request) -> Response:
        first = next(iter(self.exams))
        return page(
            Opening(
                patient="PAT-TROIS DOMINIQUE",
                traits=(("Nom de naissance", "PAT-TROIS"), ("Sexe", "F")),
                details=(("Matricule INS", "279035121518989"),),
                exams=tuple(
                    ShownExam(
                        key=exam,
                        title=exam,
                        date="20/11/2026",
                        origin="db4.drimbench.test",
                        series=tuple(
                            ShownSeries(
                                uid=name,
                                label=name,
                                modality="CT",
                                count=series.total,
                                address=f"/series/{exam}/{name}",
                            )
                            for name, series in held.items()
                        ),
                    )
                    for exam, held in self.exams.items()
                ),
                first=next(iter(self.exams[first])),
                exam=first,
                back="/",
                assets="/assets",
                alive="/alive",
            )
        )

    async def alive(self, request: Request) -> Response:
        self.asked.append("alive")
        return Response(status_code=204)

    async def asset(self, request: Request) -> Response:
        kind, data = ASSETS[request.path_params["name"]]
        return Response(data, headers={"Content-Type": kind})

    async def stream(self, request: Request) -> Response:
        where = request.path_params
        self.asked.append(where["series"])
        return self.facade.stream(self.exams[where["exam"]][where["series"]])

    async def frame(self, request: Request) -> Response:
        where = request.path_params
        series = self.exams[where["exam"]][where["series"]]
        self.asked.append(f"{where['sop']}/{where['n']}")
        return await self.facade.frame(series, where["sop"], where["n"])
