"""A run as JUnit XML: one suite for each feature, one case for each scenario."""

from __future__ import annotations

import re
from datetime import UTC
from pathlib import Path

from lxml import etree

from bench.results import Run, ScenarioResult
from bench.verdicts import Verdict
from reports import redact
from reports.reproduce import reproductions

__all__ = ["as_junit", "write_junit"]

_ELEMENT = {
    Verdict.FAIL: "failure",
    Verdict.XPASS: "failure",
    Verdict.ERROR: "error",
    Verdict.UNKNOWN: "error",
    Verdict.SKIP: "skipped",
    Verdict.OMIT: "skipped",
    Verdict.REVIEW: "skipped",
    Verdict.XFAIL: "skipped",
}
"""JUnit has three ways not to pass; `pass` and `warn` need none. Property `verdict` tells all."""
_ILLEGAL = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def write_junit(run: Run, target: Path) -> Path:
    """Write the results for a continuous integration server and return the path.

    Raises:
        OSError: the file cannot be written.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(as_junit(run))
    return target


def as_junit(run: Run) -> bytes:
    """The same as bytes."""
    root = etree.Element("testsuites", name="drimbench")
    features: dict[str, list[ScenarioResult]] = {}
    for scenario in run.scenarios:
        features.setdefault(scenario.feature, []).append(scenario)
    for feature, scenarios in features.items():
        root.append(_suite(run, feature, scenarios))
    _count(root, list(run.scenarios), run.duration_s)
    document = etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)
    return bytes(document)


def _suite(run: Run, feature: str, scenarios: list[ScenarioResult]) -> etree._Element:
    suite = etree.Element("testsuite", name=_legal(feature))
    suite.set("timestamp", run.started.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S"))
    _count(suite, scenarios, sum(scenario.duration_s for scenario in scenarios))
    _properties(suite, [("run", run.id), ("seed", str(run.seed))])
    for scenario in scenarios:
        suite.append(_case(scenario))
    return suite


def _case(scenario: ScenarioResult) -> etree._Element:
    case = etree.Element(
        "testcase", classname=_legal(scenario.feature), name=_legal(scenario.title)
    )
    case.set("time", f"{scenario.duration_s:.3f}")
    _properties(
        case,
        [
            ("id", scenario.id),
            ("verdict", str(scenario.verdict)),
            *(("requirement", requirement) for requirement in scenario.requirements),
        ],
    )
    if name := _ELEMENT.get(scenario.verdict):
        told = etree.SubElement(case, name)
        told.set("message", _legal(scenario.reason or scenario.verdict.french))
        if name != "skipped":
            told.set("type", str(scenario.verdict))
        again = [f"{one.what} : {one.command}" for one in reproductions(scenario)]
        told.text = _legal("\n".join([*_unmet(scenario), *again]))
    if lines := [*_findings(scenario)]:
        etree.SubElement(case, "system-out").text = _legal("\n".join(lines))
    return case


def _unmet(scenario: ScenarioResult) -> list[str]:
    lines = [
        f"{step.keyword} {step.text} : {step.verdict.french}. {step.message}".rstrip(". ")
        for step in scenario.steps
        if step.verdict is not Verdict.PASS
    ]
    for awaited in scenario.expectations:
        if not awaited.met:
            lines.append(f"attendu, pas venu : {awaited.what}")
            lines += _opposed(awaited.expected, awaited.actual)
    return lines


def _findings(scenario: ScenarioResult) -> list[str]:
    lines = []
    for exchange, finding in scenario.findings:
        lines.append(f"[{finding.severity}] {finding.rule} : {finding.message}")
        lines += _opposed(finding.expected, finding.actual)
        where = f"{finding.where}, " if finding.where else ""
        lines.append(f"    où : {where}échange {exchange}")
        lines.append(f"    texte : {finding.spec} ({finding.grade})")
    return lines


def _opposed(expected: str, actual: str) -> list[str]:
    lines = []
    if expected:
        lines.append(f"    attendu : {expected}")
    if actual:
        lines.append(f"    constaté : {actual}")
    return lines


def _properties(parent: etree._Element, pairs: list[tuple[str, str]]) -> None:
    properties = etree.SubElement(parent, "properties")
    for name, value in pairs:
        etree.SubElement(properties, "property", name=name, value=_legal(value))


def _count(element: etree._Element, scenarios: list[ScenarioResult], seconds: float) -> None:
    names = [_ELEMENT.get(scenario.verdict) for scenario in scenarios]
    element.set("tests", str(len(scenarios)))
    element.set("failures", str(names.count("failure")))
    element.set("errors", str(names.count("error")))
    element.set("skipped", str(names.count("skipped")))
    element.set("time", f"{seconds:.3f}")


def _legal(content: str) -> str:
    """Without secrets, and without the characters that XML 1.0 forbids."""
    return _ILLEGAL.sub("\ufffd", redact.text(content))
