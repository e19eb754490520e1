"""Peak resident memory of the Source while it streams a short and a long series of CT images.

The body is thrown away as it comes. A Source that gathered a series would grow by half a megabyte
an image; one that streams does not grow.
"""

from __future__ import annotations

import statistics

from bench.process import ChildBox
from load.benchmarks.measure import Measure
from load.benchmarks.workbench import PublishedSeries, workbench
from protocols.multipart import Parser, PartEnd, boundary_of
from spec.wado import KOS_HEADER
from wire.http_client import HttpClient
from wire.tls import ClientTls

__all__ = ["LIMIT", "LONG", "NAME", "SHORT", "StreamingError", "run"]

NAME = "streaming_memory"
LIMIT = 1.2
"""Peak memory of the long series over that of the short one."""
SHORT, LONG = 100, 400
"""Images a series, of half a megabyte each."""

_ROUNDS = 2
_MIB = 1 << 20


class StreamingError(Exception):
    """The series did not come whole: its memory would mean nothing."""


def run(*, rounds: int = _ROUNDS, short: int = SHORT, long: int = LONG) -> list[Measure]:
    """Measure the Source; the first, uncounted, retrieval of the short series warms it.

    Raises:
        StreamingError: a series did not come whole.
    """
    with workbench() as bench:
        box = bench.bed.boxes["source"]
        small, large = bench.publish(short), bench.publish(long)
        _retrieve(small)
        peaks = [(_peak(box, small), _peak(box, large)) for _ in range(rounds)]
    return [
        Measure(
            benchmark=NAME,
            name=f"source, {long} images",
            peer_name=f"source, {short} images",
            ours=statistics.median(above for _, above in peaks) / _MIB,
            peer=statistics.median(below for below, _ in peaks) / _MIB,
            ratio=statistics.median(above / below for below, above in peaks),
            quiet_ratio=min(above / below for below, above in peaks),
            limit=LIMIT,
            unit="Mio",
            runs=rounds,
        )
    ]


def _peak(box: ChildBox, series: PublishedSeries) -> int:
    box.reset_peak_memory()
    _retrieve(series)
    return box.peak_memory()


def _retrieve(series: PublishedSeries) -> None:
    bed, manners = series.story.bed, series.imaging.good_manners()
    url = series.imaging.manifest.series()[0].retrieve_url or ""
    papers = bed.papers.clients["peer"]
    headers = [("Authorization", f"Bearer {manners.token}"), (KOS_HEADER, manners.kos_uid or "")]
    headers += [("Accept", value) for value in manners.accept]

    async def discard() -> int:
        tls = ClientTls(bed.papers.market_trust, papers.certificate, papers.key)
        async with (
            HttpClient(actor="pair", tls=tls, connect_to=bed.connect_to) as client,
            client.stream("GET", url, headers=headers) as answer,
        ):
            if answer.status != 200:
                raise StreamingError(f"réponse {answer.status} : {(await answer.read())[:500]!r}")
            parser = Parser(boundary_of(answer.headers.get("content-type")))
            count = 0
            async for chunk in answer.aiter():
                count += sum(isinstance(event, PartEnd) for event in parser.feed(chunk))
            parser.finish()
            return count

    came, planned = bed.call(discard), series.exam.images
    if came != planned:
        raise StreamingError(f"{came} images reçues sur {planned}")
