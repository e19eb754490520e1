"""What the judges say of files as SARIF 2.1.0: for editors, code hosts and security dashboards.

Every result has what GitHub code scanning demands beyond the schema: a rule with both
descriptions, one location at least, each in a file with a startLine, and a fingerprint.

Réf.: OASIS SARIF 2.1.0, 3.13 (log), 3.14 (run), 3.19 (toolComponent), 3.27 (result), 3.28
(location), 3.49 (reportingDescriptor), 3.58 (notification); GitHub, SARIF support for code
scanning.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from hashlib import sha256
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
_LINE = re.compile(r"(?:^|\()ligne ([1-9]\d{0,8})\)?$")
"""How the place of a finding ends when its line in the file is known."""


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
                        "rules": [
                            _descriptor(known[id]) if id in known else _supplied(id, judged)
                            for id in spoke
                        ],
                    }
                },
                "columnKind": "unicodeCodePoints",
                "artifacts": [
                    {"location": {"uri": _uri(file)}}
                    for one in judged
                    for file in one.members or (one.file,)
                ],
                "invocations": [_invocation(judged)],
                "results": [result for one in judged for result in _results(one, ranks)],
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
        "fullDescription": {"text": f"{rule.title} ({rule.reference})."},
        "help": {"text": f"{rule.reference} [{rule.reference.grade}]"},
        "defaultConfiguration": {"level": _LEVELS[rule.severity]},
        "properties": {
            "grade": str(rule.reference.grade),
            "requirements": list(rule.requirements),
        },
    }


def _supplied(id: str, judged: Sequence[Judged]) -> dict[str, Any]:
    """What a schema of the user's demands: it has no other text than what it says when broken."""
    said = next(one for file in judged for one in file.findings if one.rule == id)
    return {
        "id": id,
        "shortDescription": {"text": redact.text(said.message)},
        "fullDescription": {"text": f"{redact.text(said.message)} ({said.spec})."},
        "help": {"text": f"{said.spec} [{said.grade}]"},
        "defaultConfiguration": {"level": _LEVELS[said.severity]},
        "properties": {"grade": str(said.grade), "requirements": []},
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


def _results(one: Judged, ranks: dict[str, int]) -> Iterator[dict[str, Any]]:
    """The results of a file. Of findings that nothing tells apart, each has its rank."""
    seen: Counter[str] = Counter()
    for finding in one.findings:
        result = _result(one, finding, ranks)
        # GitHub would hash the line: all results of a rule would be one in a file without lines.
        where = _LINE.sub("", finding.where)
        place = sha256(f"{finding.rule}\n{where}".encode()).hexdigest()[:16]
        seen[place] += 1
        result["partialFingerprints"] = {"primaryLocationLineHash": f"{place}:{seen[place]}"}
        yield result


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
    """A place in a file: its line, the first when none is known (DICOM has none); its path."""
    line = _LINE.search(where)
    location: dict[str, Any] = {
        "physicalLocation": {
            "artifactLocation": {"uri": _uri(file)},
            "region": {"startLine": int(line[1]) if line else 1},
        }
    }
    if where:
        location["logicalLocations"] = [{"fullyQualifiedName": where}]
    return location


def _uri(file: str) -> str:
    return "stdin" if file == STANDARD_INPUT else quote(file.replace("\\", "/"))
