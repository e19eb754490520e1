"""What `drimbench data import` shows: files of a set, placeholders, acknowledgements."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from rich.console import Console
from rich.markup import escape

from bench.dataset.homologation import KNOWN, Message, Set
from bench.dataset.sending import Delivery
from bench.errors import BenchError
from reports.json import finding_as_json
from validators.api import KINDS, Report, validate

__all__ = ["as_json", "judged", "show_ack", "show_set", "unfilled", "values_given"]

_MARKS = {"pass": "[green]✓[/green]", "warn": "[yellow]![/yellow]", "fail": "[red]✗[/red]"}


def values_given(pairs: Iterable[str]) -> dict[str, str]:
    """`NAME=VALUE` options as a mapping.

    Raises:
        BenchError: one without `=` or without name.
    """
    found = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name:
            raise BenchError(f"--set {pair} : NOM=VALEUR est attendu")
        found[name] = value
    return found


def judged(message: Message) -> Report | None:
    """What the judges say of a message, None when they do not know its form or it is not ready."""
    kind = message.form.lower()
    if message.unknown or message.trouble or kind not in KINDS:
        return None
    return validate(message.data, kind)


def unfilled(messages: Sequence[Message]) -> list[str]:
    """One line for each place that nobody filled: `file:line : name`."""
    return [
        f"{message.file.name}:{place.line} : {{{{{place.name}}}}} n'est pas rempli "
        f"(--set {place.name}=VALEUR)"
        for message in messages
        for place in message.unknown
    ]


def show_set(found: Set, messages: Sequence[Message], left: Sequence[Message], to: Console) -> None:
    """What the folder holds, what would be sent, what is wrong."""
    counted = Counter(one.kind for one in found.files)
    told = ", ".join(f"{count} {kind}" for kind, count in sorted(counted.items()))
    to.print(f"{found.folder} : {told or 'aucun fichier'}", highlight=False, markup=False)
    for one in found.refused:
        to.print(f"  {one.name} : refusé : {one.why}", style="red", markup=False, highlight=False)
    for message in messages:
        report = judged(message)
        mark = _MARKS[report.verdict] if report else "[dim]·[/dim]"
        to.print(f"  {mark} {message.form or '?':<4} {escape(message.file.name)}", highlight=False)
        for finding in report.findings if report else ():
            to.print(
                f"      {finding.rule} {finding.severity.value} : {finding.message}",
                style="dim",
                markup=False,
                highlight=False,
            )
        if message.trouble:
            to.print(f"      {message.trouble}", style="red", markup=False, highlight=False)
        for place in message.inside:
            to.print(
                f"      le compte rendu porte {{{{{place.name}}}}}, ligne {place.line} : laissé "
                "tel quel",
                style="yellow",
                markup=False,
                highlight=False,
            )
    for message in left:
        to.print(
            f"  · {message.form:<4} {message.file.name} : laissé, son jumeau porte le même compte "
            "rendu",
            style="dim",
            markup=False,
            highlight=False,
        )
    for line in unfilled(messages):
        to.print(f"  {line}", style="yellow", markup=False, highlight=False)


def show_ack(delivery: Delivery, to: Console) -> None:
    """What came back for one message."""
    ack = delivery.ack
    if ack is None:
        to.print(f"[red]✗[/red] {escape(delivery.name)} : {escape(delivery.silence)}")
        return
    mark = "[green]✓[/green]" if ack.accepted else "[red]✗[/red]"
    to.print(
        f"{mark} {escape(delivery.name)} : {ack.code} {escape(ack.text)}".rstrip(), highlight=False
    )
    for error in ack.errors:
        to.print(
            f"    {error.severity} {error.condition} {error.text} {error.location} "
            f"{error.application}".rstrip(),
            markup=False,
            highlight=False,
        )


def as_json(
    found: Set, messages: Sequence[Message], left: Sequence[Message], sent: Sequence[Delivery]
) -> dict[str, Any]:
    """The whole as one document (docs/reference/json.md)."""
    acks = {one.name: one for one in sent}
    return {
        "folder": str(found.folder),
        "files": [{"name": o.name, "kind": o.kind.value, "size": o.size} for o in found.files],
        "refused": [{"name": one.name, "why": one.why} for one in found.refused],
        "known": list(KNOWN),
        "messages": [
            {
                "name": message.file.name,
                "form": message.form,
                "verdict": report.verdict if (report := judged(message)) else None,
                "findings": [finding_as_json(one) for one in report.findings] if report else [],
                "unfilled": [{"name": p.name, "line": p.line} for p in message.unknown],
                "inside": [{"name": p.name, "line": p.line} for p in message.inside],
                "trouble": message.trouble,
                "ack": _ack(acks.get(message.file.name)),
            }
            for message in messages
        ],
        "twins": [message.file.name for message in left],
    }


def _ack(delivery: Delivery | None) -> dict[str, Any] | None:
    if delivery is None:
        return None
    if delivery.ack is None:
        return {"code": None, "silence": delivery.silence, "errors": []}
    return {
        "code": delivery.ack.code,
        "silence": "",
        "errors": [
            {"condition": e.condition, "text": e.text, "severity": e.severity, "where": e.location}
            for e in delivery.ack.errors
        ],
    }
