"""`drimbench cross`: the artefacts of one exam, compared two by two."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.errors import BenchError
from bench.verdicts import Verdict
from drimbench.judging import Judged, read_files, show_findings
from reports.json import finding_as_json
from validators.api import CheckerError, Context, validate
from validators.cross import CrossReport, ExamError, Pair, compare
from validators.demands import Demands
from validators.finding import Finding, verdict_of
from validators.zip_archive import ZipSyntaxError, unpack

__all__ = ["as_json", "cross_files", "show"]

_NOTHING = CrossReport(Verdict.UNKNOWN.value, (), ())


def cross_files(
    arguments: Sequence[str], *, context: Context | None = None
) -> tuple[Judged, CrossReport]:
    """Compare files, the files of folders, the members of a ZIP archive, standard input (`-`).

    An instant, keys, authorities or a profile in the context judge each artefact as well: what
    they alone find is told with what the comparison finds.

    Raises:
        BenchError: no file, two of the same name, one that cannot be read, or too many.
    """
    artefacts: dict[str, bytes] = {}
    for name, data in read_files(arguments):
        if name in artefacts:
            raise BenchError(f"{name} : donné deux fois")
        artefacts[name] = data
    if not artefacts:
        raise BenchError("aucun fichier à comparer")
    try:
        artefacts = _opened(artefacts)
        given = context or Context()
        report = compare(artefacts, context=given)
        found = (*report.findings, *_by_context(artefacts, given))
        report = replace(report, findings=found, verdict=verdict_of(list(found)))
    except (ExamError, ZipSyntaxError) as error:
        raise BenchError(str(error)) from None
    except CheckerError as error:
        sys.stderr.write(f"drimbench : la règle {error.rule} s'est arrêtée : {error}\n")
        return Judged("examen", "examen", Verdict.UNKNOWN, (), tuple(artefacts)), _NOTHING
    name = arguments[0] if len(arguments) == 1 else "examen"
    # Nothing was compared: nothing can be said.
    verdict = Verdict(report.verdict) if report.pairs or report.findings else Verdict.SKIP
    return Judged(name, "examen", verdict, report.findings, tuple(artefacts)), report


def as_json(judged: Judged, report: CrossReport) -> dict[str, Any]:
    """The documented shape: `verdict`, `files`, `pairs`, `findings`."""
    return {
        "verdict": judged.verdict.value,
        "files": list(judged.members),
        "pairs": [pair.as_dict() for pair in report.pairs],
        "findings": [finding_as_json(finding) for finding in judged.findings],
    }


def show(judged: Judged, report: CrossReport, console: Console, *, every: bool = False) -> None:
    """The table of pairs, a line per subject (or per pair with `every`), then the findings."""
    console.print(
        f"[bold]{len(judged.members)} artefacts[/bold], {len(report.pairs)} comparaisons : "
        f"{judged.verdict.french}",
        highlight=False,
    )
    if report.pairs:
        console.print(_pairs(report.pairs) if every else _subjects(report.pairs))
    else:
        console.print("  rien à comparer : donnez au moins deux artefacts d'un même examen")
    show_findings(judged.findings, console)


def _by_context(artefacts: Mapping[str, bytes], context: Context) -> Iterator[Finding]:
    """What each artefact breaks in its context that it does not break without.

    Raises:
        CheckerError: a rule broke.
    """
    bare = replace(context, at=None, jwks=b"", authorities=b"", demands=Demands())
    if bare == context:
        return
    for name, data in artefacts.items():
        try:
            known = set(validate(data, context=bare).findings)
            found = validate(data, context=context).findings
        except LookupError:  # CROSS-002 says it
            continue
        for finding in found:
            if finding not in known:
                yield replace(finding, where=f"{name} : {finding.where}")


def _opened(artefacts: dict[str, bytes]) -> dict[str, bytes]:
    """A single archive is its members."""
    if len(artefacts) == 1:
        (data,) = artefacts.values()
        if data.startswith(b"PK\x03\x04"):
            return unpack(data)
    return artefacts


def _subjects(pairs: Sequence[Pair]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("sujet", "accord", "valeur", "artefacts"):
        table.add_column(name, overflow="fold")
    for subject in dict.fromkeys(pair.subject for pair in pairs):
        mine = [pair for pair in pairs if pair.subject is subject]
        bad = [pair for pair in mine if not pair.agrees]
        voices = dict.fromkeys(voice for pair in mine for voice in (pair.left, pair.right))
        values = _values((bad or mine)[0])
        table.add_row(
            str(subject),
            f"{len(mine) - len(bad)}/{len(mine)}",
            values,
            ", ".join(voices),
            style="red" if bad else None,
        )
    return table


def _pairs(pairs: Sequence[Pair]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("sujet", "", "et", "accord", "valeur"):
        table.add_column(name, overflow="fold")
    for pair in pairs:
        table.add_row(
            str(pair.subject),
            str(pair.left),
            str(pair.right),
            "oui" if pair.agrees else "non",
            _values(pair),
            style=None if pair.agrees else "red",
        )
    return table


def _values(pair: Pair) -> str:
    left, right = _short(pair.left_values), _short(pair.right_values)
    return left if pair.agrees else f"{left} ≠ {right}"


def _short(values: Sequence[str]) -> str:
    return values[0] if len(values) == 1 else f"{values[0]} … ({len(values)})"
