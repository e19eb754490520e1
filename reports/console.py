"""A run in a terminal, in French: scenarios, what failed and why, totals, where the report is.

Colours follow the terminal (none when it is a file, or under NO_COLOR); a verdict always has its
symbol and its word too. Nothing is cut, so that a log keeps everything.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console
from rich.text import Text

from bench.results import Run, ScenarioResult
from bench.verdicts import Verdict
from reports import redact
from reports.reproduce import reproductions
from reports.views import draft_only
from reports.words import GRADES, SENTENCES, SEVERITIES, SYMBOLS, duration, plural
from validators.finding import Finding, Severity

__all__ = ["scenario_lines", "summarise"]

_STYLES = {
    Verdict.PASS: "green",
    Verdict.FAIL: "bold red",
    Verdict.WARN: "yellow",
    Verdict.SKIP: "dim",
    Verdict.OMIT: "dim",
    Verdict.REVIEW: "magenta",
    Verdict.UNKNOWN: "magenta",
    Verdict.ERROR: "bold red",
    Verdict.XFAIL: "dim",
    Verdict.XPASS: "bold red",
}
_QUIET = frozenset({Verdict.PASS, Verdict.OMIT, Verdict.XFAIL})
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def summarise(
    run: Run, report: Path | None, console: Console, *, every_scenario: bool = False
) -> None:
    """Print what did not pass and why, then the totals; with `every_scenario`, all of them."""
    feature = reason = ""
    for scenario in run.scenarios:
        if scenario.verdict in _QUIET and not every_scenario:
            continue
        if scenario.feature != feature:
            feature = scenario.feature
            _print(console, Text(f"\n{_safe(feature)}", style="bold"))
        # A reason that many scenarios in a row share is said once.
        for line in scenario_lines(scenario, with_reason=scenario.reason != reason):
            _print(console, line)
        reason = scenario.reason
        for line in _reproductions(scenario, run.directory):
            _print(console, line)
    for line in _summary(run, report):
        _print(console, line)


def scenario_lines(scenario: ScenarioResult, *, with_reason: bool = True) -> Iterator[Text]:
    """The line of a scenario, then, unless it passed, its reason and what contradicts it."""
    verdict = scenario.verdict
    line = Text("  ")
    line.append(f"{SYMBOLS[verdict]} {verdict.french}", style=_STYLES[verdict])
    if draft_only(scenario):
        line.append(" (exigence de projet 2023)", style=_STYLES[verdict])
    line.append(f"  {_safe(scenario.title)}")
    line.append(f"  {scenario.id}, {duration(scenario.duration_s)}", style="dim")
    yield line
    if verdict is Verdict.PASS:
        return
    if scenario.reason and with_reason:
        yield Text(f"      {_safe(scenario.reason)}")
    for awaited in scenario.expectations:
        if not awaited.met:
            yield Text(f"      attendu, pas venu : {_safe(awaited.what)}")
            yield from _opposed(awaited.expected, awaited.actual)
    for _, finding in scenario.findings:
        if finding.severity is not Severity.INFO:
            yield from _finding(finding)


def _reproductions(scenario: ScenarioResult, directory: Path) -> Iterator[Text]:
    lines = reproductions(scenario)
    if lines:
        yield Text(f"      à refaire depuis {_safe(str(directory))} :", style="dim")
    for one in lines:
        yield Text(f"        # {one.what}", style="dim")
        yield Text(f"        {_safe(one.command)}")


def _finding(finding: Finding) -> Iterator[Text]:
    style = "red" if finding.severity is Severity.ERROR else "yellow"
    line = Text("      ")
    line.append(f"{SEVERITIES[finding.severity]} {finding.rule}", style=style)
    line.append(f"  {_safe(finding.message)}")
    yield line
    yield from _opposed(finding.expected, finding.actual)
    source = ", ".join(filter(None, (finding.where, finding.spec, GRADES[finding.grade])))
    yield Text(f"          {_safe(source)}", style="dim")


def _opposed(expected: str, actual: str) -> Iterator[Text]:
    if expected:
        yield Text(f"          attendu  : {_safe(expected)}")
    if actual:
        yield Text(f"          constaté : {_safe(actual)}")


def _summary(run: Run, report: Path | None) -> Iterator[Text]:
    yield Text("")
    counts: dict[Verdict, int] = {}
    for scenario in run.scenarios:
        counts[scenario.verdict] = counts.get(scenario.verdict, 0) + 1
    told = ", ".join(f"{counts[one]} {one.french}" for one in Verdict if one in counts)
    total = sum(run.counts().values())
    line = Text()
    line.append(f"{SYMBOLS[run.verdict]} {run.verdict.french}", style=_STYLES[run.verdict])
    line.append(f"  {SENTENCES[run.verdict]}")
    yield line
    played = plural(len(run.scenarios), "scénario")
    yield Text(
        f"{played} ({told or 'aucun'}), {plural(total, 'échange')}, "
        f"{duration(run.duration_s)}, graine {run.seed}"
    )
    if exchanges := ", ".join(f"{name} {count}" for name, count in run.counts().items()):
        yield Text(f"Échanges : {exchanges}", style="dim")
    for note in run.notes:
        yield Text(f"Journal : {note}", style="yellow")
    if report is not None:
        yield Text(f"Rapport : {report}")


def _safe(content: str) -> str:
    """Without secrets, nor what would drive the terminal: a peer may have written it."""
    return _CONTROL.sub("·", redact.text(content))


def _print(console: Console, line: Text) -> None:
    # soft_wrap: no line is broken or cut, a path stays one word in a log.
    console.print(line, soft_wrap=True, highlight=False)
