"""A run as one JSON document: the shape that `drimbench run --json` promises."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from reports import redact
from reports.reproduce import reproductions
from validators.finding import Finding

if TYPE_CHECKING:
    # A judgement is told without a run: profile and wire stay unread.
    from bench.results import Run, ScenarioResult

__all__ = ["as_json", "finding_as_json"]


def as_json(run: Run, report_path: Path | None) -> dict[str, Any]:
    """The run, ready for `json.dumps`.

    Keys: `verdict`, `duration_s` (seconds), `seed`, `exchanges` (count by transaction name),
    `scenarios` (each `id`, `name`, `verdict`, `requirements`, `findings`, `reproduce`),
    `inapplicable` (why, by requirement), `report` (path, or None when none was written). Secrets
    are masked.
    """
    return {
        "verdict": str(run.verdict),
        "duration_s": round(run.duration_s, 3),
        "seed": run.seed,
        "exchanges": run.counts(),
        "scenarios": [_scenario(scenario) for scenario in run.scenarios],
        "inapplicable": run.inapplicable,
        "report": None if report_path is None else str(report_path),
    }


def finding_as_json(finding: Finding) -> dict[str, Any]:
    """A finding: `rule`, `severity`, `message`, `expected`, `actual`, `where`, `spec`, `grade` and
    `requirements`, secrets masked."""
    return {
        "rule": finding.rule,
        "severity": str(finding.severity),
        "message": redact.text(finding.message),
        "expected": redact.text(finding.expected),
        "actual": redact.text(finding.actual),
        "where": finding.where,
        "spec": finding.spec,
        "grade": str(finding.grade),
        "requirements": list(finding.requirements),
    }


def _scenario(scenario: ScenarioResult) -> dict[str, Any]:
    return {
        "id": scenario.id,
        "name": scenario.title,
        "verdict": str(scenario.verdict),
        "requirements": list(scenario.requirements),
        "findings": [finding_as_json(finding) for _, finding in scenario.findings],
        "reproduce": [
            {"what": one.what, "command": redact.text(one.command)}
            for one in reproductions(scenario)
        ],
    }
