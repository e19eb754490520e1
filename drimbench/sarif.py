"""What the judges say of files as SARIF 2.1.0: for editors, code hosts and security dashboards.

Réf.: OASIS SARIF 2.1.0, 3.13 (log), 3.14 (run), 3.19 (toolComponent), 3.27 (result), 3.28
(location), 3.49 (reportingDescriptor), 3.58 (notification).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any
from urllib.parse import quote

from bench.verdicts import Verdict
from drimbench.judging import STANDARD_INPUT, Judged
from reports import redact
from validators.api import rules
from validators.finding import Finding, Severity
from validators.rule import Rule

__all__ = ["as_sarif"]

_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}
_BYTES = re.compile(r"octets (\d+)-(\d+)")


def as_sarif(judged: Sequence[Judged]) -> dict[str, Any]:
    """One run, ready for `json.dumps`: a result per finding, a rule per rule that spoke."""
    known = rules()
    spoke = sorted({finding.rule for one in judged for finding in one.findings})
    ranks = {id: rank for rank, id in enumerate(spoke)}
    return {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "drimbench",
                        "version": _version(),
                        "language": "fr-FR",
                        "rules": [_descriptor(known[id]) for id in spoke],
                    }
                },
                "columnKind": "unicodeCodePoints",
                "artifacts": [
                    {"location": {"uri": _uri(file)}}
                    for one in judged
                    for file in one.members or (one.file,)
                ],
                "invocations": [_invocation(judged)],
                "results": [
                    _result(one, finding, ranks) for one in judged for finding in one.findings
                ],
            }
        ],
    }


def _version() -> str:
    try:
        return version("drimbench")
    except PackageNotFoundError:
        return "0"


def _descriptor(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.id,
        "shortDescription": {"text": rule.title},
        "help": {"text": f"{rule.reference} [{rule.reference.grade}]"},
        "defaultConfiguration": {"level": _LEVELS[rule.severity]},
        "properties": {
            "grade": str(rule.reference.grade),
            "requirements": list(rule.requirements),
        },
    }


def _invocation(judged: Sequence[Judged]) -> dict[str, Any]:
    """What could not be judged is a notification: no result would mean that all is well."""
    broken = [one for one in judged if one.verdict in (Verdict.UNKNOWN, Verdict.SKIP)]
    return {
        "executionSuccessful": all(one.verdict is not Verdict.UNKNOWN for one in judged),
        "toolExecutionNotifications": [
            {
                "level": "error" if one.verdict is Verdict.UNKNOWN else "warning",
                "message": {"text": f"{one.file} : {one.verdict.french}"},
                "locations": [_location(one.file, "")],
            }
            for one in broken
        ],
    }


def _result(one: Judged, finding: Finding, ranks: dict[str, int]) -> dict[str, Any]:
    said = [finding.message]
    said += [f"Attendu : {finding.expected}"] if finding.expected else []
    said += [f"Trouvé : {finding.actual}"] if finding.actual else []
    return {
        "ruleId": finding.rule,
        "ruleIndex": ranks[finding.rule],
        "level": _LEVELS[finding.severity],
        "message": {"text": redact.text("\n".join(said))},
        "locations": _locations(one, finding.where),
        "properties": {
            "grade": str(finding.grade),
            "requirements": list(finding.requirements),
            "spec": finding.spec,
            "cause": str(finding.cause),
        },
    }


def _locations(one: Judged, where: str) -> list[dict[str, Any]]:
    """Of a file judged alone, the file; of an exam, each artefact that the finding names."""
    if not one.members:
        return [_location(one.file, where)]
    found = []
    for place in where.split(" / "):
        file, _, path = place.partition(" : ")
        file = file.partition(" › ")[0]
        if file in one.members:
            found.append(_location(file, path))
    return found or [_location(one.members[0], where)]


def _location(file: str, where: str) -> dict[str, Any]:
    physical: dict[str, Any] = {"artifactLocation": {"uri": _uri(file)}}
    span = _BYTES.fullmatch(where)
    if span is not None:
        start, end = int(span[1]), int(span[2])
        physical["region"] = {"byteOffset": start, "byteLength": max(0, end - start)}
    location: dict[str, Any] = {"physicalLocation": physical}
    if where and span is None:
        location["logicalLocations"] = [{"fullyQualifiedName": where}]
    return location


def _uri(file: str) -> str:
    return "stdin" if file == STANDARD_INPUT else quote(file.replace("\\", "/"))
