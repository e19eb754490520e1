"""What the judges say of files as JUnit XML: a suite per file, a case per rule of its kind."""

from __future__ import annotations

import re
from collections.abc import Sequence

from lxml import etree

from bench.verdicts import Verdict
from drimbench.judging import Judged
from reports import redact
from validators.api import KINDS
from validators.finding import Finding, Severity

__all__ = ["as_junit"]

_ILLEGAL = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def as_junit(judged: Sequence[Judged]) -> bytes:
    """The document. An error is a failure; warnings and notes are told and pass."""
    root = etree.Element("testsuites", name="drimbench validate")
    for one in judged:
        root.append(_suite(one))
    for name in ("tests", "failures", "errors", "skipped"):
        root.set(name, str(sum(int(suite.get(name, "0")) for suite in root)))
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)


def _suite(one: Judged) -> etree._Element:
    suite = etree.Element("testsuite", name=_legal(one.file))
    cases = _rules(one) if one.kind and one.verdict is not Verdict.UNKNOWN else [_unjudged(one)]
    suite.extend(cases)
    suite.set("tests", str(len(cases)))
    for attribute, element in (("failures", "failure"), ("errors", "error")):
        suite.set(attribute, str(sum(case.find(element) is not None for case in cases)))
    suite.set("skipped", str(sum(case.find("skipped") is not None for case in cases)))
    return suite


def _unjudged(one: Judged) -> etree._Element:
    case = etree.Element("testcase", classname="drimbench", name="jugement")
    name = "error" if one.verdict is Verdict.UNKNOWN else "skipped"
    etree.SubElement(case, name, message=one.verdict.french)
    return case


def _rules(one: Judged) -> list[etree._Element]:
    by_rule: dict[str, list[Finding]] = {}
    for finding in one.findings:
        by_rule.setdefault(finding.rule, []).append(finding)
    known = KINDS[one.kind or ""].rules.rules
    # A supplied schema speaks under ids of its own, an exam's artefacts under those of their kind.
    titles = {id: found[0].message for id, found in by_rule.items()}
    titles |= {id: rule.title for id, rule in known.items()}
    return [_case(one.kind or "", id, titles[id], by_rule.get(id, [])) for id in sorted(titles)]


def _case(kind: str, id: str, title: str, findings: Sequence[Finding]) -> etree._Element:
    case = etree.Element("testcase", classname=kind, name=_legal(f"{id} {title}"))
    errors = [finding for finding in findings if finding.severity is Severity.ERROR]
    if errors:
        told = etree.SubElement(case, "failure", type=id, message=_legal(errors[0].message))
        told.text = _legal("\n\n".join(map(_told, errors)))
    others = [finding for finding in findings if finding.severity is not Severity.ERROR]
    if others:
        etree.SubElement(case, "system-out").text = _legal("\n\n".join(map(_told, others)))
    return case


def _told(finding: Finding) -> str:
    lines = [f"[{finding.severity}] {finding.message}"]
    lines += [
        f"{name} : {value}"
        for name, value in (
            ("où", finding.where),
            ("attendu", finding.expected),
            ("trouvé", finding.actual),
            ("texte", f"{finding.spec} [{finding.grade}]"),
        )
        if value
    ]
    return "\n".join(lines)


def _legal(content: str) -> str:
    """Without secrets, and without the characters that XML 1.0 forbids."""
    return _ILLEGAL.sub("\ufffd", redact.text(content))
