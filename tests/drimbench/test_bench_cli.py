"""`drimbench bench`: names, forms, and what is said of a peer that is not there."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest

from drimbench.cli import app
from drimbench.ending import Finished
from load.benchmarks import c_find, c_store, mllp, peers, playing
from load.benchmarks.measure import Measure, Skipped, faster

MADE = Measure(
    benchmark="vite", name="nous", peer_name="pair", ours=30.0, peer=10.0, ratio=3.0,
    quiet_ratio=2.5, limit=None, unit="images/s", runs=4, floor=2.0,
)  # fmt: skip
ABSENT = Skipped(benchmark="absent", name="face à rien", reason="rien absent (paquet rien)")


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """The command with two benchmarks of ours; gives its exit code and standard output."""
    made = {
        "vite": playing.Benchmark("nous, face à un pair", run=lambda: [MADE]),
        "absent": playing.Benchmark("nous, face à rien", run=lambda: [ABSENT]),
    }
    monkeypatch.setattr(playing, "BENCHMARKS", made)

    def run(*words: str) -> str:
        with suppress(Finished):
            app(["bench", *words], standalone_mode=False)
        return capsys.readouterr().out

    return run


def test_each_measure_is_an_object(bench: Any) -> None:
    made, skipped = json.loads(bench("--json"))
    wanted = {"name", "ours", "peer", "ratio", "unit", "runs", "floor", "kept"}
    assert wanted <= made.keys()
    assert (made["ratio"], made["kept"]) == (3.0, True)
    assert skipped == {
        "benchmark": "absent", "name": "face à rien", "skipped": "rien absent (paquet rien)",
    }  # fmt: skip


def test_one_is_chosen_by_its_name(bench: Any) -> None:
    assert [one["name"] for one in json.loads(bench("vite", "--json"))] == ["nous"]
    assert "sauté : rien absent" in bench("absent")
    assert "| nous | pair | 3.00 | 2.50 | ≥ 2 | 4 |" in bench("vite", "--markdown")
    assert "| face à rien | sauté : rien absent (paquet rien) |" in bench("absent", "--markdown")


def test_the_names_are_said(bench: Any) -> None:
    assert "nous, face à rien" in bench("--list")
    assert [one["name"] for one in json.loads(bench("--list", "--json"))] == ["vite", "absent"]


def test_an_unknown_name_is_refused(bench: Any, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(Finished, match="64"):
        app(["bench", "lent"], standalone_mode=False)
    assert "mesure inconnue : lent (connues : vite, absent)" in capsys.readouterr().err


def test_every_benchmark_has_its_module() -> None:
    for name, one in playing.BENCHMARKS.items():
        assert one.module == name
        assert one.words


def test_a_peer_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def program(asked: str, package: str) -> str:
        raise peers.AbsentError(f"{asked} absent (paquet {package})")

    for module in (c_store, c_find):
        monkeypatch.setattr(module, "program", program)
    (store,) = c_store.run()
    assert store == Skipped(
        benchmark="c_store", name="C-STORE", reason="storescu absent (paquet dcmtk)"
    )
    found, measured = c_find.run(rounds=1, few=60, many=120)
    assert found == Skipped(
        benchmark="c_find", name="C-FIND, face à Orthanc", reason="findscu absent (paquet dcmtk)"
    )
    assert isinstance(measured, Measure)
    monkeypatch.setattr(mllp.importlib.util, "find_spec", lambda name: None)
    (report,) = mllp.run()
    assert isinstance(report, Skipped)
    assert "hl7" in report.reason


def test_a_speed_is_compared_round_by_round() -> None:
    ours, peer = iter([9.0, 2.0, 4.0]), iter([9.0, 4.0, 4.0])
    made = faster(
        "b", "nous", "pair", lambda: next(ours), lambda: next(peer),
        amount=8, unit="images/s", rounds=2, floor=1.8,
    )  # fmt: skip
    # The first round warms: it is not counted.
    assert (made.ours, made.peer) == (8 / 3, 2.0)
    assert (made.ratio, made.quiet_ratio, made.runs) == (1.5, 2.0, 2)
    assert made.kept
    assert made.bar == "≥ 1.8"
