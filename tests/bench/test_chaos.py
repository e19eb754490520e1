"""A tap held in front of a service: what passes is in the journal, and its network can change."""

from __future__ import annotations

import socket
from pathlib import Path

import httpx
import pytest
from anyio.from_thread import start_blocking_portal

from bench.chaos import EARS, shape_of, tapped
from bench.journal import Journal
from drimbench.cli import app
from drimbench.ending import Finished
from drimbench.tap_cli import Listener
from spec.networks import NETWORKS, NamedNetwork
from tests.wire.test_http import APP
from wire.exchange import Exchange, Outcome, ignore
from wire.http_server import serve_http
from wire.tap import CLEAR, Breakage, Network


def test_the_network_changes_while_it_runs(tmp_path: Path) -> None:
    seen: list[Exchange] = []
    broken: list[str] = []
    here = "127.0.0.1", 0
    with start_blocking_portal("asyncio") as portal:
        server = portal.call(lambda: serve_http(APP, actor="dmp", observe=ignore))
        towards = server.host, server.port
        sinks = seen.append, broken.append
        with tapped(here, towards, "http", CLEAR, tmp_path, *sinks) as (tap, to):
            url = f"http://{tap.host}:{tap.port}/"
            assert httpx.get(url).status_code
            to(Network(breakage=Breakage(cut_after=5)))
            with pytest.raises(httpx.TransportError):
                httpx.get(url)
        portal.call(lambda: server.stop(grace=0))
    journal = Journal(tmp_path)
    outcomes = [journal.exchange(event).outcome for event in journal.of("exchange")]
    assert outcomes[0] is Outcome.ANSWERED
    assert len(outcomes) == len(seen) == 2
    (note,) = journal.of("network")
    assert [note.fields["what"]] == broken == ["coupure après 5 octets"]


def test_the_command_knows_every_listener() -> None:
    assert [one.value for one in Listener] == list(EARS)


@pytest.mark.parametrize("one", NETWORKS.values(), ids=lambda one: one.name)
def test_a_named_network_says_where_it_comes_from(one: NamedNetwork) -> None:
    shape = shape_of(one)
    assert one.title
    assert one.source
    assert shape.latency_s * 2000 == one.rtt_ms
    assert 0 < shape.up_bps <= shape.down_bps


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("127.0.0.1:0", "nowhere"), "SERVICE : attendu hôte:port, trouvé 'nowhere'"),
        (("127.0.0.1", "127.0.0.1:1"), "ÉCOUTE : attendu hôte:port"),
        (("127.0.0.1:0", "127.0.0.1:1", "--reseau", "5g"), "--reseau : un de fibre, adsl"),
    ],
)
def test_what_cannot_be_understood_is_told(
    words: tuple[str, ...], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(Finished):
        app(["tap", *words], standalone_mode=False)
    assert message in " ".join(capsys.readouterr().err.split())


def test_a_taken_port_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        here = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(Finished):
            app(["tap", here, here, "--output", str(tmp_path / "run")], standalone_mode=False)
    assert here in capsys.readouterr().err
