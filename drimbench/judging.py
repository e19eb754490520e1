"""`drimbench validate` and `drimbench explain`: the judges without a campaign."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from bench.errors import BenchError
from bench.verdicts import ExitCode, Verdict
from reports.json import finding_as_json
from spec.requirements import resolve
from validators.api import KINDS, CheckerError, Context, rules, validate
from validators.finding import Finding, Severity, verdict_of
from validators.supplied import XML_KINDS, Schema, SchemaError, subject
from validators.zip_archive import ZipSyntaxError, unpack

__all__ = [
    "STANDARD_INPUT",
    "Judged",
    "explain",
    "exit_code_of",
    "judge_files",
    "read_files",
    "show",
    "show_findings",
]

STANDARD_INPUT = "(entrée standard)"

_STYLES = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.INFO: "dim"}
_WORDS = {Severity.ERROR: "erreur", Severity.WARNING: "avertissement", Severity.INFO: "note"}


@dataclass(frozen=True, slots=True)
class Judged:
    """One file and what the judge says of it. `kind` is None when no kind was recognised.

    `members` are the artefacts of an exam, when it is an exam that was judged.
    """

    file: str
    kind: str | None
    verdict: Verdict
    findings: tuple[Finding, ...]
    members: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The documented shape."""
        return {
            "file": self.file,
            "kind": self.kind,
            "verdict": self.verdict.value,
            "findings": [finding_as_json(finding) for finding in self.findings],
        }


def judge_files(
    arguments: Sequence[str],
    *,
    context: Context | None = None,
    schemas: Sequence[Schema] = (),
) -> list[Judged]:
    """Judge files, the files of folders, or standard input (`-`). The first argument may be a kind.

    `schemas` judge the files that are XML, beside our rules.

    Raises:
        BenchError: no file given, a file cannot be read, or schemas and not one XML file.
    """
    kind = arguments[0] if arguments and arguments[0] in KINDS else None
    names = list(arguments[1:] if kind else arguments)
    if not names:
        raise BenchError("aucun fichier donné ; sortes connues : " + ", ".join(sorted(KINDS)))
    given = context or Context()
    judged = [_judge(name, data, kind, given, schemas) for name, data in read_files(names)]
    if schemas and not any(one.kind in XML_KINDS for one in judged):
        raise BenchError(
            "--xsd et --schematron jugent du XML, et aucun fichier donné n'en est ; sortes XML : "
            + ", ".join(sorted(XML_KINDS))
        )
    return judged


def exit_code_of(judged: Sequence[Judged]) -> ExitCode:
    """1 when something fails, 2 when something could not be judged, else 0."""
    verdicts = {one.verdict for one in judged}
    if Verdict.FAIL in verdicts:
        return ExitCode.FAIL
    open_ones = {Verdict.UNKNOWN, Verdict.SKIP}
    return ExitCode.OPEN if verdicts & open_ones and verdicts <= open_ones else ExitCode.CONFORM


def show(judged: Sequence[Judged], console: Console) -> None:
    """One block per file: verdict, then findings with place, expected and found."""
    for one in judged:
        kind = f" ({KINDS[one.kind].title})" if one.kind else ""
        console.print(f"[bold]{one.file}[/bold]{kind} : {one.verdict.french}", highlight=False)
        show_findings(one.findings, console)
        if one.kind is None:
            console.print("  sorte non reconnue : donnez-la avant le fichier", style="yellow")


def show_findings(findings: Sequence[Finding], console: Console) -> None:
    """Each finding with its place, what was expected and what was found."""
    for finding in findings:
        console.print(
            f"  {_WORDS[finding.severity]} {finding.rule} {finding.message}",
            style=_STYLES[finding.severity],
            highlight=False,
            markup=False,
        )
        for name, value in (
            ("où", finding.where),
            ("attendu", finding.expected),
            ("trouvé", finding.actual),
            ("texte", f"{finding.spec} [{finding.grade.value}]"),
        ):
            if value:
                console.print(f"      {name} : {value}", highlight=False, markup=False)


def explain(id: str, console: Console) -> None:
    """Print a rule or a requirement: text, clause, grade, examples.

    Raises:
        BenchError: neither.
    """
    known = rules()
    if id in known:
        rule = known[id]
        console.print(f"[bold]{rule.id}[/bold]  {rule.title}", highlight=False)
        console.print(f"gravité   {_WORDS[rule.severity]}", highlight=False)
        console.print(f"texte     {rule.reference}", highlight=False, markup=False)
        console.print(f"confiance {rule.reference.grade.value}", highlight=False)
        if rule.requirements:
            console.print(f"exigences {', '.join(rule.requirements)}", highlight=False)
        for title, make in (("accepté", rule.good), ("refusé", rule.bad)):
            console.print(f"\nexemple {title} :", style="dim")
            console.print(_excerpt(make()), highlight=False, markup=False)
        return
    requirement = resolve(id)
    if requirement is None:
        raise BenchError(f"« {id} » n'est ni une règle ni une exigence connue")
    # Features are read here alone: `validate` does not wait for them.
    from drimbench.coverage import measure
    from drimbench.requirements_view import describe

    describe(requirement, measure(), console)


def _judge(
    name: str, data: bytes, kind: str | None, context: Context, schemas: Sequence[Schema]
) -> Judged:
    try:
        report = validate(data, kind, context=context)
    except LookupError:
        return Judged(name, None, Verdict.SKIP, ())
    except CheckerError as error:
        sys.stderr.write(f"drimbench : {name} : la règle {error.rule} s'est arrêtée : {error}\n")
        return Judged(name, kind, Verdict.UNKNOWN, ())
    findings = list(report.findings)
    document = subject(data, report.kind) if schemas else None
    if document is not None:
        for schema in schemas:
            try:
                findings += [one.weighed(context.floor) for one in schema.judge(document)]
            except SchemaError as error:
                sys.stderr.write(f"drimbench : {name} : {schema.name} s'est arrêté : {error}\n")
                return Judged(name, report.kind, Verdict.UNKNOWN, tuple(findings))
    return Judged(name, report.kind, Verdict(verdict_of(findings)), tuple(findings))


def read_files(names: Sequence[str]) -> Iterator[tuple[str, bytes]]:
    """Name and bytes of each file, of each file of a folder, of standard input (`-`).

    Raises:
        BenchError: a file cannot be read.
    """
    for name in names:
        if name == "-":
            yield STANDARD_INPUT, sys.stdin.buffer.read()
            continue
        path = Path(name)
        files = sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]
        for file in files:
            try:
                yield str(file), file.read_bytes()
            except OSError as error:
                raise BenchError(f"{file} : illisible ({error.strerror})") from None


def _excerpt(data: bytes, lines: int = 14) -> str:
    """The beginning of an example, as text where it is text; the members of an archive."""
    if data.startswith(b"PK\x03\x04"):
        return _members(data)
    try:
        text = data.decode("utf-8").replace("\r", "\n")
    except UnicodeDecodeError:
        return f"({len(data)} octets binaires, début {data[:48].hex(' ')}…)"
    kept = [line[:160] for line in text.splitlines()[:lines]]
    return "\n".join(kept) + ("\n…" if text.count("\n") > lines else "")


def _members(data: bytes) -> str:
    try:
        found = unpack(data)
    except ZipSyntaxError as error:
        return f"({error})"
    return "\n".join(f"{name} ({len(content)} octets)" for name, content in found.items())
