"""A small request to each HTTP service on a kept-alive connection, against a bare echo.

The peer answers over TLS where the service has TLS. A listener without TCP_NODELAY costs fifteen
times the echo or more; five is the limit.
"""

from __future__ import annotations

import base64
import statistics
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from urllib.parse import urlsplit

import tomli_w

from bench.bed import Bed
from bench.process import ChildBox
from load.benchmarks.kept_alive import Round, Target, play_rounds
from load.benchmarks.measure import Measure
from load.benchmarks.workbench import workbench
from spec.dmp import ServicePath
from spec.psc import CERTS, DISCOVERY

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
        played = play_rounds([*peers, *services], rounds=rounds, requests=requests)
    return [_measure(one, played, rounds * requests) for one in services]


def _measure(target: Target, played: dict[str, list[Round]], runs: int) -> Measure:
    peer = _TLS if target.trust else _PLAIN
    ours, theirs = played[target.name], played[peer]
    pairs = list(zip(ours, theirs, strict=True))
    return Measure(
        benchmark=NAME,
        name=target.name,
        peer_name=peer,
        ours=statistics.median(one.median for one in ours) * 1e6,
        peer=statistics.median(one.median for one in theirs) * 1e6,
        ratio=statistics.median(one.median / other.median for one, other in pairs),
        quiet_ratio=statistics.median(one.quiet / other.quiet for one, other in pairs),
        limit=LIMIT if target.limited else None,
        unit="µs",
        runs=runs,
    )


@contextmanager
def _echo(bed: Bed) -> Iterator[dict[str, str]]:
    """The echo as a child process: its addresses."""
    files = bed.papers.servers[bed.site.names.ans]
    config = bed.directory / "echo.toml"
    config.write_text(tomli_w.dumps({"certificate": str(files.certificate), "key": str(files.key)}))
    command = (sys.executable, "-m", "load.benchmarks.echo")
    options = ("--config", "{config}", "--ready", "{ready}")
    box = ChildBox("echo", (*command, *options), config, bed.directory)
    try:
        yield box.start()
    finally:
        box.stop()


def _services(bed: Bed) -> Iterator[Target]:
    names, trust = bed.site.names, str(bed.papers.market_trust)
    peer = bed.papers.clients["peer"]
    certificate, key = str(peer.certificate), str(peer.key)
    igc = urlsplit(bed.papers.pki.crl_url)
    psc = urlsplit(bed.psc.issuer)
    ans = urlsplit(bed.addresses().white_list)
    yield Target(name="igc, CRL", address=igc.netloc, host=igc.netloc, path=igc.path)
    yield Target(
        name="ans, liste blanche", address=ans.netloc, host=names.ans, path=ans.path, trust=trust
    )
    for what, path in (("découverte", DISCOVERY), ("JWKS", CERTS)):
        yield Target(
            name=f"psc, {what}",
            address=psc.netloc,
            host=names.psc,
            path=psc.path + path,
            trust=trust,
        )
    dmp = Target(
        name="dmp, chemin inconnu",
        address=urlsplit(bed.dmp.url).netloc,
        host=names.dmp,
        path="/rien",
        status=404,
        trust=trust,
        certificate=certificate,
        key=key,
    )
    yield dmp
    # XML read and written in a thread, and evidence of its own (the answer is never the same).
    yield replace(
        dmp,
        name="dmp, TD0.2 sans adressage (Fault)",
        path=ServicePath.PATIENTS,
        status=500,
        method="POST",
        headers=(("Content-Type", "application/soap+xml; charset=UTF-8"),),
        body=base64.b64encode(_ENVELOPE).decode(),
        limited=False,
    )
    yield Target(
        name="source, capacités",
        address=bed.source["wado"],
        host=names.source,
        path="/drimbox/rs",
        method="OPTIONS",
        trust=trust,
        certificate=certificate,
        key=key,
    )
    yield from _administration("source", bed.source["admin"])
    yield Target(
        name="consumer, accueil",
        address=bed.consumer["web"],
        host=names.consumer,
        path="/",
        trust=trust,
    )
    yield from _administration("consumer", bed.consumer["admin"])
    yield Target(
        name="voisin, ressource inconnue",
        address=bed.connect_to[names.neighbour],
        host=names.neighbour,
        path="/",
        status=404,
        trust=trust,
        certificate=certificate,
        key=key,
    )


def _administration(box: str, address: str) -> Iterator[Target]:
    """A view that does not exist costs the service alone; a view also costs a read in SQLite."""
    name = f"{box}, administration"
    yield Target(
        name=f"{name} (404)", address=address, host=address, path="/admin/rien", status=404
    )
    yield Target(
        name=f"{name} (lecture)",
        address=address,
        host=address,
        path="/admin/alerts",
        limited=False,
    )
