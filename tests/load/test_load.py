"""The load test measures, and each of its verdicts can fail. No assertion on absolute seconds."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("hdrh", reason="l'extra « load » n'est pas installé")

from bench.pace import Grading
from bench.profile import Load
from load.benchmarks.workbench import PublishedSeries, workbench
from load.transfers import FirstImage, Outcome, Transfer, judge, percentiles
from load.wado_series import Nothing, Plan, measure
from reports.load_page import LANGUAGES, WORDS, render

LOAD = Load()


def transfer(user: int = 0, **changes: Any) -> Transfer:
    made = Transfer(
        user=user, begun=10.0, seconds=1.0, first=0.1, size=25_000_000, images=50, outcome="ok"
    )
    return replace(made, **changes)


def grading(outcome: Outcome) -> dict[str, Grading | None]:
    return {one.name: one.grading for one in outcome.thresholds}


def five(**changes: Any) -> list[Transfer]:
    return [transfer(number, **changes) for number in range(5)]


def test_five_fast_series_at_once_are_conform() -> None:
    outcome = judge(five(), LOAD)
    assert outcome.conform
    assert set(grading(outcome).values()) == {Grading.MET}
    assert outcome.megabits_s == pytest.approx(1000)
    assert outcome.images_s == pytest.approx(250)


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("throughput", {"size": 1_000_000}),
        ("first_image", {"first": 4.9, "seconds": 5.0}),
        ("first_image", {"first": None, "seconds": 6.0, "outcome": "unfinished"}),
    ],
)
def test_a_limit_that_is_passed_fails(name: str, changes: dict[str, Any]) -> None:
    outcome = judge(five(**changes), LOAD)
    assert grading(outcome)[name] is Grading.BEYOND
    assert not outcome.conform


def test_between_both_limits_of_the_first_image_the_option_decides() -> None:
    slow = five(first=3.0, seconds=4.0, size=10**8)
    assert judge(slow, LOAD).conform
    assert not judge(slow, LOAD, first_image=FirstImage.REQUIREMENT).conform


def test_series_one_after_the_other_are_not_at_once() -> None:
    queue = [transfer(number, begun=10.0 + number) for number in range(5)]
    outcome = judge(queue, LOAD)
    assert grading(outcome)["together"] is Grading.BEYOND
    assert not outcome.conform


def test_fewer_users_than_the_limit_measure_nothing_of_it() -> None:
    outcome = judge(five()[:4], LOAD)
    assert grading(outcome)["together"] is None
    assert outcome.conform


@pytest.mark.parametrize("outcome", ["http-500", "connection", "timeout", "images"])
def test_one_error_among_good_series_fails(outcome: str) -> None:
    judged = judge([*five(), transfer(outcome=outcome)], LOAD)
    assert judged.errors == {outcome: 1}
    assert not judged.conform


def test_series_that_are_all_cut_by_the_end_are_not_conform() -> None:
    assert not judge(five(outcome="unfinished"), LOAD).conform


def test_a_busy_generator_is_named() -> None:
    assert judge(five(), LOAD, resources={"generator_cores": 0.97}).limited_by == ("generator",)
    assert judge(five(), LOAD, resources={"generator_cores": 0.4}).limited_by == ()


def test_percentiles_are_those_of_the_samples() -> None:
    found = percentiles([number / 100 for number in range(1, 101)])
    assert found["50"] == pytest.approx(0.50, rel=2e-3)
    assert found["99"] == pytest.approx(0.99, rel=2e-3)
    assert percentiles([]) == {}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("good", [True, False])
def test_the_page_says_the_verdict_and_loads_nothing(language: str, good: bool) -> None:
    transfers = five() if good else [*five(size=10), transfer(outcome="http-<b>500")]
    conditions: dict[str, object] = {"product": "<script>x</script>"}
    page = render(judge(transfers, LOAD, conditions=conditions).as_dict(), language)
    assert WORDS[language]["met" if good else "missed"] in page
    assert "<script" not in page
    assert "<b>" not in page
    assert "http://" not in page
    assert "https://" not in page
    assert page.count("<polyline") == 3


def test_both_languages_say_the_same_things() -> None:
    assert WORDS["fr"].keys() == WORDS["en"].keys()


def test_an_unknown_network_is_a_usage_error() -> None:
    done = drimbench("--network", "pigeon")
    assert done.returncode == 64
    assert "pigeon" in done.stderr


def drimbench(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "drimbench", "load", "wado-series", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


@pytest.fixture(scope="module")
def series() -> Iterator[PublishedSeries]:
    with workbench() as bench:
        yield bench.publish(4)


@pytest.mark.slow
def test_a_series_is_measured_slowed_and_lost(series: PublishedSeries) -> None:
    plan = Plan(users=5, seconds=2.0, images=4)
    told: list[Transfer] = []
    good = measure(series, plan, LOAD, told.append)
    assert good.whole > 0
    assert not good.errors
    assert {one.user for one in told} == set(range(5))
    assert good.resources["box_rss_mib"] > 0

    slow = measure(series, replace(plan, network="adsl"), LOAD)
    assert grading(slow)["throughput"] is Grading.BEYOND
    assert not slow.conform
    assert slow.megabits_s < good.megabits_s

    wrong = measure(series, replace(plan, images=5), LOAD)
    assert set(wrong.errors) == {"images"}
    assert not wrong.conform

    source = series.story.bed.boxes["source"]
    source.kill()
    try:
        dead = measure(series, plan, LOAD)
        assert dead.whole == 0
        assert set(dead.errors) == {"connection"}
        assert not dead.conform
    finally:
        source.start()


@pytest.mark.slow
def test_an_interrupted_measure_tells_what_had_come(series: PublishedSeries) -> None:
    told: list[Transfer] = []

    def interrupt(one: Transfer) -> None:
        told.append(one)
        if len(told) == 1:
            raise KeyboardInterrupt

    found = measure(series, Plan(users=2, seconds=3600.0, images=4), LOAD, interrupt)
    assert found.interrupted
    assert found.whole > 0
    assert "unfinished" in {one.outcome for one in found.transfers} or len(told) > 1


@pytest.mark.slow
def test_no_request_is_no_measure(series: PublishedSeries, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("load.wado_series._order", lambda *_: {"trust": "/nulle/part"})
    with pytest.raises(Nothing):
        measure(series, Plan(), LOAD)


@pytest.mark.slow
def test_the_command_writes_what_it_says(tmp_path: Path) -> None:
    page, rows = tmp_path / "charge.html", tmp_path / "charge.csv"
    done = drimbench(
        "--users", "1", "--seconds", "5", "--images", "1", "--json",
        "--html", str(page), "--csv", str(rows), "--lang", "en",
    )  # fmt: skip
    document = json.loads(done.stdout)
    assert done.returncode == (0 if document["conform"] else 1), done.stderr
    assert document["series"] > 0
    with rows.open(encoding="utf-8", newline="") as file:
        assert len(list(csv.DictReader(file))) == len(document["transfers"])
    assert WORDS["en"]["conditions"] in page.read_text(encoding="utf-8")
