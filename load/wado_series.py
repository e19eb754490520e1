"""`drimbench load wado-series`: one series, asked for by several professionals at once.

Box, world and load generator are three processes at least: whoever asks does not hold the lock of
whoever answers. The PACS of the bench lives in the bench's own process, and so does the tap.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import psutil

from bench.chaos import shape_of, tapped
from bench.errors import BenchError
from bench.pace import load_of_machine
from bench.profile import EMBEDDED, Load, Profile
from load.benchmarks.workbench import PublishedSeries, workbench
from load.transfers import FirstImage, Outcome, Transfer, judge
from spec.networks import NETWORKS
from spec.wado import KOS_HEADER
from wire.tap import Network

__all__ = ["Nothing", "Plan", "measure", "play"]

_TIMEOUT_S = 60.0
_GRACE_S = 20.0
"""For the generator to start and to end."""
_MIB = 1 << 20


class Nothing(BenchError):
    """Not one request left: there is nothing to judge, and nothing may be said of the box."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is played: `users` in a closed loop, each asking again as soon as it has its series."""

    users: int = 5
    seconds: float = 30.0
    images: int = 100
    ramp_s: float = 0.0
    """Seconds until all users are there."""
    network: str = ""
    first_image: FirstImage = FirstImage.SCENARIO
    seed: int = 1


def play(
    plan: Plan, profile: Profile | None = None, tell: Callable[[Transfer], None] | None = None
) -> Outcome:
    """Start the bed, publish the series, ask for it.

    Raises:
        Nothing: no request was made.
        bench.outcomes.NotMet: the Source did not publish the series.
    """
    used = EMBEDDED if profile is None else profile
    with workbench(seed=plan.seed, profile=used) as bench:
        bench.bed.psc.lifetimes.access = max(
            bench.bed.psc.lifetimes.access, round(plan.seconds + plan.ramp_s + 120)
        )
        return measure(bench.publish(plan.images), plan, used.load, tell)


def measure(
    series: PublishedSeries,
    plan: Plan,
    load: Load,
    tell: Callable[[Transfer], None] | None = None,
) -> Outcome:
    """Ask for a series that is published.

    Raises:
        Nothing: no request was made.
    """
    bed = series.story.bed
    source = bed.boxes.get("source")
    watched = psutil.Process(source.pid) if source is not None and source.alive() else None
    with _way(series, plan) as address:
        order = _order(series, plan, address)
        begun, cpu, ours = time.monotonic(), _cpu(watched), time.process_time()
        transfers, end, interrupted = _generate(order, tell)
        wall = max(time.monotonic() - begun, 1e-6)
        resources = {
            "generator_cores": end.get("cpu", 0.0) / wall,
            "bench_cores": (time.process_time() - ours) / wall,
        }
        if watched is not None and cpu is not None and (after := _cpu(watched)) is not None:
            resources["box_cores"] = (after - cpu) / wall
            resources["box_rss_mib"] = watched.memory_info().rss / _MIB
    if not transfers:
        raise Nothing("aucune demande n'a été faite : rien n'est mesuré")
    return judge(
        transfers,
        load,
        first_image=plan.first_image,
        conditions=_conditions(series, plan),
        resources={name: round(value, 3) for name, value in resources.items()},
        interrupted=interrupted,
    )


def _conditions(series: PublishedSeries, plan: Plan) -> dict[str, object]:
    product = series.story.bed.profile.product
    return {
        "product": " ".join(filter(None, (product.name, product.version))),
        "model": "closed",
        "users": plan.users,
        "seconds": plan.seconds,
        "ramp_s": plan.ramp_s,
        "images": plan.images,
        "modality": series.exam.modality,
        "matrix": "512 × 512",
        "network": plan.network or "loopback",
        "network_title": NETWORKS[plan.network].title if plan.network else "",
        "seed": plan.seed,
        **load_of_machine(),
    }


def _cpu(process: psutil.Process | None) -> float | None:
    """Seconds that the box's process has computed; None when it is elsewhere or gone."""
    if process is None:
        return None
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return None
    return float(times.user + times.system)


@contextmanager
def _way(series: PublishedSeries, plan: Plan) -> Iterator[str]:
    """Where the Source is reached: at its own address, or through a network."""
    bed = series.story.bed
    url = urlsplit(series.imaging.manifest.series()[0].retrieve_url or "")
    direct = bed.connect_to.get(url.hostname or "", f"{url.hostname}:{url.port or 443}")
    if not plan.network:
        yield direct
        return
    host, _, port = direct.rpartition(":")
    asked = Network(shape=shape_of(NETWORKS[plan.network]))
    folder = Path(bed.directory) / f"tap-{time.monotonic_ns()}"
    there = host.strip("[]"), int(port)
    ignored: Callable[[object], None] = lambda _: None  # noqa: E731
    with tapped(("127.0.0.1", 0), there, "octets", asked, folder, ignored, ignored) as (opened, _):
        yield f"{opened.host}:{opened.port}"


def _order(series: PublishedSeries, plan: Plan, address: str) -> dict[str, object]:
    bed, manners = series.story.bed, series.imaging.good_manners()
    url = urlsplit(series.imaging.manifest.series()[0].retrieve_url or "")
    papers = bed.papers.clients["peer"]
    headers = [(KOS_HEADER, manners.kos_uid or "")]
    headers += [("Accept", value) for value in manners.accept]
    return {
        "address": address,
        "host": url.hostname,
        "authority": url.netloc,
        "path": url.path,
        "headers": headers,
        "tokens": [series.imaging.token() for _ in range(plan.users)],
        "trust": str(bed.papers.market_trust),
        "certificate": str(papers.certificate),
        "key": str(papers.key),
        "users": plan.users,
        "spawn_rate": plan.users / plan.ramp_s if plan.ramp_s else plan.users,
        "seconds": plan.seconds + plan.ramp_s,
        "images": plan.images,
        "timeout": _TIMEOUT_S,
    }


def _generate(
    order: dict[str, object], tell: Callable[[Transfer], None] | None
) -> tuple[list[Transfer], dict[str, float], bool]:
    """Transfers, what the generator says of itself, whether somebody interrupted it."""
    child = subprocess.Popen(
        [sys.executable, "-m", "load.users.wado"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,  # Ctrl-C is ours to pass on: what came is still reported
    )
    assert child.stdin is not None
    assert child.stdout is not None
    assert child.stderr is not None
    transfers: list[Transfer] = []
    end: dict[str, float] = {}
    interrupted = False
    try:
        child.stdin.write(json.dumps(order) + "\n")
        child.stdin.close()
        while True:
            try:
                line = child.stdout.readline()
                if not line:
                    break
                document = json.loads(line)
                if "end" in document:
                    end = document["end"]
                    continue
                transfers.append(Transfer(**document))
                if tell is not None:
                    tell(transfers[-1])
            except KeyboardInterrupt:
                interrupted = True
                child.terminate()
            except json.JSONDecodeError:
                if not interrupted:  # a line that the interruption cut
                    raise
        code = child.wait(_GRACE_S)
        if code and not interrupted:
            words = child.stderr.read().strip().splitlines()
            raise Nothing(f"le générateur de charge s'est arrêté : {words[-1] if words else code}")
    finally:
        if child.poll() is None:
            child.kill()
            child.wait()
        child.stdout.close()
        child.stderr.close()
    return transfers, end, interrupted
