"""WADO-RS: the Source against its PACS alone and nginx, the Consumer's client against curl.

The Source has no images of its own: each request is a C-MOVE to itself. What the PACS alone gives
`storescp` on the same images is what it can hope for; nginx sending a file made beforehand, over
mutual TLS too, is the practical limit of any server.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from pydicom.dataset import Dataset

from bench.bed import Bed
from load.benchmarks.measure import Measure, Skipped, faster
from load.benchmarks.peers import (
    AbsentError,
    PeerError,
    answers,
    free_port,
    program,
    run_timed,
    started,
)
from load.benchmarks.workbench import PublishedSeries, workbench
from protocols.multipart import Parser, PartEnd, boundary_of
from spec.wado import KOS_HEADER
from wire.dimse import DimseClient, DimsePeer
from wire.exchange import ignore
from wire.http_client import HttpClient
from wire.tls import ClientTls

__all__ = ["IMAGES", "NAME", "run"]

NAME = "wado"
IMAGES = 200
_ROUNDS = 5
_BESIDE_PACS, _BESIDE_CURL, _FIRST = 0.7, 0.6, 0.1
_UNIT = "Mo/s"
_STORESCP = "STORESCP"
_BOUNDARY = "bench"


def run(*, rounds: int = _ROUNDS, images: int = IMAGES) -> list[Measure | Skipped]:
    """Measure what the programs on this machine allow.

    Raises:
        PeerError: one of them fails, or a series does not come whole.
    """
    lines: list[Measure | Skipped] = []
    try:
        curl = program("curl", "curl")
    except AbsentError as absent:
        return [Skipped(benchmark=NAME, name="WADO-RS", reason=str(absent))]
    with workbench() as bench, ExitStack() as stack:
        bed, series = bench.bed, bench.publish(images)
        size = sum(len(one.file()) for one in bed.pacs.instances(series.exam.study_uid)) / 1e6
        source = _Served.of_source(bed, series)
        mine = partial(source.by_curl, curl)
        title = f"Source, {images} CT, mTLS, sans cache"
        try:
            alone = stack.enter_context(_alone(bed, series))
            lines.append(
                faster(
                    NAME, title, "le PACS seul, vers storescp", mine, alone,
                    amount=size, unit=_UNIT, rounds=rounds, floor=_BESIDE_PACS,
                )
            )  # fmt: skip
        except AbsentError as absent:
            lines.append(Skipped(benchmark=NAME, name=title, reason=str(absent)))
        lines.append(_first_image(source, images, rounds))
        try:
            limit = stack.enter_context(_nginx(bed, series))
        except AbsentError as absent:
            title = "Source et client de la Consommatrice, face à nginx"
            return [*lines, Skipped(benchmark=NAME, name=title, reason=str(absent))]
        ready = partial(limit.by_curl, curl)
        lines.append(
            faster(
                NAME, title, "nginx, fichier préparé, mTLS", mine, ready,
                amount=size, unit=_UNIT, rounds=rounds, floor=None,
            )
        )  # fmt: skip
        lines.append(
            faster(
                NAME, "client de la Consommatrice, mTLS", "curl, vers /dev/null",
                lambda: limit.by_us(images)[1], ready,
                amount=size, unit=_UNIT, rounds=rounds, floor=_BESIDE_CURL,
            )
        )  # fmt: skip
    return lines


class _Served:
    """One multipart answer that a server gives over mutual TLS, and two ways to fetch it."""

    def __init__(self, bed: Bed, host: str, port: int, path: str, headers: dict[str, str]) -> None:
        self._host, self._port = host, port
        self._url = f"https://{host}:{port}{path}"
        self._headers = headers
        self._trust = bed.papers.market_trust
        self._papers = bed.papers.clients["peer"]

    @classmethod
    def of_source(cls, bed: Bed, series: PublishedSeries) -> _Served:
        """The published series, at the Source."""
        manners = series.imaging.good_manners()
        url = urlsplit(series.imaging.manifest.series()[0].retrieve_url or "")
        headers = {
            "Authorization": f"Bearer {manners.token}",
            KOS_HEADER: manners.kos_uid or "",
            "Accept": ", ".join(manners.accept),
        }
        port = int(bed.source["wado"].rpartition(":")[2])
        return cls(bed, url.hostname or "", port, url.path, headers)

    def by_curl(self, curl: str) -> float:
        """Seconds for curl to throw it away."""
        words = [curl, "--silent", "--show-error", "--fail", "--noproxy", "*", "-o", "/dev/null"]
        words += ["--cacert", str(self._trust), "--cert", str(self._papers.certificate)]
        words += ["--key", str(self._papers.key)]
        words += ["--resolve", f"{self._host}:{self._port}:127.0.0.1"]
        for name, value in self._headers.items():
            words += ["-H", f"{name}: {value}"]
        return run_timed([*words, self._url])

    def by_us(self, images: int) -> tuple[float, float]:
        """Seconds to the first image and to the end, by the Consumer's client, parts read.

        Raises:
            PeerError: it did not come whole.
        """
        return asyncio.run(self._fetched(images))

    async def _fetched(self, images: int) -> tuple[float, float]:
        tls = ClientTls(self._trust, self._papers.certificate, self._papers.key)
        where = {self._host: f"127.0.0.1:{self._port}"}
        begun, first, count = time.perf_counter(), 0.0, 0
        async with (
            HttpClient(actor="bench", tls=tls, connect_to=where) as client,
            client.stream("GET", self._url, headers=self._headers) as answer,
        ):
            if answer.status != 200:
                raise PeerError(f"réponse {answer.status} : {(await answer.read())[:500]!r}")
            parser = Parser(boundary_of(answer.headers.get("content-type")))
            async for chunk in answer.aiter():
                count += sum(isinstance(event, PartEnd) for event in parser.feed(chunk))
                if count and not first:
                    first = time.perf_counter() - begun
            parser.finish()
        if count != images:
            raise PeerError(f"{count} images reçues sur {images}")
        return first, time.perf_counter() - begun


def _first_image(source: _Served, images: int, rounds: int) -> Measure:
    taken = [source.by_us(images) for _ in range(rounds + 1)][1:]
    return Measure(
        benchmark=NAME,
        name=f"Source, première de {images} images",
        peer_name="le transfert entier",
        ours=statistics.median(first for first, _ in taken) * 1e3,
        peer=statistics.median(whole for _, whole in taken) * 1e3,
        ratio=statistics.median(first / whole for first, whole in taken),
        quiet_ratio=min(first for first, _ in taken) / min(whole for _, whole in taken),
        limit=_FIRST,
        unit="ms",
        runs=rounds,
    )


@contextmanager
def _alone(bed: Bed, series: PublishedSeries) -> Iterator[Callable[[], float]]:
    """One C-MOVE of the series by its PACS to a `storescp` that throws images away."""
    storescp, port = program("storescp", "dcmtk"), free_port()
    client = DimseClient("BENCH", actor="bench", observe=ignore, timeout=60)
    peer = DimsePeer(bed.pacs.host, bed.pacs.port, bed.pacs.ae_title)
    asked = Dataset()
    asked.QueryRetrieveLevel = "STUDY"
    asked.StudyInstanceUID = series.exam.study_uid

    def seconds() -> float:
        begun = time.perf_counter()
        result = client.move(peer, asked, destination=_STORESCP)
        if result.completed != series.exam.images:
            raise PeerError(f"{result.completed} images envoyées sur {series.exam.images}")
        return time.perf_counter() - begun

    words = [storescp, "--ignore", "+xa", str(port)]
    with started(words, lambda: answers(port), Path(bed.directory)):
        bed.pacs.add_destination(_STORESCP, "127.0.0.1", port)
        yield seconds


@contextmanager
def _nginx(bed: Bed, series: PublishedSeries) -> Iterator[_Served]:
    """The same images in one file that nginx sends, over mutual TLS."""
    found, port = program("nginx", "nginx"), free_port()
    folder = Path(bed.directory) / "nginx"
    (folder / "www").mkdir(parents=True)
    with (folder / "www" / "series").open("wb") as file:
        for one in bed.pacs.instances(series.exam.study_uid):
            data = one.file()
            head = f"Content-Type: application/dicom\r\nContent-Length: {len(data)}"
            file.write(f"--{_BOUNDARY}\r\n{head}\r\n\r\n".encode() + data + b"\r\n")
        file.write(f"--{_BOUNDARY}--\r\n".encode())
    host = bed.site.names.ans
    papers = bed.papers.servers[host]
    kind = f'multipart/related; type="application/dicom"; boundary={_BOUNDARY}'
    places = "".join(
        f"{what}_temp_path {folder}/{what};"
        for what in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (folder / "nginx.conf").write_text(
        f"daemon off; master_process off; pid {folder}/pid; error_log {folder}/error;"
        "events { worker_connections 64; }"
        f"http {{ access_log off; sendfile on; tcp_nopush on; {places} server {{"
        f" listen 127.0.0.1:{port} ssl; ssl_certificate {papers.certificate};"
        # A certificate is asked for and its key proven; nginx looks at no chain.
        f" ssl_certificate_key {papers.key}; ssl_verify_client optional_no_ca; root {folder}/www;"
        f" types {{ }} default_type '{kind}'; }} }}"
    )
    words = [found, "-p", str(folder), "-c", str(folder / "nginx.conf")]
    with started(words, lambda: answers(port), folder):
        yield _Served(bed, host, port, "/series", {})
