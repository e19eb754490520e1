"""A small request to each HTTP service on a kept-alive connection, against a bare echo.

The peer answers over TLS where the service has TLS. A listener without TCP_NODELAY costs fifteen
times the echo or more; five is the limit.
"""

from __future__ import annotations

import base64
import json
import statistics
import sys
from collections.abc import Iterator

import tomli_w

from bench.bed import Bed
from bench.process import ChildBox
from load.benchmarks.kept_alive import Target, median_seconds
from load.benchmarks.measure import Measure
from load.benchmarks.workbench import workbench
from simulators.ans.service import WHITE_LIST_PATH
from simulators.igc import CredentialFiles
from simulators.igc.pki import CRL_PATH
from spec.dmp import ServicePath
from spec.psc import CERTS, DISCOVERY, REALM_PATH

__all__ = ["LIMIT", "NAME", "run"]

NAME = "small_requests"
LIMIT = 5.0
"""How many bare echoes a small request may cost."""

_ROUNDS = 9
_REQUESTS = 100
_PLAIN, _TLS = "écho asyncio en clair", "écho asyncio en TLS"
_ENVELOPE = (
    b'<?xml version="1.0" encoding="UTF-8"?>'
    b'<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Header/><s:Body/></s:Envelope>'
)
"""SOAP without addressing headers: what TD0.2 answers by a fault, on HTTP 500."""


def run(*, rounds: int = _ROUNDS, requests: int = _REQUESTS) -> list[Measure]:
    """Measure every service.

    Raises:
        load.benchmarks.kept_alive.TargetError: a service answers otherwise than it should.
    """
    with workbench() as bench, _echo(bench.bed) as echo:
        services = list(_services(bench.bed))
        host = bench.bed.site.names.ans
        trust = str(bench.bed.papers.market_trust)
        peers = [
            Target(name=_PLAIN, address=echo["plain"], host=host, path="/"),
            Target(name=_TLS, address=echo["tls"], host=host, path="/", trust=trust),
        ]
        medians = median_seconds([*peers, *services], rounds=rounds, requests=requests)
    return [_measure(one, medians, rounds * requests) for one in services]


def _measure(target: Target, medians: dict[str, list[float]], runs: int) -> Measure:
    peer = _TLS if target.trust else _PLAIN
    ours, theirs = medians[target.name], medians[peer]
    return Measure(
        benchmark=NAME,
        name=target.name,
        peer_name=peer,
        ours=statistics.median(ours) * 1e6,
        peer=statistics.median(theirs) * 1e6,
        ratio=statistics.median(a / b for a, b in zip(ours, theirs, strict=True)),
        limit=LIMIT,
        unit="µs",
        runs=runs,
    )


class _echo:  # noqa: N801 - reads as a function where it is used
    """The echo as a child process, between `with` and its end: its addresses."""

    def __init__(self, bed: Bed) -> None:
        files = bed.papers.servers[bed.site.names.ans]
        config = bed.directory / "echo.toml"
        config.write_text(
            tomli_w.dumps({"certificate": str(files.certificate), "key": str(files.key)})
        )
        command = (sys.executable, "-m", "load.benchmarks.echo")
        options = ("--config", "{config}", "--ready", "{ready}")
        self._box = ChildBox("echo", (*command, *options), config, bed.directory)

    def __enter__(self) -> dict[str, str]:
        return self._box.start()

    def __exit__(self, *_: object) -> None:
        self._box.stop()


def _services(bed: Bed) -> Iterator[Target]:
    names, trust = bed.site.names, str(bed.papers.market_trust)
    peer = bed.papers.clients["peer"]
    yield Target(name="igc : CRL", address=_address(bed.igc_url), host="igc", path=CRL_PATH)
