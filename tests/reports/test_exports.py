"""JUnit, JSON and console say the same as the page."""

from __future__ import annotations

import json
from dataclasses import replace
from io import StringIO
from pathlib import Path
from types import SimpleNamespace

import pytest
from lxml import etree
from rich.console import Console

from bench.results import Run
from bench.verdicts import Verdict
from reports.console import summarise
from reports.json import as_json
from reports.junit import write_junit
from validators.finding import Finding, Severity


@pytest.fixture
def junit(run: Run, tmp_path: Path) -> etree._Element:
    return etree.parse(write_junit(run, tmp_path / "junit.xml")).getroot()


def _console(run: Run, *, every_scenario: bool = False, **options: object) -> str:
    out = StringIO()
    console = Console(file=out, **options)
    summarise(run, Path("runs/x/rapport.html"), console, every_scenario=every_scenario)
    return out.getvalue()


def test_junit_counts(junit: etree._Element) -> None:
    assert [junit.get(name) for name in ("tests", "failures", "errors", "skipped")] == [
        "5", "1", "0", "1",
    ]  # fmt: skip
    assert [suite.get("name") for suite in junit] == ["Publication", "Consultation", "Refus"]
    assert junit[0].get("timestamp") == "2026-11-22T09:30:00"


def test_junit_tells_a_failure(junit: etree._Element) -> None:
    case = junit.find(".//testcase[@name='Un compte rendu reçu publie un KOS par examen']")
    assert case is not None
    failure = case.find("failure")
    assert failure is not None
    assert failure.get("message") == "Aucun KOS publié dans le délai."
    assert "attendu : une réponse Success" in (failure.text or "")
    assert "VIHF-003" in (case.findtext("system-out") or "")
    properties = [(p.get("name"), p.get("value")) for p in case.iter("property")]
    assert ("id", "SCN-PUB-01") in properties
    assert ("requirement", "DB.SO.12") in properties


@pytest.mark.parametrize(
    ("verdict", "element"),
    [(Verdict.PASS, None), (Verdict.WARN, None), (Verdict.FAIL, "failure"),
     (Verdict.XPASS, "failure"), (Verdict.ERROR, "error"), (Verdict.UNKNOWN, "error"),
     (Verdict.SKIP, "skipped"), (Verdict.OMIT, "skipped"), (Verdict.REVIEW, "skipped"),
     (Verdict.XFAIL, "skipped")],
)  # fmt: skip
def test_junit_maps_every_verdict(
    run: Run, tmp_path: Path, verdict: Verdict, element: str | None
) -> None:
    one = replace(run, scenarios=(replace(run.scenarios[4], verdict=verdict),))
    root = etree.parse(write_junit(one, tmp_path / "j.xml")).getroot()
    case = root.find(".//testcase")
    assert case is not None
    kinds = [child.tag for child in case if child.tag in ("failure", "error", "skipped")]
    assert kinds == ([element] if element else [])


def test_junit_survives_what_xml_forbids_and_masks_tokens(
    run: Run, tmp_path: Path, world: SimpleNamespace
) -> None:
    odd = replace(run.scenarios[0], reason=f"\x00\x1b[31m {world.TOKEN}", title="a\x0bb\ud800")
    written = write_junit(replace(run, scenarios=(odd,)), tmp_path / "j.xml").read_bytes()
    etree.fromstring(written)
    assert world.TOKEN.encode() not in written


def test_json_has_the_promised_shape(run: Run, world: SimpleNamespace) -> None:
    made = as_json(run, Path("rapport.html"))
    assert list(made) == [
        "verdict", "duration_s", "seed", "exchanges", "scenarios", "inapplicable", "report",
    ]  # fmt: skip
    assert made["verdict"] == "fail"
    assert made["exchanges"]["C-STORE"] == 48
    assert made["report"] == "rapport.html"
    first = made["scenarios"][0]
    assert set(first) == {"id", "name", "verdict", "requirements", "findings", "reproduce"}
    assert first["reproduce"][0] == {
        "what": "Juger de nouveau ITI-41",
        "command": "drimbench extract . e3 | drimbench validate iti-41 -",
    }
    assert set(first["findings"][0]) == {
        "rule", "severity", "message", "expected", "actual", "where", "spec", "grade",
        "requirements",
    }  # fmt: skip
    assert world.TOKEN not in json.dumps(made)
    assert as_json(run, None)["report"] is None


def test_the_console_tells_failures_with_expected_and_actual(run: Run) -> None:
    shown = _console(run, width=60)
    for said in (
        "✗ échec (exigence de projet 2023)  Un compte rendu reçu publie un KOS par examen",
        "attendu, pas venu : un dépôt ITI-41 accepté",
        "constaté : SOAP Fault DMPInvalidCertificate",
        "erreur VIHF-003",
        "5 scénarios (2 conforme, 1 échec, 1 avertissement, 1 non vérifié), 56 échanges",
        "Rapport : runs/x/rapport.html",
    ):
        assert said in shown, said


def test_the_console_tells_what_passed_only_when_asked(run: Run) -> None:
    assert "Le professionnel exporte une série" not in _console(run)
    assert "✓ conforme  Le professionnel exporte une série" in _console(run, every_scenario=True)


def test_the_console_has_no_colour_in_a_file(run: Run) -> None:
    assert "\x1b" not in _console(run)
    assert "\x1b[" in _console(run, force_terminal=True, color_system="standard")


def test_the_console_obeys_no_color(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    shown = _console(run, force_terminal=True, color_system="standard")
    assert "\x1b[31" not in shown
    assert "\x1b[1;31" not in shown


def test_a_peer_cannot_drive_the_terminal(run: Run, world: SimpleNamespace) -> None:
    evil = Finding(rule="X-1", severity=Severity.ERROR, actual=f"\x1b]0;pris\x07{world.TOKEN}",
                   message="[red]pas une balise[/]\x1b[2J")  # fmt: skip
    bad = replace(run.scenarios[0], findings=(("e1", evil),))
    shown = _console(replace(run, scenarios=(bad,)))
    assert "\x1b" not in shown
    assert "[red]pas une balise[/]" in shown
    assert world.TOKEN not in shown
