"""A product that is already somewhere: configured once, driven by its addresses, reviewed."""

from __future__ import annotations

import csv
import io
import itertools
import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import dns.resolver
import pytest
import tomli_w
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.hazmat.primitives.serialization.pkcs12 import load_pkcs12

from bench.bed import Bed
from bench.campaign import Options, play
from bench.errors import BenchError
from bench.feed import Feed
from bench.process import ChildBox
from bench.profile import Profile, World, read
from bench.standing import TRUST_PASSWORD, hand_over, standing
from bench.verdicts import Verdict
from features import FEATURES, STEP_MODULES
from simulators.ans import Ans
from simulators.ans import service as ans_service
from wire.exchange import ignore
from wire.http_server import HttpServer
from wire.shard import Shard

WORLD = (
    "dmp", "psc", "ans", "igc", "pacs", "local_pacs", "neighbour", "stranger", "counterpart", "dns",
    "api_psc",
)  # fmt: skip


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on, below those that systems give out: no other test gets one.

    Each worker has a range of its own.
    """
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    begin = _FIRST_PORT + worker % _RANGES * _RANGE
    found: list[int] = []
    first = next(_USED)
    for rank in range(first, first + _RANGE):
        port = begin + rank % _RANGE
        with closing(socket.socket()) as one:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                one.bind(("127.0.0.1", port))
            except OSError:
                continue
        found.append(port)
        if len(found) == count:
            return found
    raise AssertionError(f"{count} free ports wanted, {len(found)} found")


_FIRST_PORT, _RANGE, _RANGES = 20_000, 500, 20
_USED = itertools.count(os.getpid() * 40 % _RANGE, 20)
"""Where each call begins in the range: a port that was let go is not asked for again at once, nor
are those of another run of the tests on this machine."""


def written_profile(folder: Path, **world: object) -> Path:
    """The profile of a product that is at addresses of its own, every port fixed."""
    ports = free_ports(len(WORLD) + 4)
    mllp, wado, dicom, web = (f"127.0.0.1:{port}" for port in ports[len(WORLD) :])
    file = folder / "boite.toml"
    file.write_text(
        tomli_w.dumps(
            {
                "source": {"mllp": mllp, "wado": wado, "dicom": dicom},
                "consumer": {"web": web},
                "world": {**dict(zip(WORLD, ports, strict=False)), "pki": "pki", **world},
            }
        )
    )
    return file


@pytest.fixture
def profile(tmp_path: Path) -> Path:
    return written_profile(tmp_path)


@pytest.fixture
def boxes(profile: Path) -> Iterator[Path]:
    """The reference, set up from what `serve` wrote, started before any campaign."""
    with set_up(profile):
        yield profile


@contextmanager
def set_up(profile: Path, configure: Callable[[Path], None] = lambda boxes: None) -> Iterator[Path]:
    """The reference, set up from what `serve` wrote for that profile; the folder that it wrote.
    `configure` changes the configurations of the boxes before they start."""
    written = profile.parent / "banc"
    command = [sys.executable, "-m", "drimbench", "serve", "--once"]
    done = subprocess.run(
        [*command, "--profile", str(profile), "--output", str(written)],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "NO_COLOR": "1"},
    )
    assert done.returncode == 0, done.stderr
    assert "configuration.md" in done.stdout
    reference = [sys.executable, "-m", "drimbox_ref"]
    given = ["--config", "{config}", "--ready", "{ready}"]
    folder = written / "boites"
    configure(folder)
    started = [
        ChildBox(role, [*reference, role, *given], folder / f"{role}.toml", folder)
        for role in ("source", "consumer")
    ]
    try:
        for box in started:
            box.start(30)
        yield written
    finally:
        for box in started:
            box.stop()


@pytest.mark.slow
def test_a_product_driven_by_its_addresses(boxes: Path) -> None:
    run = play(
        Options(
            features=FEATURES,
            steps=STEP_MODULES,
            runs=boxes.parent / "runs",
            profile=read(boxes),
            only=("SCN-PUB-02", "SCN-IMG-02", "SCN-REF-02", "SCN-CON-02"),
        )
    )
    assert {one.id: one.verdict for one in run.scenarios} == {
        "SCN-PUB-02": Verdict.PASS,
        "SCN-IMG-02": Verdict.PASS,
        "SCN-CON-02": Verdict.PASS,
        "SCN-REF-02": Verdict.REVIEW,  # the alert: no administration address
    }
    assert run.verdict is Verdict.REVIEW


def test_a_world_to_configure_stays_where_it_is(profile: Path, tmp_path: Path) -> None:
    target = read(profile)
    seen = []
    for folder in ("un", "deux"):
        with standing(target, tmp_path / folder, 1, ignore) as bed:
            lines, files = hand_over(bed, tmp_path / folder)
            seen.append({(line.who, line.what, line.value) for line in lines})
            configs = {file.name: file.read_text() for file in files if file.suffix == ".toml"}
            assert set(configs) == {"source.toml", "consumer.toml"}
    assert seen[0] == seen[1]
    assert (profile.parent / "pki" / ".gitignore").read_text() == "*\n"
    store = load_pkcs12((tmp_path / "un/confiance/igc.p12").read_bytes(), TRUST_PASSWORD.encode())
    kept = [one.certificate for one in store.additional_certs]
    pem = (tmp_path / "un/confiance/igc.pem").read_bytes()
    assert set(kept) == set(x509.load_pem_x509_certificates(pem))
    assert json.dumps(sorted(seen[0]))
    older = (tmp_path / "un/confiance/igc.jks").read_bytes()
    assert older[:12] == bytes.fromhex("feedfeed0000000200000002")
    assert all(one.public_bytes(Encoding.DER) in older for one in kept)


def test_the_flow_matrix(profile: Path, tmp_path: Path) -> None:
    target = read(profile)
    with standing(target, tmp_path / "banc", 1, ignore) as bed:
        hand_over(bed, tmp_path / "banc")
        folder = bed.papers.directory
    text = (tmp_path / "banc/flux.csv").read_bytes().decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text, newline=""), delimiter=";"))
    page = (tmp_path / "banc/flux.md").read_text()
    assert len([line for line in page.splitlines() if line.startswith("| ")]) == len(rows) + 2
    to_dmp = next(one for one in rows if one["De"] == "DRIMbox Source" and one["Vers"] == "DMP")
    assert to_dmp["Adresse"] == f"127.0.0.1:{target.world.dmp}"
    assert (to_dmp["Protocole"], to_dmp["TLS"]) == ("HTTPS", "mutuel")
    for one in rows:
        # Each certificate is a file of the folder, each trust a file that was handed over.
        for kind in ("serveur", "client"):
            if name := one[f"Certificat du {kind}"]:
                assert (folder / name).exists()
            if trust := one[f"Confiance du {kind}"]:
                assert (tmp_path / "banc" / trust).exists()
        assert (one["TLS"] == "mutuel") == bool(one["Certificat du client"])
    assert {one["Adresse"] for one in rows} >= {target.source.mllp, target.consumer.web}


def test_the_names_of_a_standing_world(profile: Path, tmp_path: Path) -> None:
    (port,) = free_ports(1)
    domain = "kit.mesimagesmedicales.fr"
    target = read(profile)
    world = target.world.model_copy(update={"dns": port, "domain": domain})
    with standing(target.model_copy(update={"world": world}), tmp_path, 1, ignore) as bed:
        asked = dns.resolver.Resolver(configure=False)
        asked.nameservers, asked.port, asked.lifetime = ["127.0.0.1"], port, 5
        for host in (f"db4.{domain}", f"dmp.{domain}", target.source.host, target.consumer.host):
            assert [one.to_text() for one in asked.resolve(host, "A")] == ["127.0.0.1"]
        with pytest.raises(dns.resolver.NXDOMAIN):
            asked.resolve("db4.test.mesimagesmedicales.fr", "A")
        assert f"db4.{domain}" in bed.papers.servers
        (seen,) = (s.exchange for s in bed.feed.since() if s.exchange.detail == f"A db4.{domain}")
        assert seen.protocol == "DNS"


def test_what_keeps_a_world_from_standing(profile: Path, tmp_path: Path) -> None:
    target = read(profile)
    unkept = target.model_copy(update={"world": target.world.model_copy(update={"pki": ""})})
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", target.world.dmp))
        taken.listen()
        for wrong, told in (
            (Profile(world=World(pki="x")), "port fixe est attendu pour dmp"),
            (unkept, "pki"),
            (target, "s'installer"),
        ):
            with (
                pytest.raises(BenchError, match=told),
                standing(wrong, tmp_path / "banc", 1, ignore),
            ):
                raise AssertionError("it stands")


def test_a_host_of_the_bench_is_not_the_product_s(tmp_path: Path) -> None:
    shard = Shard(tmp_path, "bench")
    taken = Profile.model_validate({"source": {"host": "dmp.drimbench.test"}})
    with pytest.raises(BenchError, match="déjà"):
        Bed(taken, Feed(shard), tmp_path, 1)
    shard.close()


def test_a_box_that_runs_already_is_never_given_an_empty_list(
    profile: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It asks as soon as somebody answers, and keeps what it is given."""
    start, listed = ans_service.start, []

    async def started(ans: Ans, **where: Any) -> HttpServer:
        listed.extend(domain.db for domain in ans.white_list.domains)
        return await start(ans, **where)

    monkeypatch.setattr(ans_service, "start", started)
    with standing(read(profile), tmp_path / "banc", 1, ignore) as bed:
        assert bed.site.names.neighbour in listed
