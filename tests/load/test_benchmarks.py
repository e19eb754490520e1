"""The benchmarks run, and the two bars that they measure hold. Ratios only, never seconds."""

from __future__ import annotations

import json
import socket
import threading
from pathlib import Path

import pytest
from sqlalchemy import select

from load.benchmarks import __main__ as command
from load.benchmarks import (
    archive_lookup,
    large_exam,
    playing,
    small_requests,
    streaming_memory,
)
from load.benchmarks.kept_alive import Target, TargetError, play_rounds
from load.benchmarks.measure import Measure

pytestmark = pytest.mark.slow


def measure(quiet: float, limit: float = 5.0) -> Measure:
    return Measure(
        benchmark="b", name="nous", peer_name="pair", ours=9.0, peer=3.0, ratio=3.0,
        quiet_ratio=quiet, limit=limit, unit="µs", runs=1,
    )  # fmt: skip


def lines(measures: list[Measure]) -> str:
    return "\n".join(f"{m.name} : {m.ratio:.2f}, au calme {m.quiet_ratio:.2f}" for m in measures)


def test_small_requests_cost_at_most_five_bare_echoes() -> None:
    measures = small_requests.run(rounds=5, requests=60)
    assert {m.name.partition(",")[0] for m in measures} == {
        "igc", "ans", "psc", "dmp", "source", "consumer", "voisin",
    }  # fmt: skip
    assert all(m.ours > 0 and m.peer > 0 for m in measures)
    # What reads a state file or answers SOAP only informs; each service has a limited line.
    limited = {m.name.partition(",")[0] for m in measures if m.limit == small_requests.LIMIT == 5}
    assert limited == {m.name.partition(",")[0] for m in measures}
    assert all(m.kept for m in measures), lines(measures)


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="VmHWM : Linux seulement")
def test_the_length_of_a_series_costs_the_source_no_memory() -> None:
    (source,) = streaming_memory.run(rounds=1)
    assert source.peer > 10
    assert source.ratio < streaming_memory.LIMIT, lines([source])


def test_a_lookup_costs_the_same_among_many_kos() -> None:
    measures = archive_lookup.run(few=1_000, many=30_000, rounds=5, lookups=100)
    assert [m.name for m in measures] == [
        "archive, 30000 KOS, par examen",
        "archive, 30000 KOS, par KOS",
    ]
    assert all(m.kept and m.limit == archive_lookup.LIMIT == 2 for m in measures), lines(measures)


def test_a_lookup_that_walks_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without its index the archive reads every row: the limit is for that."""
    study = archive_lookup.tables.archive.c.study_uid
    monkeypatch.setattr(archive_lookup, "_by_study", lambda archive, number: archive._one(
        select(archive_lookup.tables.archive).where(study + "" == f"1.2.250.1.999.2.{number}")
    ))  # fmt: skip
    walked, _ = archive_lookup.run(few=500, many=5_000, rounds=1, lookups=5)
    assert not walked.kept


def test_a_large_exam_is_published_in_the_time_of_its_query() -> None:
    whole, *parts = large_exam.run(instances=300)
    assert whole.kept, lines([whole, *parts])
    assert whole.limit == large_exam.LIMIT == 1
    # The parts that are shown are within the whole.
    assert 0 < sum(m.ours for m in parts) <= whole.ours


class SlowServer:
    """Answers one request, in two writes apart from each other: what Nagle's algorithm does."""

    def __init__(self, status: bytes, pause: float) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self.listener.getsockname()[1]}"
        self._status, self._pause = status, pause
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        accepted, _ = self.listener.accept()
        with accepted:
            while accepted.recv(65536):
                accepted.sendall(b"HTTP/1.1 " + self._status + b"\r\ncontent-length: 2\r\n\r\n")
                threading.Event().wait(self._pause)
                accepted.sendall(b"ok")

    def stop(self) -> None:
        self.listener.close()
        self._thread.join(10)


def test_a_delayed_second_write_shows() -> None:
    """The trap that the bar is for: 40 ms a request, whatever the machine."""
    quick, slow = SlowServer(b"200 OK", 0.0), SlowServer(b"200 OK", 0.04)
    targets = [
        Target(name=name, address=server.address, host="x", path="/")
        for name, server in (("quick", quick), ("slow", slow))
    ]
    rounds = play_rounds(targets, rounds=1, requests=5)
    quick.stop()
    slow.stop()
    assert rounds["slow"][0].quiet > 0.04
    assert rounds["slow"][0].quiet / rounds["quick"][0].quiet > small_requests.LIMIT


def test_a_wrong_answer_is_no_measure() -> None:
    server = SlowServer(b"503 Service Unavailable", 0.0)
    target = Target(name="panne", address=server.address, host="x", path="/")
    with pytest.raises(TargetError, match="panne : réponse 503, attendu 200"):
        play_rounds([target], rounds=1, requests=1)
    server.stop()


def test_the_command_prints_a_table_or_json(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    made = {
        "bons": playing.Benchmark("", run=lambda: [measure(2.0)]),
        "mauvais": playing.Benchmark("", run=lambda: [measure(6.0)]),
    }
    monkeypatch.setattr(playing, "BENCHMARKS", made)
    command.main(["--json"])
    document = json.loads(capsys.readouterr().out)
    assert [(row["quiet_ratio"], row["kept"]) for row in document] == [(2.0, True), (6.0, False)]
    command.main(["bons"])
    printed = capsys.readouterr().out
    assert "nous" in printed
    assert "2.00" in printed
    assert "6.00" not in printed
    command.main(["mauvais", "--markdown"])
    assert "| nous | pair | 3.00 | 6.00 | 5 | 1 |" in capsys.readouterr().out
